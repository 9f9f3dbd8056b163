"""Filling of missing predictors with values learnt from the development patients alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from scorebuilder.core.errors import ModelError

STRATEGIES = ("median",)


class CohortImputer(BaseEstimator):  # type: ignore[misc]
    """
    Median for numbers, most frequent level for factors (the first of equally frequent ones).

    Meant to be fitted again in each fold: nothing of the patients judged enters the fill values.
    A single value understates uncertainty; it is a documented simplification, not multiple
    imputation.

    Parameters
    ----------
    strategy : {"median"}
        How fill values are found.
    random_state : int
        Seed; the median strategy uses no random numbers.

    Attributes
    ----------
    fill_values_ : dict of str to (float or str)
        Fill value of each predictor, after `fit`.
    n_missing_ : dict of str to int
        Missing cells of each predictor among the fitted patients.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": [50.0, None, 70.0]})
    >>> CohortImputer().fit_transform(frame)["age"].tolist()
    [50.0, 60.0, 70.0]
    """

    fill_values_: dict[str, float | str]
    n_missing_: dict[str, int]

    def __init__(self, strategy: str = "median", *, random_state: int = 0) -> None:
        self.strategy = strategy
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: object = None) -> CohortImputer:  # noqa: ARG002
        """
        Learn a fill value for each predictor.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors of the development patients.
        y : object
            Ignored.

        Returns
        -------
        CohortImputer
            Itself.

        Raises
        ------
        ModelError
            If a predictor has no known value at all.
        ValueError
            If the strategy is unknown.
        """
        if self.strategy not in STRATEGIES:
            message = f"`strategy` must be one of {', '.join(STRATEGIES)}; got `{self.strategy}`"
            raise ValueError(message)
        self.n_missing_ = {name: int(X[name].isna().sum()) for name in X.columns}
        empty = [name for name, count in self.n_missing_.items() if count == len(X)]
        if empty:
            message = f"no value is known for {', '.join(empty)}; leave the columns out"
            raise ModelError(message)
        self.fill_values_ = {name: _fill_value(X[name]) for name in X.columns}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """
        Fill the missing cells.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed as the fitted frame.

        Returns
        -------
        DataFrame of shape (n_patients, n_predictors)
            A copy without missing cells, in the order of the fitted columns.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a fitted column is missing.
        """
        if not hasattr(self, "fill_values_"):
            message = "`CohortImputer` is not fitted; call fit(X) first"
            raise NotFittedError(message)
        missing = [name for name in self.fill_values_ if name not in X.columns]
        if missing:
            message = f"`X` must have the fitted columns; missing: {', '.join(missing)}"
            raise ValueError(message)
        filled = {name: X[name].fillna(value) for name, value in self.fill_values_.items()}
        return pd.DataFrame(filled, index=X.index, columns=list(self.fill_values_))

    def fit_transform(self, X: pd.DataFrame, y: object = None) -> pd.DataFrame:
        """
        Fit, then fill the same patients.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors.
        y : object
            Ignored.

        Returns
        -------
        DataFrame of shape (n_patients, n_predictors)
            Without missing cells.
        """
        return self.fit(X, y).transform(X)

    def get_feature_names_out(self) -> np.ndarray:
        """
        Return the names of the filled columns.

        Returns
        -------
        ndarray of str
            In order.
        """
        return np.asarray(list(self.fill_values_), dtype=object)


def _fill_value(values: pd.Series) -> float | str:
    if isinstance(values.dtype, pd.CategoricalDtype):
        counts = values.value_counts(sort=False, dropna=True)
        frequency = [int(counts.get(code, 0)) for code in values.dtype.categories]
        return str(values.dtype.categories[int(np.argmax(frequency))])
    return float(np.nanmedian(values.to_numpy(dtype=np.float64)))
