"""Whether a cohort holds what a score needs, in its units and with its levels; and its scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.core.units import horizon_code, unit_text
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact


def check_schema_fits(artifact: ScoreArtifact, schema: CohortSchema) -> None:
    """
    Refuse a cohort whose columns mean something else than the inputs of a score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    schema : CohortSchema
        What the columns mean.

    Raises
    ------
    CohortError
        Every missing input, other kind, other unit and unknown level at once.
    """
    violations = []
    fields = {field.name: field for field in schema.predictors}
    for predictor in artifact.scoring["predictors"]:
        name = predictor["id"]
        field = fields.get(name)
        if field is None:
            violations.append(
                Violation(name, "is an input of the score, but no predictor of the schema")
            )
            continue
        if (field.kind == "numeric") != (predictor["type"] == "numeric"):
            rule = f"must be {predictor['type']}, as in the score; the schema says {field.kind}"
            violations.append(Violation(name, rule))
        elif (field.unit or "") != predictor["unit"]:
            rule = (
                f"must be in {unit_text(predictor['unit']) or 'no unit'}, as the score expects; "
                f"the schema says {unit_text(field.unit) or 'no unit'}"
            )
            remedy = "Let the schema convert it (`unit` and `source unit`)"
            violations.append(Violation(name, rule, remedy=remedy))
        known = {level["code"] for level in predictor["levels"]}
        unknown = [level.code for level in field.levels if level.code not in known]
        if predictor["type"] != "numeric" and len(unknown) == len(field.levels):
            rule = f"must have the levels of the score ({', '.join(sorted(known))})"
            violations.append(Violation(name, rule))
    if violations:
        raise CohortError(violations, source=f"schema of {schema.name}")


@dataclass(frozen=True)
class ScoredCohort:
    """
    What a score says of a cohort.

    Attributes
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Inputs of the patients who have a score.
    y : structured ndarray of shape (n_patients,)
        Their outcome.
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard.
    risk : ndarray of shape (n_patients, n_horizons)
        One column per horizon of the score.
    points, group : ndarray of int of shape (n_patients,)
        Points, and number of the risk group from 0.
    n_refused : int
        Patients of the cohort without a score.
    kept : ndarray of bool of shape (n_all,)
        Who of the whole cohort has a score.
    """

    X: pd.DataFrame
    y: Outcome
    linear_predictor: FloatArray
    risk: FloatArray
    points: IntArray
    group: IntArray
    n_refused: int
    kept: BoolArray


def outside_hard_range(artifact: ScoreArtifact, X: pd.DataFrame) -> BoolArray:
    """
    Find patients with an input that the score calls impossible.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Typed inputs.

    Returns
    -------
    ndarray of bool of shape (n_patients,)
        True where a known number lies beyond its hard range, or a level is not the score's.
    """
    wrong = np.zeros(len(X), dtype=np.bool_)
    for predictor in artifact.scoring["predictors"]:
        column = X[predictor["id"]]
        if predictor["type"] != "numeric":
            codes = [level["code"] for level in predictor["levels"]]
            wrong |= (column.notna() & ~column.astype(object).isin(codes)).to_numpy(dtype=np.bool_)
            continue
        low, high = predictor["hard_range"]
        values = column.to_numpy(dtype=np.float64)
        wrong |= values < (-np.inf if low is None else low)
        wrong |= values > (np.inf if high is None else high)
    return wrong


def score_cohort(artifact: ScoreArtifact, cohort: Cohort) -> ScoredCohort:
    """
    Score the patients of a cohort.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    cohort : Cohort
        Patients with an outcome.

    Returns
    -------
    ScoredCohort
        Those whom the score does not refuse.

    Raises
    ------
    CohortError
        If the schema does not fit the score, or no patient has a score.
    """
    check_schema_fits(artifact, cohort.schema)
    X = cohort.X[artifact.predictors]
    possible = ~outside_hard_range(artifact, X)
    scored = score_table(artifact, X.loc[possible])
    has_score = scored["linear_predictor"].notna().to_numpy(dtype=np.bool_)
    kept = possible.copy()
    kept[possible] = has_score
    if not kept.any():
        raise CohortError([Violation("", "no patient has all inputs that the score needs")])
    results = scored.loc[has_score]
    points = results["points"].to_numpy(dtype=np.int64)
    cuts = [band["points_from"] for band in artifact.scoring["risk_groups"][1:]]
    risks = [f"risk_{horizon_code(horizon)}" for horizon in artifact.horizons]
    return ScoredCohort(
        X=X.loc[kept],
        y=cohort.y[kept],
        linear_predictor=results["linear_predictor"].to_numpy(dtype=np.float64),
        risk=results[risks].to_numpy(dtype=np.float64),
        points=points,
        group=np.searchsorted(cuts, points, side="right").astype(np.int64),
        n_refused=int(np.sum(~kept)),
        kept=kept,
    )
