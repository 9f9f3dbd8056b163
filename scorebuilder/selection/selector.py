"""Variables chosen by a survival forest: ranking, rule, and what the clinician insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.selection.binning import named_columns
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.groups import Units, check_groups, columns_of, selection_units
from scorebuilder.selection.minimal_depth import minimal_depth_threshold
from scorebuilder.selection.ranking import rank_units, ranking_table, unit_depths
from scorebuilder.selection.refits import Refits
from scorebuilder.selection.rule import RULES, RuleInput
from scorebuilder.selection.vimp import permutation_vimp, permutation_vimp_with_error
from scorebuilder.selection.vimp_null import vimp_permutation_test
from scorebuilder.selection.vimp_subsample import vimp_subsample_interval

VIMP_ERRORS = ("trees", "total", "subsample")
P_VALUES = ("none", "permutation")


class RSFSelector(BaseEstimator):  # type: ignore[misc]
    """
    Choose variables by a random survival forest.

    Parameters
    ----------
    engine : str
        What grows the trees: ``"native"`` or ``"scikit-survival"``.
    n_estimators, max_features, min_samples_leaf, max_depth, n_times, n_bins : object
        As in `SurvivalForest`.
    max_samples, split_rule, categorical_features : object
        As in `SurvivalForest`.
    rule : str
        Name in ``scorebuilder.selection.rule.RULES``: ``"vimp_ci"`` (lower limit of VIMP > 0),
        ``"minimal_depth"`` (mean below that of no effect), ``"top_k"``, ``"boruta"`` (VIMP above
        that of every permuted copy), ``"parsimony"`` (fewest within one standard error of the best
        cross-validated performance), ``"all"``.
    top_k : int
        For the rule of that name.
    keep : sequence of str
        Columns or groups that always stay, beside what the rule chooses.
    ban : sequence of str
        Columns or groups that never enter; the forest is not grown on them.
    groups : mapping of str to sequence of str, optional
        Columns that are selected together, by the name of their group: they are permuted together
        and all stay or all go. A column that is to be kept keeps its group.
    n_repeats : int
        Permutations per tree for VIMP.
    confidence : float
        Coverage of the interval of VIMP.
    vimp_error : {"trees", "total", "subsample"}
        What the interval of VIMP covers: Monte Carlo error of the trees; also that of the patients,
        the trees held fixed (`PermutationVimp.interval`); or all of it, from forests on subsamples
        (`vimp_subsample_interval`).
    vimp_kind : {"ensemble", "blocks"}
        Loss of the whole forest, or of blocks of ten trees averaged, which tells weak variables
        from none more often (`permutation_vimp_with_error`).
    vimp_measure : {"harrell", "uno", "auc", "brier"}
        What falls when a variable is permuted; the last two at `horizon`.
    horizon : float, optional
        In the unit of the outcome. For those measures, and for the rule ``"parsimony"``, which
        takes the C-index without it.
    p_values : {"none", "permutation"}
        Whether `ranking_` has P values of no effect (`vimp_permutation_test`).
    rule_n_estimators : int
        Trees of each forest that the rules ``"boruta"`` and ``"parsimony"`` grow.
    inner_folds : int
        For the rule ``"parsimony"``: folds within the patients of `fit`.
    boruta_rounds : int
        For the rule ``"boruta"``: most forests.
    boruta_alpha : float
        For the rule ``"boruta"``: level, divided by the number of variables.
    random_state : int
        Seed.
    n_jobs : int
        Workers; results do not depend on it.

    Attributes
    ----------
    ranking_ : DataFrame
        One row per column of `fit`, by descending VIMP: variable, group (empty for a column by
        itself), vimp, vimp_lower, vimp_upper, minimal_depth (mean over trees), p_value if asked
        for, rank (1 is first), selected, reason. The columns of a group share its numbers. Columns
        that the forest did not see stand last, their numbers missing and the reason beside them.
    forest_ : SurvivalForest
        The forest, grown on the columns that are neither banned nor constant.
    oob_c_index_ : float
        Its out-of-bag C-index. The same patients chose the variables: not a validation.
    minimal_depth_threshold_ : float
        Mean minimal depth of a single variable without effect.
    rule_text_ : str
        What the rule asked of a variable, in words.
    evidence_ : DataFrame or None
        What the rule rests on beside the ranking: the curve of ``"parsimony"``
        (`parsimony_curve`, with a column ``chosen``), the counts of ``"boruta"``
        (`ShadowTest.table`).
    feature_names_in_ : ndarray of str
        Columns of `fit`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    A rule may choose nothing; `get_support` is then False for all but `keep`, and the caller
    decides what follows. With ``vimp_error="total"`` a variable without effect rarely passes
    ``vimp_ci`` beside strong ones, and in 2.5 % of cohorts in which nothing has an effect (some of
    ten then in about 22 %; lower the level by `confidence`), and a weak one is missed more often.
    With ``vimp_error="trees"`` the interval shrinks as trees are added; it answers whether another
    forest would agree, not whether another cohort would.
    """

    def __init__(
        self,
        *,
        engine: str = "native",
        n_estimators: int = 1000,
        max_features: str | float | None = "sqrt",
        min_samples_leaf: int = 15,
        max_depth: int | None = None,
        n_times: int = 150,
        n_bins: int = 256,
        max_samples: float | int | None = None,
        split_rule: str = "logrank",
        categorical_features: Sequence[str] = (),
        rule: str = "vimp_ci",
        top_k: int = 10,
        keep: Sequence[str] = (),
        ban: Sequence[str] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        n_repeats: int = 1,
        confidence: float = 0.95,
        vimp_error: str = "total",
        vimp_kind: str = "ensemble",
        vimp_measure: str = "harrell",
        horizon: float | None = None,
        p_values: str = "none",
        rule_n_estimators: int = 300,
        inner_folds: int = 5,
        boruta_rounds: int = 100,
        boruta_alpha: float = 0.01,
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.engine = engine
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.max_depth = max_depth
        self.n_times = n_times
        self.n_bins = n_bins
        self.max_samples = max_samples
        self.split_rule = split_rule
        self.categorical_features = categorical_features
        self.rule = rule
        self.top_k = top_k
        self.keep = keep
        self.ban = ban
        self.groups = groups
        self.n_repeats = n_repeats
        self.confidence = confidence
        self.vimp_error = vimp_error
        self.vimp_kind = vimp_kind
        self.vimp_measure = vimp_measure
        self.horizon = horizon
        self.p_values = p_values
        self.rule_n_estimators = rule_n_estimators
        self.inner_folds = inner_folds
        self.boruta_rounds = boruta_rounds
        self.boruta_alpha = boruta_alpha
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: pd.DataFrame, y: Outcome) -> RSFSelector:
        """
        Grow the forest, rank the variables and apply the rule.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Numeric columns; levels of factors as codes.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.

        Returns
        -------
        RSFSelector
            Itself.

        Raises
        ------
        ModelError
            If there is no event, or fewer than two columns are neither banned nor constant, or a
            rule cannot be applied to these patients.
        ValueError
            If `keep`, `ban` or `groups` names no column, or `keep` and `ban` name the same, or a
            setting makes no sense.
        """
        rule = RULES[self.rule]
        X = named_columns(X)
        names = list(X.columns)
        groups = dict(self.groups or {})
        keep = self._check(names, groups)
        unseen = self._unseen(X, groups)
        candidates = [name for name in names if name not in unseen]
        if len(candidates) < 2:
            message = (
                f"selection needs at least two candidates; {len(candidates)} of {len(names)} "
                "columns are neither banned nor constant"
            )
            raise ModelError(message)
        units = selection_units(candidates, groups)
        seen = X[candidates]
        self.forest_ = self._forest(candidates, self.n_estimators).fit(seen, y)
        self.oob_c_index_ = self.forest_.oob_c_index_
        self.minimal_depth_threshold_ = minimal_depth_threshold(self.forest_)
        ranking = self._rank(seen, y, units)
        refits = self._refits(seen, y, units, keep)
        decision = rule(RuleInput(ranking, self.top_k, refits))
        self.ranking_ = ranking_table(
            ranking, decision, units, groups=groups, keep=keep, unseen=unseen
        )
        self.rule_text_ = decision.rule_text
        self.evidence_ = decision.evidence
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        return self

    def get_support(self) -> BoolArray:
        """
        Say which columns of `fit` stay.

        Returns
        -------
        ndarray of bool of shape (n_features_in_,)
            In the order of `fit`; all False if the rule chose nothing and nothing was to be kept.
        """
        check_is_fitted(self, "ranking_")
        chosen = set(self.ranking_.loc[self.ranking_["selected"], "variable"])
        return np.array([name in chosen for name in self.feature_names_in_], dtype=np.bool_)

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> list[str]:
        """
        Return the names of the columns that stay.

        Parameters
        ----------
        input_features : sequence of str, optional
            Ignored; for scikit-learn.

        Returns
        -------
        list of str
            In the order of `fit`.
        """
        del input_features
        support = self.get_support()
        return [str(name) for name in self.feature_names_in_[support]]

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """
        Return the columns that stay.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_columns)
            Holds at least those columns.

        Returns
        -------
        DataFrame
            In the order of `fit`, values untouched.

        Raises
        ------
        ValueError
            If a chosen column is absent.
        """
        X = named_columns(X)
        chosen = self.get_feature_names_out()
        absent = [name for name in chosen if name not in X.columns]
        if absent:
            message = f"`X` lacks chosen columns: {', '.join(absent)}"
            raise ValueError(message)
        return X[chosen]

    def _check(self, names: list[str], groups: dict[str, Sequence[str]]) -> list[str]:
        """Check names and words; return the columns that are to be kept."""
        check_groups(groups, names)
        unknown = sorted(set(self.categorical_features) - set(names))
        if unknown:
            message = f"`categorical_features` names no column of `X`: {', '.join(unknown)}"
            raise ValueError(message)
        keep = columns_of(self.keep, groups, names, setting="keep")
        both = sorted(set(keep) & set(columns_of(self.ban, groups, names, setting="ban")))
        if both:
            message = f"`keep` and `ban` must not name the same column: {', '.join(both)}"
            raise ValueError(message)
        for setting, known in (("p_values", P_VALUES), ("vimp_error", VIMP_ERRORS)):
            if getattr(self, setting) not in known:
                words = ", ".join(f'"{word}"' for word in known)
                message = f'`{setting}` must be one of {words}; got "{getattr(self, setting)}"'
                raise ValueError(message)
        if self.rule_n_estimators < 1:
            message = f"`rule_n_estimators` must be at least 1; got {self.rule_n_estimators}"
            raise ValueError(message)
        return keep

    def _unseen(self, X: pd.DataFrame, groups: dict[str, Sequence[str]]) -> dict[str, str]:
        """Columns that the forest does not see, with the reason."""
        reasons = {
            name: "constant: says nothing about anybody"
            for name in X.columns
            if X[name].nunique(dropna=False) < 2
        }
        banned = columns_of(self.ban, groups, list(X.columns), setting="ban")
        return reasons | dict.fromkeys(banned, "banned")

    def _forest(self, columns: Sequence[str], n_estimators: int) -> SurvivalForest:
        return SurvivalForest(
            n_estimators,
            max_features=self.max_features,
            min_samples_leaf=self.min_samples_leaf,
            max_depth=self.max_depth,
            n_times=self.n_times,
            n_bins=self.n_bins,
            max_samples=self.max_samples,
            split_rule=self.split_rule,
            categorical_features=tuple(c for c in self.categorical_features if c in columns),
            engine=self.engine,
            random_state=seed_of(self.random_state, "forest"),
            n_jobs=self.n_jobs,
        )

    def _refits(self, X: pd.DataFrame, y: Outcome, units: Units, keep: list[str]) -> Refits:
        return Refits(
            X=X,
            y=y,
            units=units,
            keep=tuple(name for name, members in units.items() if set(members) & set(keep)),
            forest=self._forest(list(X.columns), self.rule_n_estimators),
            vimp=self._unit_vimp,
            horizon=self.horizon,
            inner_folds=self.inner_folds,
            boruta_rounds=self.boruta_rounds,
            boruta_alpha=self.boruta_alpha,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )

    def _rank(self, X: pd.DataFrame, y: Outcome, units: Units) -> pd.DataFrame:
        settings = {**self._vimp_settings(), "groups": units, "n_jobs": self.n_jobs}
        if self.vimp_error == "subsample":
            sampled = vimp_subsample_interval(
                self.forest_, X, y, random_state=self.random_state, **settings
            )
            vimp, interval = sampled.vimp, sampled.interval(confidence=self.confidence)
        else:
            measured = permutation_vimp_with_error(
                self.forest_, X, y, random_state=self.random_state, **settings
            )
            vimp = measured.vimp.mean(axis=1)
            interval = measured.interval(confidence=self.confidence, error=self.vimp_error)
        p_value = None
        if self.p_values == "permutation":
            seed = seed_of(self.random_state, "p values")
            tested = vimp_permutation_test(self.forest_, X, y, random_state=seed, **settings)
            p_value = tested["p_value"].to_numpy()
        depths = unit_depths(self.forest_, units)
        return rank_units(units, vimp, interval, depths, p_value=p_value)

    def _vimp_settings(self) -> dict[str, Any]:
        return {
            "n_repeats": self.n_repeats,
            "kind": self.vimp_kind,
            "measure": self.vimp_measure,
            "horizon": self.horizon,
        }

    def _unit_vimp(
        self,
        forest: SurvivalForest,
        X: pd.DataFrame,
        y: Outcome,
        units: Units,
        random_state: int,
        n_jobs: int,
    ) -> FloatArray:
        settings = {**self._vimp_settings(), "groups": units}
        vimp = permutation_vimp(forest, X, y, random_state=random_state, n_jobs=n_jobs, **settings)
        return np.asarray(vimp.mean(axis=1), dtype=np.float64)
