"""From typed predictors to the float columns that a regression and a forest see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError


@dataclass(frozen=True)
class DesignColumn:
    """
    Meaning of one column of the design frame.

    Attributes
    ----------
    predictor : str
        The predictor it comes from.
    levels : tuple of str or None
        Codes of the levels for which the indicator is 1; None for a numeric predictor.
    """

    predictor: str
    levels: tuple[str, ...] | None = None


class FactorEncoder(BaseEstimator):  # type: ignore[misc]
    """
    Indicator columns for factors; numbers pass as they are.

    Binary and nominal factors get one 0/1 column for each level but the reference, named
    ``sex[2]``. Ordinal factors get cumulative indicators, named ``albumin[>=2]``: 1 from that level
    on, so that each coefficient is the step from the level before.

    Attributes
    ----------
    columns_ : dict of str to DesignColumn
        Design columns in order, after `fit`.
    dtypes_ : dict of str to tuple of str or None
        Levels of each factor in order; None for numbers.

    Examples
    --------
    >>> stage = pd.Categorical(["a", "c", "b"], categories=["a", "b", "c"], ordered=True)
    >>> FactorEncoder().fit_transform(pd.DataFrame({"stage": stage})).to_numpy().tolist()
    [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]
    """

    columns_: dict[str, DesignColumn]
    dtypes_: dict[str, tuple[str, ...] | None]

    def fit(self, X: pd.DataFrame, y: object = None) -> FactorEncoder:  # noqa: ARG002
        """
        Learn the levels of each factor from its type.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors. Levels come from the type, not from the patients.
        y : object
            Ignored.

        Returns
        -------
        FactorEncoder
            Itself.
        """
        self.columns_, self.dtypes_ = {}, {}
        for name in X.columns:
            dtype = X[name].dtype
            if not isinstance(dtype, pd.CategoricalDtype):
                self.dtypes_[name] = None
                self.columns_[name] = DesignColumn(name)
                continue
            codes = tuple(str(code) for code in dtype.categories)
            self.dtypes_[name] = codes
            for position, code in enumerate(codes[1:], start=1):
                if dtype.ordered:
                    self.columns_[f"{name}[>={code}]"] = DesignColumn(name, codes[position:])
                else:
                    self.columns_[f"{name}[{code}]"] = DesignColumn(name, (code,))
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """
        Write typed predictors as float columns.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed as the fitted frame; the order of its columns does not matter.

        Returns
        -------
        DataFrame of shape (n_patients, n_columns)
            Float; a missing factor is NaN in each of its columns.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        ValueError
            If a column is missing, or a factor has other levels than the fitted one.
        """
        self._check(X)
        design = {}
        for name, column in self.columns_.items():
            values = X[column.predictor]
            if column.levels is None:
                design[name] = values.to_numpy(dtype=np.float64)
            else:
                indicator = values.isin(column.levels).to_numpy(dtype=np.float64)
                design[name] = np.where(values.isna().to_numpy(), np.nan, indicator)
        return pd.DataFrame(design, index=X.index, columns=list(self.columns_), dtype=np.float64)

    def fit_transform(self, X: pd.DataFrame, y: object = None) -> pd.DataFrame:
        """
        Fit, then transform the same patients.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors.
        y : object
            Ignored.

        Returns
        -------
        DataFrame of shape (n_patients, n_columns)
            As `transform`.
        """
        return self.fit(X, y).transform(X)

    def design_columns(self, predictor: str) -> list[str]:
        """
        Return the design columns of a predictor.

        Parameters
        ----------
        predictor : str
            Name of the predictor.

        Returns
        -------
        list of str
            In order.

        Raises
        ------
        KeyError
            If the fitted frame had no such predictor.
        """
        found = [name for name, column in self.columns_.items() if column.predictor == predictor]
        if not found:
            message = f"no predictor `{predictor}` was fitted"
            raise KeyError(message)
        return found

    def get_feature_names_out(self) -> np.ndarray:
        """
        Return the names of the design columns.

        Returns
        -------
        ndarray of str
            In order.
        """
        return np.asarray(list(self.columns_), dtype=object)

    def _check(self, X: pd.DataFrame) -> None:
        if not hasattr(self, "columns_"):
            message = "`FactorEncoder` is not fitted; call fit(X) first"
            raise NotFittedError(message)
        missing = [name for name in self.dtypes_ if name not in X.columns]
        if missing:
            message = f"`X` must have the fitted columns; missing: {', '.join(missing)}"
            raise ValueError(message)
        for name, codes in self.dtypes_.items():
            dtype = X[name].dtype
            found = (
                tuple(str(code) for code in dtype.categories)
                if isinstance(dtype, pd.CategoricalDtype)
                else None
            )
            if found != codes:
                wanted = "numbers" if codes is None else f"the levels {', '.join(codes)}"
                message = f"`X[{name!r}]` must hold {wanted}, as the fitted frame; convert it"
                raise ValueError(message)


def nominal_factors(X: pd.DataFrame) -> list[str]:
    """
    Name the factors whose levels have no order and are more than two.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Typed predictors.

    Returns
    -------
    list of str
        In the order of `X`. Two levels are the same with and without order.

    Examples
    --------
    >>> site = pd.Categorical(["a", "c", "b"])
    >>> stage = pd.Categorical(["a", "c", "b"], ordered=True)
    >>> nominal_factors(pd.DataFrame({"site": site, "stage": stage, "age": [50, 60, 70]}))
    ['site']
    """
    return [
        str(name)
        for name, dtype in X.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype)
        and not dtype.ordered
        and len(dtype.categories) > 2
    ]


def level_codes(X: pd.DataFrame) -> pd.DataFrame:
    """
    Give each level of a factor its number, which is what a forest sees.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Typed predictors.

    Returns
    -------
    DataFrame of shape (n_patients, n_predictors)
        Float; levels as 0 (the reference) to k - 1, NaN where missing, numbers unchanged.

    Examples
    --------
    >>> sex = pd.Categorical(["2", None, "1"], categories=["1", "2"])
    >>> level_codes(pd.DataFrame({"sex": sex}))["sex"].tolist()
    [1.0, nan, 0.0]
    """
    columns = {}
    for name in X.columns:
        if isinstance(X[name].dtype, pd.CategoricalDtype):
            codes = X[name].cat.codes.to_numpy(dtype=np.float64)
            columns[name] = np.where(codes < 0, np.nan, codes)
        else:
            columns[name] = X[name].to_numpy(dtype=np.float64)
    return pd.DataFrame(columns, index=X.index, columns=list(X.columns), dtype=np.float64)
