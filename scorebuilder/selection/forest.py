"""Random survival forest: trees from an engine, Nelson-Aalen leaves, out-of-bag mortality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.selection.engine import ENGINES, GrowthSettings
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.selection.trees import Float32Array, Int32Array, node_cumulative_hazard
from scorebuilder.survival.concordance import ConcordanceCounter
from scorebuilder.survival.outcome import check_outcome


class SurvivalForest(BaseEstimator):  # type: ignore[misc]
    r"""
    Random survival forest on a grid of event times.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    max_features : {"sqrt", "log2"}, int, float or None
        Columns tried at each node; a float is a fraction of the columns, None all of them.
    min_samples_leaf : int
        Fewest patients of the bootstrap sample in a terminal node.
    max_depth : int or None
        Most splits between root and terminal node.
    n_times : int
        Most grid times (`TimeGrid`).
    engine : str
        Name in ``scorebuilder.selection.engine.ENGINES``.
    random_state : int
        Seed.
    n_jobs : int
        Workers; results do not depend on it.

    Attributes
    ----------
    times_ : ndarray of shape (n_grid,)
        The grid, ascending.
    trees_ : TreeArrays
        Nodes and bootstrap samples.
    node_mortality_ : ndarray of shape (n_nodes,)
        Sum over the grid of the terminal node's cumulative hazard.
    oob_prediction_ : ndarray of shape (n_patients,)
        Mortality over the trees whose bootstrap sample misses the patient; NaN for a patient whom
        every tree's sample holds.
    oob_c_index_ : float
        Harrell's C of `oob_prediction_`, of the patients who have one.
    feature_names_in_ : ndarray of str
        Columns of `fit`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Each tree grows on a bootstrap sample and splits where the log-rank statistic is largest; its
    terminal nodes h carry the Nelson-Aalen estimate. Ensemble mortality [1]_ is

    .. math:: M(x) = \frac{1}{B} \sum_b \sum_{k=1}^{m} \hat H_{h(b, x)}(g_k)

    for grid times :math:`g_k`. It orders patients; it is not a probability. Values are compared
    in single precision.

    References
    ----------
    .. [1] Ishwaran H, Kogalur UB, Blackstone EH, Lauer MS. Random survival forests. Ann Appl Stat
       2008;2:841-60.
    """

    def __init__(
        self,
        n_estimators: int = 300,
        *,
        max_features: str | float | int | None = "sqrt",
        min_samples_leaf: int = 15,
        max_depth: int | None = None,
        n_times: int = 150,
        engine: str = "native",
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.n_times = n_times
        self.engine = engine
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: pd.DataFrame, y: Outcome) -> SurvivalForest:
        """
        Grow the trees and judge them out of bag.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Complete numeric columns.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.

        Returns
        -------
        SurvivalForest
            Itself.

        Raises
        ------
        ModelError
            If no patient has an event.
        UndefinedMetricError
            If no pair of patients out of bag is comparable.
        ValueError
            If a column is not numeric or not complete, or a setting makes no sense.
        """
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        values = complete_values(X)
        self._event, _ = check_outcome(y)
        if len(y) != values.shape[0]:
            message = f"`X` has {values.shape[0]} rows and `y` {len(y)}; they must be equal"
            raise ValueError(message)
        grid = TimeGrid.from_outcome(y, n_times=self.n_times)
        self.times_ = grid.times
        self._cell = grid.place(y)
        grow = ENGINES[self.engine]
        self.trees_ = grow(values, self._cell, self._event, settings=self._settings())
        self._reached = self.trees_.terminal_nodes(values)
        self.node_mortality_ = self._node_mortality()
        self.oob_prediction_ = self._predict_out_of_bag()
        self.oob_c_index_ = ConcordanceCounter(y)(
            self.oob_prediction_, include=~np.isnan(self.oob_prediction_)
        )
        return self

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """
        Return the ensemble mortality.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order.

        Returns
        -------
        ndarray of shape (n_patients,)
            Higher means an earlier event.
        """
        reached = self.trees_.terminal_nodes(self.values(X))
        mean: FloatArray = self.node_mortality_[reached].mean(axis=0)
        return mean

    def predict_cumulative_hazard_function(self, X: pd.DataFrame) -> FloatArray:
        """
        Return the cumulative hazard, averaged over the trees, at `times_`.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order.

        Returns
        -------
        ndarray of shape (n_patients, n_grid)
            Not decreasing along a row.
        """
        reached = self.trees_.terminal_nodes(self.values(X))
        total = np.zeros((reached.shape[1], self.times_.size))
        for tree in range(self.trees_.n_trees):
            total += self._node_hazard(tree)[reached[tree] - self.trees_.root[tree]]
        return total / self.trees_.n_trees

    def predict_survival_function(self, X: pd.DataFrame, times: Any) -> FloatArray:
        """
        Return survival at any times: exp(-cumulative hazard), a step function on `times_`.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order.
        times : array-like of shape (n_times,)
            In the unit of the outcome; constant after the last event time of `fit`.

        Returns
        -------
        ndarray of shape (n_patients, n_times)
            In [0, 1]; 1 before the first grid time.
        """
        survival = np.exp(-self.predict_cumulative_hazard_function(X))
        survival = np.hstack([np.ones((survival.shape[0], 1)), survival])
        wanted = np.asarray(times, dtype=np.float64)
        return survival[:, np.searchsorted(self.times_, wanted, side="right")]

    def predict_risk(self, X: pd.DataFrame, *, horizon: float) -> FloatArray:
        """
        Return the risk of the event by the horizon.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order.
        horizon : float
            In the unit of the outcome.

        Returns
        -------
        ndarray of shape (n_patients,)
            In [0, 1].
        """
        return 1.0 - self.predict_survival_function(X, [horizon])[:, 0]

    def out_of_bag(self) -> BoolArray:
        """
        Say which tree's bootstrap sample misses which patient.

        Returns
        -------
        ndarray of bool of shape (n_trees, n_patients)
            True where the patient is out of bag.
        """
        check_is_fitted(self, "trees_")
        outside: BoolArray = self.trees_.in_bag == 0
        return outside

    def development_nodes(self) -> Int32Array:
        """
        Return the terminal node of each development patient in each tree.

        Returns
        -------
        ndarray of int32 of shape (n_trees, n_patients)
            Numbered through the whole forest.
        """
        check_is_fitted(self, "trees_")
        return self._reached

    def values(self, X: pd.DataFrame) -> Float32Array:
        """
        Return what the trees see of a table.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order; others are ignored.

        Returns
        -------
        ndarray of float32 of shape (n_patients, n_features)
            In the column order of `fit`.

        Raises
        ------
        ValueError
            If columns are missing, not numeric or not complete.
        """
        check_is_fitted(self, "trees_")
        absent = [str(name) for name in self.feature_names_in_ if name not in X.columns]
        if absent:
            message = f"`X` lacks columns of `fit`: {', '.join(absent)}"
            raise ValueError(message)
        return complete_values(X[list(self.feature_names_in_)])

    def _settings(self) -> GrowthSettings:
        for name in ("n_estimators", "min_samples_leaf"):
            if getattr(self, name) < 1:
                message = f"`{name}` must be at least 1; got {getattr(self, name)}"
                raise ValueError(message)
        return GrowthSettings(
            n_estimators=self.n_estimators,
            max_features=tried_features(self.max_features, self.n_features_in_),
            min_samples_leaf=self.min_samples_leaf,
            max_depth=self.max_depth,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )

    def _node_hazard(self, tree: int) -> FloatArray:
        first, end = int(self.trees_.root[tree]), int(self.trees_.root[tree + 1])
        return node_cumulative_hazard(
            first,
            end - first,
            self._reached[tree],
            self.trees_.in_bag[tree],
            self._cell,
            self._event,
            self.times_.size,
        )

    def _node_mortality(self) -> FloatArray:
        trees = range(self.trees_.n_trees)
        return np.concatenate([self._node_hazard(tree).sum(axis=1) for tree in trees])

    def _predict_out_of_bag(self) -> FloatArray:
        outside = self.out_of_bag()
        count = outside.sum(axis=0)
        if not count.any():
            message = f"no patient is out of bag; grow more than {self.n_estimators} trees"
            raise ModelError(message)
        total = np.where(outside, self.node_mortality_[self._reached], 0.0).sum(axis=0)
        nobody = np.full(count.size, np.nan)
        mean: FloatArray = np.divide(total, count, out=nobody, where=count > 0)
        return mean


def complete_values(X: pd.DataFrame) -> Float32Array:
    """
    Return the values of a complete numeric frame in single precision.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        Numeric columns; levels of factors as codes.

    Returns
    -------
    ndarray of float32 of shape (n_patients, n_features)
        Row after row.

    Raises
    ------
    ValueError
        If a column is not numeric, or holds missing or infinite values.
    """
    text = [str(name) for name, kind in X.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if text:
        message = f"columns of `X` must be numeric; these are not: {', '.join(text)}"
        raise ValueError(message)
    values = np.ascontiguousarray(X.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float32)
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if wrong.size:
        bad = [str(X.columns[place]) for place in wrong]
        message = f"columns of `X` must be complete and finite; impute first: {', '.join(bad)}"
        raise ValueError(message)
    return values


def tried_features(max_features: str | float | int | None, n_features: int) -> int:
    """
    Translate `max_features` into a number of columns.

    Parameters
    ----------
    max_features : {"sqrt", "log2"}, int, float or None
        As in `SurvivalForest`.
    n_features : int
        Columns offered.

    Returns
    -------
    int
        In 1..n_features; fractions are rounded down.

    Raises
    ------
    ValueError
        If it is another word, or outside its range.
    """
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        if max_features not in ("sqrt", "log2"):
            message = f'`max_features` must be "sqrt", "log2" or a number; got "{max_features}"'
            raise ValueError(message)
        root = np.sqrt(n_features) if max_features == "sqrt" else np.log2(n_features)
        return max(1, int(root))
    most = 1.0 if isinstance(max_features, float) else n_features
    if not 0 < max_features <= most:
        message = f"`max_features` must lie in (0, {most}]; got {max_features}"
        raise ValueError(message)
    if isinstance(max_features, float):
        return max(1, int(max_features * n_features))
    return max_features
