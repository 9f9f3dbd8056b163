"""The equation with every constant, and one patient computed with it."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _example(found: dict[str, Any]) -> dict[str, Any]:
    rows = [
        (item["label"], numbers.quantity(item["value"]), numbers.signed(item["contribution"]))
        for item in found["items"]
    ]
    if found.get("reference") is not None:
        average = (
            "Average patient of the development cohort",
            "",
            numbers.signed(found["reference"]),
        )
        rows.insert(0, average)
    results = [("Points", str(found["points"]))]
    results += [
        (
            f"Risk by {format_horizon(row['horizon'])}",
            numbers.maybe(row["risk"], row.get("reason"), style=numbers.percent),
        )
        for row in found["risks"]
    ]
    return {
        "text": found["text"],
        "rows": rows,
        "total": numbers.signed(found["linear_predictor"]),
        "results": results,
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the equation and the worked example.

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
    model = summary["model"]
    example = model["worked_example"]
    return {"equation": model["equation"], "example": _example(example) if example else None}


SECTIONS.register(
    "equation", Section("Equation and example", "Model", 90, "equation.html.j2", context)
)
