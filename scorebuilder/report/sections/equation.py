"""The equation with every constant, and two patients computed with it."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

DIGITS = 6
"""Significant digits of every step."""


def step_number(value: float) -> str:
    """
    Write a number of a step with `DIGITS` significant digits.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    str
        With a true minus sign.

    Examples
    --------
    >>> step_number(0.0034236788), step_number(-131.02)
    ('0.00342368', '−131.020')
    """
    if value in (0.0, 1.0):
        return f"{value:g}"
    return f"{value:#.{DIGITS}g}".rstrip(".").replace("-", "\N{MINUS SIGN}")


def _worked(found: dict[str, Any], number: int) -> dict[str, Any]:
    rows = [
        (
            f"{step['label']}: {step['value']}",
            step["inserted"],
            step_number(step["centred"]),
            step_number(step["coefficient"]),
            step_number(step["product"]),
        )
        for step in found["steps"]
    ]
    linear = step_number(found["linear_predictor"])
    header = ("Predictor", "Its term", "Less the centre", "× coefficient", "=")
    return {
        "title": f"Patient {number}: {words.plural(found['points'], 'point')}",
        "table": DataTable("Linear predictor, term by term", header, tuple(rows), (1,)),
        "total": linear,
        "results": [
            ("Points", _points(found)),
            ("Risk group", found["group"]),
            *(
                (f"Risk by {format_horizon(row['horizon'])}", _risk(row, linear))
                for row in found["risks"]
            ),
        ],
    }


def _risk(row: dict[str, Any], linear: str) -> str:
    formula = f"1 \N{MINUS SIGN} {step_number(row['survival'])} ^ exp({linear})"
    if row["risk"] is None:
        return numbers.undefined(row.get("reason"))
    return f"{formula} = {numbers.percent(row['risk'], 2)}"


def _points(found: dict[str, Any]) -> str:
    last, following = found["thresholds"]
    parts = []
    if last is not None:
        parts.append(f"the last threshold reached is {step_number(last)}")
    if following is not None:
        parts.append(f"the next would be {step_number(following)}")
    return f"{found['points']}: {', '.join(parts)}"


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the equation and the worked patients.

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
    patients = enumerate(model.get("worked_patients", ()), start=1)
    return {
        "equation": model["equation"],
        "digits": DIGITS,
        "patients": [_worked(found, number) for number, found in patients],
    }


SECTIONS.register(
    "equation", Section("Equation and examples", "Model", 90, "equation.html.j2", context)
)
