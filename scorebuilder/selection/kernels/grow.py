"""Compiled growth of one tree."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.core.kernels import kernel
from scorebuilder.selection.arrays import CodeArray, Int32Array, LevelSets
from scorebuilder.selection.kernels.column import (
    LOGRANK_SCORE,
    MISSING,
    ORDERED,
    score_moments,
    split_column,
)
from scorebuilder.selection.kernels.draw import draw_below
from scorebuilder.selection.kernels.split import TIE, node_tables
from scorebuilder.selection.kernels.walk import goes_left

Grown: TypeAlias = tuple[
    Int32Array, Int32Array, Int32Array, BoolArray, LevelSets, IntArray, Int32Array
]


@kernel
def grow_tree(
    columns: CodeArray,
    n_codes: IntArray,
    values: FloatArray,
    kinds: IntArray,
    mark_of: Int32Array,
    counts: IntArray,
    weight_of: FloatArray,
    n_times: int,
    max_features: int,
    min_samples_leaf: int,
    max_depth: int,
    rule: int,
    seed: int,
) -> Grown:
    """
    Grow one tree.

    Parameters
    ----------
    columns : ndarray of uint8 of shape (n_features, n_patients)
        Codes; 255 is missing.
    n_codes : ndarray of int of shape (n_features,)
        Codes of values that are not missing.
    values : ndarray of shape (n_features, 255)
        What the codes of ordered columns stand for, ascending (`code_values`).
    kinds : ndarray of int of shape (n_features,)
        As in `split_column`.
    mark_of : ndarray of int32 of shape (n_patients,)
        Twice the cell of the time grid, plus 1 for an event.
    counts : ndarray of int of shape (n_patients,)
        How often the tree's sample holds each patient.
    weight_of : ndarray of shape (n_patients,)
        Case weights; patients of weight 0 are left out.
    n_times : int
        Grid points.
    max_features : int
        Columns tried at each node; if all are constant there, further ones until one is not.
    min_samples_leaf : int
        Fewest distinct patients in a child.
    max_depth : int
        Most splits above a node; -1 is no limit.
    rule : int
        As in `split_column`.
    seed : int
        Of the columns tried.

    Returns
    -------
    left, feature, cut, missing_left, level_sets : ndarray
        As in `TreeArrays`, numbered from 0.
    bounds : ndarray of int of shape (n_nodes, 2)
        First row and end of each node in `rows`.
    rows : ndarray of int32 of shape (n_in_bag,)
        The patients of the sample, those of each node side by side.
    """
    state = np.array([seed], np.uint64)
    rows = np.flatnonzero((counts > 0) & (weight_of > 0.0)).astype(np.int32)
    mark = mark_of[rows]
    weight = counts[rows] * weight_of[rows]
    n_most = 2 * (rows.size // min_samples_leaf) + 3
    left = np.full(n_most, -1, np.int32)
    feature = np.full(n_most, -1, np.int32)
    cut = np.zeros(n_most, np.int32)
    missing_left = np.zeros(n_most, np.bool_)
    bounds = np.zeros((n_most, 2), np.int64)
    depth = np.zeros(n_most, np.int64)
    level_sets, n_sets = np.zeros((n_most, 4), np.uint64), 0
    number = np.zeros(n_times + 1, np.int64)
    local, score = np.empty(rows.size, np.int32), np.empty(rows.size)
    linear, square = np.zeros(n_times + 2), np.zeros(n_times + 2)
    cells = np.zeros(256 * (n_times + 1))
    bin_weight, bin_score = np.zeros(256), np.zeros(256)
    bin_count = np.zeros(256, np.int64)
    order, best_order = np.empty(256, np.int64), np.empty(256, np.int64)
    moments = np.zeros(3)
    drawn = np.arange(columns.shape[0])
    side = np.empty(256, np.int64)
    held_rows, held_mark = np.empty(rows.size, np.int32), np.empty(rows.size, np.int32)
    held_weight = np.empty(rows.size)
    bounds[0, 1] = rows.size
    n_nodes = 1
    for node in range(n_most):
        if node == n_nodes:
            break
        first, end = bounds[node, 0], bounds[node, 1]
        if end - first < 2 * min_samples_leaf or depth[node] == max_depth:
            continue
        n_local = node_tables(mark, weight, first, end, number, local, score, linear, square)
        if n_local == 0:
            continue
        if rule == LOGRANK_SCORE:
            moments = score_moments(weight, score, first, end)
        best, column, n_codes_left, constant = 0.0, -1, 0, True
        for visited in range(drawn.size):
            if visited >= max_features and not constant:
                break
            chosen = visited + draw_below(state, drawn.size - visited)
            drawn[visited], drawn[chosen] = drawn[chosen], drawn[visited]
            tried = drawn[visited]
            statistic, n_left, to_left, varies = split_column(
                columns[tried], n_codes[tried], kinds[tried], rule, min_samples_leaf, rows, local,
                weight, score, first, end, n_local + 1, linear, square, moments, state, cells,
                bin_weight, bin_score, bin_count, order,
            )  # fmt: skip
            constant = constant and not varies
            if n_left > 0 and statistic > best * TIE:
                best, column, n_codes_left = statistic, tried, n_left
                missing_left[node] = to_left
                best_order[: n_left + 1] = order[: n_left + 1]
        if column < 0:
            continue
        feature[node] = column
        if kinds[column] == ORDERED:
            cut[node] = _halfway(
                values[column], best_order[n_codes_left - 1], best_order[n_codes_left]
            )
        else:
            for j in range(n_codes_left):
                code = best_order[j]
                level_sets[n_sets, code >> 6] |= np.uint64(1) << np.uint64(code & 63)
            cut[node] = -1 - n_sets
            n_sets += 1
        codes = columns[column]
        for code in range(256):
            side[code] = goes_left(code, cut[node], missing_left[node], level_sets, MISSING)
        n_left, n_missing = _partition(
            codes, side, rows, mark, weight, first, end, held_rows, held_mark, held_weight
        )
        middle = first + n_left
        if n_missing == 0:
            missing_left[node] = n_left >= end - middle
        if kinds[column] != ORDERED and n_left >= end - middle:
            _send_left_unseen(codes, rows, first, end, level_sets[n_sets - 1])
        left[node] = n_nodes
        bounds[n_nodes, 0], bounds[n_nodes, 1] = first, middle
        bounds[n_nodes + 1, 0], bounds[n_nodes + 1, 1] = middle, end
        depth[n_nodes : n_nodes + 2] = depth[node] + 1
        n_nodes += 2
    return (
        left[:n_nodes], feature[:n_nodes], cut[:n_nodes], missing_left[:n_nodes],
        level_sets[:n_sets], bounds[:n_nodes], rows,
    )  # fmt: skip


@kernel
def _halfway(values: FloatArray, last: int, following: int) -> int:
    """Largest code not above the middle of two neighbours in the node; all before missing."""
    if following == MISSING:
        return MISSING - 1
    middle = values[last] + 0.5 * (values[following] - values[last])
    while last + 1 < following and values[last + 1] <= middle:
        last += 1
    return last


@kernel
def _send_left_unseen(
    codes: CodeArray, rows: Int32Array, first: int, end: int, level_set: LevelSets
) -> None:
    """Add the levels that no patient of the node has, and a missing value, to the left side."""
    seen = np.zeros(256, np.bool_)
    for i in range(first, end):
        seen[codes[rows[i]]] = True
    for code in range(256):
        if not seen[code]:
            level_set[code >> 6] |= np.uint64(1) << np.uint64(code & 63)


@kernel
def _partition(
    codes: CodeArray,
    side: IntArray,
    rows: Int32Array,
    mark: Int32Array,
    weight: FloatArray,
    first: int,
    end: int,
    held_rows: Int32Array,
    held_mark: Int32Array,
    held_weight: FloatArray,
) -> tuple[int, int]:
    """Move the rows that go left to the front of [first, end), keeping their order; count them."""
    place, behind, n_missing = np.uintp(first), np.uintp(0), 0
    for i in range(np.uintp(first), np.uintp(end)):
        # Both ways at once: a branch here would be guessed wrongly half of the time.
        code = np.uintp(codes[np.uintp(rows[i])])
        to_left = np.uintp(side[code])
        n_missing += code == MISSING
        held_rows[behind], held_mark[behind], held_weight[behind] = rows[i], mark[i], weight[i]
        rows[place], mark[place], weight[place] = rows[i], mark[i], weight[i]
        place += to_left
        behind += np.uintp(1) - to_left
    rows[place:end] = held_rows[:behind]
    mark[place:end] = held_mark[:behind]
    weight[place:end] = held_weight[:behind]
    return int(place) - first, n_missing
