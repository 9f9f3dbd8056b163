"""Cumulative/dynamic area under the ROC curve at a horizon, weighted for censoring."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.ipcw import censoring_influence, censoring_weights
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, check_predictions


def _weight_below(risk: FloatArray, weight: FloatArray) -> FloatArray:
    """Mean weight of the patients with a lower risk, those with an equal risk counting half."""
    values, index = np.unique(risk, return_inverse=True)
    at = np.bincount(index, weights=weight, minlength=values.size)
    return np.asarray((np.cumsum(at) - 0.5 * at)[index] / risk.size, dtype=np.float64)


def auc_estimate(
    y_train: Outcome | None, y_test: Outcome, risk: FloatArray, /, *, horizon: float
) -> MetricEstimate:
    r"""
    AUC(t) with its influence function, including the estimation of the censoring weights.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`. With other patients the
        weights count as known, and the influence leaves out their estimation.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        In the unit of the outcome.

    Returns
    -------
    MetricEstimate
        Standard error as standard deviation of the influence / sqrt(n).

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    Cases have the event by t (weight :math:`a_i = 1/G(T_i-)`), controls are observed beyond t
    (:math:`b_i = 1/G(t)`); a patient observed to exactly t without event is neither.

    .. math:: \mathrm{AUC}(t) = \frac{\sum_{ij} a_i b_j (1[p_i > p_j] + \tfrac12 1[p_i = p_j])}
       {\sum_i a_i \sum_j b_j}

    Takes censoring as independent of the risk and of the outcome. [1]_ [2]_

    References
    ----------
    .. [1] Uno H, et al. Evaluating prediction rules for t-year survivors with censored regression
       models. J Am Stat Assoc 2007;102:527-37.
    .. [2] Blanche P, et al. Stat Med 2013;32:5381-97.
    """
    prediction = check_predictions(y_test, risk, horizon=horizon)
    weights = censoring_weights(y_train, y_test, horizon=horizon)
    a, b = weights.case, weights.control
    mean_case, mean_control = float(a.mean()), float(b.mean())
    if mean_case == 0.0:
        message = "no patient has the event by the horizon"
        raise UndefinedMetricError(message)
    if mean_control == 0.0:
        message = "no patient is observed beyond the horizon"
        raise UndefinedMetricError(message)
    beaten = _weight_below(prediction, b)
    beating = mean_case - _weight_below(prediction, a)
    area = mean_case * mean_control
    auc = float(np.mean(a * beaten)) / area
    influence = (a * (beaten - auc * mean_control) + b * (beating - auc * mean_case)) / area
    if y_train is None:
        kappa = influence / prediction.size
        influence = influence + censoring_influence(y_test, kappa, horizon=horizon)
    error = None
    if prediction.size > 1:
        error = float(np.std(influence, ddof=1) / np.sqrt(prediction.size))
    return MetricEstimate(min(max(auc, 0.0), 1.0), influence, error)


def auc_at(y_train: Outcome | None, y_test: Outcome, risk: FloatArray, *, horizon: float) -> float:
    """
    AUC(t): probability that a patient with the event by t had the higher risk than one without.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients for the censoring distribution; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk.
    horizon : float
        In the unit of the outcome.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, 1 is perfect.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Examples
    --------
    Case 1 beats control 3 but not control 4; case 2 beats both: 3 of 4 pairs.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> auc_at(None, y, np.array([0.5, 0.8, 0.1, 0.6]), horizon=5)
    0.75
    """
    return auc_estimate(y_train, y_test, risk, horizon=horizon).value


METRICS.register(
    "auc",
    Metric("auc", auc_estimate, "AUC(t)", greater_is_better=True, perfect=1.0, ranks_only=True),
)
