"""One patient's score in words and numbers that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from scorebuilder.core.units import horizon_code, unit_text
from scorebuilder.explanation.contributions import term_contributions
from scorebuilder.score.apply import is_spiked, score_table
from scorebuilder.score.artifact import ScoreArtifact


@dataclass(frozen=True)
class Item:
    """
    What one predictor adds.

    Attributes
    ----------
    predictor, label : str
        Name and words.
    value : str
        The input with its unit, or the label of its level; and the limit it counts as, if it lies
        beyond one.
    contribution : float
        Log hazard against the average development patient.
    imputed : bool
        Whether the input was missing and filled.
    """

    predictor: str
    label: str
    value: str
    contribution: float
    imputed: bool


@dataclass(frozen=True)
class PatientExplanation:
    """
    A patient's score and what it is made of.

    Attributes
    ----------
    items : tuple of Item
        Largest effect first; contributions add up to `linear_predictor` - `reference`.
    linear_predictor, reference : float
        The patient's, and the development cohort's mean.
    points : int
        Points.
    risk : dict of float
        Risk by horizon code, for example ``{"5y": 0.12}``.
    risk_group : str
        Label of the group.
    """

    items: tuple[Item, ...]
    linear_predictor: float
    reference: float
    points: int
    risk: dict[str, float]
    risk_group: str


def explain_patient(artifact: ScoreArtifact, values: dict[str, Any]) -> PatientExplanation:
    """
    Explain the score of one patient.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    values : dict
        Predictor -> number, or level code; absent or None = missing.

    Returns
    -------
    PatientExplanation
        Exact: the items add up.

    Raises
    ------
    ValueError
        If the patient has no score, with the reason.
    """
    row = {name: [values.get(name)] for name in artifact.predictors}
    frame = pd.DataFrame(row)
    for predictor in artifact.scoring["predictors"]:
        if predictor["type"] == "numeric":
            frame[predictor["id"]] = frame[predictor["id"]].astype("float64")
    scored = score_table(artifact, frame).iloc[0]
    if scored["reason"]:
        message = f"the patient has no score: {scored['reason']}"
        raise ValueError(message)
    parts = term_contributions(artifact, frame).iloc[0]
    imputed = set(str(scored["imputed"]).split("; "))
    limited = {term["predictor"]: term for term in artifact.scoring["terms"] if "limits" in term}
    items = [
        Item(
            predictor["id"],
            predictor["label"],
            _shown(
                predictor,
                values.get(predictor["id"]),
                limited.get(predictor["id"]),
                imputed=predictor["id"] in imputed,
            ),
            float(parts[predictor["id"]]),
            predictor["id"] in imputed,
        )
        for predictor in artifact.scoring["predictors"]
    ]
    items.sort(key=lambda item: (-abs(item.contribution), item.predictor))
    return PatientExplanation(
        tuple(items),
        float(scored["linear_predictor"]),
        sum(float(row["contribution"]) for row in artifact.scoring["reference"]),
        int(scored["points"]),
        {
            horizon_code(horizon): float(scored[f"risk_{horizon_code(horizon)}"])
            for horizon in artifact.horizons
        },
        str(scored["risk_group"]),
    )


def _shown(
    predictor: dict[str, Any], value: Any, limited: dict[str, Any] | None, *, imputed: bool
) -> str:
    if imputed:
        value = predictor["missing"]["value"]
    if predictor["type"] == "numeric":
        number, unit = float(value), unit_text(predictor["unit"])
        text = f"{number:g} {unit}".strip()
        counted = counted_value(limited, number)
        if counted != number:
            text += f" (counted as {counted:.4g})"
    else:
        labels = {level["code"]: level["label"] for level in predictor["levels"]}
        text = labels[str(value)]
    return f"{text} (filled in)" if imputed else text


def counted_value(limited: dict[str, Any] | None, number: float) -> float:
    """
    Pull a number in to the limits of its curve.

    Parameters
    ----------
    limited : dict or None
        A term of the predictor that has limits; None if none has.
    number : float
        The input.

    Returns
    -------
    float
        What the curve takes it for; values up to 0 stay where they are a group of their own.
    """
    if limited is None or (is_spiked(limited) and number <= 0.0):
        return number
    low, high = limited["limits"]
    return float(min(max(number, low), high))
