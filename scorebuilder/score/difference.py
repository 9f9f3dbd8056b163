"""How far two scores differ in what they compute: coefficients, curves, and risk over a grid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.score.apply import term_value
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict import judge_patients
from scorebuilder.score.version_rule import vector_inputs

N_GRID = 101
N_DRAWN = 60
"""About so many points of a curve are kept to draw it."""


def _term_key(term: dict[str, Any]) -> str:
    if term["kind"] == "indicator":
        return f"{term['predictor']} in {', '.join(term['levels'])}"
    if term["kind"] == "positive":
        return f"{term['predictor']} above 0"
    log = f" x log^{term['log_factor']}" if term["log_factor"] else ""
    return f"{term['predictor']}^{term['power']:g}{log}"


def coefficient_difference(old: ScoreArtifact, new: ScoreArtifact) -> list[dict[str, Any]]:
    """
    Set the coefficients of two scores side by side.

    Parameters
    ----------
    old, new : ScoreArtifact
        The scores.

    Returns
    -------
    list of dict
        ``term``, ``old`` and ``new`` (None where a score lacks the term) and ``scaled_alike``:
        whether shift and scale agree, so that the coefficients are comparable.
    """
    before = {_term_key(term): term for term in old.scoring["terms"]}
    after = {_term_key(term): term for term in new.scoring["terms"]}
    rows = []
    for name in dict.fromkeys((*before, *after)):
        first, second = before.get(name), after.get(name)
        alike = (
            first is not None
            and second is not None
            and all(first.get(key) == second.get(key) for key in ("shift", "scale", "limits"))
        )
        rows.append(
            {
                "term": name,
                "old": first["coefficient"] if first else None,
                "new": second["coefficient"] if second else None,
                "scaled_alike": alike,
            }
        )
    return rows


def _curve(artifact: ScoreArtifact, name: str, values: pd.Series) -> FloatArray:
    total = np.zeros(len(values))
    for term in artifact.scoring["terms"]:
        if term["predictor"] == name:
            total += term["coefficient"] * term_value(term, values)
    return total


def _shared(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[tuple[str, pd.Series]]:
    """Shared predictors, with the values over which both are compared."""
    after = {item["id"]: item for item in new.scoring["predictors"]}
    for item in old.scoring["predictors"]:
        other = after.get(item["id"])
        if other is None or (item["type"] == "numeric") != (other["type"] == "numeric"):
            continue
        if item["type"] != "numeric":
            codes = [level["code"] for level in item["levels"]]
            known = {level["code"] for level in other["levels"]}
            yield item["id"], pd.Series([code for code in codes if code in known], dtype=object)
            continue
        low = min(item["soft_range"][0], other["soft_range"][0])
        high = max(item["soft_range"][1], other["soft_range"][1])
        yield item["id"], pd.Series(np.linspace(low, high, N_GRID))


def curve_difference(old: ScoreArtifact, new: ScoreArtifact) -> list[dict[str, Any]]:
    """
    Compare the curves of the predictors that both scores use.

    Parameters
    ----------
    old, new : ScoreArtifact
        The scores.

    Returns
    -------
    list of dict
        ``predictor``, ``largest`` (largest absolute difference of the log hazard over both soft
        ranges or all levels) and ``at`` (where); both curves are first moved to mean 0 there, so
        that centring plays no part. ``reason`` says why ``largest`` is None. ``label`` and ``unit``
        are those of the new score; a number has its moved curves under ``x``, ``old`` and ``new``,
        with None where a score has none.
    """
    rows: list[dict[str, Any]] = []
    shown = {item["id"]: item for item in new.scoring["predictors"]}
    for name, values in _shared(old, new):
        first, second = _curve(old, name, values), _curve(new, name, values)
        known = np.isfinite(first) & np.isfinite(second)
        if not known.any():
            rows.append({"predictor": name, "label": shown[name]["label"], "largest": None,
                         "at": None, "reason": "the scores know no value in common"})  # fmt: skip
            continue
        first, second = first - first[known].mean(), second - second[known].mean()
        moved = first - second
        worst = int(np.argmax(np.where(known, np.abs(moved), -1.0)))
        at = values.iloc[worst]
        rows.append(
            {
                "predictor": name,
                "label": shown[name]["label"],
                "largest": float(np.abs(moved[worst])),
                "at": at if isinstance(at, str) else float(f"{at:.4g}"),
                "reason": None,
            }
        )
        if values.dtype.kind == "f":
            every = slice(None, None, max(1, len(values) // N_DRAWN))
            rows[-1] |= {
                "unit": shown[name]["unit"],
                "x": [float(f"{x:.6g}") for x in values[every]],
                "old": _known(first[every]),
                "new": _known(second[every]),
            }
    return rows


def _known(values: FloatArray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]


def risk_difference(old: ScoreArtifact, new: ScoreArtifact) -> list[dict[str, Any]]:
    """
    Compare the risks of made-up patients: the test vectors of both scores.

    Parameters
    ----------
    old, new : ScoreArtifact
        The scores; inputs that only one of them uses are missing for the other.

    Returns
    -------
    list of dict
        By shared horizon: ``n`` patients whom both score, ``mean``, ``lowest``, ``highest`` of new
        minus old risk, and ``reason`` if there is none.
    """
    inputs = vector_inputs(old, new)
    pairs = [
        (a["risk"], b["risk"])
        for a, b in zip(judge_patients(old, inputs), judge_patients(new, inputs), strict=True)
        if a["status"] == b["status"] == "ok"
    ]
    rows: list[dict[str, Any]] = []
    for horizon in (h for h in old.horizons if h in new.horizons):
        k, m = old.horizons.index(horizon), new.horizons.index(horizon)
        moved = np.array([b[m] - a[k] for a, b in pairs])
        row: dict[str, Any] = {"horizon": horizon, "n": len(pairs), "reason": None}
        if pairs:
            row |= {"mean": float(moved.mean()), "lowest": float(moved.min()),
                    "highest": float(moved.max())}  # fmt: skip
        else:
            row |= dict.fromkeys(("mean", "lowest", "highest"))
            row["reason"] = "no made-up patient is scored by both"
        rows.append(row)
    return rows
