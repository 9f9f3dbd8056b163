"""Random survival forest: trees from an engine, estimates in their leaves, out-of-bag mortality."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.selection.arrays import CodeArray
from scorebuilder.selection.binning import named_columns
from scorebuilder.selection.engine import ENGINES
from scorebuilder.selection.ensemble import ensemble_curves, ensemble_mortality
from scorebuilder.selection.forest_file import read_forest, write_forest
from scorebuilder.selection.growth_settings import GrowthSettings, drawn_patients, tried_features
from scorebuilder.selection.out_of_bag import out_of_bag_mortality
from scorebuilder.selection.placed_outcome import outliving, place_outcome
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.concordance import ConcordanceCounter
from scorebuilder.survival.concordance_score import ConcordanceScore


class SurvivalForest(ConcordanceScore, BaseEstimator):  # type: ignore[misc]
    r"""
    Random survival forest on a grid of event times.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    max_features : {"sqrt", "log2"}, int, float or None
        Columns tried at each node, rounded down; a float is a fraction of the columns, None all of
        them, as is a larger number. If all are constant there, more are tried until one is not.
    min_samples_leaf : int
        Fewest distinct patients in a terminal node.
    max_depth : int or None
        Most splits between root and terminal node.
    n_times : int
        Most grid times (`TimeGrid`).
    n_bins : int
        Most codes of a column, one of them for missing values (`bin_columns`); 3 to 256.
    bootstrap : bool
        Grow each tree on a bootstrap sample; otherwise on all patients.
    max_samples : int, float or None
        Draws of a bootstrap sample, at most as many as there are patients, or their number as a
        share of them; None draws as many.
    split_rule : {"logrank", "logrank_score", "extra"}
        Log-rank statistic of every cut; standardised sum of log-rank scores of every cut;
        log-rank statistic of one cut drawn at random for each column tried.
    categorical_features : sequence of str
        Columns whose values have no order.
    categorical_split : {"ordered", "subset"}
        Levels put in the order of their mean log-rank score in the node; or all subsets of up to
        10 levels.
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
        Nodes.
    leaves_ : LeafJumps
        What the terminal nodes predict.
    binning_ : Binning
        How values become the codes that the nodes test.
    bags_ : Bags
        Samples of the trees; not kept in a file.
    codes_ : ndarray of shape (n_patients, n_features)
        The development patients as the trees see them; not kept in a file.
    oob_prediction_ : ndarray of shape (n_patients,)
        Mortality over the trees whose bootstrap sample misses the patient; NaN for a patient whom
        every tree's sample holds, and for all without bootstrap.
    oob_c_index_ : float
        Harrell's C of `oob_prediction_`, of the patients who have one; NaN without bootstrap. With
        competing risks a patient with the competing event outlives everybody [2]_.
    feature_names_in_ : ndarray of str
        Columns of `fit`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Each tree grows on its sample and splits where the statistic is largest; its terminal nodes h
    carry the Nelson-Aalen estimate. Ensemble mortality [1]_ is

    .. math:: M(x) = \frac{1}{B} \sum_b \sum_{k=1}^{m} \hat H_{h(b, x)}(g_k)

    for grid times :math:`g_k`. It orders patients; it is not a probability.

    Missing values: each cut is tried with them on the left and on the right, and the split between
    missing and known as well; where a node saw none of them they follow the larger child. In a
    categorical column they are a level of their own; levels that a node did not see follow its
    larger child.

    Competing risks: trees split on the cause-specific log-rank statistic, in which a competing
    event ends the time at risk. Terminal nodes carry the Aalen-Johansen incidence on the grid, and
    the mortality sums that instead of the hazard.

    The page ``docs/selection.md`` compares all of this with scikit-survival and randomForestSRC.

    References
    ----------
    .. [1] Ishwaran H, Kogalur UB, Blackstone EH, Lauer MS. Random survival forests. Ann Appl Stat
       2008;2:841-60.
    .. [2] Wolbers M, Koller MT, Witteman JCM, Steyerberg EW. Prognostic models with competing
       risks. Epidemiology 2009;20:555-61.
    """

    def __init__(
        self,
        n_estimators: int = 1000,
        *,
        max_features: str | float | int | None = "sqrt",
        min_samples_leaf: int = 15,
        max_depth: int | None = None,
        n_times: int = 150,
        n_bins: int = 256,
        bootstrap: bool = True,
        max_samples: float | int | None = None,
        split_rule: str = "logrank",
        categorical_features: Sequence[str] = (),
        categorical_split: str = "ordered",
        engine: str = "native",
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.n_times = n_times
        self.n_bins = n_bins
        self.bootstrap = bootstrap
        self.max_samples = max_samples
        self.split_rule = split_rule
        self.categorical_features = categorical_features
        self.categorical_split = categorical_split
        self.engine = engine
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self, X: pd.DataFrame, y: Outcome, sample_weight: Any = None, *, competing: Any = None
    ) -> SurvivalForest:
        """
        Grow the trees and judge them out of bag.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Numeric columns, and those of `categorical_features`; missing values are allowed.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.
        sample_weight : array-like of shape (n_patients,), optional
            Case weights, >= 0: a patient of weight 2 counts as two in every statistic, and as one
            in `min_samples_leaf` and in the out-of-bag C-index. Scale shares to a mean of 1.
        competing : array-like of bool of shape (n_patients,), optional
            Patients whose follow-up ended with a competing event.

        Returns
        -------
        SurvivalForest
            Itself.

        Raises
        ------
        ModelError
            If no patient has an event, or the engine has not what the settings ask for.
        UndefinedMetricError
            If no pair of patients out of bag is comparable.
        ValueError
            If a column, a weight or a setting cannot be used; names it.
        """
        X = named_columns(X)
        if len(y) != len(X):
            message = f"`X` has {len(X)} rows and `y` {len(y)}; they must be equal"
            raise ValueError(message)
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        grid = TimeGrid.from_outcome(y, n_times=self.n_times)
        self.times_ = grid.times
        self.outcome_ = place_outcome(y, grid, sample_weight=sample_weight, competing=competing)
        self.incidence_ = self.outcome_.incidence
        grown = ENGINES[self.engine](X, self.outcome_, self._settings(len(y)))
        self.trees_, self.leaves_ = grown.trees, grown.leaves
        self.binning_, self.bags_ = grown.binning, grown.bags
        self.codes_ = grown.codes
        self.oob_prediction_, self.oob_c_index_ = np.full(len(y), np.nan), np.nan
        if self.bootstrap:
            self.oob_prediction_ = out_of_bag_mortality(grown, n_jobs=self.n_jobs)
            self.oob_c_index_ = ConcordanceCounter(outliving(y, self.outcome_.status))(
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
        codes = self.codes(X)
        return ensemble_mortality(self.trees_, self.leaves_, codes, n_jobs=self.n_jobs)

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

        Raises
        ------
        ModelError
            With competing risks, where the hazard of one cause is no risk: see `predict_risk`.
        """
        check_is_fitted(self, "trees_")
        if self.incidence_:
            message = "with competing risks use `predict_risk`: the terminal nodes carry incidences"
            raise ModelError(message)
        return self._curves(X)

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
        return self._at(np.exp(-self.predict_cumulative_hazard_function(X)), 1.0, times)

    def predict_risk(self, X: pd.DataFrame, *, horizon: float) -> FloatArray:
        """
        Return the risk of the event by the horizon, with competing risks its incidence.

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
        check_is_fitted(self, "trees_")
        if self.incidence_:
            return self._at(self._curves(X), 0.0, [horizon])[:, 0]
        return 1.0 - self.predict_survival_function(X, [horizon])[:, 0]

    def out_of_bag(self, tree: int) -> IntArray:
        """
        Return the patients whom a tree's sample misses.

        Parameters
        ----------
        tree : int
            Its number.

        Returns
        -------
        ndarray of int of shape (n_out,)
            Rows of `fit`, ascending.

        Raises
        ------
        ModelError
            If the forest was read from a file, which holds no patient.
        """
        check_is_fitted(self, "trees_")
        if not hasattr(self, "bags_"):
            message = "a forest read from a file does not know the patients it was grown on"
            raise ModelError(message)
        return np.flatnonzero(self.bags_.counts(tree) == 0)

    def codes(self, X: pd.DataFrame) -> CodeArray:
        """
        Return what the trees see of a table.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The columns of `fit`, in any order; others are ignored.

        Returns
        -------
        ndarray of unsigned int of shape (n_patients, n_features)
            In the column order of `fit`; the largest value of the type is missing.

        Raises
        ------
        ValueError
            If columns are absent, not numeric or not finite.
        """
        check_is_fitted(self, "trees_")
        return self.binning_.codes(X)

    def save(self, path: str | Path) -> None:
        """
        Write what predictions need into one file: arrays and JSON, no code.

        Parameters
        ----------
        path : str or Path
            Of the file, ``.npz``; replaced as a whole.
        """
        check_is_fitted(self, "trees_")
        write_forest(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> SurvivalForest:
        """
        Read a forest.

        Parameters
        ----------
        path : str or Path
            Written by `save`.

        Returns
        -------
        SurvivalForest
            Predicts as before, byte for byte; knows no development patient.

        Raises
        ------
        ModelError
            If the file is not that of a forest, or is damaged.
        """
        return read_forest(cls, Path(path))

    def _settings(self, n_patients: int) -> GrowthSettings:
        unknown = sorted(set(self.categorical_features) - set(self.feature_names_in_))
        if unknown:
            message = f"`categorical_features` names no column of `X`: {', '.join(unknown)}"
            raise ValueError(message)
        return GrowthSettings(
            n_estimators=self.n_estimators,
            max_features=tried_features(self.max_features, self.n_features_in_),
            min_samples_leaf=self.min_samples_leaf,
            max_depth=self.max_depth,
            n_bins=self.n_bins,
            n_draws=drawn_patients(self.max_samples, n_patients) if self.bootstrap else 0,
            split_rule=self.split_rule,
            categorical=tuple(self.categorical_features),
            categorical_split=self.categorical_split,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )

    def _curves(self, X: pd.DataFrame) -> FloatArray:
        return ensemble_curves(
            self.trees_, self.leaves_, self.codes(X), self.times_.size, n_jobs=self.n_jobs
        )

    def _at(self, curves: FloatArray, before: float, times: Any) -> FloatArray:
        curves = np.hstack([np.full((curves.shape[0], 1), before), curves])
        wanted = np.asarray(times, dtype=np.float64)
        if not np.all(wanted >= 0.0):
            message = f"times must be at least 0; {int(np.sum(~(wanted >= 0.0)))} are not"
            raise ValueError(message)
        return curves[:, np.searchsorted(self.times_, wanted, side="right")]
