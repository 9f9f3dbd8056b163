"""One patient's risk worked out from the constants of the score, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.units import unit_text
from scorebuilder.explanation.equation import term_text
from scorebuilder.score.apply import score_table, term_value
from scorebuilder.score.artifact import ScoreArtifact


@dataclass(frozen=True)
class Step:
    """
    One term of the linear predictor.

    Attributes
    ----------
    label, value : str
        The predictor, and the patient's value with its unit or the label of its level.
    inserted : str
        The term with the value put in, before the centre is taken off.
    centred : float
        Its value less the centre.
    coefficient, product : float
        Log hazard; `product` is `coefficient` times `centred`.
    """

    label: str
    value: str
    inserted: str
    centred: float
    coefficient: float
    product: float


@dataclass(frozen=True)
class RiskStep:
    """
    The last step: from the linear predictor to the risk.

    Attributes
    ----------
    horizon : float
        Days.
    survival : float
        Baseline survival at the horizon.
    risk : float
        1 - survival ^ exp(linear predictor), in [0, 1].
    """

    horizon: float
    survival: float
    risk: float


@dataclass(frozen=True)
class WorkedPatient:
    """
    A patient's score in the order in which it is computed.

    Attributes
    ----------
    steps : tuple of Step
        In the order of the equation; their products add up to `linear_predictor`.
    linear_predictor : float
        Log hazard.
    points, group : int, str
        How many thresholds it reaches, and the risk group.
    thresholds : tuple of float or None
        The last threshold reached and the first that is not; None where there is none.
    risks : tuple of RiskStep
        One per horizon.
    """

    steps: tuple[Step, ...]
    linear_predictor: float
    points: int
    group: str
    thresholds: tuple[float | None, float | None]
    risks: tuple[RiskStep, ...]


def work_out(artifact: ScoreArtifact, inputs: dict[str, Any]) -> WorkedPatient:
    """
    Work out the score of a patient whose inputs are all known.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    inputs : dict
        Predictor -> number, or level code.

    Returns
    -------
    WorkedPatient
        Every step.

    Raises
    ------
    ValueError
        If an input is missing, or the patient has no score.
    """
    predictors = {row["id"]: row for row in artifact.scoring["predictors"]}
    missing = [name for name in predictors if inputs.get(name) is None]
    if missing:
        message = f"all inputs must be known; missing: {', '.join(missing)}"
        raise ValueError(message)
    frame = pd.DataFrame({name: [inputs[name]] for name in predictors})
    scored = score_table(artifact, frame).iloc[0]
    if scored["reason"]:
        message = f"the patient has no score: {scored['reason']}"
        raise ValueError(message)
    terms = artifact.scoring["terms"]
    steps = tuple(_step(term, predictors[term["predictor"]], frame) for term in terms)
    linear = float(np.sum([step.product for step in steps]))
    points = int(scored["points"])
    reached = [None, *artifact.scoring["points"]["thresholds"], None]
    risks = tuple(
        RiskStep(
            float(row["horizon"]),
            float(row["survival"]),
            float(1.0 - row["survival"] ** np.exp(linear)),
        )
        for row in artifact.scoring["baseline"]
    )
    group = str(scored["risk_group"])
    return WorkedPatient(
        steps, linear, points, group, (reached[points], reached[points + 1]), risks
    )


def _step(term: dict[str, Any], predictor: dict[str, Any], frame: pd.DataFrame) -> Step:
    value = frame[predictor["id"]].iloc[0]
    centred = float(term_value(term, frame[predictor["id"]])[0])
    codes = {level["code"]: level["label"] for level in predictor["levels"]}
    shown = codes[str(value)] if codes else f"{float(value):.12g}"
    unit = "" if codes else unit_text(predictor["unit"])
    return Step(
        label=predictor["label"],
        value=f"{shown} {unit}".strip(),
        inserted=_inserted(term, shown, codes, centred),
        centred=centred,
        coefficient=float(term["coefficient"]),
        product=float(term["coefficient"]) * centred + 0.0,  # not -0
    )


def _inserted(term: dict[str, Any], shown: str, codes: dict[str, str], centred: float) -> str:
    """Write the term with the value put in; a level that it asks for as 1 or 0."""
    if term["kind"] != "indicator":
        return term_text({**term, "predictor": shown}, {shown: codes})
    levels = " or ".join(codes.get(code, code) for code in term["levels"])
    return f"[{levels}] = {centred + float(term['center']):g}"
