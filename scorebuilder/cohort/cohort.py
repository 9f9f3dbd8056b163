"""A cohort: typed predictors, outcome in days, and how it came to be."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.cohort.attrition import Attrition, AttritionStep
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.cohort.schema_file import nearest
from scorebuilder.cohort.validate import ParsedTable, parse_table
from scorebuilder.core.arrays import BoolArray, Outcome
from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import CohortError
from scorebuilder.survival.outcome import make_outcome


@dataclass(frozen=True)
class Cohort:
    """
    Patients with known outcome, as their schema describes them.

    Attributes
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        float64 for numeric predictors, categorical (reference level first) for factors; NaN where
        missing.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` (bool) and ``time`` (float, days).
    ids : Series or None
        Names of the patients, if the schema has a column for them.
    strata : DataFrame of shape (n_patients, n_strata)
        Columns that divide the patients and are no predictors: clusters, subgroups, and the date of
        time zero. Categorical, float64 or datetime64; missing where not known.
    schema : CohortSchema
        What the columns mean.
    attrition : Attrition
        From the rows read to the patients analysed.
    data_sha256 : str
        Hash of the table as read; the same for CSV and Parquet of the same data.
    ignored_columns : tuple of str
        Columns of the table that the schema does not name.
    """

    X: pd.DataFrame
    y: Outcome
    ids: pd.Series | None
    strata: pd.DataFrame
    schema: CohortSchema
    attrition: Attrition
    data_sha256: str
    ignored_columns: tuple[str, ...] = ()

    def column(self, name: str) -> pd.Series:
        """
        Return a predictor or a stratum, to divide the patients by.

        Parameters
        ----------
        name : str
            Name of the column.

        Returns
        -------
        Series of shape (n_patients,)
            As it stands in `X` or `strata`.

        Raises
        ------
        KeyError
            If the cohort has no such column; names the nearest.
        """
        for frame in (self.strata, self.X):
            if name in frame.columns:
                return frame[name]
        known = [*self.strata.columns, *self.X.columns]
        message = f"the cohort has no column `{name}`{nearest(name, known)}"
        raise KeyError(message)


def make_cohort(frame: pd.DataFrame, schema: CohortSchema, *, source: str = "the data") -> Cohort:
    """
    Build a cohort from a table, or say everything that is wrong with it.

    Parameters
    ----------
    frame : DataFrame
        Text as read from a file, or typed values; one row for each patient.
    schema : CohortSchema
        What the columns mean.
    source : str
        Name of the table, for messages.

    Returns
    -------
    Cohort
        Patients with missing time or event are left out, and counted in its attrition.

    Raises
    ------
    CohortError
        If the table breaks its schema; lists all violations.
    """
    table = parse_table(frame, schema)
    if table.violations:
        raise CohortError(table.violations, source=source)
    kept = table.has_time & table.has_event
    names = [field.name for field in schema.predictors]
    columns = table.columns[kept].reset_index(drop=True)
    known = {field.name for field in schema.fields}
    return Cohort(
        X=columns[names],
        y=make_outcome(table.event[kept], table.time[kept]),
        strata=columns[[field.name for field in schema.strata]],
        ids=None if schema.id is None else columns[schema.id.name],
        schema=schema,
        attrition=_attrition(table, kept),
        data_sha256=hash_table(table.columns, schema),
        ignored_columns=tuple(str(name) for name in frame.columns if str(name) not in known),
    )


def _attrition(table: ParsedTable, kept: BoolArray) -> Attrition:
    def events(rows: BoolArray) -> int:
        return int(np.sum(table.event[rows] == 1))

    n_read = int(kept.size)
    has_time = table.has_time
    return Attrition(
        (
            AttritionStep("rows read", 0, n_read, events(np.ones(n_read, dtype=np.bool_))),
            AttritionStep(
                "follow-up time missing",
                int(np.sum(~has_time)), int(np.sum(has_time)), events(has_time),
            ),
            AttritionStep(
                "event indicator missing",
                int(np.sum(has_time & ~kept)), int(np.sum(kept)), events(kept),
            ),
            AttritionStep("analysed", 0, int(np.sum(kept)), events(kept)),
        )
    )  # fmt: skip


def hash_table(columns: pd.DataFrame, schema: CohortSchema) -> str:
    """
    Hash a typed table in the order of its schema.

    Parameters
    ----------
    columns : DataFrame
        Typed columns, as `parse_table` returns them.
    schema : CohortSchema
        Order and kinds of the columns.

    Returns
    -------
    str
        SHA-256; depends on values, names and order of rows, not on the file format, the order of
        columns in the file, or its ignored columns.
    """
    parts: list[bytes] = []
    for field in schema.read_fields:
        values = columns[field.name]
        head = json.dumps([field.name, field.role, field.kind, len(values)])
        parts.append(head.encode("utf-8") + b"\n")
        if pd.api.types.is_float_dtype(values.dtype):
            number = values.to_numpy(dtype=np.float64) + 0.0
            number = np.where(np.isnan(number), np.nan, number)
            parts.append(np.ascontiguousarray(number, dtype="<f8").tobytes())
        else:
            text = [None if pd.isna(value) else str(value) for value in values]
            parts.append(json.dumps(text, ensure_ascii=False).encode("utf-8"))
    return sha256(b"".join(parts))
