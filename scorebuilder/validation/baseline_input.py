"""One input of an established score, and the check of every value before it is used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class BaselineInput:
    """
    An input of an established score.

    Attributes
    ----------
    name : str
        Column name, with the unit in it.
    concept : str
        What is measured, whatever the unit; a schema maps its columns to concepts.
    label : str
        For tables.
    kind : {"numeric", "binary", "category"}
        Binary inputs are 0 or 1.
    unit : str
        UCUM unit of numeric inputs.
    analyte : str
        Quantity for unit conversion.
    hard_range : tuple of float, optional
        Inclusive limits of numeric inputs, in `unit`.
    completed_units : bool
        True if the upper limit counts completed units: age 69.5 lies inside 40-69.
    levels : tuple of str
        Allowed levels of category inputs.
    optional : bool
        True if the column may be left out.
    setting : bool
        True if it describes the place and not the patient (a risk region).
    excluded : tuple of (float or str, str)
        Values for which the score is undefined, each with the reason.
    """

    name: str
    concept: str
    label: str
    kind: Literal["numeric", "binary", "category"]
    unit: str = ""
    analyte: str = ""
    hard_range: tuple[float, float] | None = None
    completed_units: bool = False
    levels: tuple[str, ...] = ()
    optional: bool = False
    setting: bool = False
    excluded: tuple[tuple[float | str, str], ...] = ()

    @property
    def need(self) -> str:
        """What the column must hold, in words."""
        if self.kind == "binary":
            return f"{self.label}: 0 or 1"
        if self.kind == "category":
            return f"{self.label}: {' or '.join(self.levels)}"
        return f"{self.label} in {self.unit}"


def check_input(item: BaselineInput, column: pd.Series) -> tuple[np.ndarray[Any, Any], Any]:
    """
    Read one column, and say for each row what is wrong with it.

    Parameters
    ----------
    item : BaselineInput
        What the column must hold.
    column : Series
        Numbers, or text that is a plain decimal number; text for categories. Booleans are
        refused, because a table that holds them may mean anything by them.

    Returns
    -------
    values : ndarray of shape (n_patients,)
        Float, or text for categories; undefined where a reason stands.
    reasons : ndarray of str of shape (n_patients,)
        ``""`` where the value can be used.
    """
    if item.kind == "category":
        return _check_category(item, column)
    values, reasons = _read_numbers(item, column)
    valid = reasons == ""
    if item.kind == "binary":
        wrong = valid & ~np.isin(values, (0.0, 1.0))
        reasons[wrong] = f"`{item.name}` is not 0 or 1"
    elif item.hard_range is not None:
        low, high = item.hard_range
        too_high = values >= high + 1.0 if item.completed_units else values > high
        reasons[valid & ((values < low) | too_high)] = f"`{item.name}` outside {low:g}-{high:g}"
    for value, reason in item.excluded:
        reasons[(reasons == "") & (values == value)] = reason
    return values, reasons


def _check_category(item: BaselineInput, column: pd.Series) -> tuple[np.ndarray[Any, Any], Any]:
    raw = column.to_numpy(dtype=object)
    missing = np.asarray(pd.isna(column), dtype=np.bool_)
    missing |= np.array([isinstance(value, str) and not value.strip() for value in raw], np.bool_)
    known = np.array([isinstance(value, str) and value in item.levels for value in raw], np.bool_)
    reasons = np.full(raw.size, "", dtype=object)
    reasons[~known] = f"`{item.name}` is not {' or '.join(item.levels)}"
    reasons[missing] = f"`{item.name}` missing"
    values = np.where(known, raw, "")
    for value, reason in item.excluded:
        reasons[(reasons == "") & (values == value)] = reason
    return values, reasons


def _read_numbers(item: BaselineInput, column: pd.Series) -> tuple[np.ndarray[Any, Any], Any]:
    reasons = np.full(len(column), "", dtype=object)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        values = column.to_numpy(dtype=np.float64)
        missing = np.isnan(values)
    else:
        raw = column.to_numpy(dtype=object)
        values = np.array([_number(value) for value in raw], dtype=np.float64)
        missing = np.array([_is_missing(value) for value in raw], dtype=np.bool_)
        reasons[np.isnan(values)] = f"`{item.name}` is not a number"
    reasons[np.isinf(values)] = f"`{item.name}` is not finite"
    reasons[missing] = f"`{item.name}` missing"
    return values, reasons


def _is_missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, str):
        return not value.strip()
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _number(value: Any) -> float:
    """Return the value as float; NaN if it is not plainly a number."""
    if isinstance(value, bool | np.bool_):
        return np.nan
    if isinstance(value, str):
        text = value.strip()
        if text.lower() in {"inf", "+inf", "-inf", "infinity", "-infinity"}:
            return np.inf
        return float(text) if _NUMBER.fullmatch(text) else np.nan
    if isinstance(value, int | float | np.integer | np.floating | Decimal):
        try:
            return float(value)
        except (OverflowError, ValueError):
            return np.nan
    return np.nan
