"""Concordance with competing risks, weighted for censoring."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.outcome import check_outcome, ended_outcome
from scorebuilder.survival.pair_concordance import dense_rank
from scorebuilder.survival.weighted_pairs import first_sums, later_sums

NO_PAIR = "no comparable pair: no patient with an event outlived by one, or facing a competing one"


def competing_concordance(
    y: Outcome, competing: BoolArray, marker: FloatArray, *, until: float = np.inf
) -> tuple[float, FloatArray]:
    r"""
    C-index of the event of interest in the presence of a competing one, and its jackknife.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (of interest) and ``time``.
    competing : ndarray of bool of shape (n_patients,)
        Patients whose follow-up ended with the competing event.
    marker : ndarray of shape (n_patients,)
        Higher means a higher risk of the event of interest.
    until : float
        Only events of interest by this time count.

    Returns
    -------
    c_index : float
        In [0, 1].
    influence : ndarray of shape (n_patients,)
        Derivative of C with respect to each patient's weight in the sums over pairs, the censoring
        weights held fixed; sums to 0.

    Raises
    ------
    UndefinedMetricError
        If no pair is comparable, or a censoring weight is infinite.
    ValueError
        If lengths differ, a marker is NaN, or a patient has both events.

    Notes
    -----
    Patient i has the event of interest by t. Patient j is to have the lower marker if he is still
    under observation after (pairs A, also where he is censored at the same time), or had the
    competing event before or then (pairs B):

    .. math:: C(t) = \frac{\sum_{ij} (A_{ij} w^A_i + B_{ij} w^B_{ij}) (\mathbb{1}[p_i > p_j] +
       \tfrac12 \mathbb{1}[p_i = p_j])}{\sum_{ij} A_{ij} w^A_i + B_{ij} w^B_{ij}}, \quad
       w^A_i = \frac{1}{G(T_i-) G(T_i)},\ w^B_{ij} = \frac{1}{G(T_i-) G(T_j-)}

    with the Kaplan-Meier estimate G of the censoring distribution [1]_.

    References
    ----------
    .. [1] Wolbers M, Blanche P, Koller MT, Witteman JCM, Gerds TA. Concordance for prognostic
       models with competing risks. Biostatistics 2014;15:526-39.

    Examples
    --------
    Nobody is censored. Patient 1 fails before 2 and 3; patient 3 fails after 2 died of another
    cause. Pairs 1-2 and 1-3 are ordered rightly, 3-2 is not: 2 of 3.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1], [1, 2, 3])
    >>> competing = np.array([False, True, False])
    >>> round(competing_concordance(y, competing, np.array([0.9, 0.5, 0.2]))[0], 6)
    0.666667
    """
    event, time = check_outcome(y)
    ended = ended_outcome(y, competing)
    rank, n_ranks = dense_rank(marker, time.size)
    survival = CensoringDistribution().fit(ended).survival_
    before, after = survival.before(time), survival(time)
    case = event & (time <= until)
    with np.errstate(divide="ignore"):
        weight_outlived = np.where(case, 1.0 / (before * after), 0.0)
    weight_case = np.where(case, 1.0 / before, 0.0)
    weight_competing = np.zeros(time.size)
    weight_competing[competing] = 1.0 / before[competing]
    won, pairs = np.zeros(time.size), np.zeros(time.size)
    totals = np.zeros(2)
    # pairs A: j outlives i
    ones = np.ones(time.size)
    _add_pairs(ended["event"], time, (weight_outlived, ones), (rank, n_ranks), won, pairs, totals)
    # pairs B: seen backwards in time, j with the competing event comes with i or after
    backwards = -time
    _add_pairs(
        event, backwards, (weight_case, weight_competing), (rank, n_ranks), won, pairs, totals
    )
    if totals[1] == 0.0:
        raise UndefinedMetricError(NO_PAIR)
    c_index = float(totals[0] / totals[1])
    return min(c_index, 1.0), (won - c_index * pairs) / float(totals[1])


def _add_pairs(
    event: BoolArray,
    time: FloatArray,
    weights: tuple[FloatArray, FloatArray],
    ranks: tuple[IntArray, int],
    won: FloatArray,
    pairs: FloatArray,
    totals: FloatArray,
) -> None:
    """Add the pairs of a first patient (first weight) and one who comes later (second weight)."""
    first, later = weights
    rank, n_ranks = ranks
    order = np.lexsort((event, -time)).astype(np.int64)
    counted = first > 0.0
    lower, tied, outlived = first_sums(order, time, event, counted, later, rank[order], n_ranks)
    # an event outlived by nobody forms no pair, whatever its weight
    weight = np.where(outlived > 0.0, first, 0.0)
    if np.isinf(weight).any():
        message = "everybody is censored at the time of an event, so that its weight is infinite"
        raise UndefinedMetricError(message)
    won_first, pairs_first = weight * (lower + 0.5 * tied), weight * outlived
    totals += (won_first.sum(), pairs_first.sum())
    won_later, pairs_later = np.zeros(time.size), np.zeros(time.size)
    later_sums(order, time, event, weight, rank[order], n_ranks, won_later, pairs_later)
    won += won_first + later * won_later
    pairs += pairs_first + later * pairs_later
