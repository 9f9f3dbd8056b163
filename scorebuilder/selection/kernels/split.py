"""Compiled search for the best cut of one column in one node."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.kernels import kernel
from scorebuilder.selection.arrays import CodeArray, Int32Array

SMALLEST_SHARE = 1e-12
"""A variance below this share of its linear part is rounding."""

TIE = 1.0 + 1e-10
"""A statistic that is not larger by this factor is tied: the first stays, whatever the rounding."""


@kernel
def node_tables(
    mark: Int32Array,
    weight: FloatArray,
    first: int,
    end: int,
    number: IntArray,
    local: Int32Array,
    score: FloatArray,
    linear: FloatArray,
    square: FloatArray,
) -> int:
    r"""
    Tabulate a node's risk sets, and give each of its patients a log-rank score.

    Parameters
    ----------
    mark : ndarray of int32 of shape (n_rows,)
        Twice the cell of the time grid, plus 1 for an event.
    weight : ndarray of shape (n_rows,)
        Multiplicity in the tree's sample times case weight.
    first, end : int
        The node's rows.
    number : ndarray of int of shape (n_times + 1,)
        Filled with the number of cells with events up to each cell.
    local : ndarray of int32 of shape (n_rows,)
        Filled with the last event cell in which each patient is at risk, numbered from 1; 0 if
        there is none.
    score : ndarray of shape (n_rows,)
        Filled with weight times (event minus Nelson-Aalen hazard at the end of follow-up).
    linear, square : ndarray of shape (at least n_times + 2,)
        Filled with :math:`v_k Y_k` and :math:`v_k`, numbered from 1.

    Returns
    -------
    int
        Cells with events.

    Notes
    -----
    With d events among Y at risk, :math:`v = d (Y - d) / (Y^2 (Y - 1))`, or 0 where Y <= 1.
    """
    n_cells = number.size
    events = np.zeros(n_cells)
    begin, stop = np.uintp(first), np.uintp(end)
    for i in range(begin, stop):
        if mark[i] & 1:
            events[np.uintp(mark[i] >> 1)] += weight[i]
    n_local = 0
    for cell in range(n_cells):
        if events[cell] > 0.0:
            n_local += 1
            events[n_local] = events[cell]
        number[cell] = n_local
    at_risk = np.zeros(n_local + 2)
    for i in range(begin, stop):
        last = np.uintp(number[np.uintp(mark[i] >> 1)])
        local[i] = last
        at_risk[last] += weight[i]
    for k in range(n_local - 1, 0, -1):
        at_risk[k] += at_risk[k + 1]
    hazard = np.zeros(n_local + 1)
    for k in range(1, n_local + 1):
        d, y = events[k], at_risk[k]
        v = d * (y - d) / (y * y * (y - 1.0)) if y > 1.0 else 0.0
        hazard[k] = hazard[k - 1] + d / y
        linear[k] = v * y
        square[k] = v
    for i in range(begin, stop):
        score[i] = weight[i] * ((mark[i] & 1) - hazard[np.uintp(local[i])])
    return n_local


@kernel
def fill_cells(
    codes: CodeArray,
    rows: Int32Array,
    local: Int32Array,
    weight: FloatArray,
    score: FloatArray,
    first: int,
    end: int,
    stride: int,
    cells: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
) -> None:
    """
    Add a node's patients to the cells of their codes.

    Parameters
    ----------
    codes : ndarray of shape (n_patients,)
        One column.
    rows, local : ndarray of int32 of shape (n_rows,)
        Patient and event cell of each row.
    weight, score : ndarray of shape (n_rows,)
        From `node_tables`.
    first, end : int
        The node's rows.
    stride : int
        Event cells plus 1.
    cells : ndarray of shape (at least n_codes * stride,)
        Weight by code and event cell.
    bin_score : ndarray of shape (n_codes,)
        Score by code.
    bin_count : ndarray of int of shape (n_codes,)
        Distinct patients by code.
    """
    width = np.uintp(stride)
    for i in range(np.uintp(first), np.uintp(end)):
        code = np.uintp(codes[np.uintp(rows[i])])
        cells[code * width + np.uintp(local[i])] += weight[i]
        bin_score[code] += score[i]
        bin_count[code] += 1


@kernel
def scan_logrank(
    order: IntArray,
    n_merged: int,
    n_cuts: int,
    cells: FloatArray,
    stride: int,
    linear: FloatArray,
    square: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
    begin: int,
    n_total: int,
    least: int,
) -> tuple[float, int]:
    r"""
    Move codes to the left side one after the other, and find the largest log-rank statistic.

    Parameters
    ----------
    order : ndarray of int of shape (at least n_cuts,)
        Codes in the order of moving.
    n_merged, n_cuts : int
        A cut may lie behind each of the first `n_cuts` codes, but not behind the first `n_merged`.
    cells : ndarray
        From `fill_cells`.
    stride : int
        Event cells plus 1.
    linear, square : ndarray
        From `node_tables`.
    bin_score, bin_count : ndarray
        From `fill_cells`.
    begin : int
        Code that stands on the left from the start; -1 for none.
    n_total : int
        Distinct patients of the node.
    least : int
        Fewest distinct patients on each side.

    Returns
    -------
    statistic : float
        U^2 / V; 0 if no cut is allowed.
    place : int
        Position in `order` of the last code on the left; -1 if no cut is allowed.

    Notes
    -----
    With :math:`Y_{1k}` at risk on the left, :math:`V = \sum_k Y_{1k} (v_k Y_k - v_k Y_{1k})`; U is
    the sum of the scores. Four cuts share one pass over the event cells.
    """
    best, place = 0.0, -1
    n_left, u = 0, 0.0
    left = np.zeros(stride)
    floor = 0.0
    if begin >= 0:
        n_left, u = bin_count[begin], bin_score[begin]
        for k in range(1, stride):
            left[k] = cells[begin * stride + k]
    for k in range(1, stride):
        if square[k] > 0.0:
            floor += linear[k] * linear[k] / square[k]
    floor *= SMALLEST_SHARE
    j = 0
    while j < n_cuts and (j < n_merged or n_left + bin_count[order[j]] < least):
        offset = order[j] * stride
        for k in range(1, stride):
            left[k] += cells[offset + k]
        n_left += bin_count[order[j]]
        u += bin_score[order[j]]
        j += 1
    while j < n_cuts:
        b0 = order[j]
        n_left += bin_count[b0]
        if n_total - n_left < least:
            break
        u0 = u + bin_score[b0]
        width = 1
        o0 = o1 = o2 = o3 = b0 * stride
        u1 = u2 = u3 = u0
        if j + 3 < n_cuts:
            b1, b2, b3 = order[j + 1], order[j + 2], order[j + 3]
            after = n_left + bin_count[b1] + bin_count[b2] + bin_count[b3]
            if n_total - after >= least:
                width, n_left = 4, after
                o1, o2, o3 = b1 * stride, b2 * stride, b3 * stride
                u1 = u0 + bin_score[b1]
                u2 = u1 + bin_score[b2]
                u3 = u2 + bin_score[b3]
        if width == 4:
            s0 = s1 = s2 = s3 = 0.0
            v0 = v1 = v2 = v3 = 0.0
            for k in range(stride - 1, 0, -1):
                here = left[k] + cells[o0 + k]
                s0 += here
                here += cells[o1 + k]
                s1 += here
                here += cells[o2 + k]
                s2 += here
                here += cells[o3 + k]
                s3 += here
                left[k] = here
                v0 += s0 * (linear[k] - square[k] * s0)
                v1 += s1 * (linear[k] - square[k] * s1)
                v2 += s2 * (linear[k] - square[k] * s2)
                v3 += s3 * (linear[k] - square[k] * s3)
            if v0 > floor and u0 * u0 > best * v0 * TIE:
                best, place = u0 * u0 / v0, j
            if v1 > floor and u1 * u1 > best * v1 * TIE:
                best, place = u1 * u1 / v1, j + 1
            if v2 > floor and u2 * u2 > best * v2 * TIE:
                best, place = u2 * u2 / v2, j + 2
            if v3 > floor and u3 * u3 > best * v3 * TIE:
                best, place = u3 * u3 / v3, j + 3
        else:
            s0 = v0 = 0.0
            for k in range(stride - 1, 0, -1):
                left[k] += cells[o0 + k]
                s0 += left[k]
                v0 += s0 * (linear[k] - square[k] * s0)
            if v0 > floor and u0 * u0 > best * v0 * TIE:
                best, place = u0 * u0 / v0, j
        u = u3
        j += width
    return best, place


@kernel
def scan_scores(
    order: IntArray,
    n_merged: int,
    n_cuts: int,
    bin_weight: FloatArray,
    bin_score: FloatArray,
    bin_count: IntArray,
    begin: int,
    moments: FloatArray,
    n_total: int,
    least: int,
) -> tuple[float, int]:
    r"""
    Move codes to the left side, and find the largest standardised sum of log-rank scores.

    Parameters
    ----------
    order : ndarray of int of shape (at least n_cuts,)
        Codes in the order of moving.
    n_merged, n_cuts : int
        A cut may lie behind each of the first `n_cuts` codes, but not behind the first `n_merged`.
    bin_weight, bin_score : ndarray of shape (n_codes,)
        Weight and score by code.
    bin_count : ndarray of int of shape (n_codes,)
        Distinct patients by code.
    begin : int
        Code that stands on the left from the start; -1 for none.
    moments : ndarray of shape (3,)
        Total weight of the node, weighted mean and variance of its scores.
    n_total : int
        Distinct patients of the node.
    least : int
        Fewest distinct patients on each side.

    Returns
    -------
    statistic : float
        :math:`(S_1 - W_1 \bar a)^2 / (W_1 (1 - W_1 / W) s^2)` [1]_; 0 if no cut is allowed.
    place : int
        Position in `order` of the last code on the left; -1 if no cut is allowed.

    References
    ----------
    .. [1] Hothorn T, Lausen B. On the exact distribution of maximally selected rank statistics.
       Comput Stat Data Anal 2003;43:121-37.
    """
    best, place = 0.0, -1
    total_weight, mean, variance = moments
    n_left, on_left, total = 0, 0.0, 0.0
    if begin >= 0:
        n_left, on_left, total = bin_count[begin], bin_weight[begin], bin_score[begin]
    for j in range(n_cuts):
        code = order[j]
        n_left += bin_count[code]
        on_left += bin_weight[code]
        total += bin_score[code]
        if n_total - n_left < least:
            break
        if j >= n_merged and n_left >= least:
            spread = on_left * (1.0 - on_left / total_weight) * variance
            excess = total - on_left * mean
            if spread > 0.0 and excess * excess > best * spread * TIE:
                best, place = excess * excess / spread, j
    return best, place
