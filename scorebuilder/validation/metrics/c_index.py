"""Harrell's C-index: share of comparable pairs that the prediction orders as they came."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.concordance import concordance_estimate, harrell_c
from scorebuilder.validation.influence import jackknife_error
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate


def c_index_estimate(
    y_train: Outcome | None,  # noqa: ARG001 - every metric has the same signature
    y_test: Outcome,
    risk: FloatArray,
    /,
    *,
    horizon: float,  # noqa: ARG001
    competing: BoolArray | None = None,
) -> MetricEstimate:
    r"""
    C-index with its influence function (infinitesimal jackknife).

    Parameters
    ----------
    y_train : structured ndarray or None
        Not used: no censoring weights.
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    horizon : float
        Not used: all follow-up counts.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event: they outlive everybody.

    Returns
    -------
    MetricEstimate
        Standard error as root of the summed squares of the jackknife.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.

    Notes
    -----
    A pair is comparable if the earlier time is an event, or both times are equal and one of them
    is an event. [1]_ [2]_ The value depends on the distribution of censoring.

    References
    ----------
    .. [1] Harrell FE, et al. Evaluating the yield of medical tests. JAMA 1982;247:2543-6.
    .. [2] Therneau TM, Watson DA. The concordance statistic and the Cox model. Mayo Clinic
       technical report 85; 2015.
    """
    return concordance_estimate(harrell_c(y_test, risk, competing=competing))


def c_index(y_test: Outcome, risk: FloatArray) -> float:
    """
    Harrell's C-index.

    Parameters
    ----------
    y_test : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk.

    Returns
    -------
    float
        In [0, 1]; 0.5 is chance, 1 is perfect.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.

    Examples
    --------
    Pairs (1,2), (1,3), (1,4), (3,4) are comparable; the first and the last are ordered rightly.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> c_index(y, np.array([0.5, 0.2, 0.9, 0.7]))
    0.5
    """
    return c_index_estimate(None, y_test, risk, horizon=np.inf).value


METRICS.register(
    "c_index",
    Metric(
        "c_index",
        c_index_estimate,
        "C-index",
        greater_is_better=True,
        perfect=1.0,
        ranks_only=True,
        whole_follow_up=True,
        with_competing=c_index_estimate,
        spread=jackknife_error,
    ),
)
