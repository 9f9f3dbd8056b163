"""Words for rows of the risk table that stand for more points than their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebuilder.report import numbers
from scorebuilder.score.risk_rows import extent

RATE = "Events per 1,000 patient-years (95 % CI)"


def rate(row: Mapping[str, Any]) -> str:
    """
    Write events per 1,000 patient-years with the interval, or why there are none.

    Parameters
    ----------
    row : mapping
        Of ``rates``.

    Returns
    -------
    str
        With one decimal.
    """
    return numbers.estimate(
        row["value"], row["lower"], row["upper"], row["reason"], style=numbers.one
    )


def _named(text: str, points: tuple[int, int]) -> str:
    first, last = points
    return text if first == last else f"{text} in {first} to {last}"


def patients(row: Mapping[str, Any], hidden: str) -> str:
    """
    Write how many patients a row counts.

    Parameters
    ----------
    row : mapping
        Of a risk table.
    hidden : str
        What stands for a hidden count.

    Returns
    -------
    str
        With the joined points, if there are.
    """
    if row["n"] is None:
        return hidden
    return _named(numbers.count(row["n"]), extent(row, "band"))


def observed(row: Mapping[str, Any]) -> str:
    """
    Write the observed risk of a row with its interval, or why there is none.

    Parameters
    ----------
    row : mapping
        Of a risk table.

    Returns
    -------
    str
        With the pooled points, if there are more than those of its count.
    """
    text = numbers.estimate(
        row["observed"], row["lower"], row["upper"], row["reason"], style=numbers.percent
    )
    pooled = extent(row, "pooled")
    return text if row["observed"] is None else _named(text, pooled)
