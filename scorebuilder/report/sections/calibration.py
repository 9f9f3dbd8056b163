"""Calibration: whether the predicted risk comes true."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

MEASURES = ("Observed / expected", "Slope", "ICI", "E50", "E90", "Emax")


def _measures(row: dict[str, Any]) -> tuple[str, ...]:
    """Write the measures of one model at one horizon, in the order of `MEASURES`."""
    why = row["reason"]
    large = (row["in_the_large"], row["in_the_large_lower"], row["in_the_large_upper"])
    slope = (row["slope"], row["slope_lower"], row["slope_upper"])
    return (
        numbers.estimate(*large, why, style=numbers.two),
        numbers.estimate(*slope, why, style=numbers.two),
        *(_distance(row, key) for key in ("ici", "e50", "e90", "e_max")),
    )


def _distance(row: dict[str, Any], key: str) -> str:
    if key not in row:
        return "–"  # runs of earlier versions
    limits = (row.get(f"{key}_lower"), row.get(f"{key}_upper"))
    return numbers.estimate(row[key], *limits, row["reason"], style=numbers.percent)


def _table(rows: list[dict[str, Any]]) -> DataTable:
    """Set the measures of one model out, a column for each horizon."""
    header = ("Measure (95 % CI)", *(words.adjective(row["horizon"]) for row in rows))
    columns = [_measures(row) for row in rows]
    body = tuple((name, *cells) for name, *cells in zip(MEASURES, *columns, strict=True))
    return DataTable(f"Calibration: {rows[0]['label']}", header, body)


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather calibration curves and numbers.

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
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(summary["validation"]["calibration"], key=lambda row: row["horizon"]):
        found.setdefault(row["model"], []).append(row)
    tables = {model: _table(rows) for model, rows in found.items()}
    drawn = figures["calibration"]
    return {
        "score_figures": [figure for figure in drawn if figure.model == "score"],
        "other_figures": [figure for figure in drawn if figure.model != "score"],
        "score_tables": [table for model, table in tables.items() if model == "score"],
        "other_tables": [table for model, table in tables.items() if model != "score"],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether calibration was judged.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a row.
    """
    return bool(summary["validation"]["calibration"])


SECTIONS.register(
    "calibration",
    Section("Calibration", "Performance", 150, "calibration.html.j2", context, applies),
)
