"""Any table of inputs, as programs hand it over, becomes numbers and level codes, or an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.parse import breaks, parse_column
from scorebuilder.cohort.schema import Field, Level
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.score.artifact import ScoreArtifact

UNKNOWN_CODE = "not a level of the score"
"""Stands for every code that the score does not know."""
_BOTH = {"0", "1"}


def typed_inputs(artifact: ScoreArtifact, frame: pd.DataFrame) -> pd.DataFrame:
    """
    Read the predictors of a score from a table of any column types.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    frame : DataFrame
        Numbers of any width, also nullable, or as text with a decimal point; level codes as text,
        whole numbers or categories. Other columns are ignored, and so is the index.

    Returns
    -------
    DataFrame
        One column for each predictor, in the order of the artifact: float64 (NaN = missing), or
        object with level codes (None = missing, `UNKNOWN_CODE` for every other code). A column that
        is absent is missing in all rows, if the score fills it.

    Raises
    ------
    CohortError
        All at once: a column that the score needs and the table lacks, one that stands twice, text
        in numbers, truth values where the codes are not 0 and 1. Names columns, counts and rows
        only.
    """
    if len(frame) == 0 and len(frame.columns):
        raise CohortError([Violation("", "the table has no rows", 0, "Give at least one patient")])
    names = [str(name) for name in frame.columns]
    columns: dict[str, Any] = {}
    violations: list[Violation] = []
    for predictor in artifact.scoring["predictors"]:
        name = predictor["id"]
        found = names.count(name)
        if found == 1:
            cells = frame.iloc[:, names.index(name)].reset_index(drop=True)
            values, wrong = _read(predictor, cells)
            violations += wrong
        else:
            values = pd.Series([None] * len(frame), dtype=object)
            violations += _absent(predictor) if found == 0 else _repeated(name, found)
        columns[name] = values.astype(np.float64) if predictor["type"] == "numeric" else values
    if violations:
        raise CohortError(violations, source="the table")
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def _absent(predictor: Mapping[str, Any]) -> list[Violation]:
    if predictor["missing"]["policy"] == "impute":
        return []
    remedy = f"Add it ({predictor['label']}{_unit(predictor)}); blank cells are allowed"
    return [Violation(predictor["id"], "the score needs this column", 0, remedy)]


def _repeated(name: str, found: int) -> list[Violation]:
    rule = f"the table must name it once; it stands {found} times"
    return [Violation(name, rule, 0, "Rename or remove all but one")]


def _unit(predictor: Mapping[str, Any]) -> str:
    unit = str(predictor["unit"])
    return f", in {unit}" if unit and unit != "1" else ""


def _read(predictor: Mapping[str, Any], cells: pd.Series) -> tuple[pd.Series, list[Violation]]:
    numeric = predictor["type"] == "numeric"
    codes = [str(level["code"]) for level in predictor["levels"]]
    truth = np.array([isinstance(cell, bool | np.bool_) for cell in cells], dtype=np.bool_)
    if truth.any() and (numeric or set(codes) != _BOTH):
        rule = "truth values cannot be read"
        remedy = "Give numbers" if numeric else f"Give the codes {', '.join(codes)}"
        return pd.Series([None] * len(cells), dtype=object), breaks(
            predictor["id"], rule, truth, remedy + _unit(predictor)
        )
    field = Field(
        name=predictor["id"],
        label=predictor["label"],
        role="predictor",
        kind=predictor["type"],
        levels=tuple(Level(code, code) for code in codes),
    )
    return _numbers(predictor, cells, field) if numeric else (_codes(cells, field), [])


def _numbers(
    predictor: Mapping[str, Any], cells: pd.Series, field: Field
) -> tuple[pd.Series, list[Violation]]:
    # Infinite numbers concern one patient only, who is refused; they must not stop the table.
    infinite = np.array([isinstance(cell, float) and np.isinf(cell) for cell in cells])
    parsed = parse_column(cells.mask(infinite) if infinite.any() else cells, field)
    remedy = f"Convert the column to numbers{_unit(predictor)}, with a decimal point"
    violations = [replace(violation, remedy=remedy) for violation in parsed.violations]
    values = parsed.series.to_numpy(dtype=np.float64, copy=True)
    values[infinite] = np.inf
    return pd.Series(values), violations


def _codes(cells: pd.Series, field: Field) -> pd.Series:
    known = parse_column(cells, field).series.astype(object)
    blank = cells.isna() | cells.map(lambda cell: isinstance(cell, str) and not cell.strip())
    codes = known.where(known.notna(), None)
    return codes.mask(known.isna() & ~blank.astype(bool), UNKNOWN_CODE)
