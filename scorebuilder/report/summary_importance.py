"""What moves the score, in the summary: aggregates of exact contributions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.explanation.importance import Importance, contribution_curve, global_importance
from scorebuilder.explanation.points_scale import points_ruler
from scorebuilder.report.study import Study


def summarise_importance(study: Study) -> dict[str, Any]:
    """
    Summarise how much each predictor moves the score.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        ``rows``, the most important predictor first; ``point`` (log hazard of one point, None where
        points have no common width); ``n``; and ``reason`` if there are no rows.
    """
    artifact = study.sealed
    try:
        found = global_importance(artifact, study.X)
    except UndefinedMetricError as error:
        return {"rows": [], "point": None, "n": len(study.X), "reason": str(error)}
    try:
        point = points_ruler(artifact).step
    except UndefinedMetricError:
        point = None
    entries = {item["id"]: item for item in artifact.scoring["predictors"]}
    rows = [_row(study, item, entries[item.predictor]) for item in found]
    return {"rows": rows, "point": point, "n": len(study.X), "reason": None}


def _row(study: Study, found: Importance, entry: dict[str, Any]) -> dict[str, Any]:
    row = asdict(found) | {"label": entry["label"] or found.predictor, "unit": entry["unit"]}
    if entry["type"] == "numeric":
        x, contribution = contribution_curve(study.sealed, found.predictor)
        return row | {"kind": "curve", "curve": {"x": x, "contribution": contribution}}
    labels = {level["code"]: level["label"] for level in entry["levels"]}
    for item in row["bins"]:
        item["value"] = labels[item["value"]]
    return row | {"kind": "levels", "curve": None}
