"""Harrell's C-index: pair counts and influence of each patient, in O(n log n)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.kernels import kernel
from scorebuilder.survival.outcome import check_outcome

NO_PAIR = "no comparable pair: no patient with an event is followed by one who outlived it"


@dataclass(frozen=True)
class Concordance:
    """
    Pairs of patients by how a marker orders them.

    Attributes
    ----------
    concordant, discordant, tied_marker : int
        Comparable pairs in which the patient who failed first has the higher, the lower or the
        same marker.
    comparable : int
        Their sum.
    c_index : float
        (concordant + tied_marker / 2) / comparable, in [0, 1].
    """

    concordant: int
    discordant: int
    tied_marker: int
    comparable: int
    c_index: float


class ConcordanceCounter:
    """
    Harrell's C of many markers of the same patients; the outcome is sorted once.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    """

    def __init__(self, y: Outcome) -> None:
        self.event, self.time = check_outcome(y)
        # latest first; at equal times the censored come before the events
        self.order = np.lexsort((self.event, -self.time)).astype(np.int64)

    def counts(self, marker: FloatArray, *, include: BoolArray | None = None) -> Concordance:
        """
        Count the pairs that one marker orders rightly and wrongly.

        Parameters
        ----------
        marker : ndarray of shape (n_patients,)
            Higher means an earlier event.
        include : ndarray of bool of shape (n_patients,), optional
            Only pairs of these patients count; markers of the others may be NaN.

        Returns
        -------
        Concordance
            Counts and C-index.

        Raises
        ------
        UndefinedMetricError
            If no pair is comparable.
        ValueError
            If the marker has another length or is NaN where it counts.
        """
        order = self.order if include is None else self.order[include[self.order]]
        rank, n_ranks = _dense_rank(marker, order, self.event.size)
        concordant, tied, comparable = _count_pairs(order, self.time, self.event, rank, n_ranks)
        if comparable == 0:
            raise UndefinedMetricError(NO_PAIR)
        return Concordance(
            concordant=int(concordant),
            discordant=int(comparable - concordant - tied),
            tied_marker=int(tied),
            comparable=int(comparable),
            c_index=(concordant + 0.5 * tied) / comparable,
        )

    def __call__(self, marker: FloatArray, *, include: BoolArray | None = None) -> float:
        """C-index of one marker; see `counts`."""
        return self.counts(marker, include=include).c_index

    def influence(
        self, marker: FloatArray, *, include: BoolArray | None = None
    ) -> tuple[float, FloatArray]:
        """
        C-index and the influence of each patient on it; see `concordance_influence`.

        Parameters
        ----------
        marker : ndarray of shape (n_patients,)
            Higher means an earlier event.
        include : ndarray of bool of shape (n_patients,), optional
            Only pairs of these patients count; the others have influence 0.

        Returns
        -------
        c_index : float
            In [0, 1].
        influence : ndarray of shape (n_patients,)
            Sums to 0.

        Raises
        ------
        UndefinedMetricError
            If no pair is comparable.
        """
        order = self.order if include is None else self.order[include[self.order]]
        rank, n_ranks = _dense_rank(marker, order, self.event.size)
        won, pairs = _patient_sums(order, self.time, self.event, rank, n_ranks)
        comparable = pairs.sum() / 2.0
        if comparable == 0:
            raise UndefinedMetricError(NO_PAIR)
        c_index = float(won.sum() / 2.0 / comparable)
        return c_index, (won - c_index * pairs) / comparable


def harrell_concordance(y: Outcome, marker: FloatArray) -> Concordance:
    r"""
    Harrell's C-index of a marker, with its pair counts.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    marker : ndarray of shape (n_patients,)
        Higher means an earlier event: linear predictor, risk, points.

    Returns
    -------
    Concordance
        0.5 is chance, 1 perfect order.

    Raises
    ------
    UndefinedMetricError
        If no pair is comparable, for example without any event.
    ValueError
        If lengths differ or a marker is NaN.

    Notes
    -----
    .. math:: C = \frac{\sum_{(i,j)} \mathbb{1}[p_i > p_j] + \tfrac12 \mathbb{1}[p_i = p_j]}
       {\#\{(i,j)\}}, \quad D_i = 1, \ T_i < T_j \text{ or } (T_i = T_j, D_j = 0)

    Two events at the same time are not comparable. Markers are tied only when they are equal;
    there is no numerical tolerance. The value depends on the censoring distribution [1]_.

    References
    ----------
    .. [1] Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med 1996;15:361-87.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 1], [1, 2, 3, 4])
    >>> harrell_concordance(y, np.array([4.0, 1.0, 2.0, 2.0])).c_index  # pairs 1-2 1-3 1-4 3-4
    0.875
    """
    return ConcordanceCounter(y).counts(marker)


def concordance_influence(y: Outcome, marker: FloatArray) -> tuple[float, FloatArray]:
    r"""
    Harrell's C-index and its infinitesimal jackknife.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    marker : ndarray of shape (n_patients,)
        Higher means an earlier event.

    Returns
    -------
    c_index : float
        As `harrell_concordance`.
    influence : ndarray of shape (n_patients,)
        Derivative of C with respect to the patient's weight; sums to 0. The standard error of C
        is the root of the sum of squares; for two markers of the same patients, that of the
        difference is the root of the sum of squared differences.

    Raises
    ------
    UndefinedMetricError
        If no pair is comparable.
    ValueError
        If lengths differ or a marker is NaN.

    Notes
    -----
    .. math:: U_i = \frac{1}{N} \sum_{\text{pairs with } i} (h - C), \quad
       \mathrm{se}(C) = \sqrt{\textstyle\sum_i U_i^2}

    where h is 1, 1/2 or 0 in each of the N comparable pairs [1]_.

    References
    ----------
    .. [1] Therneau TM, Watson DA. The concordance statistic and the Cox model. Technical report
       85, Mayo Clinic; 2015.
    """
    return ConcordanceCounter(y).influence(marker)


def _dense_rank(marker: FloatArray, order: IntArray, n_patients: int) -> tuple[IntArray, int]:
    values = np.asarray(marker, dtype=np.float64)
    if values.shape != (n_patients,):
        message = f"`marker` must have shape ({n_patients},) as `y` does; got {values.shape}"
        raise ValueError(message)
    used = values[order]
    missing = int(np.isnan(used).sum())
    if missing:
        message = f"`marker` must not be NaN; {missing} of {used.size} values are"
        raise ValueError(message)
    distinct, inverse = np.unique(used, return_inverse=True)
    return inverse.astype(np.int64), int(distinct.size)


@kernel
def _add(tree: IntArray, rank: int) -> None:
    position = rank + 1
    while position < tree.size:
        tree[position] += 1
        position += position & -position


@kernel
def _below(tree: IntArray, rank: int) -> int:
    total = 0
    position = rank
    while position > 0:
        total += tree[position]
        position -= position & -position
    return total


@kernel
def _tied_events_end(order: IntArray, time: FloatArray, event: BoolArray, start: int) -> int:
    """End of the run of events at one time; a censored patient is a run of its own."""
    end = start + 1
    if event[order[start]]:
        while end < order.size and event[order[end]] and time[order[end]] == time[order[start]]:
            end += 1
    return end


@kernel
def _count_pairs(
    order: IntArray, time: FloatArray, event: BoolArray, rank: IntArray, n_ranks: int
) -> tuple[int, int, int]:
    later = np.zeros(n_ranks + 1, np.int64)
    concordant, not_discordant, comparable = 0, 0, 0
    start = 0
    while start < order.size:
        end = _tied_events_end(order, time, event, start)
        if event[order[start]]:
            for place in range(start, end):
                concordant += _below(later, rank[place])
                not_discordant += _below(later, rank[place] + 1)
                comparable += start
        for place in range(start, end):
            _add(later, rank[place])
        start = end
    return concordant, not_discordant - concordant, comparable


@kernel
def _patient_sums(
    order: IntArray, time: FloatArray, event: BoolArray, rank: IntArray, n_ranks: int
) -> tuple[FloatArray, FloatArray]:
    """Sum of h, and number, of the comparable pairs that hold each patient (first or later)."""
    won = np.zeros(event.size)
    pairs = np.zeros(event.size)
    n_used = order.size
    later = np.zeros(n_ranks + 1, np.int64)
    run_end = np.empty(n_used, np.int64)
    start = 0
    while start < n_used:
        end = _tied_events_end(order, time, event, start)
        for place in range(start, end):
            run_end[place] = end
            if event[order[start]]:
                lower = _below(later, rank[place])
                upper = _below(later, rank[place] + 1)
                won[order[place]] += 0.5 * (lower + upper)
                pairs[order[place]] += start
        for place in range(start, end):
            _add(later, rank[place])
        start = end
    failed = np.zeros(n_ranks + 1, np.int64)
    n_failed, last = 0, n_used
    for place in range(n_used - 1, -1, -1):
        if run_end[place] <= last:  # a new run, one step further from the end
            for earlier in range(run_end[place], last):
                if event[order[earlier]]:
                    _add(failed, rank[earlier])
                    n_failed += 1
            last = run_end[place]
        lower = _below(failed, rank[place])
        upper = _below(failed, rank[place] + 1)
        won[order[place]] += n_failed - 0.5 * (lower + upper)
        pairs[order[place]] += n_failed
    return won, pairs
