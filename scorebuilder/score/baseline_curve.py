"""The baseline cumulative hazard between the horizons, for whom follow-up ends earlier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.score.artifact import ScoreArtifact

STEP = DAYS_PER_YEAR / 24
"""Largest number of days between two times of the curve: half a month."""


def make_baseline_curve(
    cumulative_hazard: Callable[[float], Any], horizons: Sequence[float]
) -> list[dict[str, float]]:
    """
    Read a baseline cumulative hazard at evenly spaced times.

    Parameters
    ----------
    cumulative_hazard : callable
        Time -> baseline cumulative hazard.
    horizons : sequence of float
        Ascending; all of them are among the times.

    Returns
    -------
    list of dict
        ``time`` and ``cumulative_hazard``, ascending, up to the last horizon. The steps of the
        curve lie at the events of patients; evenly spaced times do not tell them.
    """
    last = float(horizons[-1])
    even = np.linspace(0.0, last, int(np.ceil(last / STEP)) + 1)[1:]
    beside = np.min(np.abs(even[:, None] - np.asarray(horizons)), axis=1) > 1.0
    times = sorted({*even[beside].tolist(), *(float(horizon) for horizon in horizons)})
    return [
        {"time": float(time), "cumulative_hazard": float(cumulative_hazard(time))} for time in times
    ]


def baseline_points(artifact: ScoreArtifact) -> tuple[FloatArray, FloatArray]:
    """
    Return the known points of the baseline cumulative hazard.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    times, hazards : ndarray of shape (n_times,)
        From its curve; where an artifact has none, from its horizons.
    """
    curve = artifact.content.get("baseline_curve") or [
        {"time": row["horizon"], "cumulative_hazard": -float(np.log(row["survival"]))}
        for row in artifact.scoring["baseline"]
    ]
    return (
        np.array([row["time"] for row in curve], dtype=np.float64),
        np.array([row["cumulative_hazard"] for row in curve], dtype=np.float64),
    )
