"""From the cells of one column to typed values, and the rules that cells break."""

from __future__ import annotations

import datetime
import functools
import math
import numbers
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.schema import Dialect, Field
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.core.errors import Violation
from scorebuilder.core.units import conversion

ROWS_SHOWN = 5
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class ParsedColumn:
    """
    Values of one column and what is wrong with them.

    Attributes
    ----------
    series : Series
        float64 for numbers, categorical for factors, text for names, datetime64 for dates; cells
        that could not be read are missing here and counted in `violations`.
    violations : tuple of Violation
        Every rule that the column breaks.
    """

    series: pd.Series
    violations: tuple[Violation, ...]


def breaks(column: str, rule: str, wrong: BoolArray, remedy: str) -> list[Violation]:
    """
    State a violation for the rows that break a rule.

    Parameters
    ----------
    column : str
        Name of the column.
    rule : str
        What is required.
    wrong : ndarray of bool of shape (n_rows,)
        True where the rule is broken.
    remedy : str
        What to do.

    Returns
    -------
    list of Violation
        Empty if no row breaks the rule.
    """
    rows = np.flatnonzero(wrong)
    if rows.size == 0:
        return []
    shown = tuple(int(row) + 1 for row in rows[:ROWS_SHOWN])
    return [Violation(column, rule, int(rows.size), remedy, shown)]


def parse_column(cells: pd.Series, field: Field, dialect: Dialect | None = None) -> ParsedColumn:
    """
    Read the cells of a column as its field says.

    Parameters
    ----------
    cells : Series
        Text as in a file, or values as in a typed table.
    field : Field
        Meaning of the column.
    dialect : Dialect, optional
        How text is written; the default dialect if not given.

    Returns
    -------
    ParsedColumn
        Numbers are converted to the unit of the field.
    """
    dialect = dialect or Dialect()
    cells = _without_single_precision(cells.reset_index(drop=True), dialect)
    if not (field.kind == "numeric" and pd.api.types.is_numeric_dtype(cells.dtype)):
        cells = cells.astype(object)
    if field.role == "id":
        values, violations = _parse_names(cells, field, dialect)
    elif field.is_date:
        values, violations = _parse_dates(cells, field, dialect)
    elif field.kind == "numeric":
        values, violations = _parse_numbers(cells, field, dialect)
    else:
        values, violations = _parse_levels(cells, field, dialect)
    if field.required and field.role != "id":
        missing = np.array(_each(cells, lambda cell: _is_missing(cell, dialect)), dtype=bool)
        remedy = "Fill the cells, or drop `required` from the schema."
        violations += breaks(field.name, "no cell may be missing", missing, remedy)
    if field.unique and field.role != "id":
        repeated = (values.duplicated(keep=False) & values.notna()).to_numpy()
        remedy = "Correct the cells, or drop `unique` from the schema."
        violations += breaks(field.name, "no value may occur twice", repeated, remedy)
    return ParsedColumn(values, tuple(violations))


def _without_single_precision(cells: pd.Series, dialect: Dialect) -> pd.Series:
    """Widen float32, and blank the missing codes before: -9.9 has another value in float32."""
    if cells.dtype != np.float32:
        return cells
    wide = np.array(sorted(_missing_numbers(dialect)), dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        codes = wide.astype(np.float32)
    codes = codes[np.isclose(codes, wide, rtol=1e-6, atol=0.0)]
    return cells.mask(cells.isin(codes)).astype(np.float64)


def _each(cells: pd.Series, read: Callable[[Any], Any]) -> list[Any]:
    """Read each cell, but each distinct text only once."""
    known: dict[str, Any] = {}
    result = []
    for cell in cells:
        if isinstance(cell, str):
            if cell not in known:
                known[cell] = read(cell.strip())
            result.append(known[cell])
        else:
            result.append(read(cell))
    return result


def _is_missing(cell: Any, dialect: Dialect) -> bool:
    if isinstance(cell, str):
        return cell in dialect.missing or not cell
    if not pd.api.types.is_scalar(cell):
        return False
    if cell is None or bool(pd.isna(cell)):
        return True
    is_number = isinstance(cell, numbers.Real | Decimal) and not isinstance(cell, bool | np.bool_)
    return is_number and float(cell) in _missing_numbers(dialect)


def _read_number(cell: Any, dialect: Dialect) -> float | None:
    """Return the number in a cell; NaN if it is missing, None if it is no number."""
    if _is_missing(cell, dialect):
        return math.nan
    if isinstance(cell, numbers.Real | Decimal | np.bool_):
        return float(cell)
    if not isinstance(cell, str):
        return None
    if _INFINITE.fullmatch(cell):
        return -math.inf if cell.startswith("-") else math.inf
    text = cell
    if dialect.group and dialect.group in cell:
        group, mark = re.escape(dialect.group), re.escape(dialect.decimal)
        if not re.fullmatch(rf"[+-]?\d{{1,3}}({group}\d{{3}})+({mark}\d*)?", cell):
            return None
        text = cell.replace(dialect.group, "")
    if dialect.decimal != ".":
        text = text.replace(".", "?").replace(dialect.decimal, ".")
    return float(text) if _NUMBER.fullmatch(text) else None


@functools.cache
def _missing_numbers(dialect: Dialect) -> frozenset[float]:
    """Missing codes that are numbers, such as -9: they are missing in a typed table, too."""
    plain = Dialect(decimal=dialect.decimal, missing=("",))
    read = (_read_number(code, plain) for code in dialect.missing if code)
    return frozenset(number for number in read if number is not None)


def _cells_to_numbers(cells: pd.Series, dialect: Dialect) -> tuple[FloatArray, BoolArray]:
    """Return the numbers, NaN where missing or unreadable, and where a cell is no number."""
    values: FloatArray
    if cells.dtype == object:
        read = _each(cells, lambda cell: _read_number(cell, dialect))
        text = np.array([number is None for number in read], dtype=np.bool_)
        values = np.array([math.nan if number is None else number for number in read], dtype=float)
    else:
        text = np.zeros(len(cells), dtype=np.bool_)
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    values[np.isin(values, list(_missing_numbers(dialect)))] = np.nan
    return values, text


def _parse_numbers(
    cells: pd.Series, field: Field, dialect: Dialect
) -> tuple[pd.Series, list[Violation]]:
    values, text = _cells_to_numbers(cells, dialect)
    remedy = (
        f"Correct the cells, or state `missingValues` or `decimalChar` (now `{dialect.decimal}`) "
        "in the dialect of the schema."
    )
    violations = breaks(field.name, "every cell must be a number", text, remedy)
    infinite = np.isinf(values)
    violations += breaks(
        field.name, "numbers must be finite", infinite, "Correct the cells, or leave them blank."
    )
    values[infinite] = np.nan
    if field.type == "integer":
        fraction = np.isfinite(values) & (values != np.round(values))
        remedy = "Correct the cells, or write `type: number` in the schema."
        violations += breaks(field.name, "numbers must be whole", fraction, remedy)
    source = field.source_unit or field.unit
    if source != field.unit:
        factor, offset = conversion(source, field.unit, analyte=field.analyte)
        values = factor * values + offset
    violations += _outside(values, field)
    return pd.Series(values, name=field.name, dtype=np.float64), violations


def _outside(values: FloatArray, field: Field) -> list[Violation]:
    low, high = field.hard_range
    wrong = np.zeros(values.size, dtype=bool)
    if low is not None:
        wrong |= values < low
    if high is not None:
        wrong |= values > high
    unit = f" {field.unit}" if field.unit and field.unit != "1" else ""
    if low is not None and high is not None:
        rule = f"values must lie between {low:g} and {high:g}{unit}"
    elif low is not None:
        rule = f"values must be at least {low:g}{unit}"
    else:
        rule = f"values must be at most {high:g}{unit}" if high is not None else ""
    remedy = "Correct the values, or check the unit (`sb:source_unit`) in the schema."
    return breaks(field.name, rule, wrong, remedy)


def _read_code(cell: Any, dialect: Dialect) -> str | None:
    """Return the code in a cell, None if it is missing; whole numbers are written without point."""
    if _is_missing(cell, dialect):
        return None
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool | np.bool_):
        return str(int(cell))
    if isinstance(cell, numbers.Integral):
        return str(int(cell))
    if isinstance(cell, numbers.Real) and float(cell).is_integer():
        return str(int(float(cell)))
    if isinstance(cell, Decimal) and cell.is_finite() and cell == int(cell):
        return str(int(cell))
    return str(cell)


def _parse_levels(
    cells: pd.Series, field: Field, dialect: Dialect
) -> tuple[pd.Series, list[Violation]]:
    codes = _each(cells, lambda cell: _read_code(cell, dialect))
    if not field.levels:
        return pd.Series(pd.Categorical(codes), name=field.name), []
    known = set(field.codes)
    wrong = np.array([code is not None and code not in known for code in codes], dtype=bool)
    rule = f"levels must be one of {', '.join(field.codes)}"
    remedy = "Correct the cells, or add the level or a missing code to the schema."
    dtype = pd.CategoricalDtype(list(field.codes), ordered=field.kind == "ordinal")
    kept = [code if code in known else None for code in codes]
    values = pd.Series(pd.Categorical(kept, dtype=dtype), name=field.name)
    return values, breaks(field.name, rule, wrong, remedy)


def _parse_names(
    cells: pd.Series, field: Field, dialect: Dialect
) -> tuple[pd.Series, list[Violation]]:
    names = _each(cells, lambda cell: _read_code(cell, dialect))
    values = pd.Series(names, name=field.name, dtype=object)
    missing = values.isna()
    repeated = (values.duplicated(keep=False) & ~missing).to_numpy()
    violations = breaks(
        field.name, "every patient must have a name", missing.to_numpy(), "Fill the cells."
    )
    remedy = "Keep one row for each patient."
    violations += breaks(field.name, "no name may occur twice", repeated, remedy)
    return values, violations


def _parse_dates(
    cells: pd.Series, field: Field, dialect: Dialect
) -> tuple[pd.Series, list[Violation]]:
    def read(cell: Any) -> Any:
        if isinstance(cell, str):
            return pd.to_datetime(cell, format=field.format, errors="coerce")
        if not isinstance(cell, datetime.date):
            return pd.NaT
        try:
            return pd.Timestamp(cell).tz_localize(None).as_unit("ns")
        except (pd.errors.OutOfBoundsDatetime, OverflowError):
            return pd.NaT

    missing = np.array(_each(cells, lambda cell: _is_missing(cell, dialect)), dtype=bool)
    dates = [
        pd.NaT if skip else date for skip, date in zip(missing, _each(cells, read), strict=True)
    ]
    values = pd.Series(dates, name=field.name, dtype="datetime64[ns]")
    wrong = values.isna().to_numpy() & ~missing
    rule = f"every cell must be a date written as {field.format}"
    return values, breaks(field.name, rule, wrong, "Correct the cells, or `format` in the schema.")
