"""Net benefit of treating by risk, over threshold probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.metric import check_predictions

NO_FOLLOW_UP = "nobody at or above the threshold is followed to the horizon"


def decision_curve(
    y: Outcome, risk: FloatArray, *, horizon: float, thresholds: Any
) -> pd.DataFrame:
    r"""
    Decision curve at a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    thresholds : array-like of float
        Threshold probabilities, in (0, 1).

    Returns
    -------
    DataFrame
        ``threshold``, ``net_benefit``, ``net_benefit_all`` (treating everybody; treating nobody
        has 0) and ``reason`` (None, or why ``net_benefit`` is NaN).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    ValueError
        If a threshold lies outside (0, 1).

    Notes
    -----
    With e the Kaplan-Meier risk among the positives (risk >= threshold) and :math:`\pi` their
    share,

    .. math:: \mathrm{NB}(c) = e \pi - (1 - e) \pi \frac{c}{1 - c}

    Nobody positive gives 0. [1]_

    References
    ----------
    .. [1] Vickers AJ, et al. Extensions to decision curve analysis. BMC Med Inform Decis Mak
       2008;8:53.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    points = np.asarray(thresholds, dtype=np.float64)
    if not np.all((points > 0) & (points < 1)):
        message = "`thresholds` must lie in (0, 1)"
        raise ValueError(message)
    everybody = np.ones(prediction.size, dtype=np.bool_)
    rows = []
    for threshold in points.tolist():
        value, reason = _net_benefit(y, prediction >= threshold, horizon, threshold)
        treat_all, _ = _net_benefit(y, everybody, horizon, threshold)
        rows.append((threshold, value, treat_all, reason))
    return pd.DataFrame(rows, columns=["threshold", "net_benefit", "net_benefit_all", "reason"])


def _net_benefit(
    y: Outcome, positive: BoolArray, horizon: float, threshold: float
) -> tuple[float, str | None]:
    if not positive.any():
        return 0.0, None
    try:
        event_risk = 1.0 - survival_at(y[positive], horizon).survival
    except UndefinedMetricError:
        return np.nan, NO_FOLLOW_UP
    share = float(positive.mean())
    odds = threshold / (1.0 - threshold)
    return event_risk * share - (1.0 - event_risk) * share * odds, None
