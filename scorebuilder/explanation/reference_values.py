"""What the score would say if one modifiable input had a reference value; nothing causal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from scorebuilder.explanation.development_place import median_of_input
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict import judge_patients


def reference_value(artifact: ScoreArtifact, predictor: Mapping[str, Any]) -> float | str | None:
    """
    Choose the value with which a patient's input is compared.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : mapping
        Entry of its ``predictors``.

    Returns
    -------
    float or str or None
        The median of the development patients, or else what a missing number counts as; of a factor
        the level that no term of the score names first. None if there is no such value.
    """
    name = predictor["id"]
    if predictor["type"] == "numeric":
        median = median_of_input(artifact, name)
        if median is None and predictor["missing"]["policy"] == "impute":
            return float(predictor["missing"]["value"])
        return median
    named = {
        code
        for term in artifact.scoring["terms"]
        if term["predictor"] == name
        for code in term["levels"]
    }
    free = [level["code"] for level in predictor["levels"] if level["code"] not in named]
    return str(free[0]) if free else None


def at_reference_values(
    artifact: ScoreArtifact, inputs: Mapping[str, Any], *, leave_out: Collection[str] = ()
) -> list[dict[str, Any]]:
    """
    Score a patient again with each modifiable input at its reference value, one at a time.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    inputs : mapping
        Predictor -> value that the score is computed with; complete.
    leave_out : collection of str
        Inputs that are not the patient's own.

    Returns
    -------
    list of dict
        ``predictor``, ``reference``, ``points``, ``risk`` (one for each horizon); none for inputs
        that are at their reference value.
    """
    changed = []
    for predictor in artifact.scoring["predictors"]:
        if not predictor.get("modifiable") or predictor["id"] in leave_out:
            continue
        value = reference_value(artifact, predictor)
        if value is not None and value != inputs[predictor["id"]]:
            changed.append((predictor["id"], value))
    verdicts = judge_patients(artifact, [{**inputs, name: value} for name, value in changed])
    return [
        {
            "predictor": name,
            "reference": value,
            "points": verdict["points"],
            "risk": verdict["risk"],
        }
        for (name, value), verdict in zip(changed, verdicts, strict=True)
        if verdict["status"] == "ok"
    ]
