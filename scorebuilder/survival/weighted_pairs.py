"""Kernels over comparable pairs with weights: sums for each patient, in O(n log n)."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.core.kernels import kernel


@kernel
def _add(tree: FloatArray, rank: int, weight: float) -> None:
    position = rank + 1
    while position < tree.size:
        tree[position] += weight
        position += position & -position


@kernel
def _below(tree: FloatArray, rank: int) -> float:
    total = 0.0
    position = rank
    while position > 0:
        total += tree[position]
        position -= position & -position
    return total


@kernel
def _run_end(order: IntArray, time: FloatArray, event: BoolArray, start: int) -> int:
    """End of the run of events at one time; a censored patient is a run of its own."""
    end = start + 1
    if event[order[start]]:
        while end < order.size and event[order[end]] and time[order[end]] == time[order[start]]:
            end += 1
    return end


@kernel
def first_sums(
    order: IntArray,
    time: FloatArray,
    event: BoolArray,
    counted: BoolArray,
    case_weight: FloatArray,
    rank: IntArray,
    n_ranks: int,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Weight of those who outlived each patient: with a lower marker, with the same, and in all.

    Parameters
    ----------
    order : ndarray of int of shape (n_used,)
        Patients, latest first; at equal times the censored come before the events.
    time : ndarray of shape (n_patients,)
        End of follow-up.
    event, counted : ndarray of bool of shape (n_patients,)
        True where the event was seen; where it counts.
    case_weight : ndarray of shape (n_patients,)
        Weight of each patient.
    rank : ndarray of int of shape (n_used,)
        Rank of the marker, from 0, in the order of `order`.
    n_ranks : int
        Distinct markers.

    Returns
    -------
    lower, tied, outlived : ndarray of shape (n_patients,)
        0 for patients whose event is not `counted`.
    """
    lower, tied = np.zeros(event.size), np.zeros(event.size)
    outlived = np.zeros(event.size)
    later = np.zeros(n_ranks + 1)
    total = 0.0
    start = 0
    while start < order.size:
        end = _run_end(order, time, event, start)
        for place in range(start, end):
            patient = order[place]
            if counted[patient]:
                lower[patient] = _below(later, rank[place])
                tied[patient] = _below(later, rank[place] + 1) - lower[patient]
                outlived[patient] = total
        for place in range(start, end):
            _add(later, rank[place], case_weight[order[place]])
            total += case_weight[order[place]]
        start = end
    return lower, tied, outlived


@kernel
def later_sums(
    order: IntArray,
    time: FloatArray,
    event: BoolArray,
    weight: FloatArray,
    rank: IntArray,
    n_ranks: int,
    won: FloatArray,
    pairs: FloatArray,
) -> None:
    """
    Add, in place, the pairs in which each patient is the one who outlived the other.

    Parameters
    ----------
    order, time, event
        As in `first_sums`.
    weight : ndarray of shape (n_patients,)
        Weight of the pairs in which a patient fails first; 0 where the event does not count.
    rank, n_ranks
        As in `first_sums`.
    won, pairs : ndarray of shape (n_patients,)
        Sums of h (1, 1/2 or 0 of each pair) and of pairs, to which is added.
    """
    starts = np.empty(order.size + 1, np.int64)
    n_runs, start = 0, 0
    while start < order.size:
        starts[n_runs] = start
        n_runs += 1
        start = _run_end(order, time, event, start)
    starts[n_runs] = order.size
    failed = np.zeros(n_ranks + 1)
    total = 0.0
    for run in range(n_runs - 1, -1, -1):
        for place in range(starts[run], starts[run + 1]):
            lower = _below(failed, rank[place])
            upper = _below(failed, rank[place] + 1)
            won[order[place]] += total - 0.5 * (lower + upper)
            pairs[order[place]] += total
        for place in range(starts[run], starts[run + 1]):
            patient = order[place]
            if weight[patient] > 0.0:
                _add(failed, rank[place], weight[patient])
                total += weight[patient]
