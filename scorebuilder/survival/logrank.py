"""Log-rank test of several groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_outcome


@dataclass(frozen=True)
class LogRank:
    """
    Log-rank test.

    Attributes
    ----------
    groups : ndarray of shape (n_groups,)
        Labels, ascending.
    n, observed : ndarray of int of shape (n_groups,)
        Patients and events.
    expected : ndarray of shape (n_groups,)
        Events expected if hazards are equal.
    statistic, p : float
        Chi-square and its P.
    df : int
        Groups with expected events, less one.
    """

    groups: Any
    n: IntArray
    observed: IntArray
    expected: FloatArray
    statistic: float
    p: float
    df: int


def logrank(y: Outcome, groups: Any) -> LogRank:
    r"""
    Test whether the hazard is the same in all groups.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    groups : array-like of shape (n_patients,)
        Label of each patient.

    Returns
    -------
    LogRank
        Over the whole follow-up; without any event the statistic is 0.

    Raises
    ------
    ValueError
        If the lengths differ.
    UndefinedMetricError
        With a single group, or a single one in which an event can happen.

    Notes
    -----
    .. math:: E_g = \sum_v d_v \frac{Y_{gv}}{Y_v}, \quad
       V_{gh} = \sum_v d_v \frac{Y_v - d_v}{Y_v - 1}
       \frac{Y_{gv}}{Y_v} \left(1[g = h] - \frac{Y_{hv}}{Y_v}\right)

    and the statistic is :math:`(O - E)^\top V^- (O - E)`.

    References
    ----------
    .. [1] Kalbfleisch JD, Prentice RL. The statistical analysis of failure time data. 2nd ed.
       Wiley; 2002, section 1.5.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 1, 1], [1, 2, 3, 4])
    >>> logrank(y, ["a", "b", "a", "b"]).expected.round(4)  # 1/2 + 1/3 + 1/2
    array([1.3333, 2.6667])
    """
    event, time = check_outcome(y)
    labels, index = np.unique(np.asarray(groups), return_inverse=True)
    if index.shape != time.shape:
        message = f"`groups` must hold one label per patient; got {index.size} for {time.size}"
        raise ValueError(message)
    times = np.unique(time[event])
    last = np.searchsorted(times, time, side="right")
    size = (times.size + 1) * labels.size
    leaving = np.bincount(last * labels.size + index, minlength=size)
    leaving = leaving.reshape(times.size + 1, labels.size)[1:]
    at_risk = np.cumsum(leaving[::-1], axis=0)[::-1].astype(np.float64)
    total = at_risk.sum(axis=1)
    deaths = np.bincount(np.searchsorted(times, time[event]), minlength=times.size)
    share = at_risk / total[:, None]
    expected = deaths @ share
    scale = np.divide(
        deaths * (total - deaths), total - 1.0, out=np.zeros(times.size), where=total > 1.0
    )
    variance = np.diag(scale @ share) - (share * scale[:, None]).T @ share
    observed = np.bincount(index[event], minlength=labels.size).astype(np.int64)
    present = expected > 0.0 if times.size else np.ones(labels.size, dtype=np.bool_)
    df = int(present.sum()) - 1
    if df < 1:
        message = "there is one group only in which an event can happen"
        raise UndefinedMetricError(message)
    kept = np.flatnonzero(present)[:-1]
    excess = (observed - expected)[kept]
    statistic = float(excess @ np.linalg.lstsq(variance[np.ix_(kept, kept)], excess, rcond=None)[0])
    n = np.bincount(index, minlength=labels.size).astype(np.int64)
    p = float(chi2.sf(statistic, df))
    return LogRank(labels, n, observed, np.asarray(expected), statistic, p, df)
