"""From a linear predictor and a cumulative hazard to the risk of the event."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray


def absolute_risk(linear_predictor: FloatArray, cumulative_hazard: float) -> FloatArray:
    r"""
    Risk of the event under proportional hazards.

    Parameters
    ----------
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard ratio against the baseline; NaN stays NaN.
    cumulative_hazard : float
        Baseline cumulative hazard at the horizon, >= 0.

    Returns
    -------
    ndarray of shape (n_patients,)
        In [0, 1]; 1 where the hazard is too large for a floating-point number.

    Notes
    -----
    .. math:: 1 - \exp(-H_0(t)\, e^{\eta})

    Examples
    --------
    >>> absolute_risk(np.array([0.0, np.inf]), 0.5)
    array([0.39346934, 1.        ])
    """
    if cumulative_hazard == 0.0:
        return np.where(np.isnan(linear_predictor), np.nan, 0.0)
    with np.errstate(over="ignore"):
        hazard = cumulative_hazard * np.exp(linear_predictor)
    return np.asarray(-np.expm1(-hazard), dtype=np.float64)
