"""Censoring weights of the patients judged, and what their estimation adds to the error."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.censoring import CensoringDistribution, CensoringWeights
from scorebuilder.survival.kaplan_meier import kaplan_meier, risk_counts
from scorebuilder.survival.outcome import check_outcome, ended_outcome


def censoring_weights(
    y_train: Outcome | None,
    y_test: Outcome,
    *,
    horizon: float,
    competing: BoolArray | None = None,
    strict: bool = False,
) -> CensoringWeights:
    """
    Inverse probability of censoring weights of the patients judged.

    Parameters
    ----------
    y_train : structured ndarray or None
        Patients from whom the censoring distribution is estimated; None takes `y_test`.
    y_test : structured ndarray of shape (n_patients,)
        The patients judged.
    horizon : float
        In the unit of the outcomes.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients judged whose follow-up ended with the competing event. Who has it by the horizon
        is a control there: nobody survives it to have the event of interest.
    strict : bool
        Whether an event at exactly the horizon counts as none, neither case nor control.

    Returns
    -------
    CensoringWeights
        Case weights 1 / G(T-), control weights 1 / G(horizon), after the competing event
        1 / G(T-).

    Raises
    ------
    UndefinedMetricError
        If the probability of being uncensored is 0 where it is needed.
    ValueError
        If `competing` does not fit the outcome, or is given together with `y_train`, whose own
        competing events are not known.
    """
    source = y_test if y_train is None else y_train
    if competing is None:
        weights = CensoringDistribution().fit(source).weights(y_test, horizon=horizon)
        case, control = weights.case, weights.control
    else:
        if y_train is not None:
            message = "with `competing` the censoring distribution comes from `y_test`"
            raise ValueError(message)
        ended = ended_outcome(y_test, competing)
        weights = CensoringDistribution().fit(ended).weights(ended, horizon=horizon)
        case = np.where(y_test["event"], weights.case, 0.0)
        control = weights.control + np.where(competing, weights.case, 0.0)
    if strict:
        now = y_test["time"] == horizon
        case, control = np.where(now, 0.0, case), np.where(now, 0.0, control)
    return CensoringWeights(case, control, weights.largest)


def cohort_risk(y: Outcome, *, horizon: float, competing: BoolArray | None = None) -> float:
    r"""
    Risk of the event by the horizon in the cohort as a whole: the null model of the Brier score.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        The patients judged.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    float
        1 minus Kaplan-Meier, with competing risks the Aalen-Johansen incidence.

    Notes
    -----
    The mean of the case weights :math:`1/G(T_i-)`, which is that incidence, as
    :math:`S(v-) G(v-) = Y_v / n` at every time.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])  # 1 - 3/4 * 1/2
    >>> cohort_risk(y, horizon=3.0)
    0.625
    """
    if competing is None:
        return 1.0 - float(kaplan_meier(y)(horizon))
    return float(censoring_weights(None, y, horizon=horizon, competing=competing).case.mean())


def censoring_influence(
    y: Outcome, kappa: FloatArray, *, horizon: float, competing: BoolArray | None = None
) -> FloatArray:
    r"""
    Influence of having estimated the censoring distribution from the patients judged.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        The patients judged.
    kappa : ndarray of shape (n_patients,)
        Derivative of the statistic with respect to the logarithm of each patient's weight.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; they were not censored.

    Returns
    -------
    ndarray of shape (n_patients,)
        To be added to the influence with known weights; sums to 0.

    Notes
    -----
    With :math:`B(v) = \sum_{v < T_j \le t} \kappa_j + 1[v \le t] \sum_{T_j > t} \kappa_j`, and
    :math:`c_v` of :math:`Y_v` patients at risk censored at v,

    .. math:: C_k = \sum_v B(v) \frac{n}{Y_v}
       \left(1[T_k = v, D_k = 0] - 1[T_k \ge v] \frac{c_v}{Y_v}\right)

    the martingale representation of the Kaplan-Meier estimate of censoring [1]_.

    References
    ----------
    .. [1] Blanche P, Dartigues JF, Jacqmin-Gadda H. Estimating and comparing time-dependent areas
       under receiver operating characteristic curves for censored event times with competing
       risks. Stat Med 2013;32:5381-97.
    """
    ended = y if competing is None else ended_outcome(y, competing)
    event, time = check_outcome(ended)
    counts = risk_counts(ended)
    index = np.searchsorted(counts.times, time)
    by_time = np.bincount(index, weights=kappa, minlength=counts.times.size)
    past = counts.times <= horizon
    reverse = np.cumsum(by_time[::-1])[::-1]
    later = np.append(reverse[1:], 0.0)
    ratio = np.where(past, later, 0.0) * time.size / counts.at_risk
    compensator = np.cumsum(ratio * counts.censored / counts.at_risk)
    return np.asarray(np.where(event, 0.0, ratio[index]) - compensator[index], dtype=np.float64)
