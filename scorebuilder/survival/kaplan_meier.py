"""Kaplan-Meier survival with its Greenwood error and log-log interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.survival.step_function import StepFunction


@dataclass(frozen=True)
class RiskCounts:
    """
    Patients at risk, events and censorings at each distinct time.

    Attributes
    ----------
    times : ndarray of shape (n_times,)
        Distinct follow-up times, ascending.
    at_risk, events, censored : ndarray of int of shape (n_times,)
        Patients with time >= t; events at t; censorings at t.
    """

    times: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray


def risk_counts(y: Outcome) -> RiskCounts:
    """
    Count patients at risk, events and censorings at each distinct follow-up time.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.

    Returns
    -------
    RiskCounts
        A patient censored at t is at risk at t.
    """
    event, time = check_outcome(y)
    times, index = np.unique(time, return_inverse=True)
    total = np.bincount(index, minlength=times.size).astype(np.int64)
    events = np.bincount(index[event], minlength=times.size).astype(np.int64)
    at_risk = np.cumsum(total[::-1])[::-1].astype(np.int64)
    return RiskCounts(times, at_risk, events, total - events)


def kaplan_meier(y: Outcome) -> StepFunction:
    r"""
    Kaplan-Meier estimate of survival.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.

    Returns
    -------
    StepFunction
        S(t), 1 before the first event, with a jump at every distinct event time.

    Notes
    -----
    .. math:: \hat S(t) = \prod_{v \le t} (1 - d_v / n_v)

    At equal times events come before censorings.

    References
    ----------
    .. [1] Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat
       Assoc 1958;53:457-81.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> kaplan_meier(make_outcome([1, 0, 1, 1], [1, 2, 3, 3])).values
    array([0.75, 0.  ])
    """
    counts = risk_counts(y)
    jump = counts.events > 0
    survival = np.cumprod(1.0 - counts.events[jump] / counts.at_risk[jump], dtype=np.float64)
    return StepFunction(counts.times[jump], survival, 1.0)


@dataclass(frozen=True)
class SurvivalEstimate:
    """
    Kaplan-Meier survival at one time, with its interval.

    Attributes
    ----------
    survival, lower, upper : float
        Estimate and log-log limits.
    standard_error : float
        Greenwood.
    n_at_risk : int
        Patients with follow-up to the time or beyond.
    """

    survival: float
    lower: float
    upper: float
    standard_error: float
    n_at_risk: int


def survival_at(y: Outcome, time: float, *, level: float = 0.95) -> SurvivalEstimate:
    r"""
    Kaplan-Meier survival at one time, with Greenwood error and log-log interval.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    time : float
        In the unit of `y`.
    level : float
        Coverage of the interval.

    Returns
    -------
    SurvivalEstimate
        Without an event before `time` the estimate is 1 and its upper limit 1; the lower limit
        is then the exact binomial one for no event among those followed to `time`. Where survival
        has reached 0, so has the lower limit, and the upper limit is the exact binomial one for
        an event of everybody whose outcome by `time` is known.

    Raises
    ------
    UndefinedMetricError
        If nobody is followed to `time`, unless survival has reached 0 by then.

    Notes
    -----
    .. math:: \mathrm{se}^2 = S(t)^2 \sum_{v \le t} \frac{d_v}{n_v (n_v - d_v)}, \quad
       S(t)^{\exp(\pm z\, \mathrm{se} / (S \log S))}

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. 2nd ed.
       Wiley; 2002, section 1.4.
    """
    counts = risk_counts(y)
    n_at_risk = int(np.sum(y["time"] >= time))
    past = counts.times <= time
    events, at_risk = counts.events[past], counts.at_risk[past]
    survival = float(np.prod(1.0 - events / at_risk))
    if n_at_risk == 0 and survival > 0.0:
        message = "nobody is followed to this time"
        raise UndefinedMetricError(message)
    if survival == 1.0:
        alpha = (1.0 - level) / 2.0
        return SurvivalEstimate(1.0, float(alpha ** (1.0 / n_at_risk)), 1.0, 0.0, n_at_risk)
    if survival == 0.0:
        alpha = (1.0 - level) / 2.0
        upper = 1.0 - float(alpha ** (1.0 / float(np.sum(events))))
        return SurvivalEstimate(0.0, 0.0, upper, 0.0, n_at_risk)
    spread = float(np.sqrt(np.sum(events / (at_risk * (at_risk - events)))))
    shift = float(norm.ppf(0.5 + level / 2.0)) * spread / abs(float(np.log(survival)))
    return SurvivalEstimate(
        survival,
        float(survival ** np.exp(shift)),
        float(survival ** np.exp(-shift)),
        survival * spread,
        n_at_risk,
    )
