"""The whole account of one patient's score, as plain data: what a page or a program shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import unit_text
from scorebuilder.explanation.contributions import term_contributions
from scorebuilder.explanation.development_place import place_of_input, place_of_score
from scorebuilder.explanation.patient import counted_value
from scorebuilder.explanation.points_scale import PointsRuler, points_ruler
from scorebuilder.explanation.reference_values import at_reference_values
from scorebuilder.score.apply import curve_floor
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict import check_input, judge_patients

IDENTITY = (
    "name", "title", "version", "status", "core_id", "artifact_sha256", "derived_from",
    "review_by", "superseded_by", "citation", "contact",
)  # fmt: skip


def account_for(artifact: ScoreArtifact, values: Mapping[str, Any]) -> dict[str, Any]:
    """
    Account for the score of one patient, or for why there is none.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    values : mapping
        Predictor -> number, or level code; absent or None = missing.

    Returns
    -------
    dict
        ``score`` (identity and meaning), ``status`` (``ok`` or ``refused``), ``refusals`` and
        ``warnings``; and if the patient is scored: ``points``, ``maximum``, ``group``, ``risks``,
        ``linear_predictor``, ``average`` (mean linear predictor of the development patients),
        ``items`` (largest effect first; contributions add up to ``linear_predictor`` -
        ``average``), ``error`` (by how much they do not), ``scale`` (position on the scale before
        it is cut into points, None with a ``scale_reason``), ``neighbours`` (risk table from one
        point below to one above), ``place`` (None with a ``place_reason``), ``references``.
    """
    (verdict,) = judge_patients(artifact, [values])
    entries = {str(item["id"]): item for item in artifact.scoring["predictors"]}
    account: dict[str, Any] = {
        "score": {key: artifact.content.get(key) for key in IDENTITY}
        | dict(artifact.content["meaning"]),
        "n_development": (artifact.content.get("monitoring") or {}).get("n"),
        "status": verdict["status"],
        "refusals": [_flag(artifact, entries[f["predictor"]], f) for f in verdict["refusals"]],
        "warnings": [_flag(artifact, entries[f["predictor"]], f) for f in verdict["warnings"]],
    }
    if verdict["status"] != "ok":
        return account
    inputs = {
        name: check_input(artifact, entry, values.get(name)).value
        for name, entry in entries.items()
    }
    return account | _scored(artifact, verdict, inputs)


def _scored(
    artifact: ScoreArtifact, verdict: Mapping[str, Any], inputs: dict[str, Any]
) -> dict[str, Any]:
    average = sum(float(row["contribution"]) for row in artifact.scoring["reference"])
    linear_predictor, points = verdict["linear_predictor"], verdict["points"]
    ruler, scale_reason = _ruler(artifact)
    imputed = {flag["predictor"] for flag in verdict["warnings"] if flag["flag"] == "imputed"}
    items = [
        {**item, "imputed": item["predictor"] in imputed}
        for item in _items(artifact, inputs, ruler)
    ]
    total = math.fsum(item["contribution"] for item in items)
    place, place_reason = None, None
    try:
        place = asdict(place_of_score(artifact, linear_predictor))
    except UndefinedMetricError as error:
        place_reason = str(error)
    return {
        "points": points,
        "maximum": len(artifact.scoring["points"]["thresholds"]),
        "group": verdict["group"],
        "risks": _risks(artifact, verdict["risk"]),
        "linear_predictor": linear_predictor,
        "average": average,
        "items": items,
        "error": abs(average + total - linear_predictor),
        "scale": None if ruler is None else _scale(ruler, average, linear_predictor),
        "scale_reason": scale_reason,
        "neighbours": [
            row for row in artifact.scoring["risk_table"] if abs(row["points"] - points) <= 1
        ],
        "place": place,
        "place_reason": place_reason,
        "references": [
            {**row, "risks": _risks(artifact, row["risk"])}
            | _shown(artifact, row["predictor"], row["reference"])
            for row in at_reference_values(artifact, inputs, leave_out=imputed)
        ],
    }


def _risks(artifact: ScoreArtifact, risks: list[float]) -> list[dict[str, float]]:
    return [
        {"horizon": horizon, "risk": risk}
        for horizon, risk in zip(artifact.horizons, risks, strict=True)
    ]


def _ruler(artifact: ScoreArtifact) -> tuple[PointsRuler | None, str | None]:
    try:
        return points_ruler(artifact), None
    except UndefinedMetricError as error:
        return None, str(error)


def _scale(ruler: PointsRuler, average: float, linear_predictor: float) -> dict[str, float]:
    return {
        "average": ruler.position(average),
        "patient": ruler.position(linear_predictor),
        "step": ruler.step,
    }


def _entry(artifact: ScoreArtifact, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        item for item in artifact.scoring["predictors"] if item["id"] == name
    )
    return found


def _shown(artifact: ScoreArtifact, name: str, value: Any) -> dict[str, Any]:
    """Label, unit and value as it is read: a number, or the label of a level."""
    entry = _entry(artifact, name)
    labels = {level["code"]: level["label"] for level in entry["levels"]}
    return {
        "predictor": name,
        "label": entry["label"] or name,
        "unit": unit_text(entry["unit"]),
        "value": value if entry["type"] == "numeric" else labels[value],
    }


def _items(
    artifact: ScoreArtifact, inputs: dict[str, Any], ruler: PointsRuler | None
) -> list[dict[str, Any]]:
    parts = term_contributions(artifact, pd.DataFrame([inputs])).iloc[0]
    limited = {term["predictor"]: term for term in artifact.scoring["terms"] if "limits" in term}
    items = []
    for name, value in inputs.items():
        contribution = float(parts[name])
        place, counted = None, None
        if isinstance(value, float):
            place = place_of_input(artifact, name, value)
            taken = counted_value(limited.get(name), value)
            counted = taken if taken != value else None
        items.append(
            _shown(artifact, name, value)
            | {
                "contribution": contribution,
                "hazard_factor": math.exp(contribution),
                "points": contribution / ruler.step if ruler else None,
                "counted_as": counted,
                "place": asdict(place) if place else None,
                "modifiable": bool(_entry(artifact, name).get("modifiable")),
            }
        )
    return sorted(items, key=lambda item: (-abs(item["contribution"]), item["predictor"]))


def _flag(
    artifact: ScoreArtifact, entry: Mapping[str, Any], flag: Mapping[str, str]
) -> dict[str, Any]:
    """Say what is required of the input, never what came."""
    numeric = entry["type"] == "numeric"
    stands_in = None
    if flag["flag"] == "imputed":
        stands_in = _shown(artifact, entry["id"], entry["missing"]["value"])["value"]
    return {
        **flag,
        "label": entry["label"] or entry["id"],
        "unit": unit_text(entry["unit"]),
        "numeric": numeric,
        "hard_range": list(entry["hard_range"]),
        "soft_range": list(entry["soft_range"]),
        "floor": curve_floor(artifact, entry["id"]) if numeric else None,
        "levels": [level["label"] for level in entry["levels"]],
        "stands_in": stands_in,
    }
