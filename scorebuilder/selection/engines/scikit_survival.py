"""Trees grown by scikit-survival's random survival forest."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, IntArray
from scorebuilder.selection.engine import ENGINES, GrowthSettings
from scorebuilder.selection.trees import Float32Array, TreeArrays
from scorebuilder.survival.outcome import OUTCOME_DTYPE


def grow(
    values: Float32Array, cell: IntArray, event: BoolArray, *, settings: GrowthSettings
) -> TreeArrays:
    """
    Grow a forest with ``sksurv.ensemble.RandomSurvivalForest``.

    Parameters
    ----------
    values : ndarray of float32 of shape (n_patients, n_features)
        Complete values.
    cell : ndarray of int of shape (n_patients,)
        Cell of the time grid; the library sees it as the time.
    event : ndarray of bool of shape (n_patients,)
        Whether the event was seen.
    settings : GrowthSettings
        How trees are grown.

    Returns
    -------
    TreeArrays
        The trees with their bootstrap samples; the library's node values are not used.
    """
    forest = fit_forest(values, cell, event, settings=settings)
    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = [int(tree.node_count) for tree in trees]
    root = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    shift = np.repeat(root[:-1], sizes)
    left, right, feature = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("children_left", "children_right", "feature")
    )
    in_bag = np.stack(
        [np.bincount(drawn, minlength=cell.size) for drawn in forest.estimators_samples_]
    )
    return TreeArrays(
        root=root,
        left=np.where(left < 0, -1, left + shift).astype(np.int32),
        right=np.where(right < 0, -1, right + shift).astype(np.int32),
        feature=np.where(left < 0, -1, feature).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        in_bag=in_bag.astype(np.int32),
    )


def fit_forest(
    values: Float32Array, cell: IntArray, event: BoolArray, *, settings: GrowthSettings
) -> Any:
    """
    Fit the library's own estimator, which comparisons also use.

    Parameters
    ----------
    values, cell, event, settings : object
        As in `grow`.

    Returns
    -------
    sksurv.ensemble.RandomSurvivalForest
        Fitted, with node values reduced to the mortality.
    """
    from sksurv.ensemble import RandomSurvivalForest

    y = np.empty(cell.size, dtype=OUTCOME_DTYPE)
    y["event"] = event
    y["time"] = cell
    forest = RandomSurvivalForest(
        n_estimators=settings.n_estimators,
        max_features=settings.max_features,
        min_samples_leaf=settings.min_samples_leaf,
        min_samples_split=2 * settings.min_samples_leaf,
        max_depth=settings.max_depth,
        low_memory=True,
        random_state=settings.random_state,
        n_jobs=settings.n_jobs,
    )
    return forest.fit(values, y)


ENGINES.register("scikit-survival", grow)
