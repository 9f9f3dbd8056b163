"""How much one patient's risk, points and group depend on who was in the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.report.study import Study
from scorebuilder.validation.prediction_instability import (
    calibration_instability,
    class_instability,
    risk_instability,
)

CROSS_VALIDATION, BOOTSTRAP = "cross-validation", "bootstrap"
MOST_CURVES = 50
"""Curves that are kept of the calibration of rebuilt models."""


@dataclass(frozen=True)
class RebuiltPredictions:
    """
    What rebuilt models say of the patients of the cohort.

    Attributes
    ----------
    source : {"cross-validation", "bootstrap"}
        How the models were rebuilt.
    risk : ndarray of shape (n_replicates, n_patients)
        By the main horizon; NaN where a model says nothing.
    points, group : ndarray of shape (n_replicates, n_patients)
        Points, and number of the risk group; NaN where there is none.
    """

    source: str
    risk: FloatArray
    points: FloatArray
    group: FloatArray


def rebuilt_by_cross_validation(study: Study) -> RebuiltPredictions:
    """
    Take the repeats of the cross-validation as rebuilt models.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    RebuiltPredictions
        One replicate per repeat. Groups are those of the rebuilt model; NaN where it has another
        number of groups than the score, so that they have no counterpart.

    Notes
    -----
    In each repeat every patient has one prediction, of a model that was built without them but
    shares most other patients with the score; a bootstrap would spread more.
    """
    validation = study.validation
    assert study.builder.groups_ is not None  # a study has points
    wanted = len(study.builder.groups_.cut_points)
    group = np.full(validation.points.shape, np.nan)
    for record in validation.records:
        rows = validation.folds[record["repeat"]] == record["fold"]
        points = validation.points[record["repeat"], rows]
        if len(record["cut_points"]) == wanted:
            placed = np.searchsorted(record["cut_points"], points, side="right")
            group[record["repeat"], rows] = np.where(np.isnan(points), np.nan, placed)
    risk = validation.risk_at(study.main_horizon)
    return RebuiltPredictions(CROSS_VALIDATION, risk, validation.points, group)


def rebuilt_by_bootstrap(study: Study) -> RebuiltPredictions | None:
    """
    Take the replicates of the bootstrap as rebuilt models.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    RebuiltPredictions or None
        One replicate per model that could be fitted; None if fewer than two were.
    """
    if study.optimism is None or len(study.optimism.rebuilt.risk) < 2:
        return None
    assert study.builder.groups_ is not None  # a study has points
    rebuilt, n_groups = study.optimism.rebuilt, len(study.builder.groups_.labels)
    risk = rebuilt.risk_at(study.main_horizon)
    return RebuiltPredictions(BOOTSTRAP, risk, rebuilt.points, rebuilt.groups(n_groups))


def summarise_instability(
    study: Study, rebuilt: RebuiltPredictions | None = None
) -> dict[str, Any]:
    """
    Compare the score with rebuilt scores, patient by patient.

    Parameters
    ----------
    study : Study
        Finished.
    rebuilt : RebuiltPredictions, optional
        From the bootstrap if not given, or without one from the repeats of the cross-validation.

    Returns
    -------
    dict
        Spread of risks, shares of patients placed elsewhere (by points, by group, and by each of
        the spec's thresholds of risk), calibration of the rebuilt models; ``reason`` beside what
        has no value.
    """
    horizon = study.main_horizon
    again = rebuilt or rebuilt_by_bootstrap(study) or rebuilt_by_cross_validation(study)
    risk = np.asarray(study.builder.predict_risk(study.X, horizon=horizon), dtype=np.float64)
    points = np.asarray(study.builder.predict_points(study.X), dtype=np.float64)
    group = np.asarray(study.builder.predict_group(study.X), dtype=np.float64)
    return {
        "source": again.source,
        "n_replicates": len(again.risk),
        "horizon": horizon,
        "risk": _risk(risk, again.risk),
        "classes": [
            _class("points", points, again.points),
            _class("group", group, again.group),
        ],
        "thresholds": [
            _threshold(float(at), risk, again.risk) for at in study.settings["thresholds"]
        ],
        "calibration": _calibration(study, again.risk),
    }


def _risk(risk: FloatArray, replicates: FloatArray) -> dict[str, Any]:
    try:
        found = risk_instability(risk, replicates)
    except UndefinedMetricError as error:
        numbers = dict.fromkeys(("mean", "median", "upper", "largest_bin"))
        return {**numbers, "bins": [], "reason": str(error)}
    return {
        "mean": found.mean,
        "median": found.median,
        "upper": found.upper,
        "largest_bin": found.largest_bin,
        "bins": found.bins.to_dict("records"),
        "reason": None,
    }


def _threshold(threshold: float, risk: FloatArray, replicates: FloatArray) -> dict[str, Any]:
    found = _class("", _side(risk, threshold), _side(replicates, threshold))
    kept = ("changed", "ever_changed", "n_compared", "reason")
    return {"threshold": threshold, **{key: found[key] for key in kept}}


def _side(risk: FloatArray, threshold: float) -> FloatArray:
    """Give 1 from the threshold on, 0 below, NaN without a risk."""
    return np.where(np.isnan(risk), np.nan, risk >= threshold)


def _class(what: str, classes: FloatArray, replicates: FloatArray) -> dict[str, Any]:
    row: dict[str, Any] = {"what": what, "reason": None}
    try:
        found = class_instability(classes, replicates)
    except UndefinedMetricError as error:
        numbers = dict.fromkeys(("changed", "changed_by_two", "ever_changed", "n_compared"))
        return row | numbers | {"reason": str(error)}
    return row | {
        "changed": found.changed,
        "changed_by_two": found.changed_by_two,
        "ever_changed": found.ever_changed,
        "n_compared": found.n_compared,
    }


def _calibration(study: Study, replicates: FloatArray) -> dict[str, Any]:
    try:
        curves = calibration_instability(
            study.cohort.y, replicates[:MOST_CURVES], horizon=study.main_horizon
        )
    except UndefinedMetricError as error:
        return {"curves": [], "reason": str(error)}
    return {"curves": curves.to_dict("records"), "reason": None}
