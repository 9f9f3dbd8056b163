"""New predictors that a site offers to a score: who has them, and their terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.encode import FactorEncoder
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.cohort.schema_file import nearest
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import CohortError, SpecError, Violation
from scorebuilder.score.apply import term_value
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.compose import predictor_entry
from scorebuilder.score.monitoring import rounded


def check_offered(artifact: ScoreArtifact, schema: CohortSchema, offered: Sequence[str]) -> None:
    """
    Refuse columns that cannot be new predictors of a score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    schema : CohortSchema
        Of the site.
    offered : sequence of str
        Columns.

    Raises
    ------
    SpecError
        If a column is no predictor of the schema, is an input of the score already, or is named
        twice.
    """
    known = [field.name for field in schema.predictors]
    for place, name in enumerate(offered):
        if name not in known:
            message = f"the site's schema has no predictor `{name}`{nearest(name, known)}"
        elif name in artifact.predictors:
            message = f"`{name}` is an input of the score already, so it cannot be a new one"
        elif name in offered[:place]:
            message = f"`{name}` is offered twice"
        else:
            continue
        raise SpecError(message)


def with_offered(cohort: Cohort, offered: Sequence[str]) -> tuple[Cohort, int]:
    """
    Keep the patients of whom all new predictors are known.

    Parameters
    ----------
    cohort : Cohort
        Patients of the site.
    offered : sequence of str
        New predictors.

    Returns
    -------
    cohort : Cohort
        With known values of all `offered`.
    n_left_out : int
        Patients without.

    Raises
    ------
    CohortError
        If nobody has them all, or one has the same value in everybody who has.
    """
    if not offered:
        return cohort, 0
    known = cohort.X[list(offered)].notna().all(axis=1).to_numpy(dtype=np.bool_)
    X = cohort.X.loc[known]
    rule = "must have two values or more in patients who have all new predictors"
    constant = [Violation(name, rule) for name in offered if X[name].nunique() < 2]
    if constant:
        raise CohortError(constant, source=f"schema of {cohort.schema.name}")
    kept = replace(
        cohort,
        X=X,
        y=cohort.y[known],
        strata=cohort.strata.loc[known],
        ids=None if cohort.ids is None else cohort.ids.loc[known],
    )
    return kept, int(np.sum(~known))


def offered_terms(X: pd.DataFrame, offered: Sequence[str]) -> list[dict[str, Any]]:
    """
    Write the terms of new predictors, without their coefficients.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Patients of whom the new predictors are known.
    offered : sequence of str
        New predictors.

    Returns
    -------
    list of dict
        A number gives one straight term, centred at its rounded mean; a factor gives the
        indicators of `FactorEncoder` for the levels that the patients have.
    """
    terms: list[dict[str, Any]] = []
    for name in offered:
        values = X[name]
        if isinstance(values.dtype, pd.CategoricalDtype):
            values = values.cat.remove_unused_categories()
        for column in FactorEncoder().fit(values.to_frame()).columns_.values():
            if column.levels is not None:
                terms.append(
                    {"kind": "indicator", "predictor": name, "levels": list(column.levels),
                     "center": 0.0}
                )  # fmt: skip
                continue
            terms.append(
                {"kind": "power", "predictor": name, "shift": 0.0, "scale": 1.0, "power": 1.0,
                 "log_factor": 0, "center": rounded(float(values.mean()))}
            )  # fmt: skip
    return terms


def term_columns(terms: Sequence[dict[str, Any]], X: pd.DataFrame) -> FloatArray:
    """
    Compute the columns of terms.

    Parameters
    ----------
    terms : sequence of dict
        Terms in the form of the artifact.
    X : DataFrame of shape (n_patients, n_predictors)
        Complete inputs.

    Returns
    -------
    ndarray of shape (n_patients, n_terms)
        Centred.
    """
    columns = [term_value(term, X[term["predictor"]]) for term in terms]
    return np.column_stack(columns) if columns else np.empty((len(X), 0))


def offered_entries(
    schema: CohortSchema, X: pd.DataFrame, offered: Sequence[str]
) -> list[dict[str, Any]]:
    """
    Describe new predictors as inputs of the score.

    Parameters
    ----------
    schema : CohortSchema
        Of the site.
    X : DataFrame of shape (n_patients, n_predictors)
        Patients of the site.
    offered : sequence of str
        New predictors.

    Returns
    -------
    list of dict
        Entries of the artifact; a patient without the value is refused.
    """
    return [predictor_entry(schema.field(name), X[name], {"policy": "refuse"}) for name in offered]
