"""Whether arrays read from a file are those of a forest that can be walked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.selection.binning import Binning
from scorebuilder.selection.leaves import LeafJumps
from scorebuilder.selection.trees import TreeArrays

CODE_TYPES = ("uint8", "uint16", "uint32")


def check_soundness(
    times: FloatArray, trees: TreeArrays, leaves: LeafJumps, binning: Binning
) -> None:
    """
    Refuse arrays that a walk would leave.

    Compiled walks look up no bound: a child, column or set of levels that does not exist would be
    read from whatever lies in memory there.

    Parameters
    ----------
    times : ndarray of shape (n_grid,)
        The time grid.
    trees : TreeArrays
        Nodes.
    leaves : LeafJumps
        What the terminal nodes predict.
    binning : Binning
        How values become codes.

    Raises
    ------
    ValueError
        Naming what is wrong with them.
    """
    _check_types(times, trees, leaves, binning)
    _need("grid", times.size > 0 and _ascending(times) and bool(np.isfinite(times).all()))
    _check_trees(trees, binning)
    _check_leaves(times.size, trees.left.size, leaves)
    # an infinite threshold parts the missing from the known
    _need("thresholds", all(_ascending(bins.thresholds) for bins in binning.columns))
    _need("thresholds", not any(np.isnan(bins.thresholds).any() for bins in binning.columns))


def _check_types(times: FloatArray, trees: TreeArrays, leaves: LeafJumps, binning: Binning) -> None:
    kinds: tuple[tuple[NDArray[Any], type, int], ...] = (
        (times, np.float64, 1),
        (trees.root, np.int64, 1),
        (trees.left, np.int32, 1),
        (trees.feature, np.int32, 1),
        (trees.cut, np.int32, 1),
        (trees.missing_left, np.bool_, 1),
        (trees.level_sets, np.uint64, 2),
        (leaves.start, np.int64, 1),
        (leaves.at, np.int16, 1),
        (leaves.jump, np.float64, 1),
        (leaves.mortality, np.float64, 1),
        *((bins.thresholds, np.float64, 1) for bins in binning.columns),
    )
    _need("types", all(array.dtype == kind and array.ndim == n for array, kind, n in kinds))
    levels = any(bins.levels is not None for bins in binning.columns)
    code = binning.dtype.name
    _need("codes", code == "uint8" if levels else code in CODE_TYPES)
    _need("columns", len(binning.columns) == len(binning.names) > 0)


def _check_trees(trees: TreeArrays, binning: Binning) -> None:
    n_nodes = trees.left.size
    sizes = (trees.feature.size, trees.cut.size, trees.missing_left.size)
    _need("nodes", sizes == (n_nodes,) * 3)
    _need("roots", trees.root.size > 1 and trees.root[0] == 0 and trees.root[-1] == n_nodes)
    _need("roots", _ascending(trees.root))
    nodes = np.arange(n_nodes)
    end = np.repeat(trees.root[1:], np.diff(trees.root))
    inner: BoolArray = trees.left >= 0
    _need("children", bool(np.all(((nodes < trees.left) & (trees.left < end - 1)) | ~inner)))
    feature, cut = trees.feature[inner], trees.cut[inner]
    _need("features", bool(np.all((feature >= 0) & (feature < len(binning.columns)))))
    unordered = np.array([bins.levels is not None for bins in binning.columns])
    _need("cuts", bool(np.all(unordered[feature] == (cut < 0))))
    _need("level sets", trees.level_sets.shape[1] == 4)
    _need("level sets", bool(np.all(-1 - cut < len(trees.level_sets))))


def _check_leaves(n_times: int, n_nodes: int, leaves: LeafJumps) -> None:
    start = leaves.start
    _need("leaves", start.size == n_nodes + 1 == leaves.mortality.size + 1)
    _need("leaves", start[0] == 0 and start[-1] == leaves.at.size == leaves.jump.size)
    _need("leaves", bool(np.all(np.diff(start) >= 0)))
    _need("jumps", bool(np.all((leaves.at >= 0) & (leaves.at < n_times))))
    _need("jumps", bool(np.isfinite(leaves.jump).all() and np.isfinite(leaves.mortality).all()))


def _ascending(values: NDArray[Any]) -> bool:
    return bool(np.all(values[:-1] < values[1:]))


def _need(what: str, met: bool) -> None:
    if not met:
        message = f"its {what} are not sound"
        raise ValueError(message)
