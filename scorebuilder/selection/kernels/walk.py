"""Compiled walks from the root of a tree to a terminal node."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, IntArray
from scorebuilder.core.kernels import kernel
from scorebuilder.selection.arrays import CodeArray, Int32Array, LevelSets


@kernel
def goes_left(
    code: int, cut: int, missing_left: bool, level_sets: LevelSets, missing_code: int
) -> bool:
    """
    Say on which side of a split a code falls.

    Parameters
    ----------
    code : int
        Of the patient, for the column that the node tests.
    cut : int
        Of the node; the largest code that goes left or, when negative, -1 minus the number of
        the set of levels that go left.
    missing_left : bool
        Side of the missing value in an ordered column.
    level_sets : ndarray of uint64 of shape (n_sets, 4)
        256 bits for each set, one for each level.
    missing_code : int
        The code of a missing value.

    Returns
    -------
    bool
        True for the left child.
    """
    if cut < 0:
        word = level_sets[-1 - cut, code >> 6]
        return bool((word >> np.uint64(code & 63)) & np.uint64(1))
    if code == missing_code:
        return missing_left
    return code <= cut


@kernel
def terminal_node(
    root: int,
    left: Int32Array,
    feature: Int32Array,
    cut: Int32Array,
    missing_left: BoolArray,
    level_sets: LevelSets,
    missing_code: int,
    codes: CodeArray,
) -> int:
    """
    Walk one patient down one tree.

    Parameters
    ----------
    root : int
        Where the walk begins: the root, or any node below it.
    left, feature, cut, missing_left, level_sets : ndarray
        As in `TreeArrays`.
    missing_code : int
        The code of a missing value.
    codes : ndarray of shape (n_features,)
        The patient.

    Returns
    -------
    int
        The terminal node.
    """
    node = np.uintp(root)
    while left[node] >= 0:
        code = codes[np.uintp(feature[node])]
        if goes_left(code, cut[node], missing_left[node], level_sets, missing_code):
            node = np.uintp(left[node])
        else:
            node = np.uintp(left[node]) + np.uintp(1)
    return int(node)


@kernel
def terminal_nodes(
    root: int,
    left: Int32Array,
    feature: Int32Array,
    cut: Int32Array,
    missing_left: BoolArray,
    level_sets: LevelSets,
    missing_code: int,
    codes: CodeArray,
    rows: IntArray,
    reached: Int32Array,
) -> None:
    """
    Walk some patients down one tree.

    Parameters
    ----------
    root : int
        The tree's root.
    left, feature, cut, missing_left, level_sets : ndarray
        As in `TreeArrays`.
    missing_code : int
        The code of a missing value.
    codes : ndarray of shape (n_patients, n_features)
        In C order.
    rows : ndarray of int of shape (n_rows,)
        The patients.
    reached : ndarray of int32 of shape (n_rows,)
        Filled with their terminal nodes.
    """
    for place in range(rows.size):
        reached[place] = terminal_node(
            root, left, feature, cut, missing_left, level_sets, missing_code, codes[rows[place]]
        )


@kernel
def node_depths(left: Int32Array) -> IntArray:
    """
    Compute the depth of every node; a root has depth 0.

    Parameters
    ----------
    left : ndarray of int32 of shape (n_nodes,)
        Left child, behind its parent; the right one follows it. -1 in a terminal node.

    Returns
    -------
    ndarray of int of shape (n_nodes,)
        Number of splits above the node.
    """
    depth = np.zeros(left.size, np.int64)
    for node in range(left.size):  # children follow their parent
        if left[node] >= 0:
            depth[left[node]] = depth[node] + 1
            depth[left[node] + 1] = depth[node] + 1
    return depth
