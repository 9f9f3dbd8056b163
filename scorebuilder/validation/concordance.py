"""Harrell's and Uno's C-index in full: value, standard error, pair counts, case weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.outcome import outliving_outcome
from scorebuilder.survival.pair_concordance import (
    PairConcordance,
    pair_concordance,
    uno_event_weight,
)
from scorebuilder.validation.metric import MetricEstimate, check_predictions


def harrell_c(
    y: Outcome,
    risk: FloatArray,
    *,
    until: float = np.inf,
    case_weight: Any = None,
    competing: BoolArray | None = None,
) -> PairConcordance:
    r"""
    Harrell's C-index with its standard error and pair counts.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    until : float
        Only pairs whose earlier event comes by this time count; by default all.
    case_weight : array-like of shape (n_patients,), optional
        Weight of each patient, > 0.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event: they outlive everybody. Without it
        they count as censored there.

    Returns
    -------
    PairConcordance
        Value, infinitesimal jackknife, counts, Somers' D.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.
    ValueError
        If lengths differ, a prediction is not finite, or a weight is not positive.

    Notes
    -----
    A pair is comparable if the earlier time is an event, or both times are equal and one of them
    is an event. [1]_ [2]_ The value depends on the distribution of censoring.

    References
    ----------
    .. [1] Harrell FE, et al. Evaluating the yield of medical tests. JAMA 1982;247:2543-6.
    .. [2] Therneau TM, Watson DA. The concordance statistic and the Cox model. Mayo Clinic
       technical report 85; 2015.

    Examples
    --------
    Of the comparable pairs (1,3) and (1,4) are ordered rightly, (1,2) is not, (3,4) is tied.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> found = harrell_c(y, np.array([0.5, 0.8, 0.4, 0.4]))
    >>> found.concordant, found.discordant, found.tied_marker, found.c_index
    (2.0, 1.0, 1.0, 0.625)
    """
    prediction = check_predictions(y, risk)
    judged = y if competing is None else outliving_outcome(y, competing)
    return pair_concordance(judged, prediction, case_weight=case_weight, until=until)


def uno_c(
    y: Outcome, risk: FloatArray, *, until: float = np.inf, case_weight: Any = None
) -> PairConcordance:
    r"""
    Uno's C-index with its standard error and weighted pair counts.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    risk : ndarray of shape (n_patients,)
        Any prediction that rises with the risk; ties count one half, without tolerance.
    until : float
        Tau: only pairs whose earlier event comes by this time count; by default all.
    case_weight : array-like of shape (n_patients,), optional
        Weight of each patient, > 0.

    Returns
    -------
    PairConcordance
        Every pair weighs :math:`1 / \hat G(T_i-)^2` of its event; the standard error is the
        infinitesimal jackknife with G held fixed.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.
    ValueError
        If lengths differ, a prediction is not finite, or a weight is not positive.

    Notes
    -----
    Unlike Harrell's C it does not depend on the distribution of censoring, provided that this is
    independent of the covariates and that somebody is followed to tau. [1]_

    References
    ----------
    .. [1] Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ. On the C-statistics for evaluating
       overall adequacy of risk prediction procedures with censored survival data. Stat Med
       2011;30:1105-17.

    Examples
    --------
    Events weigh 1 and 9/4 (G(3-) = 2/3): (2 + 9/4) / (3 + 9/4).

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> round(uno_c(y, np.array([0.3, 0.4, 0.2, 0.1])).c_index, 6)
    0.809524
    """
    prediction = check_predictions(y, risk)
    weight = uno_event_weight(y, case_weight=case_weight)
    return pair_concordance(
        y, prediction, event_weight=weight, case_weight=case_weight, until=until
    )


def concordance_estimate(found: PairConcordance) -> MetricEstimate:
    """
    Return a concordance as the estimate of a metric.

    Parameters
    ----------
    found : PairConcordance
        Without case weights.

    Returns
    -------
    MetricEstimate
        Value, influence scaled so that the error is its mean, standard error.
    """
    influence = found.influence * found.influence.size
    return MetricEstimate(found.c_index, influence, found.standard_error)
