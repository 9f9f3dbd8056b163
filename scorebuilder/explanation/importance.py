"""Which predictors move the score: exact contributions over the patients, in aggregates only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from scorebuilder.cohort.describe import hidden_levels
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.explanation.contributions import effect_at, term_contributions
from scorebuilder.explanation.stage_agreement import shares
from scorebuilder.score.apply import fill_missing, is_spiked
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.monitoring import bin_counts, bin_edges, rounded

N_BINS = 30
"""Most bins of a number; each holds at least five patients."""
N_GRID = 61
"""Points of a curve."""


@dataclass(frozen=True)
class ValueBin:
    """
    At least five patients with neighbouring values, or a level.

    Attributes
    ----------
    value : float or str
        Mean value with four significant digits, or the code of the level.
    rank : float
        Where the value lies between the lowest (0) and the highest (1).
    contribution : float
        Mean contribution; log hazard.
    share : float or None
        Share of the patients in per cent steps; None for a level that may not be counted.
    """

    value: float | str
    rank: float
    contribution: float
    share: float | None


@dataclass(frozen=True)
class Importance:
    """
    How much one predictor moves the score of the development patients.

    Attributes
    ----------
    predictor : str
        Which one.
    size : float
        Mean absolute contribution; log hazard.
    share, error : float
        `size` as a share of the sum over the predictors, and its standard error for the choice of
        the patients, the coefficients taken as given.
    lower, upper : float
        5th and 95th centile of the contribution, rounded.
    bins : tuple of ValueBin
        From the lowest value up; levels in their order.
    """

    predictor: str
    size: float
    share: float
    error: float
    lower: float
    upper: float
    bins: tuple[ValueBin, ...]


def global_importance(artifact: ScoreArtifact, X: pd.DataFrame) -> list[Importance]:
    r"""
    Rank the predictors by their mean absolute contribution.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        The development patients, typed; missing inputs are filled as the artifact says.

    Returns
    -------
    list of Importance
        The most important first. No bin counts fewer than five patients.

    Raises
    ------
    UndefinedMetricError
        If the score is the same for all patients.

    Notes
    -----
    .. math:: I_j = \frac{1}{n} \sum_i \left| f_j(x_{ij}) - \mathrm{E}[f_j(X_j)] \right|

    the mean absolute Shapley value [1]_, which for a sum of functions needs no sampling. It says
    what moves the score, not what moves the patient's risk.

    References
    ----------
    .. [1] Lundberg SM, Lee SI. A unified approach to interpreting model predictions. NeurIPS 2017.
    """
    parts = term_contributions(artifact, X)
    filled, _, _ = fill_missing(artifact, X)
    size = parts.abs().to_numpy(dtype=np.float64)
    if size.sum() == 0.0:
        message = "the score is the same for all patients"
        raise UndefinedMetricError(message)
    share, error = shares(size)
    found = []
    for k, predictor in enumerate(artifact.scoring["predictors"]):
        name = str(predictor["id"])
        lower, upper = (rounded(float(q)) for q in np.quantile(parts[name], [0.05, 0.95]))
        bins = _bins(predictor, filled[name], parts[name])
        found.append(
            Importance(
                name, float(size[:, k].mean()), float(share[k]), float(error[k]), lower, upper, bins
            )
        )
    return sorted(found, key=lambda item: (-item.size, item.predictor))


def _bins(predictor: dict[str, Any], values: pd.Series, parts: pd.Series) -> tuple[ValueBin, ...]:
    effect = parts.to_numpy(dtype=np.float64)
    if predictor["type"] == "numeric":
        return _number_bins(values.to_numpy(dtype=np.float64), effect)
    codes = [level["code"] for level in predictor["levels"]]
    members = [(values.astype(object) == code).to_numpy(dtype=np.bool_) for code in codes]
    hidden = hidden_levels(np.array([[int(inside.sum()) for inside in members]]))
    last = max(len(codes) - 1, 1)
    return tuple(
        ValueBin(
            code,
            k / last,
            float(effect[inside].mean()),
            None if hide else _per_cent(float(inside.mean())),
        )
        for k, (code, inside, hide) in enumerate(zip(codes, members, hidden, strict=True))
        if inside.any()
    )


def _number_bins(values: FloatArray, effect: FloatArray) -> tuple[ValueBin, ...]:
    edges = bin_edges(values, n_bins=N_BINS)
    counts = bin_counts(values, edges)
    place = np.searchsorted(np.asarray(edges), values, side="left")
    ranks = (rankdata(values) - 0.5) / values.size
    return tuple(
        ValueBin(
            rounded(float(values[place == k].mean())),
            float(ranks[place == k].mean()),
            float(effect[place == k].mean()),
            _per_cent(count / values.size),
        )
        for k, count in enumerate(counts)
    )


def _per_cent(share: float) -> float:
    """Whole per cent: exact shares of two ways to cut could be subtracted from each other."""
    return max(round(100.0 * share), 1) / 100.0


def contribution_curve(
    artifact: ScoreArtifact, predictor: str
) -> tuple[list[float], list[float | None]]:
    """
    Trace the contribution of a number over the range of most development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    predictor : str
        A numeric predictor.

    Returns
    -------
    x, contribution : list of float
        Ascending values within the soft range, and the exact contribution at each; None between 0
        and the values above it where the curve has a step there.
    """
    entry = next(item for item in artifact.scoring["predictors"] if item["id"] == predictor)
    terms = [term for term in artifact.scoring["terms"] if term["predictor"] == predictor]
    low, high = entry["soft_range"]
    limits = [end for term in terms for end in term.get("limits", ()) if low < end < high]
    x = np.union1d(np.linspace(low, high, N_GRID), limits)
    effect = effect_at(artifact, predictor, pd.Series(x))
    if any(is_spiked(term) for term in terms) and x[0] <= 0.0 < x[-1]:
        first = int(np.argmax(x > 0.0))
        # The curve of positive values begins just above 0.
        start = min(1e-3 * (x[-1] - x[0]), x[first] / 2)
        x = np.insert(x, first, [start / 2, start])
        effect = np.insert(
            effect, first, [np.nan, *effect_at(artifact, predictor, pd.Series([start]))]
        )
    shown = [float(value) if np.isfinite(value) else None for value in effect]
    return [float(value) for value in x], shown
