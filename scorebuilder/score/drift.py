"""How far new patients differ from the development patients, by the aggregates of an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import ArtifactError
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.cohort_fit import outside_hard_range
from scorebuilder.score.monitoring import bin_counts

LARGEST_PSI = 0.25
"""Population stability index above which a distribution has shifted."""
LARGEST_RISE = 0.05
"""Rise of a share, missing or out of range, above which it is reported as drift."""
LEVEL = 0.95


@dataclass(frozen=True)
class DriftFinding:
    """
    One comparison with the development patients.

    Attributes
    ----------
    what : str
        ``psi``, ``missing``, ``outside`` or ``impossible``.
    predictor : str
        Which input; ``linear_predictor`` for the score's own.
    expected, found : float or None
        Share in the development and in the new patients; for ``psi`` the limit and the index.
    breached : bool
        Whether it is more than the thresholds allow.
    reason : str
        Why there is no value; empty when there is.
    """

    what: str
    predictor: str
    expected: float | None
    found: float | None
    breached: bool
    reason: str = ""


def stability_index(expected: Sequence[float], counts: FloatArray) -> float:
    r"""
    Compute the population stability index.

    Parameters
    ----------
    expected : sequence of float
        Shares of the development patients in each bin, > 0.
    counts : ndarray of shape (n_bins,)
        New patients in each bin.

    Returns
    -------
    float
        0 for equal distributions; above 0.25 they are usually called shifted.

    Notes
    -----
    .. math:: \sum_k (a_k - e_k) \log(a_k / e_k)

    An empty bin counts half a patient, so that the logarithm has a value.

    Examples
    --------
    >>> round(stability_index([0.5, 0.5], np.array([75.0, 25.0])), 12)
    0.274653072167
    """
    wanted = np.asarray(expected, dtype=np.float64)
    filled = np.where((counts == 0.0) & (wanted > 0.0), 0.5, counts)
    found = filled / filled.sum()
    used = wanted > 0.0
    return float(np.sum((found - wanted)[used] * np.log(found[used] / wanted[used])))


def chance_index(n_bins: int, n_old: int, n_new: int) -> float:
    """
    Give the stability index that chance alone exceeds once in twenty times.

    Parameters
    ----------
    n_bins : int
        Bins.
    n_old, n_new : int
        Development and new patients.

    Returns
    -------
    float
        By the chi-squared distribution of the index under equal distributions.
    """
    return float(chi2.ppf(LEVEL, max(n_bins - 1, 1)) * (1.0 / n_old + 1.0 / n_new))


def input_drift(artifact: ScoreArtifact, X: pd.DataFrame) -> list[DriftFinding]:
    """
    Compare new patients with the development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        With monitoring aggregates.
    X : DataFrame of shape (n_patients, n_predictors)
        Typed inputs, also impossible ones.

    Returns
    -------
    list of DriftFinding
        By predictor, then for the linear predictor of the patients who can be scored.

    Raises
    ------
    ArtifactError
        If the artifact has no aggregates.
    """
    known = artifact.content.get("monitoring")
    if known is None:
        message = "the artifact holds no monitoring aggregates; it was made before they were added"
        raise ArtifactError(message)
    predictors = {item["id"]: item for item in artifact.scoring["predictors"]}
    findings: list[DriftFinding] = []
    for entry in known["predictors"]:
        predictor = predictors[entry["predictor"]]
        findings += _of_predictor(entry, predictor, X[entry["predictor"]], known["n"])
    wrong = outside_hard_range(artifact, X)
    share = float(np.mean(wrong))
    findings.append(DriftFinding("impossible", "any input", 0.0, share, bool(wrong.any())))
    scored = score_table(artifact, X.loc[~wrong])["linear_predictor"].to_numpy(dtype=np.float64)
    values = scored[np.isfinite(scored)]
    stored = known["linear_predictor"]
    findings.append(
        _index(
            "linear_predictor", stored["shares"], bin_counts(values, stored["edges"]), known["n"]
        )
    )
    return findings


def _of_predictor(
    entry: dict[str, Any], predictor: dict[str, Any], column: pd.Series, n_old: int
) -> list[DriftFinding]:
    name = predictor["id"]
    missing = column.isna().to_numpy(dtype=np.bool_)
    findings = [_share("missing", name, entry["missing"], float(np.mean(missing)), n_old)]
    if "levels" in entry:
        values = column.dropna().astype(object)
        counts = np.array([values.isin(cell["codes"]).sum() for cell in entry["levels"]], float)
        shares = [cell["share"] for cell in entry["levels"]]
        return [*findings, _index(name, shares, counts, n_old)]
    numbers = column.to_numpy(dtype=np.float64)
    low, high = predictor["soft_range"]
    beyond = float(np.mean((numbers < low) | (numbers > high)))
    findings.append(_share("outside", name, entry["outside"], beyond, n_old))
    counts = bin_counts(numbers[~missing], entry["edges"])
    return [*findings, _index(name, entry["shares"], counts, n_old)]


def _share(what: str, name: str, expected: float | None, found: float, n_old: int) -> DriftFinding:
    """Compare a share; a hidden one is at most four patients."""
    at_most = (SMALLEST_CELL - 1) / n_old if expected is None else expected
    return DriftFinding(what, name, at_most, found, found - at_most > LARGEST_RISE)


def _index(name: str, shares: Sequence[float], counts: FloatArray, n_old: int) -> DriftFinding:
    if not counts.sum():
        return DriftFinding("psi", name, LARGEST_PSI, None, True, "no patient has a known value")
    limit = max(LARGEST_PSI, chance_index(len(shares), n_old, int(counts.sum())))
    found = stability_index(shares, counts)
    return DriftFinding("psi", name, limit, found, found > limit)
