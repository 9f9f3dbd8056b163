"""How much one patient's risk, points and group depend on who was in the sample."""

from __future__ import annotations

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

CROSS_VALIDATION = "cross-validation"
MOST_CURVES = 50
"""Curves that are kept of the calibration of rebuilt models."""


def summarise_instability(study: Study) -> dict[str, Any]:
    """
    Compare the score with the scores rebuilt in the repeats of the cross-validation.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        Spread of risks, shares of patients placed elsewhere, calibration of the rebuilt models;
        ``reason`` beside what has no value.

    Notes
    -----
    In each repeat every patient has one prediction, of a model that was built without them but
    shares most other patients with the score; a bootstrap would spread more.
    """
    horizon = study.main_horizon
    risk = np.asarray(study.builder.predict_risk(study.X, horizon=horizon), dtype=np.float64)
    replicates = study.validation.risk_at(horizon)
    return {
        "source": CROSS_VALIDATION,
        "n_replicates": len(replicates),
        "horizon": horizon,
        "risk": _risk(risk, replicates),
        "classes": _classes(study),
        "calibration": _calibration(study, replicates),
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


def _classes(study: Study) -> list[dict[str, Any]]:
    builder = study.builder
    points = np.asarray(builder.predict_points(study.X), dtype=np.float64)
    groups = np.asarray(builder.predict_group(study.X), dtype=np.float64)
    return [
        _class("points", points, study.validation.points),
        _class("group", groups, rebuilt_groups(study)),
    ]


def rebuilt_groups(study: Study) -> FloatArray:
    """
    Place patients by the points and cut points of the rebuilt models.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    ndarray of shape (n_repeats, n_patients)
        Number of the group; NaN where the rebuilt model has no points, or another number of groups
        than the score, so that groups have no counterpart.
    """
    validation, wanted = study.validation, len(study.builder.groups_.cut_points)
    groups = np.full(validation.points.shape, np.nan)
    for record in validation.records:
        cuts = np.asarray(record["cut_points"])
        rows = validation.folds[record["repeat"]] == record["fold"]
        points = validation.points[record["repeat"], rows]
        if len(cuts) == wanted:
            placed = np.searchsorted(cuts, points, side="right").astype(np.float64)
            groups[record["repeat"], rows] = np.where(np.isnan(points), np.nan, placed)
    return groups


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
