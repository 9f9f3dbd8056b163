"""Compiled estimates in the terminal nodes of one tree."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.kernels import kernel
from scorebuilder.selection.arrays import CellArray, Int32Array

Jumps: TypeAlias = tuple[IntArray, CellArray, FloatArray, FloatArray]


@kernel
def leaf_jumps(
    left: Int32Array,
    bounds: IntArray,
    rows: Int32Array,
    cell: Int32Array,
    status: CellArray,
    weight: FloatArray,
    n_times: int,
    incidence: bool,
) -> Jumps:
    r"""
    Estimate the cumulative hazard, or incidence, in each terminal node.

    Parameters
    ----------
    left : ndarray of int32 of shape (n_nodes,)
        -1 in a terminal node.
    bounds : ndarray of int of shape (n_nodes, 2)
        First row and end of each node in `rows`.
    rows : ndarray of int32 of shape (n_rows,)
        The patients of the tree's sample.
    cell : ndarray of int32 of shape (n_patients,)
        Cell of the time grid, 0..n_times.
    status : ndarray of int16 of shape (n_patients,)
        0 censored, 1 event, 2 competing event.
    weight : ndarray of shape (n_patients,)
        Multiplicity in the tree's sample times case weight.
    n_times : int
        Grid points.
    incidence : bool
        Aalen-Johansen instead of Nelson-Aalen.

    Returns
    -------
    start : ndarray of int of shape (n_nodes + 1,)
        Node h owns the jumps start[h] to start[h + 1] - 1.
    at : ndarray of int16 of shape (n_jumps,)
        Position in the grid, ascending within a node.
    jump : ndarray of shape (n_jumps,)
        Increase there.
    mortality : ndarray of shape (n_nodes,)
        Sum over the grid of the cumulative sums of the jumps.

    Notes
    -----
    The hazard jumps by d / Y. The incidence jumps by S d / Y, S being the probability of neither
    event before; competing events of a cell come after the events of that cell, and before those
    censored in it leave. This is exact where the grid holds the times of the competing events.
    """
    n_nodes = left.size
    start = np.zeros(n_nodes + 1, np.int64)
    at = np.empty(rows.size, np.int16)
    jump = np.empty(rows.size)
    mortality = np.zeros(n_nodes)
    at_risk, events, competing = np.zeros(n_times + 2), np.zeros(n_times + 1), np.zeros(n_times + 1)
    n_jumps = 0
    for node in range(n_nodes):
        start[node] = n_jumps
        if left[node] >= 0:
            continue
        at_risk[:] = 0.0
        events[:] = 0.0
        competing[:] = 0.0
        for i in range(bounds[node, 0], bounds[node, 1]):
            patient = rows[i]
            at_risk[cell[patient]] += weight[patient]
            if status[patient] == 1:
                events[cell[patient]] += weight[patient]
            elif status[patient] == 2:
                competing[cell[patient]] += weight[patient]
        for k in range(n_times - 1, -1, -1):
            at_risk[k] += at_risk[k + 1]
        alive = 1.0
        for k in range(n_times + 1):
            if events[k] > 0.0:
                increase = events[k] / at_risk[k]
                if incidence:
                    increase *= alive
                    alive -= increase
                at[n_jumps] = k - 1
                jump[n_jumps] = increase
                mortality[node] += increase * (n_times - k + 1)
                n_jumps += 1
            # The rest at risk may be rounded to nothing beside a huge weight.
            if incidence and at_risk[k] - events[k] > 0.0:
                alive *= 1.0 - min(1.0, competing[k] / (at_risk[k] - events[k]))
    start[n_nodes] = n_jumps
    return start, at[:n_jumps].copy(), jump[:n_jumps].copy(), mortality


@kernel
def add_jumps(
    total: FloatArray,
    reached: Int32Array,
    start: IntArray,
    at: CellArray,
    jump: FloatArray,
) -> None:
    """
    Add each patient's jumps of one tree.

    Parameters
    ----------
    total : ndarray of shape (n_patients, n_times)
        Added to in place; sums of jumps, not yet cumulated.
    reached : ndarray of int32 of shape (n_patients,)
        Terminal node of each patient.
    start, at, jump : ndarray
        As in `LeafJumps`.
    """
    for patient in range(reached.size):
        node = reached[patient]
        for j in range(start[node], start[node + 1]):
            total[patient, at[j]] += jump[j]


@kernel
def rows_by_leaf(
    reached: Int32Array, rows: Int32Array, n_nodes: int
) -> tuple[IntArray, Int32Array]:
    """
    Put the patients of each terminal node side by side.

    Parameters
    ----------
    reached : ndarray of int32 of shape (n_rows,)
        Terminal node of each row, numbered from 0.
    rows : ndarray of int32 of shape (n_rows,)
        The patients.
    n_nodes : int
        Nodes of the tree.

    Returns
    -------
    bounds : ndarray of int of shape (n_nodes, 2)
        First row and end of each node in what follows.
    sorted_rows : ndarray of int32 of shape (n_rows,)
        The patients.
    """
    bounds = np.zeros((n_nodes, 2), np.int64)
    for node in reached:
        bounds[node, 1] += 1
    end = 0
    for node in range(n_nodes):
        bounds[node, 0] = end
        end += bounds[node, 1]
        bounds[node, 1] = bounds[node, 0]
    ordered = np.empty_like(rows)
    for place in range(rows.size):
        node = reached[place]
        ordered[bounds[node, 1]] = rows[place]
        bounds[node, 1] += 1
    return bounds, ordered
