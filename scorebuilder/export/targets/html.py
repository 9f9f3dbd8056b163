"""One HTML page that computes the score without a network, for the bedside."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from string import Template

from scorebuilder.core.units import format_horizon, horizon_code, unit_text
from scorebuilder.export.formula import formula_lines
from scorebuilder.export.javascript import javascript_core, literal
from scorebuilder.export.page import content_hash, description_rows, html_table, risk_rows
from scorebuilder.export.plan import Plan, make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact


def _part(name: str) -> str:
    folder = files("scorebuilder.export").joinpath("calculator")
    return folder.joinpath(name).read_text("utf-8")


def _script(plan: Plan) -> str:
    units = {
        rule.name: [
            {"text": unit_text(rule.unit), "factor": 1.0, "offset": 0.0},
            *(
                {"text": unit_text(one.unit), "factor": one.factor, "offset": one.offset}
                for one in rule.other_units
            ),
        ]
        for rule in plan.inputs
        if rule.numeric
    }
    names = ("points", "n", "observed", "lower", "upper")
    table = [
        {"code": horizon_code(row["horizon"]), **{name: row[name] for name in names}}
        for row in plan.artifact.scoring["risk_table"]
    ]
    data = (
        f"const WORDS = {literal(json.loads(_part('words.json')))};\n"
        f"const UNITS = Object.assign(Object.create(null), {literal(units)});\n"
        f"const RISK_TABLE = {literal(table)};\n"
    )
    return f"\n{javascript_core(plan)}\n{data}{_part('page.js')}"


def _performance(plan: Plan) -> str:
    evidence = plan.artifact.content["evidence"]["performance"]
    rows = []
    for row in evidence:
        if row.get("model") != "score" or row.get("value") is None:
            continue
        interval = ""
        if row.get("lower") is not None and row.get("upper") is not None:
            interval = f"{row['lower']:.3f} to {row['upper']:.3f}"
        horizon = format_horizon(row["horizon"])
        rows.append(("", [row["metric_label"], horizon, f"{row['value']:.3f}", interval]))
    if not rows:
        return "<p>No evidence is stored in this score.</p>"
    caption = "In patients that the score had not seen (cross-validation)"
    return html_table(caption, ["Measure", "Horizon", "Value", "95 % interval"], rows)


def _formula(plan: Plan) -> str:
    text = "\n".join(escape(line) for line in formula_lines(plan))
    return f'<p class="formula">{text}</p>'


def _extra(plan: Plan) -> str:
    rows = []
    for key, english in (("citation", "Citation"), ("contact", "Contact")):
        if plan.about[key]:
            rows.append(
                f'<dt data-say="{key}">{english}</dt><dd>{escape(str(plan.about[key]))}</dd>'
            )
    return "\n".join(rows)


def write_html(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as an offline calculator.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        One file, ``<name>.html``: styles and script inside, allowed by their hashes alone.
    """
    plan = make_plan(artifact)
    about = plan.about
    script, style = _script(plan), _part("style.css")
    provenance = [
        ("version", about["version"]),
        ("core_id", about["core_id"]),
        ("artifact_sha256", about["artifact_sha256"]),
        ("review_by", about["review_by"]),
        *about["provenance"].items(),
    ]
    plain = ("title", "status", "name", "version", "outcome", "population",
             "intended_use", "not_for", "time_zero")  # fmt: skip
    page = Template(_part("page.html")).substitute(
        {key: escape(str(about[key])) for key in plain},
        script=script,
        style=style,
        script_hash=content_hash(script),
        style_hash=content_hash(style),
        extra=_extra(plan),
        risk_table=risk_rows(plan),
        performance=_performance(plan),
        formula=_formula(plan),
        provenance=description_rows(provenance),
    )
    return {f"{plan.file_stem}.html": page}


TARGETS.register(
    "html",
    Target(
        "html",
        "Offline calculator, one page",
        write_html,
        "Open the file in any browser; it needs no network. It checks itself on opening and "
        "refuses to work when a test vector is not reproduced.",
    ),
)
