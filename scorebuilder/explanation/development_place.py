"""Where a patient lies among the development patients, as far as their aggregates tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.score.artifact import ScoreArtifact


@dataclass(frozen=True)
class Place:
    """
    A part of a distribution.

    Attributes
    ----------
    below, up_to : float
        At least the share `below` and at most the share `up_to` of the development patients have a
        lower value.
    """

    below: float
    up_to: float


def place_in_bins(edges: Sequence[float], shares: Sequence[float], value: float) -> Place:
    """
    Find the bin of a value.

    Parameters
    ----------
    edges : sequence of float
        Ascending; bin k holds values above edge k - 1 and not above edge k.
    shares : sequence of float
        Of each bin, one more than edges.
    value : float
        Of the patient.

    Returns
    -------
    Place
        Cumulative shares below the bin and with it.

    Examples
    --------
    >>> place_in_bins([1.0, 2.0], [0.5, 0.25, 0.25], 2.0)
    Place(below=0.5, up_to=0.75)
    """
    k = int(np.searchsorted(np.asarray(edges), value, side="left"))
    cumulative = [0.0, *np.cumsum(shares)]
    return Place(float(cumulative[k]), min(float(cumulative[k + 1]), 1.0))


def place_of_score(artifact: ScoreArtifact, linear_predictor: float) -> Place:
    """
    Place a patient's linear predictor among those of the development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        With monitoring aggregates, or with the quantiles of its development patients.
    linear_predictor : float
        Of the patient.

    Returns
    -------
    Place
        As narrow as the aggregates allow.

    Raises
    ------
    UndefinedMetricError
        If the artifact holds neither.
    """
    held = artifact.content.get("monitoring")
    if held:
        found = held["linear_predictor"]
        return place_in_bins(found["edges"], found["shares"], linear_predictor)
    summary = artifact.content["evidence"].get("development")
    if summary is None:
        message = "the artifact does not describe its development patients"
        raise UndefinedMetricError(message)
    rows = summary["linear_predictor"]["quantiles"]
    below = max((r["share"] for r in rows if r["value"] < linear_predictor), default=0.0)
    above = min((r["share"] for r in rows if r["value"] >= linear_predictor), default=1.0)
    return Place(float(below), float(above))


def place_of_input(artifact: ScoreArtifact, predictor: str, value: float) -> Place | None:
    """
    Place a number among the values of the development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : str
        A numeric predictor.
    value : float
        Of the patient.

    Returns
    -------
    Place or None
        None if the artifact does not tell, or has one bin only.
    """
    entry = _monitored(artifact, predictor)
    if entry is None or not entry.get("edges"):
        return None
    return place_in_bins(entry["edges"], entry["shares"], value)


def median_of_input(artifact: ScoreArtifact, predictor: str) -> float | None:
    """
    Find the median of a number among the development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : str
        A numeric predictor.

    Returns
    -------
    float or None
        The edge below or at which nearly half of them lie, rounded as the artifact keeps it; None
        if no edge cuts them between 40 and 60 %.
    """
    entry = _monitored(artifact, predictor)
    if entry is None or not entry.get("edges"):
        return None
    distance = np.abs(np.cumsum(entry["shares"])[:-1] - 0.5)
    nearest = int(np.argmin(distance))
    return float(entry["edges"][nearest]) if distance[nearest] <= 0.1 else None


def _monitored(artifact: ScoreArtifact, predictor: str) -> dict[str, Any] | None:
    held = artifact.content.get("monitoring")
    rows: list[dict[str, Any]] = held["predictors"] if held else []
    return next((row for row in rows if row["predictor"] == predictor), None)
