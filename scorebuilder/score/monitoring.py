"""What the development patients looked like, in aggregates that tell of no patient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.score.apply import fill_missing, score_table
from scorebuilder.score.artifact import ScoreArtifact

BINS = 10
"""Parts into which a distribution is cut, where its values allow as many."""
QUANTILES = (0.01, 0.05, 0.16, 0.25, 0.5, 0.75, 0.84, 0.95, 0.99)
"""Those that are kept of the linear predictor; 16, 50 and 84 % cut prognostic groups."""
DIGITS = 4
"""Significant digits of edges and quantiles, so that they are no patient's own values."""
FINE_DIGITS = 6
"""The same for quantiles of the linear predictor, at which patients are grouped again."""


def rounded(value: float, digits: int = DIGITS) -> float:
    """
    Round to a few significant digits.

    Parameters
    ----------
    value : float
        A number.
    digits : int
        How many.

    Returns
    -------
    float
        With so many significant digits.
    """
    return float(f"{value:.{digits}g}")


def bin_edges(values: FloatArray, *, n_bins: int = BINS) -> list[float]:
    """
    Cut a distribution where its quantiles lie, so that no bin holds few patients.

    Parameters
    ----------
    values : ndarray of shape (n_patients,)
        Known values.
    n_bins : int
        How many bins of equal size, where the values allow as many.

    Returns
    -------
    list of float
        Ascending, rounded; bin k holds the values above edge k - 1 and not above edge k. Empty when
        the values cannot be cut into two bins of at least five patients.
    """
    quantiles = np.quantile(values, np.arange(1, n_bins) / n_bins)
    edges = sorted({rounded(value) for value in quantiles})
    while edges:
        counts = bin_counts(values, edges)
        smallest = int(np.argmin(counts))
        if counts[smallest] >= SMALLEST_CELL:
            return edges
        del edges[min(smallest, len(edges) - 1)]
    return edges


def bin_counts(values: FloatArray, edges: list[float]) -> FloatArray:
    """
    Count the patients of each bin.

    Parameters
    ----------
    values : ndarray of shape (n_patients,)
        Known values.
    edges : list of float
        Ascending.

    Returns
    -------
    ndarray of shape (n_edges + 1,)
        Numbers of patients.
    """
    bins = np.searchsorted(np.asarray(edges), values, side="left")
    return np.bincount(bins, minlength=len(edges) + 1).astype(np.float64)


def share_of(flags: BoolArray) -> float | None:
    """
    Give the share of flagged patients, unless it tells of one to four of them.

    Parameters
    ----------
    flags : ndarray of bool of shape (n_patients,)
        Who is flagged.

    Returns
    -------
    float or None
        None when one to four patients are flagged.
    """
    count = int(np.sum(flags))
    return None if 0 < count < SMALLEST_CELL else count / len(flags)


def development_aggregates(artifact: ScoreArtifact, X: pd.DataFrame) -> dict[str, Any]:
    """
    Describe the inputs and linear predictors of the development patients for later comparison.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        The development patients, typed.

    Returns
    -------
    dict
        ``n``, one entry of ``predictors`` each, and ``linear_predictor``, as the artifact's schema
        states. No bin and no level counts fewer than five patients.
    """
    inputs = [_describe(predictor, X) for predictor in artifact.scoring["predictors"]]
    filled, _, _ = fill_missing(artifact, X)
    scored = score_table(artifact, filled)["linear_predictor"].to_numpy(dtype=np.float64)
    known = scored[np.isfinite(scored)]
    edges = bin_edges(known)
    counts = bin_counts(known, edges)
    return {
        "n": len(X),
        "predictors": inputs,
        "linear_predictor": {
            "mean": float(np.mean(known)),
            "sd": float(np.std(known, ddof=1)),
            "quantiles": [
                {"quantile": level, "value": rounded(float(np.quantile(known, level)), FINE_DIGITS)}
                for level in QUANTILES
            ],
            "edges": edges,
            "shares": [float(count) / len(known) for count in counts],
        },
    }


def _describe(predictor: dict[str, Any], X: pd.DataFrame) -> dict[str, Any]:
    column = X[predictor["id"]]
    missing = column.isna().to_numpy(dtype=np.bool_)
    entry = {"predictor": predictor["id"], "missing": share_of(missing)}
    if predictor["type"] != "numeric":
        codes = [level["code"] for level in predictor["levels"]]
        known = column.dropna().astype(object)
        return entry | {
            "levels": _level_shares([int((known == code).sum()) for code in codes], codes)
        }
    values = column.to_numpy(dtype=np.float64)
    low, high = predictor["soft_range"]
    known_values = values[~missing]
    edges = bin_edges(known_values)
    counts = bin_counts(known_values, edges)
    return entry | {
        "outside": share_of((values < low) | (values > high)),
        "edges": edges,
        "shares": [float(count) / len(known_values) for count in counts],
    }


def _level_shares(counts: list[int], codes: list[str]) -> list[dict[str, Any]]:
    """Merge the rarest levels until no cell is small; one cell holds all if need be."""
    cells = [([code], count) for code, count in zip(codes, counts, strict=True)]
    while len(cells) > 1 and min(count for _, count in cells) < SMALLEST_CELL:
        cells.sort(key=lambda cell: cell[1])
        (first, few), (second, more) = cells[:2]
        cells[:2] = [(first + second, few + more)]
    total = sum(counts)
    order = {code: position for position, code in enumerate(codes)}
    merged = [(sorted(names, key=order.__getitem__), count) for names, count in cells]
    merged.sort(key=lambda cell: order[cell[0][0]])
    return [{"codes": names, "share": count / total} for names, count in merged]
