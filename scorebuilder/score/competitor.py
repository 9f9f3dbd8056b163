"""A model of another kind on the candidates of a score, prepared inside each fit as the score."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from scorebuilder.cohort.encode import FactorEncoder, level_codes, nominal_factors
from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import ModelError, StatisticalWarning
from scorebuilder.survival.outcome import check_outcome

COLUMNS = ("indicators", "codes")
"""What a model sees of factors: indicator columns, as a regression; or level codes, as a forest."""
DEPENDENT = 1e-9
"""A standardised column whose rest beside those before it is smaller is determined by them."""


class Competitor(BaseEstimator):  # type: ignore[misc]
    """
    Imputation, coding of factors, and a model on all candidates, as one estimator.

    Everything that is learned from patients is learned in `fit`, as in `ScoreBuilder`, so that both
    can be refitted on the same folds.

    Parameters
    ----------
    imputer : CohortImputer or None
        Fills missing values; None refuses them.
    model : estimator
        Has ``fit(X, y)``, ``predict(X)`` (higher is worse) and ``predict_risk(X, *, horizon)``.
    columns : {"indicators", "codes"}
        How factors are written. Indicator columns without an estimate - determined by the columns
        before them, among all patients or among those with the event - are left out of a fit. A
        forest takes nominal factors as unordered, as in stage 1.

    Attributes
    ----------
    imputer_, model_ : estimators
        The fitted parts.
    columns_ : list of str
        What the model sees.
    """

    def __init__(self, imputer: Any, model: Any, *, columns: str = "indicators") -> None:
        self.imputer = imputer
        self.model = model
        self.columns = columns

    def fit(self, X: pd.DataFrame, y: Outcome) -> Competitor:
        """
        Fit all steps.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Numeric columns as floats, factors as categoricals.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time`` (days).

        Returns
        -------
        Competitor
            Itself.

        Raises
        ------
        ModelError
            If the model cannot be fitted, or no column has an estimate.
        ValueError
            If `columns` is unknown, or values are missing and no imputer is given.

        Warns
        -----
        StatisticalWarning
            If columns are left out; names them.
        """
        if self.columns not in COLUMNS:
            message = f"`columns` must be one of {', '.join(COLUMNS)}; got {self.columns!r}"
            raise ValueError(message)
        event, _ = check_outcome(y)
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.imputer_ = None if self.imputer is None else clone(self.imputer).fit(X)
        complete = self._complete(X)
        self.encoder_ = FactorEncoder().fit(complete) if self.columns == "indicators" else None
        design = self._design(complete)
        self.columns_ = [str(name) for name in design.columns]
        if self.encoder_ is not None:
            self.columns_ = _with_estimate(design, event)
        model = clone(self.model)
        if self.encoder_ is None and getattr(model, "engine", "") == "native":
            named = tuple(model.categorical_features)
            nominal = (name for name in nominal_factors(complete) if name not in named)
            model.set_params(categorical_features=(*named, *nominal))
        self.model_ = model.fit(design[self.columns_], y)
        return self

    def _complete(self, X: pd.DataFrame) -> pd.DataFrame:
        if self.imputer_ is not None:
            complete: pd.DataFrame = self.imputer_.transform(X)
            return complete
        missing = int(X.isna().any().sum())
        if missing:
            message = f"{missing} columns have missing values; impute them, or leave them out"
            raise ValueError(message)
        return X

    def _design(self, complete: pd.DataFrame) -> pd.DataFrame:
        return level_codes(complete) if self.encoder_ is None else self.encoder_.transform(complete)

    def _seen(self, X: pd.DataFrame) -> pd.DataFrame:
        complete = self._complete(X[list(self.feature_names_in_)])
        return self._design(complete)[self.columns_]

    def predict(self, X: pd.DataFrame) -> FloatArray:
        """
        Predict what ranks the patients: a linear predictor, or the mortality of a forest.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Columns as in `fit`.

        Returns
        -------
        ndarray of shape (n_patients,)
            Higher means an earlier event.
        """
        return np.asarray(self.model_.predict(self._seen(X)), dtype=np.float64)

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
            In [0, 1].
        """
        risk = self.model_.predict_risk(self._seen(X), horizon=horizon)
        return np.asarray(risk, dtype=np.float64)


def _with_estimate(design: pd.DataFrame, event: BoolArray) -> list[str]:
    """Keep the columns whose coefficient has an estimate beside those before them."""
    values = design.to_numpy(dtype=np.float64)
    kept = _independent(values)
    kept[kept] = _independent(values[event][:, kept])
    names = [str(name) for name in design.columns]
    left_out = [name for name, keep in zip(names, kept, strict=True) if not keep]
    if not kept.any():
        message = "no column varies among the patients with the event, so no model can be fitted"
        raise ModelError(message)
    if left_out:
        listed = ", ".join(f"`{name}`" for name in left_out)
        message = f"a compared model leaves out columns without an estimate: {listed}"
        warnings.warn(message, StatisticalWarning, stacklevel=3)
    return [name for name, keep in zip(names, kept, strict=True) if keep]


def _independent(values: FloatArray) -> BoolArray:
    """
    Find the columns that are not a linear function of a constant and the columns before them.

    A dependent column has no rest beside the others: the diagonal of R in the QR decomposition of
    the standardised columns is 0 there, and a column behind it is judged beside the kept ones only.
    """
    n_columns = values.shape[1]
    kept = np.zeros(n_columns, dtype=np.bool_)
    if values.shape[0] < 2:
        return kept
    spread = values.std(axis=0)
    varies = spread > DEPENDENT * np.maximum(np.abs(values.mean(axis=0)), 1e-300)
    scale = np.where(varies, spread, 1.0)
    standardised = (values - values.mean(axis=0)) / (scale * np.sqrt(values.shape[0]))
    basis = np.zeros((values.shape[0], 0))
    for position in np.flatnonzero(varies):
        rest = standardised[:, position]
        for _ in range(2):  # the second pass removes what rounding left of the first
            rest = rest - basis @ (basis.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > DEPENDENT:
            kept[position] = True
            basis = np.column_stack([basis, rest / length])
    return kept
