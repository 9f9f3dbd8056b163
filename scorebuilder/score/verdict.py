"""What becomes of one patient's inputs: scored, scored with a warning, or refused, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.units import horizon_code
from scorebuilder.score.apply import LARGEST_INPUT, curve_floor, score_table
from scorebuilder.score.artifact import ScoreArtifact

WARNINGS = ("imputed", "extrapolation")
REFUSALS = ("missing", "invalid", "out_of_range")
LARGEST_CODE = 1e15
"""Whole numbers up to it are exact in every language, so that they can be level codes."""


@dataclass(frozen=True)
class InputCheck:
    """
    What one input of one patient is taken for.

    Attributes
    ----------
    predictor : str
        Which one.
    value : float, str or None
        What the score is computed with; None when the input is refused.
    warnings : tuple of str
        Of `WARNINGS`.
    refusal : str
        Of `REFUSALS`; empty when the input can be used.
    """

    predictor: str
    value: float | str | None
    warnings: tuple[str, ...] = ()
    refusal: str = ""


def check_input(artifact: ScoreArtifact, predictor: Mapping[str, Any], value: Any) -> InputCheck:
    """
    Judge one input by the rules of the artifact.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : mapping
        Entry of its ``predictors``.
    value : float, str or None
        The input; None, NaN and blank text are missing.

    Returns
    -------
    InputCheck
        In this order: a missing input is filled (``imputed``) or refused (``missing``); what is no
        number, no finite number or no level of the score is ``invalid``; a number beyond the hard
        range or `LARGEST_INPUT`, or where a curve has no value, is ``out_of_range``; one beyond the
        soft range is used with the warning ``extrapolation``. Ends of both ranges lie inside. A
        level may be given as a whole number.
    """
    name = str(predictor["id"])
    warnings: tuple[str, ...] = ()
    if _is_missing(value):
        if predictor["missing"]["policy"] != "impute":
            return InputCheck(name, None, refusal="missing")
        value, warnings = predictor["missing"]["value"], ("imputed",)
    if predictor["type"] != "numeric":
        code = _level_code(value)
        known = any(code == level["code"] for level in predictor["levels"])
        return InputCheck(name, code, warnings) if known else InputCheck(name, None, (), "invalid")
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        return InputCheck(name, None, refusal="invalid")
    number = float(value)
    floor = curve_floor(artifact, name)
    if not _inside(number, predictor["hard_range"]) or (floor is not None and number <= floor):
        return InputCheck(name, None, refusal="out_of_range")
    if not _inside(number, predictor["soft_range"]):
        warnings = (*warnings, "extrapolation")
    return InputCheck(name, number, warnings)


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and bool(np.isnan(value)))


def _level_code(value: Any) -> str | None:
    """Read a level code, or a whole number as its digits; None is no code."""
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_CODE:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _inside(value: float, limits: Sequence[float | None]) -> bool:
    low, high = limits
    lowest = -LARGEST_INPUT if low is None else max(low, -LARGEST_INPUT)
    highest = LARGEST_INPUT if high is None else min(high, LARGEST_INPUT)
    return lowest <= value <= highest


def judge_patients(
    artifact: ScoreArtifact, patients: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """
    Score patients one by one, and say of each what every export must say.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    patients : sequence of mapping
        Predictor -> input; an absent predictor is missing.

    Returns
    -------
    list of dict
        In the form of the artifact's test vectors: ``inputs``, ``missing``, ``status`` (``ok`` or
        ``refused``), ``warnings`` and ``refusals`` (predictor and flag, in the order of the
        predictors; no warnings when refused), ``linear_predictor``, ``points``, ``risk`` (one per
        horizon) and ``group``, which are None when refused.
    """
    verdicts: list[dict[str, Any]] = []
    complete: list[dict[str, Any]] = []
    for patient in patients:
        checks = [
            check_input(artifact, predictor, patient.get(predictor["id"]))
            for predictor in artifact.scoring["predictors"]
        ]
        verdict = _verdict(artifact, patient, checks)
        if verdict["status"] == "ok":
            complete.append({check.predictor: check.value for check in checks})
        verdicts.append(verdict)
    scored = _results(artifact, complete)
    return [
        verdict | next(scored) if verdict["status"] == "ok" else verdict for verdict in verdicts
    ]


def _verdict(
    artifact: ScoreArtifact, patient: Mapping[str, Any], checks: Sequence[InputCheck]
) -> dict[str, Any]:
    refusals = [
        {"predictor": check.predictor, "flag": check.refusal} for check in checks if check.refusal
    ]
    warnings = [
        {"predictor": check.predictor, "flag": flag} for check in checks for flag in check.warnings
    ]
    inputs = {name: patient.get(name) for name in artifact.predictors}
    return {
        "inputs": inputs,
        "missing": [name for name, value in inputs.items() if _is_missing(value)],
        "status": "refused" if refusals else "ok",
        "warnings": [] if refusals else warnings,
        "refusals": refusals,
        **dict.fromkeys(("linear_predictor", "points", "risk", "group")),
    }


def _results(artifact: ScoreArtifact, complete: list[dict[str, Any]]) -> Any:
    if not complete:
        return iter(())
    scored = score_table(artifact, pd.DataFrame(complete))
    risks = [f"risk_{horizon_code(horizon)}" for horizon in artifact.horizons]
    return (
        {
            "linear_predictor": float(row["linear_predictor"]),
            "points": int(row["points"]),
            "risk": [float(row[column]) for column in risks],
            "group": str(row["risk_group"]),
        }
        for row in scored.to_dict("records")
    )
