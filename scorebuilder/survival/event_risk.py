"""Risk of the event by a horizon, with competing events or without, and its derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_competing, check_outcome


@dataclass(frozen=True)
class EventRisk:
    """
    Kaplan-Meier or Aalen-Johansen risk by a horizon.

    Attributes
    ----------
    risk, complement : float
        Probability of the event by the horizon, and of anything else; exact where one of them
        is 0.
    standard_error : float
        Infinitesimal jackknife; without competing events the same as Greenwood's.
    followed : bool
        False if nobody is followed to the horizon, so that the last value is carried forward.
    derivative : ndarray of shape (n_patients,)
        Derivative of the risk with respect to the weight of each patient; sums to 0, and the sum
        of its squares is the variance.
    """

    risk: float
    complement: float
    standard_error: float
    followed: bool
    derivative: FloatArray


def event_risk(y: Outcome, horizon: float, *, competing: BoolArray | None = None) -> EventRisk:
    r"""
    Probability of the event by a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (of interest) and ``time``.
    horizon : float
        In the unit of `y`; an event at exactly the horizon counts.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    EventRisk
        Past the last follow-up the last value, with ``followed`` False.

    Raises
    ------
    UndefinedMetricError
        If there is no patient.

    Notes
    -----
    With :math:`d_v` events of any kind, :math:`d_{1v}` of interest, :math:`Y_v` at risk,

    .. math:: F_1(t) = \sum_{v \le t} S(v-) \frac{d_{1v}}{Y_v}, \quad
       \frac{\partial F_1}{\partial w_i} = \sum_{v \le t} \left[
       \frac{S(v-)}{Y_v} \left(N_{1i}(v) - Y_i(v) \frac{d_{1v}}{Y_v}\right)
       - \frac{F_1(t) - F_1(v)}{Y_v - d_v} \left(N_i(v) - Y_i(v) \frac{d_v}{Y_v}\right)\right]

    where :math:`N_i(v)` marks an event of patient i at v and :math:`Y_i(v)` being at risk.

    References
    ----------
    .. [1] Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov chains
       based on censored observations. Scand J Stat 1978;5:141-50.

    Examples
    --------
    Three patients: one of three has the event at 1, the competing event takes one of two at 2.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 0], [1, 2, 3])
    >>> round(event_risk(y, 3, competing=np.array([False, True, False])).risk, 12)
    0.333333333333
    """
    event, time = check_outcome(y)
    if time.size == 0:
        message = "there is no patient"
        raise UndefinedMetricError(message)
    ended = event if competing is None else event | check_competing(y, competing)
    times, index = np.unique(time, return_inverse=True)
    total = np.bincount(index, minlength=times.size)
    at_risk = np.cumsum(total[::-1])[::-1].astype(np.float64)
    counted = times <= horizon
    any_event = np.where(counted, np.bincount(index[ended], minlength=times.size), 0)
    of_interest = np.where(counted, np.bincount(index[event], minlength=times.size), 0)
    event_free = np.cumprod(1.0 - any_event / at_risk)
    before = np.concatenate(([1.0], event_free[:-1]))
    incidence = np.cumsum(before * of_interest / at_risk)
    risk = float(incidence[-1])
    complement = float(event_free[-1]) if competing is None else 1.0 - risk
    if complement == 0.0:
        risk = 1.0
    # coefficients of N_1i - Y_i d_1 / Y, and of N_i - Y_i d / Y, at each time
    direct = np.where(counted, before / at_risk, 0.0)
    remaining = at_risk - any_event
    later = np.divide(
        risk - incidence, remaining, out=np.zeros(times.size), where=counted & (remaining > 0)
    )
    compensator = np.cumsum((direct * of_interest - later * any_event) / at_risk)
    derivative = direct[index] * event - later[index] * ended - compensator[index]
    followed = bool(time.max() >= horizon or event_free[-1] == 0.0)
    error = float(np.sqrt(np.sum(derivative**2)))
    return EventRisk(risk, complement, error, followed, derivative)
