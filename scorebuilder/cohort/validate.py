"""Every rule of the schema that a table breaks, found in one pass."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.cohort.parse import breaks, parse_column
from scorebuilder.cohort.schema import CohortSchema, Dialect, Field
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.core.units import DAYS_PER_UNIT


@dataclass(frozen=True)
class ParsedTable:
    """
    A whole table, typed, with its outcome in days.

    Attributes
    ----------
    columns : DataFrame
        One typed column for each field that was found.
    time, event : ndarray of float of shape (n_rows,)
        Follow-up in days and event indicator; NaN where missing.
    violations : tuple of Violation
        Every rule that the table breaks.
    """

    columns: pd.DataFrame
    time: FloatArray
    event: FloatArray
    violations: tuple[Violation, ...]

    @property
    def has_time(self) -> BoolArray:
        """True where the time is known."""
        return np.asarray(~np.isnan(self.time), dtype=np.bool_)

    @property
    def has_event(self) -> BoolArray:
        """True where the event indicator is known."""
        return np.asarray(~np.isnan(self.event), dtype=np.bool_)


def validate_cohort(frame: pd.DataFrame, schema: CohortSchema) -> list[Violation]:
    """
    List every rule of the schema that a table breaks.

    Parameters
    ----------
    frame : DataFrame
        Text as read from a file, or typed values; one row for each patient.
    schema : CohortSchema
        What the columns mean.

    Returns
    -------
    list of Violation
        Empty if the table can be analysed. No violation holds a value of a patient.
    """
    return list(parse_table(frame, schema).violations)


def parse_table(frame: pd.DataFrame, schema: CohortSchema) -> ParsedTable:
    """
    Read all columns of a table, and judge the table as a whole.

    Parameters
    ----------
    frame : DataFrame
        Text as read from a file, or typed values.
    schema : CohortSchema
        What the columns mean.

    Returns
    -------
    ParsedTable
        Typed columns, the outcome in days, and every violation.
    """
    if frame.shape[0] == 0:
        empty = Violation("", "the table must have at least one row", 0, "Check the data file.")
        nothing = np.zeros(0)
        return ParsedTable(pd.DataFrame(), nothing, nothing, (empty,))
    columns, violations = _parse_fields(frame, schema.read_fields, schema.dialect)
    time, from_time = _time_in_days(columns, schema)
    event, from_event = _event(columns, schema)
    violations += from_time + from_event
    known = ~np.isnan(time) & ~np.isnan(event)
    if not any(violation.column in _outcome_columns(schema) for violation in violations):
        violations += _check_events(event[known], schema)
    broken = {violation.column for violation in violations}
    violations += _check_candidates(columns, known if known.any() else ~known, schema, broken)
    return ParsedTable(columns, time, event, tuple(violations))


def prepare_predictors(
    frame: pd.DataFrame, fields: Iterable[Field], *, dialect: Dialect | None = None
) -> pd.DataFrame:
    """
    Type the predictors of a new table, which needs no outcome.

    Parameters
    ----------
    frame : DataFrame
        Text as read from a file, or typed values; other columns are ignored.
    fields : iterable of Field
        The predictors wanted, for example those of a score.
    dialect : Dialect, optional
        How text is written; the default dialect if not given.

    Returns
    -------
    DataFrame
        One column for each field, in their order; float64 or categorical, NaN where missing.

    Raises
    ------
    CohortError
        If a column is missing, or a cell breaks its rule; lists all violations.
    """
    wanted = tuple(fields)
    columns, violations = _parse_fields(frame, wanted, dialect or Dialect())
    if violations:
        raise CohortError(violations, source="the table")
    return columns[[field.name for field in wanted]]


def _parse_fields(
    frame: pd.DataFrame, fields: Sequence[Field], dialect: Dialect
) -> tuple[pd.DataFrame, list[Violation]]:
    columns: dict[str, pd.Series] = {}
    violations: list[Violation] = []
    names = [str(name) for name in frame.columns]
    for field in fields:
        found = names.count(field.name)
        if found == 1:
            cells = frame.iloc[:, names.index(field.name)]
            parsed = parse_column(cells, field, dialect)
            columns[field.name] = parsed.series
            violations += parsed.violations
        elif found == 0:
            violations.append(_absent(field.name, names, fields))
        else:
            remedy = "Rename or remove all but one."
            rule = f"the header must name it once; it stands {found} times"
            violations.append(Violation(field.name, rule, 0, remedy))
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame))), violations


def _absent(name: str, names: Sequence[str], fields: Sequence[Field]) -> Violation:
    taken = {field.name for field in fields}
    free = {other.lower(): other for other in names if other not in taken}
    near = difflib.get_close_matches(name.lower(), list(free), n=1)
    if near:
        remedy = f"The nearest column of the table is `{free[near[0]]}`; rename it, or the field."
    else:
        remedy = "Add the column to the table, or take the field out of the schema."
    return Violation(name, "the column is missing from the table", 0, remedy)


def _outcome_columns(schema: CohortSchema) -> set[str]:
    roles = ("time", "event", "time_zero_date", "end_date")
    return {field.name for field in schema.fields if field.role in roles}


def _time_in_days(
    columns: pd.DataFrame, schema: CohortSchema
) -> tuple[FloatArray, list[Violation]]:
    nothing = np.full(len(columns), np.nan)
    field = schema.time
    if field is not None:
        if field.name not in columns:
            return nothing, []
        days = columns[field.name].to_numpy(dtype=np.float64) * DAYS_PER_UNIT[schema.time_unit]
        rule = "follow-up time must be above 0"
        remedy = "Correct the times, or exclude these patients before."
        return days, breaks(field.name, rule, days <= 0, remedy)
    start, end = schema.with_role("time_zero_date"), schema.with_role("end_date")
    if start is None or end is None or not {start.name, end.name} <= set(columns):
        return nothing, []
    days = ((columns[end.name] - columns[start.name]) / pd.Timedelta(days=1)).to_numpy()
    rule = f"the date must lie after `{start.name}`"
    return days, breaks(end.name, rule, days <= 0, "Correct one of the two dates.")


def _event(columns: pd.DataFrame, schema: CohortSchema) -> tuple[FloatArray, list[Violation]]:
    name = schema.event.name
    if name not in columns:
        return np.full(len(columns), np.nan), []
    event = columns[name].to_numpy(dtype=np.float64)
    wrong = ~np.isnan(event) & (event != 0) & (event != 1)
    remedy = (
        "Code the event as 1 and censoring as 0; competing events need a decision of their own."
    )
    return event, breaks(name, "the event must be 0 or 1", wrong, remedy)


def _check_events(event: FloatArray, schema: CohortSchema) -> list[Violation]:
    name = schema.event.name
    if event.size == 0:
        rule = "at least one row must have both time and event"
        return [Violation(name, rule, 0, "Check the columns of the outcome.")]
    if not np.any(event == 1):
        rule = "at least one patient must have the event"
        return [Violation(name, rule, 0, "Check the coding: 1 is the event.")]
    return []


def _check_candidates(
    columns: pd.DataFrame, known: BoolArray, schema: CohortSchema, broken: set[str]
) -> list[Violation]:
    """Columns that hold nothing, or always the same, among the patients with an outcome."""
    violations: list[Violation] = []
    remedy = "Give the column `sb:role: exclude` in the schema."
    for field in schema.predictors:
        if field.name not in columns or field.name in broken:
            continue
        values = columns[field.name][known].dropna()
        if values.empty:
            violations.append(Violation(field.name, "every cell is missing", 0, remedy))
        elif (values == values.iloc[0]).all():
            violations.append(Violation(field.name, "all patients have the same value", 0, remedy))
    usable = len(schema.predictors) - len(violations)
    if usable < 2:
        rule = f"at least two candidate predictors must be usable; {usable} can be used"
        violations.append(Violation("", rule, 0, "Mend or add predictors."))
    return violations
