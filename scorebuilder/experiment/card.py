"""The points card, made from the sealed score and put into it with its loss."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import Outcome
from scorebuilder.core.units import horizon_code
from scorebuilder.experiment.card_loss import card_loss
from scorebuilder.experiment.spec_score import ScoreSpec
from scorebuilder.score.apply import fill_missing, score_table
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.card_grid import card_totals
from scorebuilder.score.points_card import card_risks, make_card


def with_card(
    artifact: ScoreArtifact, X: pd.DataFrame, y: Outcome, settings: ScoreSpec
) -> ScoreArtifact:
    """
    Add the points card that the spec asks for.

    Parameters
    ----------
    artifact : ScoreArtifact
        Without card.
    X : DataFrame of shape (n_patients, n_predictors)
        The development patients.
    y : structured ndarray of shape (n_patients,)
        Their outcome.
    settings : ScoreSpec
        ``card`` and ``card_total``.

    Returns
    -------
    ScoreArtifact
        Sealed anew; its scoring part and `core_id` are the same. `artifact` itself if no card is
        wanted.
    """
    if settings.card == "none":
        return artifact
    card = make_card(artifact, X, y, points=settings.card, most=settings.card_total)
    totals = card_totals(card, fill_missing(artifact, X)[0])
    scored = score_table(artifact, X)
    formula = scored[[f"risk_{horizon_code(horizon)}" for horizon in artifact.horizons]]
    card["loss"] = card_loss(
        artifact, y, formula.to_numpy(dtype=np.float64), card_risks(card, totals)
    )
    return seal({**artifact.content, "card": card})
