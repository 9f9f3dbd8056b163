"""How far predictions move in patients with the event, and in those without."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.outcome import check_outcome, ended_outcome
from scorebuilder.validation.ipcw import censoring_weights
from scorebuilder.validation.metric import check_predictions


@dataclass(frozen=True)
class PredictionShift:
    """
    Change of each prediction, and the weight of each patient as case and as control.

    Attributes
    ----------
    ended : structured ndarray of shape (n_patients,)
        Outcome in which any event ends follow-up.
    change : ndarray of shape (n_patients,)
        New minus old.
    case, control : ndarray of shape (n_patients,)
        Weights; 0 for patients censored before the horizon.
    """

    ended: Outcome
    change: FloatArray
    case: FloatArray
    control: FloatArray


def prediction_shift(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> PredictionShift:
    """
    Weigh patients as cases and controls at a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predicted risks, in [0, 1].
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; by the horizon they are controls,
        weighted like cases.

    Returns
    -------
    PredictionShift
        Without competing events all controls weigh 1: their weights are equal anyway.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    """
    after = check_predictions(y, new, horizon=horizon, probability=True)
    before = check_predictions(y, old, horizon=horizon, probability=True)
    event, time = check_outcome(y)
    if competing is None:
        weights = censoring_weights(None, y, horizon=horizon)
        control = (time > horizon).astype(np.float64)
        return PredictionShift(y, after - before, weights.case, control)
    ended = ended_outcome(y, competing)
    weights = censoring_weights(None, ended, horizon=horizon)
    case = np.where(event, weights.case, 0.0)
    return PredictionShift(ended, after - before, case, weights.control + weights.case - case)


def weighted_median(values: FloatArray, weight: FloatArray) -> float:
    """
    Smallest value with at least half of the weight at or below it.

    Parameters
    ----------
    values, weight : ndarray of shape (n,)
        Weights are not negative and not all 0.

    Returns
    -------
    float
        One of the values.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0]))
    2.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, 0.5 * reached[-1] * (1.0 - 1e-14))])
