"""Censoring weights of the patients judged, and what their estimation adds to the error."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.censoring import CensoringDistribution, CensoringWeights
from scorebuilder.survival.kaplan_meier import risk_counts
from scorebuilder.survival.outcome import check_outcome


def censoring_weights(
    y_train: Outcome | None, y_test: Outcome, *, horizon: float
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

    Returns
    -------
    CensoringWeights
        Case weights 1 / G(T-), control weights 1 / G(horizon).

    Raises
    ------
    UndefinedMetricError
        If the probability of being uncensored is 0 where it is needed.
    """
    source = y_test if y_train is None else y_train
    return CensoringDistribution().fit(source).weights(y_test, horizon=horizon)


def censoring_influence(y: Outcome, kappa: FloatArray, *, horizon: float) -> FloatArray:
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
    event, time = check_outcome(y)
    counts = risk_counts(y)
    index = np.searchsorted(counts.times, time)
    by_time = np.bincount(index, weights=kappa, minlength=counts.times.size)
    past = counts.times <= horizon
    reverse = np.cumsum(by_time[::-1])[::-1]
    later = np.append(reverse[1:], 0.0)
    ratio = np.where(past, later, 0.0) * time.size / counts.at_risk
    compensator = np.cumsum(ratio * counts.censored / counts.at_risk)
    return np.asarray(np.where(event, 0.0, ratio[index]) - compensator[index], dtype=np.float64)
