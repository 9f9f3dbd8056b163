"""The rows of a points card: where a curve reaches the next step, and how points are looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray

N_GRID = 2001
"""Values at which a curve is looked at before its crossings are found exactly."""
N_CUTS = 200
"""Cut points are rounded to about this part of the range."""
BISECTIONS = 60
ALMOST = 1e-9
"""A cut this share of the range above a whole number is at it."""


def readable_step(low: float, high: float) -> float:
    """
    Choose the step to which cut points are rounded.

    Parameters
    ----------
    low, high : float
        Range of the predictor.

    Returns
    -------
    float
        1, 2 or 5 times a power of ten, at most the range / `N_CUTS`.

    Examples
    --------
    >>> readable_step(40.0, 80.0), readable_step(0.4, 1.6)
    (0.2, 0.005)
    """
    wanted = (high - low) / N_CUTS
    power = 10.0 ** np.floor(np.log10(wanted))
    factor = max(f for f in (1.0, 2.0, 5.0) if f * power <= wanted * (1 + 1e-12))
    return float(f"{factor * power:.1g}")


def number_rows(
    steps: Callable[[FloatArray], FloatArray], low: float, high: float, *, whole: bool = False
) -> list[tuple[float | None, float | None, int]]:
    """
    Cut the range of a number where its steps change, whether the curve rises, falls or turns.

    Parameters
    ----------
    steps : callable
        Values -> whole numbers of steps.
    low, high : float
        Range; values beyond get what its ends get.
    whole : bool
        Cut at whole numbers, for which the rows are then exact.

    Returns
    -------
    list of tuple
        From (inside; None = no end), to (outside), steps. Neighbours differ in steps.
    """
    grid = np.linspace(low, high, N_GRID)
    found = steps(grid)
    changes = np.flatnonzero(np.diff(found) != 0)
    resolution = 1.0 if whole else readable_step(low, high)
    rows: list[tuple[float | None, float | None, int]] = []
    start: float | None = None
    for change in changes:
        cut = _crossing(steps, grid[change], grid[change + 1])
        # A whole number has reached a cut from the next whole number on.
        place = np.ceil(cut - ALMOST * (high - low)) if whole else round(cut / resolution)
        rounded = float(f"{place * resolution:.10g}")
        if start is None or rounded > start:
            rows.append((start, rounded, int(found[change])))
            start = rounded
        # else the row is narrower than the rounding and is left out
    rows.append((start, None, int(found[-1])))
    return _joined(rows)


def _crossing(steps: Callable[[FloatArray], FloatArray], low: float, high: float) -> float:
    """Find where the steps stop being those at `low`, by bisection."""
    first = steps(np.array([low]))[0]
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        if not low < middle < high:
            break
        if steps(np.array([middle]))[0] == first:
            low = middle
        else:
            high = middle
    return high


def _joined(
    rows: Sequence[tuple[float | None, float | None, int]],
) -> list[tuple[float | None, float | None, int]]:
    joined: list[tuple[float | None, float | None, int]] = []
    for start, end, steps in rows:
        if joined and joined[-1][2] == steps:
            joined[-1] = (joined[-1][0], end, steps)
        else:
            joined.append((start, end, steps))
    return joined


def look_up(entry: Mapping[str, Any], values: pd.Series) -> FloatArray:
    """
    Find the points of one predictor.

    Parameters
    ----------
    entry : mapping
        Entry of the card's ``predictors``.
    values : Series of shape (n_patients,)
        Complete inputs: floats, or level codes.

    Returns
    -------
    ndarray of shape (n_patients,)
        Points.
    """
    rows = entry["rows"]
    points = np.array([row["points"] for row in rows], dtype=np.float64)
    if "codes" in rows[0]:
        table = {code: row["points"] for row in rows for code in row["codes"]}
        return np.array([table[code] for code in values.astype(object)], dtype=np.float64)
    cuts = np.array([row["from"] for row in rows[1:]], dtype=np.float64)
    found = np.searchsorted(cuts, values.to_numpy(dtype=np.float64), side="right")
    return np.asarray(points[found], dtype=np.float64)


def card_totals(card: Mapping[str, Any], filled: pd.DataFrame) -> FloatArray:
    """
    Add up the points of a card.

    Parameters
    ----------
    card : mapping
        The artifact's ``card``.
    filled : DataFrame of shape (n_patients, n_predictors)
        Complete, typed inputs.

    Returns
    -------
    ndarray of shape (n_patients,)
        Multiples of the card's step.
    """
    totals = np.zeros(len(filled))
    for entry in card["predictors"]:
        totals += look_up(entry, filled[entry["predictor"]])
    return totals
