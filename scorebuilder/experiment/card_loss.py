"""What a simpler form of a score costs against its formula, on the same patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.points import PointsScale
from scorebuilder.validation.calibration import calibration_smooth
from scorebuilder.validation.metric import METRICS

MEASURES = ("c_index", "auc", "brier")


def card_loss(
    artifact: ScoreArtifact, y: Outcome, formula: FloatArray, card: FloatArray
) -> list[dict[str, Any]]:
    """
    Judge the risks of the formula and of the card on the development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        Its thresholds and groups tell what another class is.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    formula, card : ndarray of shape (n_patients, n_horizons)
        Risks, one column per horizon of the artifact.

    Returns
    -------
    list of dict
        Rows of the card's ``loss``: C-index, AUC(t), Brier score and mean absolute calibration
        error (ICI) of both, apparent; and, at the last horizon, the share of patients whom the
        card's risk puts at other points or in another risk group than the formula's.
    """
    rows = []
    for k, horizon in enumerate(artifact.horizons):
        forms = {"formula": formula[:, k], "card": card[:, k]}
        for name in MEASURES:
            whole = METRICS[name].whole_follow_up
            if not (whole and k):
                measure = partial(_metric, name, y, horizon)
                rows.append(_row(name, None if whole else horizon, _judged(measure, forms)))
        rows.append(_row("ici", horizon, _judged(partial(_ici, y, horizon), forms)))
    return rows + _reclassified(artifact, formula[:, -1], card[:, -1])


def _metric(name: str, y: Outcome, horizon: float, risk: FloatArray) -> float:
    return METRICS[name].function(None, y, risk, horizon=horizon).value


def _ici(y: Outcome, horizon: float, risk: FloatArray) -> float:
    return calibration_smooth(y, risk, horizon=horizon).ici


def _judged(
    measure: Callable[[FloatArray], float], forms: Mapping[str, FloatArray]
) -> dict[str, float | str]:
    values: dict[str, float | str] = {}
    for form, risk in forms.items():
        try:
            values[form] = measure(risk)
        except UndefinedMetricError as error:
            values[form] = str(error)
    return values


def _row(measure: str, horizon: float | None, values: Mapping[str, float | str]) -> dict[str, Any]:
    reasons = [value for value in values.values() if isinstance(value, str)]
    shown = {form: None if isinstance(value, str) else value for form, value in values.items()}
    return {"measure": measure, "horizon": horizon, **shown, "reason": "; ".join(reasons)}


def _reclassified(
    artifact: ScoreArtifact, formula: FloatArray, card: FloatArray
) -> list[dict[str, Any]]:
    hazard = -float(np.log(artifact.scoring["baseline"][-1]["survival"]))
    stored = artifact.scoring["points"]
    scale = PointsScale(tuple(stored["thresholds"]), tuple(stored["anchors"]))
    points = [scale.points(_linear_predictor(risk, hazard)) for risk in (formula, card)]
    cuts = [band["points_from"] for band in artifact.scoring["risk_groups"][1:]]
    groups = [np.searchsorted(cuts, value, side="right") for value in points]
    horizon = artifact.horizons[-1]
    return [
        _row(name, horizon, {"formula": 0.0, "card": float(np.mean(first != second))})
        for name, (first, second) in (("other_points", points), ("other_group", groups))
    ]


def _linear_predictor(risk: FloatArray, hazard: float) -> FloatArray:
    inside = np.clip(risk, 1e-300, 1.0 - 1e-16)
    return np.asarray(np.log(-np.log1p(-inside) / hazard), dtype=np.float64)
