"""Area under the ROC curve of weighted cases and controls, and its influence function."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.censoring import CensoringWeights
from scorebuilder.survival.pair_concordance import dense_rank
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence
from scorebuilder.validation.metric import MetricEstimate


def weighted_auc(prediction: FloatArray, weights: CensoringWeights) -> tuple[float, FloatArray]:
    r"""
    Area under the ROC curve, in O(n log n).

    Parameters
    ----------
    prediction : ndarray of shape (n_patients,)
        Higher means more likely a case; ties count one half, without tolerance.
    weights : CensoringWeights
        Weight a of each patient as a case, b as a control.

    Returns
    -------
    auc : float
        In [0, 1].
    influence : ndarray of shape (n_patients,)
        Influence of each patient with the weights held fixed; its mean is 0.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control.

    Notes
    -----
    .. math:: A = \frac{\sum_{ij} a_i b_j h_{ij}}{n^2 F S}, \quad \varphi_i =
       \frac{a_i (A^1_i - A S) + b_i (A^0_i - A F)}{F S}, \quad A^1_i = \tfrac1n \sum_j b_j h_{ij},
       \ A^0_i = \tfrac1n \sum_j a_j h_{ji}

    with F and S the means of a and b, and h 1, 1/2 or 0 as i has the higher, the same or the lower
    prediction.
    """
    a, b = weights.case, weights.control
    mean_case, mean_control = float(a.mean()), float(b.mean())
    if mean_case == 0.0:
        message = "no patient has the event by the horizon"
        raise UndefinedMetricError(message)
    if mean_control == 0.0:
        message = "no patient is observed beyond the horizon"
        raise UndefinedMetricError(message)
    beaten, beating = placement(prediction, weights)
    area = mean_case * mean_control
    auc = float(np.mean(a * beaten)) / area
    influence = (a * (beaten - auc * mean_control) + b * (beating - auc * mean_case)) / area
    return min(max(auc, 0.0), 1.0), influence


def placement(prediction: FloatArray, weights: CensoringWeights) -> tuple[FloatArray, FloatArray]:
    """
    Weight of the controls that each patient beats, and of the cases by which he is beaten.

    Parameters
    ----------
    prediction : ndarray of shape (n_patients,)
        Ties count one half.
    weights : CensoringWeights
        Weight of each patient as a case, and as a control.

    Returns
    -------
    beaten, beating : ndarray of shape (n_patients,)
        Sums of weights, divided by the number of patients.
    """
    index, n_values = dense_rank(prediction, prediction.size)
    beaten = _weight_below(index, n_values, weights.control)
    return beaten, float(weights.case.mean()) - _weight_below(index, n_values, weights.case)


def auc_from_weights(
    prediction: FloatArray,
    weights: CensoringWeights,
    y_estimated: Outcome | None,
    *,
    horizon: float,
    competing: BoolArray | None,
) -> MetricEstimate:
    """
    AUC with its standard error, with or without the estimation of the censoring weights.

    Parameters
    ----------
    prediction : ndarray of shape (n_patients,)
        Higher means more likely a case.
    weights : CensoringWeights
        From `censoring_weights`.
    y_estimated : structured ndarray or None
        The outcome of the patients judged if the weights were estimated from it; None if they
        count as known.
    horizon : float
        In the unit of the outcome.
    competing : ndarray of bool of shape (n_patients,) or None
        Patients with the competing event.

    Returns
    -------
    MetricEstimate
        Standard error as standard deviation of the influence / sqrt(n).
    """
    auc, influence = weighted_auc(prediction, weights)
    if y_estimated is not None:
        kappa = influence / prediction.size
        influence = influence + censoring_influence(
            y_estimated, kappa, horizon=horizon, competing=competing
        )
    return MetricEstimate(auc, influence, influence_error(influence))


def _weight_below(index: IntArray, n_values: int, weight: FloatArray) -> FloatArray:
    """Mean weight of the patients with a lower value, those with an equal value counting half."""
    at = np.bincount(index, weights=weight, minlength=n_values)
    return np.asarray((np.cumsum(at) - 0.5 * at)[index] / index.size, dtype=np.float64)
