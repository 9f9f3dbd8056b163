"""The ROC curve at a horizon, weighted for censoring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.ipcw import censoring_weights
from scorebuilder.validation.metric import check_predictions


def roc_curve(
    y: Outcome, risk: FloatArray, *, horizon: float, max_points: int = 200
) -> pd.DataFrame:
    r"""
    Cumulative/dynamic ROC curve.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk.
    horizon : float
        In the unit of `y`.
    max_points : int
        Longer curves are thinned, evenly along the curve; both ends stay.

    Returns
    -------
    DataFrame
        ``threshold`` (positive: risk >= threshold; infinity at the start), ``false_positive``,
        ``true_positive``; ascending. Before thinning, the area by the trapezoid rule is AUC(t).

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    .. math:: \mathrm{TP}(c) = \frac{\sum_i a_i 1[p_i \ge c]}{\sum_i a_i}, \quad
       \mathrm{FP}(c) = \frac{\sum_i b_i 1[p_i \ge c]}{\sum_i b_i}

    with the weights of AUC(t) [1]_.

    References
    ----------
    .. [1] Uno H, et al. J Am Stat Assoc 2007;102:527-37.
    """
    prediction = check_predictions(y, risk, horizon=horizon)
    weights = censoring_weights(None, y, horizon=horizon)
    if weights.case.sum() == 0 or weights.control.sum() == 0:
        message = "the ROC curve needs patients with the event by the horizon and beyond it"
        raise UndefinedMetricError(message)
    values, index = np.unique(prediction, return_inverse=True)
    rates = [
        _share_above(np.bincount(index, weights=weight, minlength=values.size).astype(np.float64))
        for weight in (weights.control, weights.case)
    ]
    curve = pd.DataFrame(
        {
            "threshold": np.concatenate(([np.inf], values[::-1])),
            "false_positive": rates[0],
            "true_positive": rates[1],
        }
    )
    return _thin(curve, max_points)


def _share_above(weight_at: FloatArray) -> FloatArray:
    cumulated = np.concatenate(([0.0], np.cumsum(weight_at[::-1])))
    share = np.minimum(cumulated / cumulated[-1], 1.0)
    return np.asarray(share, dtype=np.float64)


def _thin(curve: pd.DataFrame, max_points: int) -> pd.DataFrame:
    if len(curve) <= max_points:
        return curve
    along = (curve["false_positive"] + curve["true_positive"]).to_numpy()
    chosen = np.searchsorted(along, np.linspace(0.0, along[-1], max_points))
    chosen[0], chosen[-1] = 0, len(curve) - 1
    return curve.iloc[np.unique(chosen)].reset_index(drop=True)
