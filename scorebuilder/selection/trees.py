"""The trees of a forest as plain arrays, and the walks through them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.core.kernels import kernel

Float32Array: TypeAlias = NDArray[np.float32]
Int32Array: TypeAlias = NDArray[np.int32]

LEAF = -1


@dataclass(frozen=True)
class TreeArrays:
    """
    All nodes of a forest, tree after tree; what an engine hands back.

    Attributes
    ----------
    root : ndarray of int of shape (n_trees + 1,)
        Tree b owns the nodes root[b] to root[b + 1] - 1, the first being its root.
    left, right : ndarray of int32 of shape (n_nodes,)
        Children, numbered through the whole forest; -1 in a terminal node.
    feature : ndarray of int32 of shape (n_nodes,)
        Column that the node tests; -1 in a terminal node.
    threshold : ndarray of shape (n_nodes,)
        A patient goes left when the value, in single precision, is <= threshold.
    in_bag : ndarray of int32 of shape (n_trees, n_patients)
        How often the tree's bootstrap sample holds the patient; 0 is out of bag.
    """

    root: IntArray
    left: Int32Array
    right: Int32Array
    feature: Int32Array
    threshold: FloatArray
    in_bag: Int32Array

    @property
    def n_trees(self) -> int:
        """
        Count the trees.

        Returns
        -------
        int
            At least 1.
        """
        return int(self.root.size - 1)

    def depths(self) -> IntArray:
        """
        Return the depth of every node; a root has depth 0.

        Returns
        -------
        ndarray of int of shape (n_nodes,)
            Number of splits above the node.
        """
        return _depths(self.root, self.left, self.right)

    def terminal_nodes(self, values: Float32Array) -> Int32Array:
        """
        Send every patient down every tree.

        Parameters
        ----------
        values : ndarray of float32 of shape (n_patients, n_features)
            Complete values, in the column order of `fit`.

        Returns
        -------
        ndarray of int32 of shape (n_trees, n_patients)
            The terminal node reached.
        """
        return _terminal_nodes(
            self.root, self.left, self.right, self.feature, self.threshold, values
        )


@kernel
def _depths(root: IntArray, left: Int32Array, right: Int32Array) -> IntArray:
    depth = np.zeros(left.size, np.int64)
    stack = np.empty(left.size + 1, np.int64)
    for tree in range(root.size - 1):
        stack[0] = root[tree]
        height = 1
        while height > 0:
            height -= 1
            node = stack[height]
            if left[node] >= 0:
                depth[left[node]] = depth[node] + 1
                depth[right[node]] = depth[node] + 1
                stack[height] = left[node]
                stack[height + 1] = right[node]
                height += 2
    return depth


@kernel
def _terminal_nodes(
    root: IntArray,
    left: Int32Array,
    right: Int32Array,
    feature: Int32Array,
    threshold: FloatArray,
    values: Float32Array,
) -> Int32Array:
    n_trees, n_patients = root.size - 1, values.shape[0]
    reached = np.empty((n_trees, n_patients), np.int32)
    for tree in range(n_trees):
        for patient in range(n_patients):
            node = root[tree]
            while left[node] >= 0:
                if values[patient, feature[node]] <= threshold[node]:
                    node = left[node]
                else:
                    node = right[node]
            reached[tree, patient] = node
    return reached


@kernel
def node_cumulative_hazard(
    first: int,
    n_nodes: int,
    reached: Int32Array,
    in_bag: Int32Array,
    cell: IntArray,
    event: BoolArray,
    n_times: int,
) -> FloatArray:
    """
    Nelson-Aalen estimate on the grid in each terminal node of one tree.

    Parameters
    ----------
    first, n_nodes : int
        The tree's first node and number of nodes.
    reached, in_bag : ndarray of int32 of shape (n_patients,)
        Terminal node, and multiplicity in the tree's sample, of the development patients.
    cell : ndarray of int of shape (n_patients,)
        Cell of the time grid, 0..n_times.
    event : ndarray of bool of shape (n_patients,)
        Whether the event was seen.
    n_times : int
        Grid points.

    Returns
    -------
    ndarray of shape (n_nodes, n_times)
        Cumulative hazard at the grid times; 0 in nodes that are not terminal.
    """
    at_risk = np.zeros((n_nodes, n_times + 1), np.int64)
    events = np.zeros((n_nodes, n_times + 1), np.int64)
    for patient in range(cell.size):
        count = in_bag[patient]
        if count > 0:
            node = reached[patient] - first
            at_risk[node, cell[patient]] += count
            if event[patient]:
                events[node, cell[patient]] += count
    hazard = np.zeros((n_nodes, n_times))
    for node in range(n_nodes):
        for k in range(n_times - 1, -1, -1):
            at_risk[node, k] += at_risk[node, k + 1]
        total = 0.0
        for k in range(1, n_times + 1):
            if events[node, k] > 0:
                total += events[node, k] / at_risk[node, k]
            hazard[node, k - 1] = total
    return hazard
