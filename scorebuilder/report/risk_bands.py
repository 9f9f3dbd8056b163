"""Words for rows of the risk table that stand for more points than their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebuilder.report import numbers


def extent(row: Mapping[str, Any], key: str) -> tuple[int, int]:
    """
    Return the points that a row stands for.

    Parameters
    ----------
    row : mapping
        Of a risk table.
    key : str
        ``band`` for count and prediction, ``pooled`` for the observed risk.

    Returns
    -------
    tuple of int
        Lowest and highest; its own points where the row does not say.
    """
    first, last = row.get(key) or (row["points"], row["points"])
    return int(first), int(last)


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
