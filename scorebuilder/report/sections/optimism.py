"""How much of the apparent performance is optimism."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

_JUDGED = {"risk": "Formula", "points": "Points"}


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    reason = row["reason"]
    return (
        row["label"],
        _JUDGED[row["prediction"]],
        words.adjective(row["horizon"]),
        numbers.maybe(row["apparent"], reason),
        numbers.maybe(row["optimism"], reason),
        numbers.estimate(row["corrected"], row["lower"], row["upper"], reason),
        numbers.maybe(row["plus632"], row["plus632_reason"]),
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather apparent and corrected performance side by side.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; this section has none.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    found = summary["optimism"]
    header = ("Measure", "Of", "Horizon", "Apparent", "Optimism", "Corrected", ".632+")
    rows = tuple(_row(row) for row in found["rows"])
    title = "Apparent and corrected performance"
    few = found["n_replicates"] - found["n_failed"] < found["minimum_for_interval"]
    return {
        "optimism": DataTable(title, header, rows, text=(1, 2)),
        "replicates": numbers.count(found["n_replicates"]),
        "failed": numbers.count(found["n_failed"]) if found["n_failed"] else "",
        "failures": found["failures"],
        "minimum": found["minimum_for_interval"] if few else None,
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether there was a bootstrap.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there are rows.
    """
    return bool(summary.get("optimism"))


SECTIONS.register(
    "optimism", Section("Optimism", "Performance", 145, "optimism.html.j2", context, applies)
)
