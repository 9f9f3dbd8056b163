"""A page to print: points of each input, their total and its risk, and the formula's nomogram."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from scorebuilder.core.units import format_horizon, unit_text
from scorebuilder.explanation.nomogram import make_nomogram
from scorebuilder.export.nomogram import draw_nomogram
from scorebuilder.export.page import content_hash, description_rows, html_table, percent, risk_rows
from scorebuilder.export.plan import InputRule, Plan, make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact

NO_CARD = "This score has no points card; use its formula, the nomogram, or another export."


def _part(name: str) -> str:
    return files("scorebuilder.export").joinpath(name).read_text("utf-8")


def row_words(rule: InputRule, row: Mapping[str, Any]) -> str:
    """
    Say to which patients a row of the card applies.

    Parameters
    ----------
    rule : InputRule
        The input.
    row : mapping
        ``codes`` of a factor, or ``from`` (inside) and ``to`` (outside) of a number.

    Returns
    -------
    str
        For example ``40 to under 55``.
    """
    if "codes" in row:
        labels = dict(rule.levels)
        return " or ".join(labels.get(code) or code for code in row["codes"])
    low, high = row.get("from"), row.get("to")
    if low is None and high is None:
        return "any"
    if low is None:
        return f"under {high:g}"
    return f"{low:g} or more" if high is None else f"{low:g} to under {high:g}"


def _card(plan: Plan) -> str:
    card = plan.artifact.content.get("card")
    if card is None:
        return f'<p class="hint">{escape(NO_CARD)}</p>'
    rules = {rule.name: rule for rule in plan.inputs}
    boxes = []
    for entry in card["predictors"]:
        rule = rules[entry["predictor"]]
        unit = unit_text(rule.unit)
        rows = "".join(
            f'<tr><th scope="row">{escape(row_words(rule, row))}</th>'
            f'<td class="points">{row["points"]:g}</td></tr>'
            for row in entry["rows"]
        )
        head = f"{rule.label} ({unit})" if unit else rule.label
        boxes.append(
            f'<div class="input"><h3>{escape(head)}</h3><table><thead><tr>'
            f'<th scope="col">Value</th><th scope="col">Points</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></div>"
        )
    low, high = card["total"]
    return (
        '<section aria-labelledby="points"><h2 id="points">Add the points</h2>'
        f'<div class="card">{"".join(boxes)}</div>'
        f'<div class="sum"><span>Total ({low:g} to {high:g})</span><span class="line"></span></div>'
        f"{_totals(plan, card)}{_card_risks(card)}{_loss(card)}</section>"
    )


def _totals(plan: Plan, card: Mapping[str, Any]) -> str:
    rows = card.get("totals") or []
    if not rows:
        return ""
    heads = ["Total", *(f"Risk by {row.words}, %" for row in plan.horizons)]
    cells = [("", [f"{row['total']:g}", *(percent(risk) for risk in row["risk"])]) for row in rows]
    fitted = str(card["fitted"])
    return html_table(f"{fitted[:1].upper()}{fitted[1:]}", heads, cells)


def _card_risks(card: Mapping[str, Any]) -> str:
    rows = []
    for row in card["risk"]:
        same = row["from"] == row["to"]
        total = f"{row['from']:g}" if same else f"{row['from']:g} to {row['to']:g}"
        interval = ""
        if row["lower"] is not None and row["upper"] is not None:
            interval = f"{percent(row['lower'])} to {percent(row['upper'])}"
        n = "" if row["n"] is None else f"{row['n']:,}"
        shown = [total, format_horizon(row["horizon"]), percent(row["predicted"])]
        rows.append(("", [*shown, percent(row["observed"]), interval, n, row["reason"]]))
    heads = ["Total", "By", "Mean risk, %", "Observed, %", "95 % interval", "Patients", "Note"]
    return html_table("Development patients by total", heads, rows)


def _loss(card: Mapping[str, Any]) -> str:
    rows = []
    for row in card["loss"]:
        horizon = "" if row["horizon"] is None else format_horizon(row["horizon"])
        values = ["" if row[key] is None else f"{row[key]:.4g}" for key in ("formula", "card")]
        rows.append(("", [row["measure"], horizon, *values, row["reason"]]))
    heads = ["Measure", "Horizon", "Formula", "Card", "Note"]
    return html_table("What the card costs against the formula", heads, rows) if rows else ""


def write_card(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as a page to print.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score; without a points card the page holds the nomogram only.

    Returns
    -------
    dict
        ``<name>_card.html`` and ``nomogram.svg``.
    """
    plan = make_plan(artifact)
    about, style = plan.about, _part("card_style.css")
    nomogram = draw_nomogram(make_nomogram(artifact))
    plain = ("title", "status", "name", "version", "outcome", "population", "intended_use",
             "not_for", "time_zero", "core_id")  # fmt: skip
    page = Template(_part("card_page.html")).substitute(
        {key: escape(str(about[key])) for key in plain},
        style=style,
        style_hash=content_hash(style),
        notice=escape(plan.notice),
        card=_card(plan),
        nomogram=nomogram,
        most=str(len(plan.thresholds)),
        risk_table=risk_rows(plan),
        extra=description_rows([("Citation", about["citation"]), ("Contact", about["contact"])]),
    )
    return {f"{plan.file_stem}_card.html": page, "nomogram.svg": f"{nomogram}\n"}


TARGETS.register(
    "card",
    Target(
        "card",
        "Points card and nomogram to print",
        write_card,
        "Open the page in any browser and print it, or print it to a PDF file.",
    ),
)
