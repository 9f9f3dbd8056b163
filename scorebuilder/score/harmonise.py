"""The predictors of an artifact from a cohort that may name, measure or code them otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.schema import Field
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.core.units import conversion, unit_text
from scorebuilder.score.artifact import ScoreArtifact


def harmonised(
    artifact: ScoreArtifact,
    cohort: Cohort,
    *,
    inputs: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """
    Return the predictors of a score in its own names, units and codes.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    cohort : Cohort
        Patients, typed by their schema.
    inputs : mapping of str to mapping, optional
        For a predictor that the cohort has otherwise: ``{"column": name}``, with
        ``"levels": {code: level of the score}`` where it is coded otherwise.

    Returns
    -------
    DataFrame of shape (n_patients, n_predictors)
        Units converted where the audited table knows how; levels as text; NaN where missing.

    Raises
    ------
    CohortError
        Everything that does not fit, at once: an absent column, a number for a factor, a unit that
        cannot be converted, a level that the score does not know, values outside the hard range.
    """
    given = dict(inputs or {})
    violations = [
        Violation(name, "is no predictor of the score", 0, "Remove it from `inputs`")
        for name in given
        if name not in artifact.predictors
    ]
    columns: dict[str, Any] = {}
    for predictor in artifact.scoring["predictors"]:
        name = predictor["id"]
        entry = given.get(name, {"column": name})
        if entry["column"] not in cohort.X.columns:
            rule = "the score needs this predictor, and the schema has none of the name"
            remedy = f"Name the column in `inputs: {{{name}: {{column: ...}}}}`, or in the schema"
            violations.append(Violation(entry["column"], rule, 0, remedy))
            continue
        field, values = cohort.schema.field(entry["column"]), cohort.X[entry["column"]]
        if (field.kind == "numeric") != (predictor["type"] == "numeric"):
            rule = f"must be {predictor['type']}, as in the score; it is {field.kind}"
            violations.append(Violation(field.name, rule, 0, "Change its kind in the schema"))
        elif field.kind == "numeric":
            columns[name] = _number(predictor, field, values, violations)
        else:
            columns[name] = _factor(predictor, field, values, entry.get("levels"), violations)
    if violations:
        raise CohortError(violations, source=cohort.schema.name)
    return pd.DataFrame(columns, index=cohort.X.index, columns=artifact.predictors)


def _number(
    predictor: Mapping[str, Any], field: Field, values: pd.Series, violations: list[Violation]
) -> Any:
    try:
        factor, offset = conversion(field.unit, predictor["unit"], analyte=field.analyte)
    except ValueError:
        units = f"{unit_text(field.unit) or 'none'} in place of {unit_text(predictor['unit'])}"
        rule = f"the unit must be that of the score, or convertible; it is {units}"
        violations.append(Violation(field.name, rule, 0, "Convert the column"))
        return np.nan
    measured = factor * values.to_numpy(dtype=np.float64) + offset
    low, high = predictor["hard_range"]
    outside = np.zeros(measured.size, dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        if low is not None:
            outside |= measured < low
        if high is not None:
            outside |= measured > high
    if outside.any():
        rows = tuple(int(row) + 1 for row in np.flatnonzero(outside)[:5])
        rule = "values must lie in the range of the score"
        violations.append(
            Violation(field.name, rule, int(outside.sum()), "Check unit and values", rows)
        )
    return measured


def _factor(
    predictor: Mapping[str, Any],
    field: Field,
    values: pd.Series,
    levels: Mapping[str, Any] | None,
    violations: list[Violation],
) -> Any:
    codes = values.astype(object)
    if levels is not None:
        codes = codes.map({code: str(level) for code, level in levels.items()}).where(
            codes.notna(), np.nan
        )
        unmapped = int(np.sum(values.notna() & codes.isna()))
        if unmapped:
            rule = "every code of the column must be mapped to a level of the score"
            violations.append(Violation(field.name, rule, unmapped, "Complete `levels`"))
    known = [level["code"] for level in predictor["levels"]]
    wrong = codes.notna() & ~codes.isin(known)
    if wrong.any():
        rule = "levels must be those of the score"
        remedy = f"Use the codes {', '.join(known)}, or map them by `levels`"
        violations.append(Violation(field.name, rule, int(wrong.sum()), remedy))
    return codes
