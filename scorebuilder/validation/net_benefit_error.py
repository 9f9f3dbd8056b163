"""Net benefit of treating by risk, with what each patient contributes to its sampling error."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import risk_counts
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.decision_curve import NO_FOLLOW_UP
from scorebuilder.validation.metric import MetricEstimate, check_predictions


def net_benefit_estimate(
    y: Outcome, risk: FloatArray, *, horizon: float, threshold: float
) -> MetricEstimate:
    r"""
    Net benefit at one threshold, with its influence function.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    threshold : float
        Threshold probability, in (0, 1).

    Returns
    -------
    MetricEstimate
        As `decision_curve`; nobody at or above the threshold gives 0 without error.

    Raises
    ------
    UndefinedMetricError
        If nobody at or above the threshold is followed to the horizon.
    ValueError
        If the threshold lies outside (0, 1).

    Notes
    -----
    With S the Kaplan-Meier survival of the positives, :math:`\pi` their share and w the odds of
    the threshold, :math:`\mathrm{NB} = \pi (1 - S (1 + w))`. A positive patient i contributes

    .. math:: 1 - S (1 + w) - \mathrm{NB} + (1 + w)\, S \sum_{v \le t} \frac{n_+}{Y_v - d_v}
       \left(1[T_i = v, D_i = 1] - 1[T_i \ge v] \frac{d_v}{Y_v}\right)

    and a negative one :math:`-\mathrm{NB}`: the derivative of the Kaplan-Meier estimate by the
    patient's weight [1]_, which without censoring is that of a share, and the sampling of
    :math:`\pi`.

    References
    ----------
    .. [1] Andersen PK, Borgan O, Gill RD, Keiding N. Statistical models based on counting
       processes. Springer; 1993, section IV.3.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    if not 0.0 < threshold < 1.0:
        message = f"`threshold` must lie in (0, 1); got {threshold:g}"
        raise ValueError(message)
    positive = prediction >= threshold
    influence = np.zeros(prediction.size)
    if not positive.any():
        return MetricEstimate(0.0, influence, 0.0)
    survival, survival_influence = survival_influence_at(y[positive], horizon)
    factor = 1.0 + threshold / (1.0 - threshold)
    gain = 1.0 - factor * survival
    value = float(positive.mean()) * gain
    influence[positive] = gain - factor * survival_influence
    influence -= value
    error = float(np.sqrt(np.sum(influence**2))) / prediction.size
    return MetricEstimate(value, influence, error)


def survival_influence_at(y: Outcome, time: float) -> tuple[float, FloatArray]:
    r"""
    Kaplan-Meier survival at one time and the influence of each patient on it.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    time : float
        In the unit of `y`.

    Returns
    -------
    survival : float
        S(time).
    influence : ndarray of shape (n_patients,)
        Scaled so that the error of S is its mean; sums to 0.

    Raises
    ------
    UndefinedMetricError
        If nobody is followed to `time`, unless survival has reached 0 by then.

    Notes
    -----
    The derivative by the patient's weight; without censoring it is 1 or 0 minus S, and the mean
    square divided by n is close to Greenwood's variance. Where survival has reached 0 it is 0.
    """
    event, follow_up = check_outcome(y)
    counts = risk_counts(y)
    past = counts.times <= time
    survival = float(np.prod(1.0 - counts.events[past] / counts.at_risk[past]))
    if survival > 0.0 and not np.any(follow_up >= time):
        raise UndefinedMetricError(NO_FOLLOW_UP)
    n = follow_up.size
    if survival == 0.0:
        return 0.0, np.zeros(n)
    jump = n * past / np.maximum(counts.at_risk - counts.events, 1)
    compensator = np.cumsum(jump * counts.events / counts.at_risk)
    index = np.searchsorted(counts.times, follow_up)
    martingale = np.where(event, jump[index], 0.0) - compensator[index]
    return survival, np.asarray(-survival * martingale, dtype=np.float64)
