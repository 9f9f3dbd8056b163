"""How the report writes units, horizons and nouns with a count, and cleans labels."""

from __future__ import annotations

import re
from typing import Any

from scorebuilder.core.units import DAYS_PER_YEAR, format_horizon
from scorebuilder.report.numbers import count, number

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def adjective(days: float) -> str:
    """
    Write a horizon as an adjective.

    Parameters
    ----------
    days : float
        The horizon in days.

    Returns
    -------
    str
        The horizon.

    Examples
    --------
    >>> adjective(1826.25)
    '5-year'
    """
    value, word = format_horizon(days).split(" ", 1)
    return f"{value}-{word.removesuffix('s')}"


def years(days: float) -> str:
    """
    Write a duration in years with one decimal.

    Parameters
    ----------
    days : float
        The duration.

    Returns
    -------
    str
        For example ``4.9 years``.
    """
    return f"{number(days / DAYS_PER_YEAR, 1)} years"


def clean(text: Any) -> str:
    """
    Take control characters, which neither HTML nor SVG can hold, out of a text.

    Parameters
    ----------
    text : object
        Usually a label from a schema.

    Returns
    -------
    str
        The text with each run of control characters as one space.
    """
    return _CONTROL.sub(" ", str(text))


def times(value: int) -> str:
    """
    Write how often something was done.

    Parameters
    ----------
    value : int
        At least 1.

    Returns
    -------
    str
        ``once``, ``twice``, ``3 times``.
    """
    return {1: "once", 2: "twice"}.get(value, f"{count(value)} times")


def plural(value: int, one: str, many: str | None = None) -> str:
    """
    Write a count with its noun.

    Parameters
    ----------
    value : int
        The count.
    one : str
        The noun in the singular.
    many : str, optional
        The plural, where it is not the singular with an s.

    Returns
    -------
    str
        ``1 event``, ``2 events``.
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"
