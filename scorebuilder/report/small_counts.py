"""Counts of few patients, which are not shown."""

from __future__ import annotations

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.report import numbers


def withhold(count: int) -> int | None:
    """
    Drop a count of few patients.

    Parameters
    ----------
    count : int
        Patients.

    Returns
    -------
    int or None
        None from 1 to `SMALLEST_CELL` - 1.

    Examples
    --------
    >>> withhold(0), withhold(3), withhold(5)
    (0, None, 5)
    """
    return None if 0 < count < SMALLEST_CELL else count


def counted(count: int | None) -> str:
    """
    Write a count that may be withheld.

    Parameters
    ----------
    count : int or None
        Patients.

    Returns
    -------
    str
        The count, or that it is withheld.

    Examples
    --------
    >>> counted(1200), counted(None)
    ('1,200', 'withheld')
    """
    return "withheld" if count is None else numbers.count(count)
