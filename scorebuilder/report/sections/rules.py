"""Guideline rules beside the score."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.measure_row import measure_row, shown
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted

SHARES = ("Measure", "By the rule", "By the score, as many patients", "Difference", "P")
AGAINST = ("Score at its threshold instead of the rule", "Estimate", "P")


def _share(row: dict[str, Any]) -> tuple[str, ...]:
    if row["reason"] is not None:
        return (row["label"], *[numbers.undefined(row["reason"])] * 4)
    return (
        row["label"],
        *(
            numbers.estimate(
                row[who], row[f"{who}_lower"], row[f"{who}_upper"], style=numbers.percent
            )
            for who in ("rule", "score")
        ),
        numbers.difference(
            row["difference"], row["difference_lower"], row["difference_upper"], row["reason"]
        ),
        numbers.p_value(row["p"], "no sampling error"),
    )


def _rule(row: dict[str, Any]) -> dict[str, Any]:
    when = format_horizon(row["horizon"])
    tables = []
    if row["shares"]:
        caption = f"{row['label']}: whom it finds, by {when}"
        tables.append(DataTable(caption, SHARES, tuple(_share(item) for item in row["shares"])))
    if row["against"]:
        caption = f"{row['label']}: treating by the score instead, by {when}"
        rows = tuple(measure_row(item) for item in shown(row["against"]))
        tables.append(DataTable(caption, AGAINST, rows))
    return {
        "label": row["label"],
        "facts": [
            ("Rule", row["rule"]),
            ("Patients in whom it is known", numbers.count(row["n"])),
            ("Not known, inputs missing", counted(row["n_unknown"])),
            ("It holds in", counted(row["n_positive"])),
            (f"Events by {when}", counted(row["n_events"])),
        ],
        "undefined": "" if row["reason"] is None else numbers.undefined(row["reason"]),
        "tables": tables,
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the tables of every rule.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; none is used.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    return {"rules": [_rule(row) for row in summary["rules"]]}


def applies(summary: Summary) -> bool:
    """
    Tell whether the spec has rules.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if it has one.
    """
    return bool(summary.get("rules"))


SECTIONS.register(
    "rules", Section("Guideline rules", "Performance", 172, "rules.html.j2", context, applies)
)
