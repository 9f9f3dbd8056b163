"""Pseudo-observations of the risk by a horizon: the jackknife in one pass."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_competing, check_outcome


def pseudo_observations(
    y: Outcome, horizon: float, *, competing: BoolArray | None = None
) -> FloatArray:
    r"""
    Pseudo-observation of each patient.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome, at least two patients.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ndarray of shape (n_patients,)
        n F(t) - (n - 1) F without the patient; may leave [0, 1]. Their mean is close to F(t), and
        without censoring each is 1 with the event by the horizon and else 0.

    Raises
    ------
    UndefinedMetricError
        With fewer than two patients, or if a single one is followed to the horizon.

    Notes
    -----
    Without patient i the factors of Kaplan-Meier (Aalen-Johansen) up to T_i have one patient at
    risk less, those after are unchanged: two running products give all n estimates.

    References
    ----------
    .. [1] Andersen PK, Klein JP, Rosthoej S. Generalised linear models for correlated
       pseudo-observations, with applications to multi-state models. Biometrika 2003;90:15-27.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> pseudo_observations(make_outcome([1, 0, 1], [1, 9, 3]), 2).round(12)
    array([1., 0., 0.])
    """
    event, time = check_outcome(y)
    if time.size < 2:
        message = "a single patient has no pseudo-observation"
        raise UndefinedMetricError(message)
    ended = event if competing is None else event | check_competing(y, competing)
    times, index = np.unique(time, return_inverse=True)
    at_risk = np.cumsum(np.bincount(index, minlength=times.size)[::-1])[::-1].astype(np.float64)
    counted = times <= horizon
    any_event = np.where(counted, np.bincount(index[ended], minlength=times.size), 0.0)
    of_interest = np.where(counted, np.bincount(index[event], minlength=times.size), 0.0)

    survival, incidence = _running(any_event / at_risk, of_interest / at_risk)
    # incidence from just after each time to the horizon, given event-free then
    later = np.divide(
        incidence[-1] - incidence[1:],
        survival[1:],
        out=np.zeros(times.size),
        where=survival[1:] > 0.0,
    )
    # one patient less at risk, who is at risk throughout: never all of the others but him die
    fewer = np.maximum(at_risk - 1.0, 1.0)
    survival_less, incidence_less = _running(
        np.minimum(any_event, at_risk - 1.0) / fewer, np.minimum(of_interest, at_risk - 1.0) / fewer
    )
    reaching = time >= horizon
    if reaching.sum() == 1 and float(survival_less[index[reaching]][0]) > 0.0:
        message = "without one of the patients nobody is followed to the horizon"
        raise UndefinedMetricError(message)
    own = counted[index]
    # the patient's own events no longer count at his time
    remaining_any = (any_event[index] - (ended & own)) / fewer[index]
    remaining_event = (of_interest[index] - (event & own)) / fewer[index]
    before = survival_less[index]
    without = (
        incidence_less[index]
        + before * remaining_event
        + before * (1.0 - remaining_any) * later[index]
    )
    n = time.size
    pseudo: FloatArray = n * incidence[-1] - (n - 1) * without
    return pseudo


def _running(any_share: FloatArray, share: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Event-free probability and incidence, before the first time and after each."""
    survival = np.concatenate(([1.0], np.cumprod(1.0 - any_share)))
    incidence = np.concatenate(([0.0], np.cumsum(survival[:-1] * share)))
    return survival, incidence
