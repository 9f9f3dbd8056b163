"""What errors of measurement that the schema states do to points, groups and risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.seeds import seed_of
from scorebuilder.core.units import unit_text
from scorebuilder.report.study import Study
from scorebuilder.validation.measurement_error import (
    ErrorEffect,
    MeasuredScore,
    attenuated_auc,
    propagate,
)
from scorebuilder.validation.metrics.auc import auc_at

N_DRAWS = 200
STATED = "as stated"
"""Name of the method where the schema gives one standard deviation without naming a method."""
MOST_MEASUREMENTS = 2_000_000
"""Patients times draws; large cohorts need fewer draws for the same precision."""
FEWEST_DRAWS = 50


@dataclass(frozen=True)
class Scenario:
    """
    Who measures what.

    Attributes
    ----------
    method : str
        Name of the method.
    sd : dict
        Standard deviation of the error by variable.
    jointly : bool
        True if it is everything that the method measures.
    """

    method: str
    sd: dict[str, float]
    jointly: bool


def summarise_measurement_error(study: Study) -> dict[str, Any] | None:
    """
    Propagate the stated errors of the variables in the score to every development patient.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict or None
        One row per variable and method, and one per method for all of its variables together;
        None if the schema states no error of any variable in the score.
    """
    scenarios = scenarios_of(study)
    if not scenarios:
        return None
    numeric = [
        name for name in study.builder.kept_ if study.cohort.schema.field(name).kind == "numeric"
    ]
    stated = {name for scenario in scenarios for name in scenario.sd}
    draws = max(FEWEST_DRAWS, min(N_DRAWS, MOST_MEASUREMENTS // len(study.cohort.y)))
    return {
        "n_draws": draws,
        "horizon": study.main_horizon,
        "n_patients": len(study.cohort.y),
        "without_error": [study.label(name) for name in numeric if name not in stated],
        "factors": [study.label(name) for name in study.builder.kept_ if name not in numeric],
        "rows": [_row(study, scenario, draws) for scenario in scenarios],
    }


def scenarios_of(study: Study) -> list[Scenario]:
    """
    List what is measured by whom: each variable alone, then each method with all it measures.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    list of Scenario
        A variable without an error for a method takes the one that the schema states without
        naming a method; without either it is held fixed.
    """
    fields = [study.cohort.schema.field(name) for name in study.builder.kept_]
    methods = list(dict.fromkeys(m for field in fields for m in field.measurement_sources))
    if any(field.test_retest_sd is not None for field in fields):
        methods.insert(0, STATED)
    single, joint = [], []
    for method in methods:
        own = {
            field.name: field.test_retest_sd
            if method == STATED
            else field.measurement_sources.get(method)
            for field in fields
        }
        single += [
            Scenario(method, {name: sd}, False) for name, sd in own.items() if sd is not None
        ]
        filled = {
            field.name: field.test_retest_sd if own[field.name] is None else own[field.name]
            for field in fields
        }
        known = {name: sd for name, sd in filled.items() if sd is not None}
        if len(known) > 1:
            joint.append(Scenario(method, known, True))
    return single + joint


def _row(study: Study, scenario: Scenario, draws: int) -> dict[str, Any]:
    names = tuple(scenario.sd)
    sds = np.array(list(scenario.sd.values()))
    row: dict[str, Any] = {
        "method": scenario.method,
        "jointly": scenario.jointly,
        "variables": [
            {
                "variable": name,
                "label": study.label(name),
                "sd": sd,
                "unit": unit_text(study.cohort.schema.field(name).unit),
                "share": None,
            }
            for name, sd in scenario.sd.items()
        ],
        **dict.fromkeys(NUMBERS),
        "reason": None,
    }
    try:
        effect = _effect(study, names, sds, draws)
    except UndefinedMetricError as error:
        return row | {"reason": str(error)}
    for entry, share in zip(row["variables"], effect.variance_share, strict=True):
        entry["share"] = float(share)
    row |= {name: getattr(effect, name) for name in NUMBERS if hasattr(effect, name)}
    if effect.auc is not None and 0.0 < effect.auc < 1.0:
        row["auc_expected"] = attenuated_auc(effect.auc, effect.reliability)
    return row


NUMBERS = (
    "points_changed",
    "points_changed_by_two",
    "group_changed",
    "points_changed_error",
    "retest_points_changed",
    "retest_group_changed",
    "points_changed_first_order",
    "group_changed_first_order",
    "linear_predictor_sd",
    "linear_predictor_sd_first_order",
    "risk_sd",
    "risk_sd_95",
    "reliability",
    "auc",
    "auc_with_error",
    "auc_expected",
    "undefined",
)


def _effect(study: Study, names: tuple[str, ...], sds: FloatArray, draws: int) -> ErrorEffect:
    builder = study.builder
    complete = study.X if builder.imputer_ is None else builder.imputer_.transform(study.X)
    fields = [study.cohort.schema.field(name) for name in names]
    values = complete[list(names)].to_numpy(dtype=np.float64)
    measured = study.X[list(names)].notna().to_numpy()
    # A value that was filled in may lie anywhere; it is not measured, and stays as it is.
    lower = np.array([_end(field.hard_range[0], -np.inf) for field in fields])
    upper = np.array([_end(field.hard_range[1], np.inf) for field in fields])
    return propagate(
        _score(study, complete, names),
        values,
        np.where(measured, sds, 0.0),
        lower=np.minimum(lower, values.min(axis=0)),
        upper=np.maximum(upper, values.max(axis=0)),
        n_draws=draws,
        random_state=seed_of(study.settings["seed"], "measurement-error"),
        streams=names,
    )


def _end(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _score(study: Study, complete: pd.DataFrame, names: tuple[str, ...]) -> MeasuredScore:
    builder, outcome = study.builder, study.cohort.y
    assert builder.scale_ is not None  # a study has points
    assert builder.groups_ is not None
    thresholds = np.asarray(builder.scale_.thresholds)
    cuts = np.asarray(builder.groups_.cut_points, dtype=np.int64)

    def linear_predictor(values: FloatArray) -> FloatArray:
        return builder.predict(complete.assign(**dict(zip(names, values.T, strict=True))))

    def auc(marker: FloatArray) -> float:
        known = ~np.isnan(marker)
        return auc_at(None, outcome[known], marker[known], horizon=study.main_horizon)

    return MeasuredScore(
        linear_predictor,
        thresholds,
        thresholds[cuts - 1],
        float(builder.model_.baseline_cumulative_hazard_(study.main_horizon)),
        auc,
    )
