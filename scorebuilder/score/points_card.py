"""The points card: a table per predictor whose points add up, with the risk of every total."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.score.apply import contributions, fill_missing, term_value
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.card_grid import N_GRID, card_totals, number_rows
from scorebuilder.score.card_search import CardScale, search_card
from scorebuilder.score.pooled_risk import RiskBand, pooled_risk
from scorebuilder.survival.absolute_risk import absolute_risk

STEPS = {"whole": 1.0, "half": 0.5}
FITTED = (
    "risk of a total: Cox model of the development patients with the total as the only covariate, "
    "Efron ties"
)


def make_card(
    artifact: ScoreArtifact, X: pd.DataFrame, y: Outcome, *, points: str, most: float
) -> dict[str, Any]:
    """
    Make the additive points card of a score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        The development patients, typed.
    y : structured ndarray of shape (n_patients,)
        Their outcome.
    points : {"whole", "half"}
        Whether points are multiples of 1 or of 0.5.
    most : float
        Largest total.

    Returns
    -------
    dict
        The artifact's ``card``, with an empty ``loss``.

    Raises
    ------
    ModelError
        If no contribution varies within the development range, or a patient has no linear
        predictor.

    Notes
    -----
    A number counts as the nearer end of its soft range when it lies beyond it. Its range is cut
    where the fitted curve crosses the edge of a step, so that a curve that turns has the same
    points on both sides. Unit and rounding are chosen by `search_card`; cut points are then rounded
    to be readable (of a variable that only has whole numbers, to these), and the risk is fitted to
    the totals from the rounded card.
    """
    step = STEPS[points]
    filled, _, _ = fill_missing(artifact, X)
    curves = [
        _Curve(artifact, predictor, whole=_is_whole(X[predictor["id"]]))
        for predictor in artifact.scoring["predictors"]
    ]
    limited = pd.DataFrame({curve.name: curve.limited(filled[curve.name]) for curve in curves})
    eta = contributions(artifact, filled).sum(axis=1, skipna=False).to_numpy(dtype=np.float64)
    if not np.isfinite(eta).all():
        message = "a development patient has no linear predictor, so there is no points card"
        raise ModelError(message)
    parts = np.column_stack([curve.contribution(limited[curve.name]) for curve in curves])
    scale = search_card(
        parts,
        eta,
        cumulative_hazard=-float(np.log(artifact.scoring["baseline"][-1]["survival"])),
        lowest=[curve.lowest for curve in curves],
        highest=[curve.highest for curve in curves],
        most_steps=int(most / step),
    )
    entries = [curve.entry(scale, position, step) for position, curve in enumerate(curves)]
    entries = [entry for entry in entries if any(row["points"] for row in entry["rows"])]
    card: dict[str, Any] = {
        "step": step,
        "unit": scale.unit / step,
        "predictors": entries,
        "total": [0.0, sum(max(row["points"] for row in entry["rows"]) for entry in entries)],
        "fitted": FITTED,
        "loss": [],
    }
    return card | _risks(artifact, card, card_totals(card, filled), eta, y)


def _risks(
    artifact: ScoreArtifact, card: dict[str, Any], totals: FloatArray, eta: FloatArray, y: Outcome
) -> dict[str, Any]:
    model = CoxRegression().fit(pd.DataFrame({"total": totals}), y)
    possible = np.arange(0.0, card["total"][1] + card["step"] / 2.0, card["step"])
    fitted = model.predict(pd.DataFrame({"total": possible}))
    hazards = [float(model.baseline_cumulative_hazard_(h)) for h in artifact.horizons]
    by_total = np.column_stack([absolute_risk(fitted, hazard) for hazard in hazards])
    formula = np.column_stack(
        [absolute_risk(eta, -float(np.log(r["survival"]))) for r in artifact.scoring["baseline"]]
    )
    bands = pooled_risk(totals, formula, y, possible=possible.tolist(), horizons=artifact.horizons)
    return {
        "totals": [
            {"total": float(total), "risk": [float(value) for value in risks]}
            for total, risks in zip(possible, by_total, strict=True)
        ],
        "risk": [row for band in bands for row in _band_rows(band)],
    }


def _band_rows(band: RiskBand) -> list[dict[str, Any]]:
    return [
        {
            "from": band.first,
            "to": band.last,
            "horizon": found.horizon,
            "n": found.n,
            "predicted": found.predicted,
            "observed": found.observed,
            "lower": found.lower,
            "upper": found.upper,
            "reason": found.reason,
        }
        for found in band.risks
    ]


def card_risks(card: dict[str, Any], totals: FloatArray) -> FloatArray:
    """
    Look up the risk of totals.

    Parameters
    ----------
    card : dict
        The artifact's ``card``.
    totals : ndarray of shape (n_patients,)
        Multiples of the card's step.

    Returns
    -------
    ndarray of shape (n_patients, n_horizons)
        Risk.
    """
    table = np.array([row["risk"] for row in card["totals"]], dtype=np.float64)
    rows = np.rint(totals / card["step"]).astype(np.int64)
    return np.asarray(table[rows], dtype=np.float64)


def _is_whole(values: pd.Series) -> bool:
    """Whether a variable only has whole numbers: nobody has 1.3 lymph nodes."""
    known = values.dropna()
    return known.dtype.kind in "fiu" and bool((known == known.round()).all())


class _Curve:
    """What one predictor adds to the linear predictor, over the range that the card covers."""

    def __init__(self, artifact: ScoreArtifact, predictor: dict[str, Any], *, whole: bool) -> None:
        self.name = str(predictor["id"])
        self.codes = [str(level["code"]) for level in predictor["levels"]]
        self._numeric, self._whole = predictor["type"] == "numeric", whole
        self._terms = [t for t in artifact.scoring["terms"] if t["predictor"] == self.name]
        self._range = [float(end) for end in predictor["soft_range"]] if self._numeric else []
        if self._numeric:
            shown = pd.Series(np.linspace(self._range[0], self._range[1], N_GRID))
        else:
            shown = pd.Series(self.codes, dtype=object)
        values = self.contribution(shown)
        self.lowest, self.highest = float(np.min(values)), float(np.max(values))

    def limited(self, values: pd.Series) -> pd.Series:
        return values.clip(self._range[0], self._range[1]) if self._numeric else values

    def contribution(self, values: pd.Series) -> FloatArray:
        total = np.zeros(len(values))
        for term in self._terms:
            total += term["coefficient"] * term_value(term, values)
        return total

    def entry(self, scale: CardScale, position: int, step: float) -> dict[str, Any]:
        def steps(values: FloatArray) -> FloatArray:
            return scale.steps(position, self.contribution(pd.Series(values)))

        rows = self._number_rows(steps) if self._numeric else self._level_rows(scale, position)
        fewest = min(row["points"] for row in rows)
        for row in rows:
            row["points"] = (row["points"] - fewest) * step
        return {"predictor": self.name, "rows": rows}

    def _number_rows(self, steps: Callable[[FloatArray], FloatArray]) -> list[dict[str, Any]]:
        low, high = self._range
        cut = number_rows(steps, low, high, whole=self._whole) if high > low else [(None, None, 0)]
        return [{"from": start, "to": end, "points": float(n)} for start, end, n in cut]

    def _level_rows(self, scale: CardScale, position: int) -> list[dict[str, Any]]:
        values = self.contribution(pd.Series(np.array(self.codes, object)))
        steps = scale.steps(position, values)
        return [
            {
                "codes": [c for c, n in zip(self.codes, steps, strict=True) if n == count],
                "points": float(count),
            }
            for count in sorted(set(steps.tolist()))
        ]
