"""Made-up patients with what the score says of them, by which every export is held to the score."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import numpy as np

from scorebuilder.core.seeds import generator
from scorebuilder.score.apply import curve_floor, is_spiked
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict import judge_patients

VECTOR_MARGIN = 1e-6
"""Test vectors keep this distance from every threshold, so that no engine rounds across it."""
N_VECTORS = 60
"""Vectors with complete and ordinary inputs; those of missing and impossible inputs follow."""
EDGE_EVERY = 4
"""Every so many test vectors a number is at an edge of its curve, if it has one."""
N_BASES = 10
"""So many ordinary vectors are tried as the rest of a vector with one extraordinary input."""
UNKNOWN_LEVEL = "no such level"


def make_test_vectors(artifact: ScoreArtifact) -> list[dict[str, Any]]:
    """
    Draw inputs over all ranges, and add one case for each way in which an input can fail.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score; its own test vectors are not read.

    Returns
    -------
    list of dict
        As `judge_patients`. The first two are the ends of all soft ranges, the third is an ordinary
        patient, and `N_VECTORS` have complete inputs that show every level. Then come, for each
        predictor: values on both sides of its soft range (``extrapolation``), beyond its hard
        range (``out_of_range``), an unknown level (``invalid``) and no value (``imputed`` or
        refused as ``missing``); last, nothing known at all.
    """
    drawn = judge_patients(artifact, list(_drawn(artifact)))
    ordinary = [
        vector for vector in drawn if vector["status"] == "ok" and _is_clear(artifact, vector)
    ]
    vectors = ordinary[:N_VECTORS]
    bases = [vector["inputs"] for vector in vectors[2 : 2 + N_BASES]] or [vectors[0]["inputs"]]
    for change in _changes(artifact):
        tried = judge_patients(artifact, [{**base, **change} for base in bases])
        vectors += [vector for vector in tried if _is_clear(artifact, vector)][:1]
    return vectors


def _is_clear(artifact: ScoreArtifact, vector: dict[str, Any]) -> bool:
    """Tell whether a vector lies far enough from every threshold, or has no points."""
    if vector["linear_predictor"] is None:
        return True
    away = np.asarray(artifact.scoring["points"]["thresholds"]) - vector["linear_predictor"]
    return bool(np.min(np.abs(away)) >= VECTOR_MARGIN)


def _drawn(artifact: ScoreArtifact) -> Iterator[dict[str, Any]]:
    random = generator(0, "test vectors", artifact.content["core_id"])
    columns: dict[str, list[Any]] = {}
    for position, predictor in enumerate(artifact.scoring["predictors"]):
        if predictor["type"] == "numeric":
            low, high = predictor["soft_range"]
            drawn = low + (high - low) * np.concatenate(([0.0, 1.0], random.random(2 * N_VECTORS)))
            values = [float(f"{value:.4g}") for value in drawn]
            # The first two rows are the ends of all ranges, the third is an ordinary patient.
            values[:2] = [float(low), float(high)]
            rows = range(3 + position % EDGE_EVERY, len(values), EDGE_EVERY)
            for row, value in zip(rows, cycle(_edge_values(artifact, predictor)), strict=False):
                values[row] = value
            columns[predictor["id"]] = values
        else:
            codes = [level["code"] for level in predictor["levels"]]
            picks = random.integers(len(codes), size=2 * N_VECTORS + 2)
            shown = min(len(codes), N_VECTORS - 3)
            picks[3 : 3 + shown] = np.arange(shown)  # every level at least once
            columns[predictor["id"]] = [codes[pick] for pick in picks]
    for row in range(2 * N_VECTORS + 2):
        yield {name: values[row] for name, values in columns.items()}


def _edge_values(artifact: ScoreArtifact, predictor: dict[str, Any]) -> list[float]:
    """List values at which an engine can go wrong: 0 of a spike, possible ones beyond limits."""
    terms = [term for term in artifact.scoring["terms"] if term["predictor"] == predictor["id"]]
    values = [0.0] if any(is_spiked(term) for term in terms) else []
    lowest, highest = (
        end if hard is None else hard
        for end, hard in zip((-np.inf, np.inf), predictor["hard_range"], strict=True)
    )
    for low, high in dict.fromkeys(tuple(term["limits"]) for term in terms if "limits" in term):
        beyond = (high - low) / 2.0
        values += [max(lowest, low - beyond), min(highest, high + beyond)]
    return [float(value) for value in values if lowest <= value <= highest]


def _changes(artifact: ScoreArtifact) -> Iterator[dict[str, Any]]:
    for predictor in artifact.scoring["predictors"]:
        name = predictor["id"]
        if predictor["type"] == "numeric":
            yield from ({name: value} for value in _extraordinary(artifact, predictor))
        else:
            yield {name: UNKNOWN_LEVEL}
        yield {name: None}
    yield dict.fromkeys(artifact.predictors)


def _extraordinary(artifact: ScoreArtifact, predictor: dict[str, Any]) -> list[float]:
    """List numbers beyond the soft range, at the ends of the hard range, and beyond these."""
    low, high = predictor["soft_range"]
    lowest, highest = predictor["hard_range"]
    floor = curve_floor(artifact, predictor["id"])
    step = max(high - low, 1.0) / 8.0
    values = [low - step, high + step, high + 4.0 * step]
    for end, direction in ((lowest, -1.0), (highest, 1.0)):
        if end is not None:
            values += [end, end + direction * step]
    if floor is not None:
        values += [floor, floor - step]
    return list(dict.fromkeys(float(f"{value:.6g}") for value in values))
