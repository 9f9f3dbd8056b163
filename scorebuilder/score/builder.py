"""The whole pipeline as one estimator: impute, select, model, points, risk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from scorebuilder.cohort.encode import FactorEncoder, level_codes, nominal_factors
from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import BelowRangeError, ModelError
from scorebuilder.score.points import PointsScale, make_points
from scorebuilder.score.public_risk import public_risk_rows
from scorebuilder.score.risk_groups import RiskGroups, make_risk_bands, make_risk_groups
from scorebuilder.score.risk_table import ObservedRisk, risk_by_band, risk_of_bands
from scorebuilder.score.stage_two import check_stage_two, stage_two
from scorebuilder.selection.engine import ORDERED_ENGINES
from scorebuilder.survival.absolute_risk import absolute_risk
from scorebuilder.survival.concordance_score import ConcordanceScore
from scorebuilder.survival.outcome import check_outcome


class ScoreBuilder(ConcordanceScore, BaseEstimator):  # type: ignore[misc]
    """
    Build a score in two stages: a survival forest selects, fractional polynomials model.

    Everything that is learned from patients is learned in `fit`, so that a resampling which clones
    and refits this object leaks nothing.

    Parameters
    ----------
    imputer : CohortImputer or None
        Fills missing values; None refuses them.
    selector : RSFSelector
        Stage 1; sees level codes of factors, and takes those of a nominal factor as unordered
        unless its engine cannot (`ORDERED_ENGINES`).
    model : MFPCox
        Stage 2; sees one column per numeric variable and indicator columns for factors.
    horizons : sequence of float
        Days, ascending.
    keep : sequence of str
        Variables that both stages must keep.
    points : int
        Highest number of points.
    anchors : tuple of float
        Quantiles of the linear predictor between which the points lie.
    risk_groups : {"tertiles"}, sequence of int, or mapping
        Tertiles of the development patients, cut points, or absolute risks: ``risk`` (ascending)
        and ``horizon`` (days).
    factors : {"joint", "levels"}
        Whether the indicators of a factor with more than two levels are in or out together, by a
        joint test, or each by its own. `groups` of the model, if given, are used instead.

    Attributes
    ----------
    imputer_, selector_, encoder_, model_ : estimators
        The fitted parts.
    selected_ : list of str
        Variables kept by stage 1, in the order of `X`.
    kept_ : list of str
        Variables in the final model, in the order of `X`.
    scale_ : PointsScale or None
        None when no points exist: no variable was kept, or the anchors fall together.
    no_points_ : str
        Why there are no points; empty when there are.
    groups_ : RiskGroups or None
        Bands of points.
    risk_table_, group_table_ : list of ObservedRisk
        Predicted and observed risk by points and by group, in the development patients.
    """

    def __init__(
        self,
        imputer: Any,
        selector: Any,
        model: Any,
        *,
        horizons: Sequence[float],
        keep: Sequence[str] = (),
        points: int = 10,
        anchors: tuple[float, float] = (0.01, 0.99),
        risk_groups: str | Sequence[int] | Mapping[str, Any] = "tertiles",
        factors: str = "joint",
    ) -> None:
        self.imputer = imputer
        self.selector = selector
        self.model = model
        self.horizons = horizons
        self.keep = keep
        self.points = points
        self.anchors = anchors
        self.risk_groups = risk_groups
        self.factors = factors

    def fit(self, X: pd.DataFrame, y: Outcome) -> ScoreBuilder:
        """
        Fit both stages, then place points and risk groups.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Numeric columns as floats, factors as categoricals.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time`` (days).

        Returns
        -------
        ScoreBuilder
            Itself.

        Raises
        ------
        ModelError
            If there is no event, a horizon lies past the follow-up, the model cannot be fitted, or
            it offers smooth ranks (`acd`).
        ValueError
            If values are missing and no imputer is given, or a setting of the model names what is
            no column.
        """
        event, time = check_outcome(y)
        check_stage_two(self.model, X, factors=self.factors)
        if not event.any():
            message = "no patient has the event, so no score can be fitted"
            raise ModelError(message)
        late = [horizon for horizon in self.horizons if horizon > time.max()]
        if late:
            message = (
                f"`horizons` must lie inside the follow-up (max {time.max():g} days); got "
                f"{late[0]:g}. Choose an earlier horizon."
            )
            raise ModelError(message)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.imputer_ = None if self.imputer is None else clone(self.imputer).fit(X)
        complete = self._complete(X)
        self.selector_ = clone(self.selector).set_params(
            keep=tuple(self.keep), categorical_features=self._unordered(complete)
        )
        self.selector_.fit(level_codes(complete), y)
        support = self.selector_.get_support()
        self.selected_ = [str(name) for name, kept in zip(X.columns, support, strict=True) if kept]
        self.encoder_ = FactorEncoder().fit(complete[self.selected_])
        design = self.encoder_.transform(complete[self.selected_])
        columns, settings = stage_two(
            self.model, self.encoder_, design, event, keep=self.keep, factors=self.factors
        )
        self.model_ = clone(self.model).set_params(**settings).fit(design[columns], y)
        used = {self.encoder_.columns_[column].predictor for column in self.model_.selected_}
        self.kept_ = [name for name in self.selected_ if name in used]
        self._place_points(design, y)
        return self

    def _unordered(self, complete: pd.DataFrame) -> tuple[str, ...]:
        """Columns that stage 1 takes as unordered: nominal factors, and what the selector names."""
        named = tuple(self.selector.categorical_features)
        if self.selector.engine in ORDERED_ENGINES:
            return named
        return named + tuple(name for name in nominal_factors(complete) if name not in named)

    def _place_points(self, design: pd.DataFrame, y: Outcome) -> None:
        linear_predictor = np.asarray(self.model_.predict(design), dtype=np.float64)
        self.linear_predictor_range_ = (
            float(linear_predictor.min()),
            float(linear_predictor.max()),
        )
        self.scale_: PointsScale | None = None
        self.groups_: RiskGroups | None = None
        self.risk_table_: list[ObservedRisk] = []
        self.risk_rows_: list[dict[str, Any]] = []
        self.group_table_: list[ObservedRisk] = []
        self.no_points_ = "" if self.kept_ else "no variable was kept, so there are no points"
        if not self.kept_:
            return
        try:
            scale = make_points(linear_predictor, maximum=self.points, anchors=self.anchors)
        except ModelError as error:
            self.no_points_ = str(error)
            return
        self.scale_ = scale
        points = self.scale_.points(linear_predictor)
        self.groups_ = self._form_groups(scale, points)
        risk = np.column_stack([self._risk(linear_predictor, h) for h in self.horizons])
        self.risk_table_ = risk_by_band(
            points, risk, y, n_bands=self.points + 1, horizons=self.horizons
        )
        self.risk_rows_ = public_risk_rows(
            points,
            risk,
            y,
            groups=[(first, last) for _, first, last in self.groups_.bands(self.points)],
            horizons=self.horizons,
        )
        self.group_table_ = risk_by_band(
            self.groups_.group(points),
            risk,
            y,
            n_bands=len(self.groups_.labels),
            horizons=self.horizons,
        )

    def _form_groups(self, scale: PointsScale, points: IntArray) -> RiskGroups:
        if not isinstance(self.risk_groups, Mapping):
            return make_risk_groups(points, self.risk_groups, maximum=self.points)
        return make_risk_bands(
            np.asarray(scale.thresholds),
            self.risk_groups["risk"],
            cumulative_hazard=float(
                self.model_.baseline_cumulative_hazard_(self.risk_groups["horizon"])
            ),
        )

    def _complete(self, X: pd.DataFrame) -> pd.DataFrame:
        if self.imputer_ is not None:
            return self.imputer_.transform(X)
        missing = X.isna().sum()
        wrong = [f"`{name}` ({count})" for name, count in missing.items() if count]
        if wrong:
            message = (
                f"values are missing and the policy is to refuse them: {', '.join(wrong)}. "
                "Impute, or leave these columns out."
            )
            raise ValueError(message)
        return X

    def design(self, X: pd.DataFrame) -> pd.DataFrame:
        """
        Return what the model of stage 2 sees.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.

        Returns
        -------
        DataFrame
            Complete floats: the selected variables, factors as indicators.
        """
        return self.encoder_.transform(
            self._complete(X[list(self.feature_names_in_)])[self.selected_]
        )

    def _risk(self, linear_predictor: FloatArray, horizon: float) -> FloatArray:
        hazard = float(self.model_.baseline_cumulative_hazard_(horizon))
        return absolute_risk(linear_predictor, hazard)

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """
        Linear predictor of each patient.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_patients,)
            Log hazard against a patient with every term at its centre. NaN where a curve has no
            value because an input lies below the development range.
        """
        design = self.design(X)
        defined = np.ones(len(design), dtype=np.bool_)
        for term in self.model_.terms_:
            if term.needs_positive:
                x = design[term.variable].to_numpy()
                limited = x if term.limits is None else np.clip(x, *term.limits)
                defined &= limited + term.shift > 0
        linear_predictor = np.full(len(design), np.nan)
        linear_predictor[defined] = self.model_.predict(design[defined])
        return linear_predictor

    def predict_risk(self, X: pd.DataFrame, *, horizon: float) -> FloatArray:
        """
        Absolute risk of the event by a horizon.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.
        horizon : float
            Days.

        Returns
        -------
        ndarray of shape (n_patients,)
            In [0, 1]; from the formula, never from rounded points. NaN where `predict` is.
        """
        return self._risk(self.predict(X), horizon)

    def predict_survival_function(self, X: pd.DataFrame, times: Any) -> FloatArray:
        """
        Survival probability of each patient at each time.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.
        times : array-like of shape (n_times,)
            Days.

        Returns
        -------
        ndarray of shape (n_patients, n_times)
            In [0, 1], falling along each row.
        """
        linear_predictor = self.predict(X)
        hazard = self.model_.baseline_cumulative_hazard_(np.asarray(times, dtype=np.float64))
        return np.column_stack([1.0 - absolute_risk(linear_predictor, value) for value in hazard])

    def predict_points(self, X: pd.DataFrame) -> IntArray:
        """
        Points of each patient.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of int of shape (n_patients,)
            From 0 to `points`.

        Raises
        ------
        ModelError
            If no points exist.
        BelowRangeError
            If a patient has no linear predictor.
        """
        if self.scale_ is None:
            raise ModelError(self.no_points_)
        linear_predictor = self.predict(X)
        undefined = int(np.isnan(linear_predictor).sum())
        if undefined:
            message = (
                f"{undefined} of {len(linear_predictor)} patients have inputs below the "
                "development range of a curve, so that they have no points"
            )
            raise BelowRangeError(message)
        return self.scale_.points(linear_predictor)

    def predict_group(self, X: pd.DataFrame) -> IntArray:
        """
        Risk group of each patient.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of int of shape (n_patients,)
            0 is the lowest group; ``groups_.labels`` names them.

        Raises
        ------
        ModelError
            If no points exist.
        """
        points = self.predict_points(X)
        assert self.groups_ is not None  # placed together with the points
        return self.groups_.group(points)

    def fold_record(self) -> dict[str, Any]:
        """
        Return what a resampling should remember of this fit: names and shapes, no patient.

        Returns
        -------
        dict
            ``selected``, ``kept`` (variables), ``powers`` (by kept design column), ``cut_points``
            of the risk groups, and ``point_risk`` and ``group_risk``: for each horizon the mean
            risk of every number of points and of every group (empty without points).
        """
        has_points = self.groups_ is not None
        return {
            "selected": list(self.selected_),
            "kept": list(self.kept_),
            "powers": {
                str(column): [float(power) for power in self.model_.powers_[column]]
                for column in self.model_.selected_
            },
            "cut_points": [] if self.groups_ is None else list(self.groups_.cut_points),
            "point_risk": self._band_risk(self.risk_table_, self.points + 1) if has_points else [],
            "group_risk": []
            if self.groups_ is None
            else self._band_risk(self.group_table_, len(self.groups_.labels)),
        }

    def _band_risk(self, table: list[ObservedRisk], n_bands: int) -> list[list[float]]:
        return risk_of_bands(table, n_bands=n_bands, horizons=self.horizons)
