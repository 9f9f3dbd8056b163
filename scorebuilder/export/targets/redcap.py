"""Rows for a REDCap data dictionary: the inputs, and calculated fields for the score."""

from __future__ import annotations

import csv
import io

from scorebuilder.core.units import unit_text
from scorebuilder.export.plan import InputRule, Plan, make_plan
from scorebuilder.export.redcap import calculations, field_names
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.apply import LARGEST_INPUT
from scorebuilder.score.artifact import ScoreArtifact

COLUMNS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
SHOWN = ("sb_status", "sb_points", "sb_risk")
"""Calculated fields that people see begin with one of these."""


def plain(text: str) -> str:
    """
    Write text of the score so that a cell holds one line that is no formula and no markup.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Without line ends and bars, with ``<`` and ``&`` as entities.
    """
    line = " ".join(text.split()).replace("|", "/").replace("&", "&amp;").replace("<", "&lt;")
    line = line.replace("[", "(").replace("]", ")")
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _row(**cells: str) -> dict[str, str]:
    names = dict(zip(("name", "form", "header", "kind", "label", "choices", "note", "validation",
                      "low", "high", "identifier", "branching", "required", "alignment", "number",
                      "matrix", "ranking", "annotation"), COLUMNS, strict=True))  # fmt: skip
    return {**dict.fromkeys(COLUMNS, ""), **{names[key]: value for key, value in cells.items()}}


def _input(rule: InputRule, field: str, form: str, header: str) -> dict[str, str]:
    required = "y" if rule.fill is None else ""
    common = {"name": field, "form": form, "header": header, "label": plain(rule.label)}
    if not rule.numeric:
        choices = " | ".join(
            f"{place}, {plain(label or code)}"
            for place, (code, label) in enumerate(rule.levels, start=1)
        )
        return _row(**common, kind="radio", choices=choices, required=required)
    assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
    return _row(
        **common,
        kind="text",
        note=plain(unit_text(rule.unit)),
        validation="number",
        low=f"{rule.lowest!r}" if rule.lowest > -LARGEST_INPUT else "",
        high=f"{rule.highest!r}" if rule.highest < LARGEST_INPUT else "",
        required=required,
    )


def dictionary(plan: Plan) -> list[dict[str, str]]:
    """
    Write the rows of the data dictionary.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    list of dict
        One row per field, by the column names of REDCap.
    """
    form = plan.file_stem[:50]
    given = field_names(rule.name for rule in plan.inputs)
    about = plan.about
    header = plain(
        f"{about['title']} ({about['name']} {about['version']}, status: {about['status']}). "
        f"Not for: {about['not_for']}"
    )
    rows = [
        _input(rule, given[rule.name], form, header if place == 0 else "")
        for place, rule in enumerate(plan.inputs)
    ]
    for name, label, code, is_text in calculations(plan, given):
        hidden = "" if name.startswith(SHOWN) or name.endswith(("_r", "_w")) else "@HIDDEN"
        common = {"name": name, "form": form, "label": plain(label)}
        if is_text:
            annotation = f"@CALCTEXT({code}) @READONLY {hidden}".strip()
            rows.append(_row(**common, kind="text", annotation=annotation))
        else:
            rows.append(_row(**common, kind="calc", choices=code, annotation=hidden))
    return rows


def write_redcap(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score for REDCap.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        ``<name>.redcap.csv``, to be added to a data dictionary.
    """
    plan = make_plan(artifact)
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dictionary(plan))
    return {f"{plan.file_stem}.redcap.csv": file.getvalue()}


TARGETS.register(
    "redcap",
    Target(
        "redcap",
        "REDCap data dictionary with calculated fields",
        write_redcap,
        "Add the rows to a data dictionary. Fields that end in _r and _w say why there is no "
        "score, and what to mind. Enter a few patients of test_vectors.json before it is used.",
    ),
)
