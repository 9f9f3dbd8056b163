"""Risk from the file is risk from the fitted model, also for patients nobody has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.units import horizon_code
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact

N_PATIENTS = 10_000


def strangers(small_score: Any) -> pd.DataFrame:
    """Values drawn from and beyond the development patients, a tenth of each column missing."""
    random = np.random.default_rng(20260101)
    X = small_score.cohort.X
    columns = {}
    for name in X.columns:
        drawn = X[name].iloc[random.integers(len(X), size=N_PATIENTS)].reset_index(drop=True)
        if isinstance(drawn.dtype, pd.CategoricalDtype):
            columns[name] = drawn.mask(random.random(N_PATIENTS) < 0.1)
            continue
        low, high = float(X[name].min()), float(X[name].max())
        beyond = random.uniform(low - (high - low) / 2, high + (high - low) / 2, N_PATIENTS)
        values = np.where(random.random(N_PATIENTS) < 0.5, drawn.to_numpy(dtype=float), beyond)
        columns[name] = pd.Series(np.where(random.random(N_PATIENTS) < 0.1, np.nan, values))
    return pd.DataFrame(columns)


def test_the_same_risk_for_ten_thousand_patients(small_score: Any) -> None:
    X = strangers(small_score)
    artifact = ScoreArtifact.from_json(small_score.artifact.to_json())
    found = score_table(artifact, X)
    scored = (found["reason"] == "").to_numpy()
    assert 0.2 * N_PATIENTS < scored.sum() < N_PATIENTS  # some are refused, by range or missing
    kept = X[scored].reset_index(drop=True)
    model = small_score.builder
    for horizon in artifact.horizons:
        np.testing.assert_allclose(
            found.loc[scored, f"risk_{horizon_code(horizon)}"].to_numpy(dtype=float),
            model.predict_risk(kept, horizon=horizon),
            rtol=0,
            atol=1e-12,
        )
    np.testing.assert_array_equal(
        found.loc[scored, "points"].to_numpy(dtype=int), model.predict_points(kept)
    )


def test_round_trip_is_bit_equal(small_score: Any) -> None:
    text = small_score.artifact.to_json()
    again = ScoreArtifact.from_json(text)
    assert again.content == small_score.artifact.content
    assert again.to_json() == text
