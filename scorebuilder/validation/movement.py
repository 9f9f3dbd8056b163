"""Who moves to a higher and who to a lower prediction, by risk categories or by any change."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.validation.metric import check_predictions


def movements(
    y: Outcome, new: FloatArray, old: FloatArray, *, horizon: float, cut_points: Any = None
) -> tuple[BoolArray, BoolArray]:
    """
    Who moves up and who moves down.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predictions.
    horizon : float
        Somebody must be followed to it.
    cut_points : array-like of float, optional
        Lower ends of the risk categories but the lowest; without them any change counts.

    Returns
    -------
    up, down : ndarray of bool of shape (n_patients,)
        Never both.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    """
    after = check_predictions(y, new, horizon=horizon)
    before = check_predictions(y, old, horizon=horizon)
    if cut_points is None:
        return after > before, after < before
    high, low = risk_categories(after, cut_points), risk_categories(before, cut_points)
    return high > low, high < low


def risk_categories(risk: FloatArray, cut_points: Any) -> IntArray:
    """
    Category of each risk.

    Parameters
    ----------
    risk : ndarray of shape (n_patients,)
        Predictions.
    cut_points : array-like of float of shape (n_categories - 1,)
        Ascending; a risk at a cut point is in the higher category.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        0 for the lowest.

    Raises
    ------
    ValueError
        Without a cut point, or if they are not strictly ascending.
    """
    cuts = np.asarray(cut_points, dtype=np.float64)
    if cuts.ndim != 1 or cuts.size == 0 or np.any(np.diff(cuts) <= 0):
        message = f"`cut_points` must be strictly ascending, at least one; got {cuts.tolist()}"
        raise ValueError(message)
    return np.asarray(np.searchsorted(cuts, risk, side="right"), dtype=np.int64)
