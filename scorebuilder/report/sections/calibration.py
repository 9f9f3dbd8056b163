"""Calibration: whether the predicted risk comes true."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    why = row["reason"]
    head = (row["label"], words.adjective(row["horizon"]))
    large = (row["in_the_large"], row["in_the_large_lower"], row["in_the_large_upper"])
    slope = (row["slope"], row["slope_lower"], row["slope_upper"])
    return (
        *head,
        numbers.estimate(*large, why, style=numbers.two),
        numbers.estimate(*slope, why, style=numbers.two),
        *(_distance(row, key) for key in ("ici", "e50", "e90", "e_max")),
    )


def _distance(row: dict[str, Any], key: str) -> str:
    if key not in row:
        return "–"  # runs of earlier versions
    limits = (row.get(f"{key}_lower"), row.get(f"{key}_upper"))
    return numbers.estimate(row[key], *limits, row["reason"], style=numbers.percent)


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
    found = sorted(
        summary["validation"]["calibration"],
        key=lambda row: (row["model"] != "score", row["label"], row["horizon"]),
    )
    own = [figure for figure in figures["calibration"] if figure.model == "score"]
    header = ("Model", "Horizon", "Observed / expected", "Slope", "ICI", "E50", "E90", "Emax")
    table = DataTable("Calibration", header, tuple(_row(row) for row in found), text=(1,))
    others = [figure for figure in figures["calibration"] if figure.model != "score"]
    return {"score_figures": own, "other_figures": others, "numbers": table}


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
