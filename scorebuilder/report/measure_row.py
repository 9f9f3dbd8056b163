"""How a measure of added value is written in tables."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers


def measure_row(row: dict[str, Any]) -> tuple[str, str, str]:
    """
    Write a measure of added value as a row of a table.

    Parameters
    ----------
    row : dict
        A `Measure` as plain data.

    Returns
    -------
    tuple of str
        Label, estimate with interval, and P.
    """
    text = numbers.difference(row["value"], row["lower"], row["upper"], row["reason"])
    p = text if row["value"] is None else numbers.p_value(row["p"], row["reason"])
    return row["label"], text, p
