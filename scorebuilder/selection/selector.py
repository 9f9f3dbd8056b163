"""Variables chosen by a survival forest: ranking, rule, and what the clinician insists on."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import BoolArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.minimal_depth import minimal_depth, minimal_depth_threshold
from scorebuilder.selection.rule import RULES, Decision, RuleInput
from scorebuilder.selection.vimp import permutation_vimp_with_error

NUMBERS = ("vimp", "vimp_lower", "vimp_upper", "minimal_depth")
COLUMNS = ("variable", *NUMBERS, "rank", "selected", "reason")


class RSFSelector(BaseEstimator):  # type: ignore[misc]
    """
    Choose variables by a random survival forest.

    Parameters
    ----------
    engine : str
        What grows the trees: ``"native"`` or ``"scikit-survival"``.
    n_estimators, max_features, min_samples_leaf, n_times : object
        As in `SurvivalForest`.
    rule : str
        Name in ``scorebuilder.selection.rule.RULES``: ``"vimp_ci"`` (lower limit of VIMP > 0),
        ``"minimal_depth"`` (mean below that of no effect), ``"top_k"``, ``"all"``.
    top_k : int
        For the rule of that name.
    keep : sequence of str
        Always stay, beside what the rule chooses.
    ban : sequence of str
        Never enter; the forest is not grown on them.
    n_repeats : int
        Permutations per tree for VIMP.
    confidence : float
        Coverage of the interval of VIMP.
    vimp_error : {"trees", "total"}
        What the interval of VIMP covers (`PermutationVimp.interval`): Monte Carlo error of the
        trees, or also that of the patients.
    random_state : int
        Seed.
    n_jobs : int
        Workers; results do not depend on it.

    Attributes
    ----------
    ranking_ : DataFrame
        One row per column of `fit`, by descending VIMP: variable, vimp, vimp_lower, vimp_upper,
        minimal_depth (mean over trees), rank (1 is first), selected, reason. Columns that the
        forest did not see stand last, their numbers missing and the reason beside them.
    forest_ : SurvivalForest
        The forest, grown on the columns that are neither banned nor constant.
    oob_c_index_ : float
        Its out-of-bag C-index. The same patients chose the variables: not a validation.
    minimal_depth_threshold_ : float
        Mean minimal depth of a variable without effect.
    rule_text_ : str
        What the rule asked of a variable, in words.
    feature_names_in_ : ndarray of str
        Columns of `fit`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    A rule may choose nothing; `get_support` is then False for all but `keep`, and the caller
    decides what follows. With ``vimp_error="trees"`` the interval shrinks as trees are added; it
    answers whether another forest would agree, not whether another cohort would.
    """

    def __init__(
        self,
        *,
        engine: str = "native",
        n_estimators: int = 300,
        max_features: str | float | None = "sqrt",
        min_samples_leaf: int = 15,
        n_times: int = 150,
        rule: str = "vimp_ci",
        top_k: int = 10,
        keep: Sequence[str] = (),
        ban: Sequence[str] = (),
        n_repeats: int = 1,
        confidence: float = 0.95,
        vimp_error: str = "trees",
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.engine = engine
        self.n_estimators = n_estimators
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.n_times = n_times
        self.rule = rule
        self.top_k = top_k
        self.keep = keep
        self.ban = ban
        self.n_repeats = n_repeats
        self.confidence = confidence
        self.vimp_error = vimp_error
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: pd.DataFrame, y: Outcome) -> RSFSelector:
        """
        Grow the forest, rank the variables and apply the rule.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Complete numeric columns; levels of factors as codes.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.

        Returns
        -------
        RSFSelector
            Itself.

        Raises
        ------
        ModelError
            If there is no event, or fewer than two columns are neither banned nor constant.
        ValueError
            If `keep` or `ban` names no column, or both name the same, or a setting makes no sense.
        """
        rule = RULES[self.rule]
        names = [str(name) for name in X.columns]
        self._check_names(names)
        unseen = self._unseen(X)
        candidates = [name for name in names if name not in unseen]
        if len(candidates) < 2:
            message = (
                f"selection needs at least two candidates; {len(candidates)} of {len(names)} "
                "columns are neither banned nor constant"
            )
            raise ModelError(message)
        self.forest_ = self._forest().fit(X[candidates], y)
        self.oob_c_index_ = self.forest_.oob_c_index_
        self.minimal_depth_threshold_ = minimal_depth_threshold(self.forest_)
        ranking = self._rank(X[candidates], y)
        decision = rule(RuleInput(ranking, self.top_k, self.minimal_depth_threshold_))
        self.ranking_ = self._decide(ranking, decision, unseen)
        self.rule_text_ = decision.rule_text
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
        chosen = self.get_feature_names_out()
        absent = [name for name in chosen if name not in X.columns]
        if absent:
            message = f"`X` lacks chosen columns: {', '.join(absent)}"
            raise ValueError(message)
        return X[chosen]

    def _check_names(self, names: list[str]) -> None:
        for setting in ("keep", "ban"):
            for name in getattr(self, setting):
                if name not in names:
                    near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
                    message = f"`{setting}` names `{name}`, which is not a column"
                    message += f"; did you mean `{near[0]}`?" if near else ""
                    raise ValueError(message)
        both = sorted(set(self.keep) & set(self.ban))
        if both:
            message = f"`keep` and `ban` must not name the same column: {', '.join(both)}"
            raise ValueError(message)

    def _unseen(self, X: pd.DataFrame) -> dict[str, str]:
        """Columns that the forest does not see, with the reason."""
        reasons = {
            str(name): "constant: says nothing about anybody"
            for name in X.columns
            if X[name].nunique(dropna=False) < 2
        }
        return reasons | dict.fromkeys(self.ban, "banned")

    def _forest(self) -> SurvivalForest:
        return SurvivalForest(
            self.n_estimators,
            max_features=self.max_features,
            min_samples_leaf=self.min_samples_leaf,
            n_times=self.n_times,
            engine=self.engine,
            random_state=seed_of(self.random_state, "forest"),
            n_jobs=self.n_jobs,
        )

    def _rank(self, X: pd.DataFrame, y: Outcome) -> pd.DataFrame:
        vimp = permutation_vimp_with_error(
            self.forest_,
            X,
            y,
            n_repeats=self.n_repeats,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )
        lower, upper = vimp.interval(confidence=self.confidence, error=self.vimp_error)
        ranking = pd.DataFrame(
            {
                "variable": [str(name) for name in X.columns],
                "vimp": vimp.vimp.mean(axis=1),
                "vimp_lower": lower,
                "vimp_upper": upper,
                "minimal_depth": minimal_depth(self.forest_).mean(axis=0),
            }
        )
        # at equal VIMP the shallower variable first, then the order of the columns
        ranking = ranking.sort_values(
            ["vimp", "minimal_depth"], ascending=[False, True], kind="stable", ignore_index=True
        )
        ranking["rank"] = np.arange(1, len(ranking) + 1)
        return ranking

    def _decide(
        self, ranking: pd.DataFrame, decision: Decision, unseen: dict[str, str]
    ) -> pd.DataFrame:
        table = ranking.assign(
            selected=decision.selected,
            reason=np.where(
                decision.selected, decision.kept_because, decision.dropped_because
            ).astype(object),
        )
        rest = pd.DataFrame({"variable": list(unseen), "reason": list(unseen.values())})
        rest = rest.assign(
            **dict.fromkeys(NUMBERS, np.nan),
            rank=np.arange(len(table) + 1, len(table) + len(rest) + 1),
            selected=False,
        )
        if len(rest):
            table = pd.concat([table[list(COLUMNS)], rest[list(COLUMNS)]], ignore_index=True)
        forced = table["variable"].isin(list(self.keep)) & ~table["selected"]
        table.loc[forced, "reason"] = "to be kept, although " + table.loc[forced, "reason"]
        table.loc[forced, "selected"] = True
        return table[list(COLUMNS)]
