"""How a measure of added value is written in tables."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers

PARTS = ("", "events", "nonevents")
"""Parts of a contrast that the page shows; the tables hold all."""

HIDDEN = ("nri_continuous_ipcw", "idi_model_based", "median_difference")
"""Other estimators of what is shown already; the tables hold them."""


def shown(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Choose the measures that stand on the page.

    Parameters
    ----------
    rows : list of dict
        Measures as plain data.

    Returns
    -------
    list of dict
        Without second estimators and the shares that NRI is made of.
    """
    return [
        row
        for row in rows
        if row["name"] not in HIDDEN and (row["part"] in PARTS or row["name"] == "net_benefit")
    ]


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
    text = numbers.undefined(row["reason"])
    if row["value"] is not None:
        limits = numbers.interval(row["lower"], row["upper"], style=numbers.four)
        text = numbers.signed(row["value"], 4) + (f" ({limits})" if limits else "")
    p = text if row["value"] is None else numbers.p_value(row["p"], row["reason"])
    return row["label"], text, p
