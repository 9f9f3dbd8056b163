"""How stable the functions are over the refits."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the shares of each function, and variables that replace each other.

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
    found = summary["shape_stability"]
    return {
        "n_refits": numbers.count(found["n_refits"]),
        "same_variables": _share(found["same_variables"]),
        "same_functions": _share(found["same_functions"]),
        "shapes": _shapes(found["shapes"]),
        "pairs": _pairs(found["pairs"]) if found["pairs"] else None,
    }


def _share(value: float) -> str:
    return numbers.percent(value, 0)


def _powers(row: dict[str, Any]) -> str:
    powers = ", ".join(numbers.quantity(power) for power in row["powers"])
    return f"{powers} ({_share(row['powers_share'])})"


def _shapes(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Functions of the numeric variables over the refits",
        ("Variable", "Left out", "Linear", "FP1", "FP2", "Most frequent powers", "Functions"),
        tuple(
            (
                row["label"] if row["kept"] else f"{row['label']} (not in the score)",
                *(_share(row[key]) for key in ("out", "linear", "fp1", "fp2")),
                _powers(row),
                numbers.count(row["n_functions"]),
            )
            for row in rows
        ),
        text=(5,),
    )


def _pairs(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Variables kept together, or instead of each other",
        ("Pair", "First kept", "Second kept", "Both kept", "Correlation"),
        tuple(
            (
                f"{row['first']} and {row['second']}",
                *(_share(row[key]) for key in ("first_share", "second_share", "both")),
                numbers.signed(row["correlation"], 2),
            )
            for row in rows
        ),
    )


def applies(summary: Summary) -> bool:
    """
    Tell whether a refit kept a numeric variable.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there are functions to show.
    """
    return bool(summary.get("shape_stability", {}).get("shapes"))


SECTIONS.register(
    "shape_stability",
    Section("Stability of the functions", "Model", 65, "shape_stability.html.j2", context, applies),
)
