"""What moves the score: importance of the predictors by their exact contributions."""

from __future__ import annotations

import math
from typing import Any

from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather importance, contributions along the values, and the forest's shares beside them.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures.

    Returns
    -------
    dict
        What the template names.
    """
    found = summary["importance"]
    if not found["rows"]:
        return {"undefined": numbers.undefined(found["reason"]), "sentence": "", "figures": []}
    forest = _forest_shares(summary)
    return {
        "undefined": "",
        "sentence": _sentence(found),
        "figures": figures["importance"],
        "curves": figures.get("dependence", []),
        "table": _table(found, forest),
        "forest": bool(forest),
    }


def _sentence(found: dict[str, Any]) -> str:
    first = found["rows"][0]
    text = (
        f"{first['label']} moves the score most: {numbers.percent(first['share'], 0)} of all"
        f" contributions in {numbers.count(found['n'])} patients."
    )
    if found["point"]:
        moved = numbers.number(first["size"] / found["point"], 1)
        text += f" On average it shifts a patient by {moved} points, up or down."
    return text


def _forest_shares(summary: Summary) -> dict[str, str]:
    agreement = summary.get("stage_agreement")
    rows = agreement["rows"] if agreement else []
    return {row["variable"]: numbers.percent(row["forest_share"], 0) for row in rows}


def _table(found: dict[str, Any], forest: dict[str, str]) -> DataTable:
    point = found["point"]
    header = [
        "Predictor", "Mean size (log hazard)", *(["In points"] if point else []),
        "Share (95 % interval)", "Hazard ratio, 5th to 95th centile",
        *(["Share in the forest"] if forest else []),
    ]  # fmt: skip
    rows = [
        (
            row["label"],
            numbers.three(row["size"]),
            *([numbers.number(row["size"] / point, 1)] if point else []),
            _share(row, found),
            _spread(row, found),
            *([forest.get(row["predictor"], "not explained")] if forest else []),
        )
        for row in found["rows"]
    ]
    return DataTable("Importance of the predictors of the score", tuple(header), tuple(rows))


def _share(row: dict[str, Any], found: dict[str, Any]) -> str:
    lower = upper = None
    if row["share"] is not None and row["error"] is not None:
        half = 1.96 * row["error"]
        lower, upper = max(0.0, row["share"] - half), min(1.0, row["share"] + half)
    return numbers.estimate(row["share"], lower, upper, found["reason"], style=numbers.percent)


def _spread(row: dict[str, Any], found: dict[str, Any]) -> str:
    if row["lower"] is None or row["upper"] is None:
        return numbers.undefined(found["reason"])
    return numbers.interval(math.exp(row["lower"]), math.exp(row["upper"]), style=numbers.two)


def applies(summary: Summary) -> bool:
    """
    Tell whether the summary holds contributions.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        False for summaries written before there were any.
    """
    return bool(summary.get("importance"))


SECTIONS.register(
    "importance",
    Section("What moves the score", "Model", 84, "importance.html.j2", context, applies),
)
