"""Whether a score still fits its patients: inputs, and calibration where outcomes are known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.schema import Dialect, Field, Level
from scorebuilder.cohort.validate import prepare_predictors
from scorebuilder.core.arrays import IntArray
from scorebuilder.experiment.score_comparison import calibration_of
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.cohort_fit import check_schema_fits, score_cohort
from scorebuilder.score.drift import input_drift
from scorebuilder.validation.performance import evaluate_fixed

FARTHEST = 1.25
"""O/E and slope may lie between 1 / this and this; further away, and away from 1, is drift."""
AUC_LOSS = 0.05
"""AUC may be so much lower than in the development."""


def typed_inputs(
    artifact: ScoreArtifact, frame: pd.DataFrame, *, dialect: Dialect | None = None
) -> pd.DataFrame:
    """
    Type the inputs of a raw table without refusing impossible numbers, which are to be counted.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    frame : DataFrame
        Raw columns, numbers in the units of the score.
    dialect : Dialect, optional
        How cells are written.

    Returns
    -------
    DataFrame
        One column per input.

    Raises
    ------
    CohortError
        For a missing column, text in numbers, or an unknown level.
    """
    fields = [
        Field(
            name=item["id"],
            label=item["label"],
            role="predictor",
            kind=item["type"],
            unit=item["unit"],
            levels=tuple(Level(level["code"], level["label"]) for level in item["levels"]),
        )
        for item in artifact.scoring["predictors"]
    ]
    return prepare_predictors(frame, fields, dialect=dialect)


def monitor_inputs(artifact: ScoreArtifact, X: pd.DataFrame) -> dict[str, Any]:
    """
    Compare the inputs of new patients with the development.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Typed inputs.

    Returns
    -------
    dict
        ``n``, ``inputs`` (findings), ``calibration`` (empty) and ``breached``.
    """
    findings = [asdict(finding) for finding in input_drift(artifact, X)]
    return {
        "n": len(X),
        "inputs": findings,
        "calibration": [],
        "breached": any(finding["breached"] for finding in findings),
    }


def monitor_cohort(artifact: ScoreArtifact, cohort: Cohort) -> dict[str, Any]:
    """
    Compare inputs and calibration of new patients with the development.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    cohort : Cohort
        New patients with outcome.

    Returns
    -------
    dict
        As `monitor_inputs`; ``calibration`` has observed / expected, calibration slope and AUC with
        their intervals for each horizon. What is undefined has a reason and is no breach.
    """
    check_schema_fits(artifact, cohort.schema)
    found = monitor_inputs(artifact, cohort.X[artifact.predictors])
    scored = score_cohort(artifact, cohort)
    together: IntArray = np.zeros((1, len(scored.y)), dtype=np.int64)
    rows: list[dict[str, Any]] = []
    for k, horizon in enumerate(artifact.horizons):
        risk = scored.risk[:, k]
        for measure, values in calibration_of(scored.y, risk, horizon=horizon).items():
            rows.append({"measure": measure, "horizon": horizon, **values, "expected": 1.0}
                        | {"breached": _far_from_one(values)})  # fmt: skip
        auc = evaluate_fixed(scored.y, risk, together, horizon=horizon, metric="auc")
        before = _development_auc(artifact, horizon)
        rows.append(
            {
                "measure": "auc",
                "horizon": horizon,
                "value": auc.value,
                "lower": auc.lower,
                "upper": auc.upper,
                "reason": auc.reason,
                "expected": before,
                "breached": bool(
                    before is not None and auc.upper is not None and auc.upper < before - AUC_LOSS
                ),
            }
        )
    breached = found["breached"] or any(row["breached"] for row in rows)
    return {**found, "calibration": rows, "breached": breached}


def _far_from_one(found: dict[str, Any]) -> bool:
    value, lower, upper = (found[key] for key in ("value", "lower", "upper"))
    if value is None or lower is None or upper is None:
        return False
    return bool(not lower <= 1.0 <= upper and not 1.0 / FARTHEST <= value <= FARTHEST)


def _development_auc(artifact: ScoreArtifact, horizon: float) -> float | None:
    for row in artifact.content["evidence"]["performance"]:
        key = (row.get("model"), row.get("metric"), row.get("horizon"))
        if key == ("score", "auc", horizon) and row.get("value") is not None:
            return float(row["value"])
    return None
