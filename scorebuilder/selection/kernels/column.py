"""Compiled search for the best split of one column, whatever its kind and the split rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.kernels import kernel
from scorebuilder.selection.arrays import CodeArray, Int32Array
from scorebuilder.selection.kernels.draw import draw_below
from scorebuilder.selection.kernels.split import TIE, fill_cells, scan_logrank, scan_scores

LOGRANK, LOGRANK_SCORE, EXTRA = 0, 1, 2
ORDERED, LEVELS, SUBSETS = 0, 1, 2
MISSING = 255
MOST_SUBSET_LEVELS = 10
"""Of more levels the subsets are too many to try."""
LEVEL_TIE = 1e-10
"""Mean scores that differ by less are equal: levels then keep the order of their codes."""


@kernel
def split_column(
    codes: CodeArray,
    n_codes: int,
    kind: int,
    rule: int,
    least: int,
    rows: Int32Array,
    local: Int32Array,
    weight: FloatArray,
    score: FloatArray,
    first: int,
    end: int,
    stride: int,
    linear: FloatArray,
    square: FloatArray,
    moments: FloatArray,
    state: NDArray[np.uint64],
    cells: FloatArray,
    bin_weight: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
    order: IntArray,
) -> tuple[float, int, bool, bool]:
    """
    Find the best split of one column in one node.

    Parameters
    ----------
    codes : ndarray of uint8 of shape (n_patients,)
        The column; 255 is missing.
    n_codes : int
        Codes of values that are not missing.
    kind : int
        `ORDERED`; `LEVELS` are put in the order of their mean score; of `SUBSETS` all are tried.
    rule : int
        `LOGRANK`, `LOGRANK_SCORE` or `EXTRA`.
    least : int
        Fewest distinct patients on each side.
    rows, local, weight, score, first, end, stride, linear, square : object
        The node, as in `fill_cells` and `scan_logrank`.
    moments : ndarray of shape (3,)
        Total weight, and weighted mean and variance of the scores, for `LOGRANK_SCORE`.
    state : ndarray of uint64 of shape (1,)
        For `draw_below`.
    cells, bin_weight, bin_score, bin_count : ndarray
        Zeros for all codes; zeros again on return.
    order : ndarray of int of shape (256,)
        Filled with codes: the first `n_left` go left.

    Returns
    -------
    statistic : float
        0 if no split is allowed.
    n_left : int
        Codes on the left, 0 if no split is allowed.
    missing_left : bool
        Side of the missing values of an ordered column.
    varies : bool
        Whether the node's patients have more than one code, missing among them.
    """
    if rule == LOGRANK_SCORE:
        _fill_sums(codes, rows, weight, score, first, end, bin_weight, bin_score, bin_count)
    else:
        fill_cells(
            codes, rows, local, weight, score, first, end, stride, cells, bin_score, bin_count
        )
    n_present = 0
    for code in range(n_codes):
        if bin_count[code] > 0:
            order[n_present] = code
            n_present += 1
    n_values = n_present
    if bin_count[MISSING] > 0:
        order[n_present] = MISSING
        n_present += 1
    statistic, n_left, missing_left = 0.0, 0, False
    if kind == ORDERED:
        for begin in (-1, MISSING):
            if begin == MISSING and bin_count[MISSING] == 0:
                break
            n_cuts = n_present - 1 if begin < 0 else n_values - 1
            n_merged = 0
            if rule == EXTRA and n_cuts > 0:
                n_cuts = _random_cut(order, n_values, n_cuts, state)
                n_merged = n_cuts - 1
            found, place = _scan(
                order, n_merged, n_cuts, rule, cells, stride, linear, square, moments, bin_weight,
                bin_score, bin_count, begin, end - first, least,
            )  # fmt: skip
            if found > statistic * TIE:
                statistic, n_left, missing_left = found, place + 1, begin >= 0
    elif n_present > 1:
        if kind == SUBSETS and n_present <= MOST_SUBSET_LEVELS and rule != EXTRA:
            n_cuts = 2 ** (n_present - 1) - 1
        else:
            n_cuts = 0
        levels = order[:n_present].copy()
        for mask in range(1, n_cuts + 1):
            size = _left_first(levels, mask, order)
            found, place = _scan(
                order, size - 1, size, rule, cells, stride, linear, square, moments, bin_weight,
                bin_score, bin_count, -1, end - first, least,
            )  # fmt: skip
            if found > statistic * TIE:
                statistic, n_left = found, mask
        if n_cuts > 0:
            n_left = _left_first(levels, n_left, order)
        else:
            n_merged, n_cuts = 0, n_present - 1
            if rule == EXTRA:
                for j in range(n_present - 1):
                    other = j + draw_below(state, n_present - j)
                    order[j], order[other] = order[other], order[j]
                n_cuts = 1 + draw_below(state, n_present - 1)
                n_merged = n_cuts - 1
            else:
                _sort_levels(order, n_present, rule, cells, stride, bin_weight, bin_score)
            statistic, place = _scan(
                order, n_merged, n_cuts, rule, cells, stride, linear, square, moments, bin_weight,
                bin_score, bin_count, -1, end - first, least,
            )  # fmt: skip
            n_left = place + 1
    for code in range(n_codes):
        if bin_count[code] > 0:
            _empty(code, stride, cells, bin_weight, bin_score, bin_count)
    _empty(MISSING, stride, cells, bin_weight, bin_score, bin_count)
    return statistic, n_left, missing_left, n_present > 1


@kernel
def score_moments(weight: FloatArray, score: FloatArray, first: int, end: int) -> FloatArray:
    """
    Compute the total weight of a node, and the mean and variance of its log-rank scores.

    Parameters
    ----------
    weight, score : ndarray of shape (n_rows,)
        From `node_tables`; a score holds its weight as a factor.
    first, end : int
        The node's rows.

    Returns
    -------
    ndarray of shape (3,)
        Weight W, weighted mean, weighted variance with divisor W - 1.
    """
    total, mean, variance = 0.0, 0.0, 0.0
    for i in range(first, end):
        total += weight[i]
        mean += score[i]
    mean /= total
    for i in range(first, end):
        if weight[i] > 0.0:
            variance += weight[i] * (score[i] / weight[i] - mean) ** 2
    variance = variance / (total - 1.0) if total > 1.0 else 0.0
    return np.array([total, mean, variance])


@kernel
def _scan(
    order: IntArray,
    n_merged: int,
    n_cuts: int,
    rule: int,
    cells: FloatArray,
    stride: int,
    linear: FloatArray,
    square: FloatArray,
    moments: FloatArray,
    bin_weight: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
    begin: int,
    n_total: int,
    least: int,
) -> tuple[float, int]:
    """Largest statistic of one order of codes."""
    if n_cuts < 1:
        return 0.0, -1
    if rule == LOGRANK_SCORE:
        return scan_scores(
            order,
            n_merged,
            n_cuts,
            bin_weight,
            bin_score,
            bin_count,
            begin,
            moments,
            n_total,
            least,
        )
    return scan_logrank(
        order, n_merged, n_cuts, cells, stride, linear, square, bin_score, bin_count, begin,
        n_total, least,
    )  # fmt: skip


@kernel
def _random_cut(order: IntArray, n_values: int, n_cuts: int, state: NDArray[np.uint64]) -> int:
    """Codes on the left of a cut drawn between the smallest and the largest code."""
    lowest, highest = order[0], order[n_values - 1]
    if lowest == highest:
        return n_cuts
    drawn = lowest + draw_below(state, highest - lowest)
    n_left = 0
    while order[n_left] <= drawn:
        n_left += 1
    return n_left


@kernel
def _left_first(levels: IntArray, mask: int, order: IntArray) -> int:
    """Put the levels of a mask in front, and count them."""
    size = 0
    for j in range(levels.size):
        if (mask >> j) & 1:
            order[size] = levels[j]
            size += 1
    behind = size
    for j in range(levels.size):
        if not (mask >> j) & 1:
            order[behind] = levels[j]
            behind += 1
    return size


@kernel
def _sort_levels(
    order: IntArray,
    n_present: int,
    rule: int,
    cells: FloatArray,
    stride: int,
    bin_weight: FloatArray,
    bin_score: FloatArray,
) -> None:
    """Order levels by mean score, the lowest first; at equal means by code."""
    if rule != LOGRANK_SCORE:
        for j in range(n_present):
            code = order[j]
            for k in range(stride):
                bin_weight[code] += cells[code * stride + k]
    for j in range(1, n_present):
        code = order[j]
        mean = bin_score[code] / bin_weight[code]
        i = j
        while i > 0 and bin_score[order[i - 1]] / bin_weight[order[i - 1]] > mean + LEVEL_TIE:
            order[i] = order[i - 1]
            i -= 1
        order[i] = code


@kernel
def _fill_sums(
    codes: CodeArray,
    rows: Int32Array,
    weight: FloatArray,
    score: FloatArray,
    first: int,
    end: int,
    bin_weight: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
) -> None:
    """Add a node's patients to the sums of their codes."""
    for i in range(first, end):
        code = np.int64(codes[rows[i]])
        bin_weight[code] += weight[i]
        bin_score[code] += score[i]
        bin_count[code] += 1


@kernel
def _empty(
    code: int,
    stride: int,
    cells: FloatArray,
    bin_weight: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
) -> None:
    for k in range(code * stride, (code + 1) * stride):
        cells[k] = 0.0
    bin_weight[code] = 0.0
    bin_score[code] = 0.0
    bin_count[code] = 0
