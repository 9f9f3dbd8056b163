"""Concordance of a marker with case weights, event weights and a last event time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.concordance import NO_PAIR
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.survival.weighted_pairs import first_sums, later_sums


@dataclass(frozen=True)
class PairConcordance:
    """
    Weighted pairs of patients by how a marker orders them.

    Attributes
    ----------
    c_index : float
        (concordant + tied_marker / 2) / (concordant + discordant + tied_marker), in [0, 1].
    standard_error : float
        Infinitesimal jackknife, the event weights held fixed.
    concordant, discordant, tied_marker : float
        Weight of the comparable pairs in which the patient who failed first has the higher, the
        lower or the same marker.
    tied_time, tied_both : float
        Weight of the pairs with events at the same time, which are not comparable: with different
        and with equal markers.
    influence : ndarray of shape (n_patients,)
        Derivative of C with respect to each patient's case weight.
    """

    c_index: float
    standard_error: float
    concordant: float
    discordant: float
    tied_marker: float
    tied_time: float
    tied_both: float
    influence: FloatArray

    @property
    def comparable(self) -> float:
        """Weight of all comparable pairs."""
        return self.concordant + self.discordant + self.tied_marker

    @property
    def somers_d(self) -> float:
        """Somers' D: 2 C - 1, with twice the standard error of C."""
        return 2.0 * self.c_index - 1.0


def pair_concordance(
    y: Outcome,
    marker: FloatArray,
    *,
    event_weight: FloatArray | None = None,
    case_weight: Any = None,
    until: float = np.inf,
) -> PairConcordance:
    r"""
    C-index of a marker over weighted pairs, with counts and infinitesimal jackknife.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    marker : ndarray of shape (n_patients,)
        Higher means an earlier event.
    event_weight : ndarray of shape (n_patients,), optional
        Weight v of the pairs in which the patient fails first; by default 1 (Harrell). See
        `uno_event_weight`.
    case_weight : array-like of shape (n_patients,), optional
        Weight w of each patient, > 0; by default 1.
    until : float
        Only events by this time count.

    Returns
    -------
    PairConcordance
        Counts are scaled by the weights.

    Raises
    ------
    UndefinedMetricError
        If no pair is comparable.
    ValueError
        If lengths differ, a marker is NaN, or a weight is not finite and positive.

    Notes
    -----
    .. math:: C = \frac{\sum_{(i,j)} w_i w_j v_i (\mathbb{1}[p_i > p_j] + \tfrac12
       \mathbb{1}[p_i = p_j])}{\sum_{(i,j)} w_i w_j v_i}, \quad D_i = 1,\ T_i \le t,\ T_i < T_j
       \text{ or } (T_i = T_j, D_j = 0)

    With :math:`U_i = \partial C / \partial w_i`, the standard error is
    :math:`\sqrt{\sum_i w_i^2 U_i^2}` [1]_.

    References
    ----------
    .. [1] Therneau TM, Watson DA. The concordance statistic and the Cox model. Technical report
       85, Mayo Clinic; 2015.

    Examples
    --------
    Pairs 1-2, 1-3 and 1-4 weigh 2, as patient 1 does, pair 3-4 weighs 1: (2 + 2 + 1) / 7.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> found = pair_concordance(y, np.array([3.0, 4.0, 2.0, 1.0]), case_weight=[2, 1, 1, 1])
    >>> found.concordant, found.comparable
    (5.0, 7.0)
    """
    event, time = check_outcome(y)
    cases = check_case_weight(case_weight, time.size)
    rank, n_ranks = dense_rank(marker, time.size)
    weight = np.where(event & (time <= until), 1.0 if event_weight is None else event_weight, 0.0)
    order = np.lexsort((event, -time)).astype(np.int64)
    counted = weight > 0.0
    lower, tied, outlived = first_sums(order, time, event, counted, cases, rank[order], n_ranks)
    concordant, tied_marker, comparable = (
        float(np.sum(cases * weight * part)) for part in (lower, tied, outlived)
    )
    if comparable == 0.0:
        raise UndefinedMetricError(NO_PAIR)
    won, pairs = weight * (lower + 0.5 * tied), weight * outlived
    c_index = float(np.sum(cases * won)) / comparable
    later_sums(order, time, event, cases * weight, rank[order], n_ranks, won, pairs)
    influence = (won - c_index * pairs) / comparable
    tied_time, tied_both = _tied_events(time, counted, weight, cases, rank)
    return PairConcordance(
        c_index=min(c_index, 1.0),
        standard_error=float(np.sqrt(np.sum((cases * influence) ** 2))),
        concordant=concordant,
        discordant=comparable - concordant - tied_marker,
        tied_marker=tied_marker,
        tied_time=tied_time,
        tied_both=tied_both,
        influence=influence,
    )


def uno_event_weight(y: Outcome, *, case_weight: Any = None) -> FloatArray:
    r"""
    Weight of each patient's event in Uno's C: :math:`\hat G(T_i-)^{-2}`.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``; also gives the censoring distribution G.
    case_weight : array-like of shape (n_patients,), optional
        Weight of each patient, > 0.

    Returns
    -------
    ndarray of shape (n_patients,)
        0 for patients without the event.

    Examples
    --------
    Patient 2 is censored while three are under observation: G(3-) = 2/3.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> uno_event_weight(make_outcome([1, 0, 1, 0], [1, 2, 3, 4]))
    array([1.  , 0.  , 2.25, 0.  ])
    """
    event, time = check_outcome(y)
    distribution = CensoringDistribution().fit(y, case_weight=case_weight)
    uncensored = distribution.survival_.before(time)
    weight = np.zeros(time.size)
    weight[event] = uncensored[event] ** -2.0
    return weight


def check_case_weight(case_weight: Any, n_patients: int) -> FloatArray:
    """
    Return case weights as an array, ones by default, or say what is wrong with them.

    Parameters
    ----------
    case_weight : array-like of shape (n_patients,) or None
        Weight of each patient.
    n_patients : int
        How many there must be.

    Returns
    -------
    ndarray of shape (n_patients,)
        The weights.

    Raises
    ------
    ValueError
        If there are more or fewer, or one is not finite and positive.
    """
    if case_weight is None:
        return np.ones(n_patients)
    weight = np.ascontiguousarray(case_weight, dtype=np.float64)
    if weight.shape != (n_patients,):
        message = f"`case_weight` must have shape ({n_patients},) as `y` does; got {weight.shape}"
        raise ValueError(message)
    wrong = int(np.sum(~(np.isfinite(weight) & (weight > 0.0))))
    if wrong:
        message = f"`case_weight` must be finite and positive; {wrong} values are not"
        raise ValueError(message)
    return weight


def dense_rank(marker: FloatArray, n_patients: int) -> tuple[IntArray, int]:
    """
    Rank of each patient's marker among the distinct ones.

    Parameters
    ----------
    marker : ndarray of shape (n_patients,)
        Without NaN.
    n_patients : int
        How many there must be.

    Returns
    -------
    rank : ndarray of int of shape (n_patients,)
        From 0; equal markers, and only these, have the same rank.
    n_ranks : int
        Distinct markers.

    Raises
    ------
    ValueError
        If there are more or fewer markers, or one is NaN.
    """
    values = np.asarray(marker, dtype=np.float64)
    if values.shape != (n_patients,):
        message = f"`marker` must have shape ({n_patients},) as `y` does; got {values.shape}"
        raise ValueError(message)
    missing = int(np.isnan(values).sum())
    if missing:
        message = f"`marker` must not be NaN; {missing} of {values.size} values are"
        raise ValueError(message)
    distinct, rank = np.unique(values, return_inverse=True)
    return rank.astype(np.int64), int(distinct.size)


def _tied_events(
    time: FloatArray, counted: BoolArray, weight: FloatArray, cases: FloatArray, rank: IntArray
) -> tuple[float, float]:
    """Weight of the pairs with events at the same time: markers differ, markers are equal."""
    _, at = np.unique(time[counted], return_inverse=True)
    same_both = np.unique(np.stack((at, rank[counted])), axis=1, return_inverse=True)[1].ravel()
    totals = [_pairs_within(group, weight[counted], cases[counted]) for group in (at, same_both)]
    return totals[0] - totals[1], totals[1]


def _pairs_within(group: IntArray, weight: FloatArray, cases: FloatArray) -> float:
    """Sum of w_i w_j v over the pairs within each group; v is the same in a group."""
    total = np.bincount(group, weights=cases)
    own = np.bincount(group, weights=cases**2)
    shared = np.zeros(total.size)
    shared[group] = weight
    return float(np.sum(shared * (total**2 - own)) / 2.0)
