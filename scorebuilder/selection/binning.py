"""Values replaced by small whole numbers, on which trees grow and are walked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.selection.arrays import CodeArray

MOST_LEVELS = 255
LEVELS = (str, bool, int, float)


@dataclass(frozen=True)
class ColumnBins:
    """
    The codes of one column.

    Attributes
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Ordered column: increasing; the code of x is the number of thresholds below x, so that
        code <= j means x <= thresholds[j]. Empty for a categorical column.
    levels : tuple or None
        Categorical column: its levels; the code is the place of the level.
    """

    thresholds: FloatArray
    levels: tuple[Any, ...] | None = None

    @property
    def n_codes(self) -> int:
        """Codes of values that are not missing."""
        return self.thresholds.size + 1 if self.levels is None else len(self.levels)


@dataclass(frozen=True)
class Binning:
    """
    The codes of all columns.

    Attributes
    ----------
    names : tuple of str
        The columns.
    columns : tuple of ColumnBins
        One for each.
    dtype : numpy.dtype
        Unsigned; its largest value is the code of a missing value, and of a level that `fit` did
        not see.
    single_precision : bool
        Values are rounded to single precision before they are compared.
    """

    names: tuple[str, ...]
    columns: tuple[ColumnBins, ...]
    dtype: np.dtype[Any]
    single_precision: bool = False

    @property
    def missing_code(self) -> int:
        """The code of a missing value."""
        return int(np.iinfo(self.dtype).max)

    def codes(self, X: pd.DataFrame) -> CodeArray:
        """
        Replace values by codes.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_columns)
            Holds at least the columns; others are ignored.

        Returns
        -------
        ndarray of shape (n_patients, n_features)
            In C order.

        Raises
        ------
        ValueError
            If a column is absent, not numeric, or holds infinite values.
        """
        X = named_columns(X)
        absent = [name for name in self.names if name not in X.columns]
        if absent:
            message = f"`X` lacks columns of `fit`: {', '.join(absent)}"
            raise ValueError(message)
        chosen = X[list(self.names)]
        check_columns(chosen, [c.levels is not None for c in self.columns])
        codes = np.empty((len(X), len(self.names)), dtype=self.dtype)
        for place, (name, bins) in enumerate(zip(self.names, self.columns, strict=True)):
            codes[:, place] = self._column_codes(chosen[name], bins)
        return codes

    def _column_codes(self, column: pd.Series, bins: ColumnBins) -> CodeArray:
        if bins.levels is not None:
            found = pd.Index(bins.levels).get_indexer(pd.Index(_plain(column).to_numpy()))
            return np.where(found < 0, self.missing_code, found).astype(self.dtype)
        values = numbers(column)
        if self.single_precision:
            values = values.astype(np.float32).astype(np.float64)
        found = np.searchsorted(bins.thresholds, values, side="left")
        return np.where(np.isnan(values), self.missing_code, found).astype(self.dtype)


def bin_columns(X: pd.DataFrame, *, n_bins: int, categorical: Sequence[str]) -> Binning:
    """
    Choose the codes of all columns.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        Development patients; NaN is missing.
    n_bins : int
        Most codes of a column, one of them kept for missing values; 3 to 256.
    categorical : sequence of str
        Columns whose numbers or labels have no order.

    Returns
    -------
    Binning
        A column with at most `n_bins` - 1 distinct values keeps them all apart; of others each
        code holds about as many patients.

    Raises
    ------
    ValueError
        If a column is not numeric or holds infinite values, a categorical one has more than 255
        levels, or `n_bins` is outside its range.

    Notes
    -----
    A threshold lies midway between the largest value of a bin and the smallest of the next.
    """
    if not 3 <= n_bins <= MOST_LEVELS + 1:
        message = f"`n_bins` must lie in 3..{MOST_LEVELS + 1}; got {n_bins}"
        raise ValueError(message)
    X = named_columns(X)
    names = tuple(X.columns)
    is_categorical = [name in set(categorical) for name in names]
    check_columns(X, is_categorical)
    columns = tuple(
        _categorical_bins(name, X[name]) if unordered else _ordered_bins(X[name], n_bins - 1)
        for name, unordered in zip(names, is_categorical, strict=True)
    )
    return Binning(names, columns, np.dtype(np.uint8))


def code_values(X: pd.DataFrame, binning: Binning, codes: CodeArray) -> FloatArray:
    """
    Say what the codes of ordered columns stand for.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        The patients of `bin_columns`.
    binning : Binning
        Chosen on them.
    codes : ndarray of uint8 of shape (n_patients, n_features)
        Theirs.

    Returns
    -------
    ndarray of shape (n_features, 255)
        Midway between the smallest and the largest value of each code, ascending; 0 where there is
        no such code, and in categorical columns.
    """
    values = np.zeros((len(binning.names), MOST_LEVELS))
    for place, (name, bins) in enumerate(zip(binning.names, binning.columns, strict=True)):
        if bins.levels is not None:
            continue
        column = numbers(X[name])
        known = ~np.isnan(column)
        smallest, largest = np.full(bins.n_codes, np.inf), np.full(bins.n_codes, -np.inf)
        if known.any():
            np.minimum.at(smallest, codes[known, place], column[known])
            np.maximum.at(largest, codes[known, place], column[known])
            values[place, : bins.n_codes] = smallest + 0.5 * (largest - smallest)
    return values


def named_columns(X: Any) -> pd.DataFrame:
    """
    Return a table with names as text, or say why it cannot be used.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        At least one column.

    Returns
    -------
    DataFrame
        The same values.

    Raises
    ------
    TypeError
        If `X` is not a data frame.
    ValueError
        If it has no column, or two of the same name; names them.
    """
    if not isinstance(X, pd.DataFrame):
        message = f"`X` must be a pandas DataFrame with named columns; got {type(X).__name__}"
        raise TypeError(message)
    names = [str(name) for name in X.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        message = f"`X` must have distinct column names; repeated: {', '.join(repeated)}"
        raise ValueError(message)
    if not names:
        message = "`X` must have at least one column"
        raise ValueError(message)
    return X.set_axis(names, axis=1)


def numbers(column: pd.Series) -> FloatArray:
    """
    Return a numeric column as floats.

    Parameters
    ----------
    column : Series
        Numeric or logical, with any kind of missing value.

    Returns
    -------
    ndarray of shape (n_patients,)
        NaN where missing.
    """
    values: FloatArray = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def check_columns(X: pd.DataFrame, is_categorical: Sequence[bool]) -> None:
    """
    Refuse columns that cannot be compared with thresholds.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_features)
        Any table.
    is_categorical : sequence of bool
        Columns whose values have no order; not checked.

    Raises
    ------
    ValueError
        If an ordered column is not numeric, or holds infinite values; names the columns.
    """
    ordered = [name for name, skip in zip(X.columns, is_categorical, strict=True) if not skip]
    text = [str(name) for name in ordered if not pd.api.types.is_numeric_dtype(X[name].dtype)]
    if text:
        message = (
            f"columns of `X` must be numeric; these are not: {', '.join(text)}. Encode them, or "
            "name them in `categorical_features`."
        )
        raise ValueError(message)
    counts = {str(name): int(np.isinf(numbers(X[name])).sum()) for name in ordered}
    infinite = [f"{name} ({count})" for name, count in counts.items() if count]
    if infinite:
        message = f"columns of `X` must be finite; infinite values: {', '.join(infinite)}"
        raise ValueError(message)


def _plain(column: pd.Series) -> pd.Series:
    """Truth values are the numbers 0 and 1, whatever a table calls them."""
    return column.astype("Int8") if pd.api.types.is_bool_dtype(column.dtype) else column


def _categorical_bins(name: str, column: pd.Series) -> ColumnBins:
    levels = pd.unique(_plain(column).dropna()).tolist()
    odd = sorted({type(level).__name__ for level in levels if not isinstance(level, LEVELS)})
    if odd or getattr(column.dtype, "kind", "O") in "mM":
        message = (
            f"categorical column `{name}` holds {', '.join(odd) or 'dates or times'}; its levels "
            "must be texts or finite numbers. Turn them into text."
        )
        raise ValueError(message)
    if not all(isinstance(level, str) or np.isfinite(level) for level in levels):
        message = f"categorical column `{name}` holds an infinite number; make it missing"
        raise ValueError(message)
    levels.sort(key=lambda level: (type(level).__name__, level))
    if len(levels) > MOST_LEVELS:
        message = (
            f"categorical column `{name}` has {len(levels)} levels; at most {MOST_LEVELS} can be "
            "told apart. Merge rare levels."
        )
        raise ValueError(message)
    return ColumnBins(np.empty(0), tuple(levels))


def _ordered_bins(column: pd.Series, most: int) -> ColumnBins:
    values = numbers(column)
    values = np.sort(values[~np.isnan(values)])
    distinct = np.unique(values)
    if distinct.size > most:
        levels = np.arange(1, most) / most
        last = np.unique(np.quantile(values, levels, method="inverted_cdf"))
        at = np.searchsorted(distinct, last)
        at = at[at < distinct.size - 1]
    else:
        at = np.arange(distinct.size - 1)
    lower, upper = distinct[at], distinct[at + 1]
    middle = lower + 0.5 * (upper - lower)
    # Neighbouring floats have no number between them.
    return ColumnBins(np.where(middle < upper, middle, lower))
