"""What an artifact remembers of its development patients, so that others can be set beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.score.builder import ScoreBuilder

SHARES = (0.05, 0.16, 0.25, 0.5, 0.75, 0.84, 0.95)
"""Quantiles of the linear predictor that are kept; 16, 50 and 84 % cut prognostic groups."""
STEP = DAYS_PER_YEAR / 24
"""Days between two points of the baseline curve: half a month, so that no event time is told."""


def development_summary(builder: ScoreBuilder, X: pd.DataFrame) -> dict[str, Any]:
    """
    Summarise the development patients as the artifact keeps them: aggregates only.

    Parameters
    ----------
    builder : ScoreBuilder
        Fitted, with at least one variable kept.
    X : DataFrame of shape (n_patients, n_features)
        The development patients.

    Returns
    -------
    dict
        ``n``; ``ties`` of the model; ``linear_predictor`` with mean, sd and quantiles; and
        ``baseline``, the cumulative hazard at linear predictor 0 on an even grid from 0 to the last
        horizon, between whose points it is read linearly.
    """
    linear_predictor = builder.predict(X)
    last = float(max(builder.horizons))
    times = np.linspace(0.0, last, int(np.ceil(last / STEP)) + 1)
    hazard = np.asarray(builder.model_.baseline_cumulative_hazard_(times), dtype=np.float64)
    quantiles = np.quantile(linear_predictor, SHARES)
    return {
        "n": int(linear_predictor.size),
        "ties": str(builder.model_.ties),
        "linear_predictor": {
            "mean": float(linear_predictor.mean()),
            "sd": float(linear_predictor.std(ddof=1)),
            "quantiles": [
                {"share": share, "value": float(value)}
                for share, value in zip(SHARES, quantiles, strict=True)
            ],
        },
        "baseline": {
            "times": [float(time) for time in times],
            "cumulative_hazard": [float(value) for value in hazard],
        },
    }
