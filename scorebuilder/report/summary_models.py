"""The score, models of other kinds and established scores on the same patients; price of forms."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.report.study import SCORE_LABEL, BaselineResult, Study
from scorebuilder.score.risk_groups import RiskGroups
from scorebuilder.validation.compare_all import ComparedModel, compare_all
from scorebuilder.validation.recalibration import recalibrate_out_of_fold

FORMS = {"formula": SCORE_LABEL, "points": "Points of this score", "groups": "Its risk groups"}
FOREST = "forest"
OTHER_HORIZON = "its published risk is by another horizon"


def summarise_models(study: Study) -> dict[str, Any]:
    """
    Compare the score in its three forms with every other model of the study.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    dict
        At the main horizon: ``models`` (name, label and kind, and why a model has no numbers),
        ``rows`` (`compare_all`, the formula against each other model) and ``price`` (each form
        against the fuller one before it: forest, formula, points, groups).
    """
    forms = score_forms(study)
    others = [*_comparators(study), *_baselines(study)]
    horizon, thresholds = study.main_horizon, tuple(study.settings.get("thresholds", ()))
    folds, y = study.validation.folds, study.cohort.y
    models = [*forms, *(model for _, model in others)]
    table = compare_all(y, folds, models, horizon=horizon, thresholds=thresholds)
    steps = [model for _, model in others if model.name == FOREST] + forms
    pairs = [(simpler.name, fuller.name) for fuller, simpler in pairwise(steps)]
    price = compare_all(y, folds, steps, pairs=pairs, horizon=horizon, thresholds=thresholds)
    kinds = [("form", model) for model in forms] + others
    unfitted = [
        {"name": item.name, "label": item.label, "kind": "comparator", "reason": item.reason}
        for item in study.comparators
        if item.validation is None
    ]
    return {
        "horizon": horizon,
        "thresholds": list(thresholds),
        "models": [
            {"name": model.name, "label": model.label, "kind": kind, "reason": None}
            for kind, model in kinds
        ]
        + unfitted,
        "rows": records(table),
        "price": {"steps": [model.name for model in steps], "rows": records(price)},
    }


def score_forms(study: Study) -> list[ComparedModel]:
    """
    Write the score as formula, points and groups, each with the risk that a reader sees.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    list of ComparedModel
        In every fold the risk of a number of points, and of a group, is the mean risk of the
        development patients of that fold who have it.
    """
    result, horizon = study.validation, study.main_horizon
    formula = result.risk_at(horizon)
    group, point_risk, group_risk = (np.full(result.points.shape, np.nan) for _ in range(3))
    place = result.horizons.index(horizon)
    for record in result.records:
        repeat = record["repeat"]
        rows = (result.folds[repeat] == record["fold"]) & np.isfinite(result.points[repeat])
        if not record["cut_points"]:
            continue
        points = result.points[repeat, rows].astype(np.int64)
        cuts = record["cut_points"]
        bands = RiskGroups(tuple(cuts), tuple(str(k) for k in range(len(cuts) + 1)))
        group[repeat, rows] = bands.group(points)
        point_risk[repeat, rows] = np.asarray(record["point_risk"][place])[points]
        group_risk[repeat, rows] = np.asarray(record["group_risk"][place])[bands.group(points)]
    markers = {
        "formula": (result.marker, formula),
        "points": (result.points, point_risk),
        "groups": (group, group_risk),
    }
    return [ComparedModel(name, FORMS[name], *markers[name]) for name in FORMS]


def _comparators(study: Study) -> Iterator[tuple[str, ComparedModel]]:
    for item in study.comparators:
        if item.validation is not None:
            risk = item.validation.risk_at(study.main_horizon)
            yield "comparator", ComparedModel(item.name, item.label, item.validation.marker, risk)


def _baselines(study: Study) -> Iterator[tuple[str, ComparedModel]]:
    """Every established score as published, and recalibrated within the folds where asked for."""
    for item in study.baselines:
        published = item.predictions
        if np.isfinite(published).any():
            yield "baseline", _published(item, published, study.main_horizon)
        if np.isfinite(published).any() and item.recalibrate:
            yield "recalibrated", _recalibrated(study, item, published)


def _published(item: BaselineResult, marker: FloatArray, horizon: float) -> ComparedModel:
    if item.baseline.quantity == "points":
        return ComparedModel(item.key, item.label, marker)
    known = marker[np.isfinite(marker)]
    if item.baseline.horizon != horizon:
        return ComparedModel(item.key, item.label, marker, why_no_risk=OTHER_HORIZON)
    if np.any(known > 1.0):
        why = f"{int(np.sum(known > 1.0))} published risks are above 1"
        return ComparedModel(item.key, item.label, marker, why_no_risk=why)
    return ComparedModel(item.key, item.label, marker, marker)


def _recalibrated(study: Study, item: BaselineResult, published: FloatArray) -> ComparedModel:
    method = item.recalibrate[-1]
    found = recalibrate_out_of_fold(
        study.cohort.y,
        published,
        study.validation.folds,
        horizon=study.main_horizon,
        quantity=item.baseline.quantity,
        method=method,
    )
    name, label = f"{item.key}:{method}", f"{item.label}, recalibrated"
    complete = np.isfinite(found.risk).all(axis=0)
    if not complete.any():
        return ComparedModel(name, label, published, why_no_risk=found.reason or "not recalibrated")
    marker = np.where(complete, published, np.nan)
    return ComparedModel(name, label, marker, found.risk)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """
    Write a table as plain rows.

    Parameters
    ----------
    table : DataFrame
        Any.

    Returns
    -------
    list of dict
        None in place of what is missing.
    """
    plain = table.astype(object).where(table.notna(), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
