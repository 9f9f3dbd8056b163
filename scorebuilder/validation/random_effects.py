"""Random-effects summary of one measure over clusters, with a prediction interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError

_MAX_STEPS = 200


@dataclass(frozen=True)
class RandomEffects:
    """
    What clusters have in common, and how much they differ.

    Attributes
    ----------
    mean, standard_error : float
        Mean over clusters, and its Hartung-Knapp error.
    lower, upper : float
        95 % limits of the mean.
    between : float
        Variance between clusters (tau squared).
    i_squared : float
        Share of the spread that is not sampling error, in [0, 1].
    predicted_lower, predicted_upper : float or None
        95 % limits of a new cluster; None with fewer than three clusters.
    n_clusters : int
        Clusters pooled.
    """

    mean: float
    standard_error: float
    lower: float
    upper: float
    between: float
    i_squared: float
    predicted_lower: float | None
    predicted_upper: float | None
    n_clusters: int


def random_effects(effects: Any, standard_errors: Any) -> RandomEffects:
    r"""
    Pool estimates of independent clusters.

    Parameters
    ----------
    effects : array-like of shape (n_clusters,)
        Estimates, on a scale on which they are about normal.
    standard_errors : array-like of shape (n_clusters,)
        Their sampling errors, above 0.

    Returns
    -------
    RandomEffects
        On the scale of `effects`.

    Raises
    ------
    UndefinedMetricError
        With fewer than two clusters.
    ValueError
        If a standard error is not above 0, or a value is not finite.

    Notes
    -----
    The variance between clusters :math:`\tau^2` maximises the restricted likelihood. With weights
    :math:`w_i = 1 / (s_i^2 + \tau^2)` the mean is :math:`\hat\mu = \sum w_i x_i / \sum w_i`, its
    variance [1]_

    .. math:: q\, \frac{1}{\sum w_i}, \quad
       q = \max\!\Big(1, \frac{\sum w_i (x_i - \hat\mu)^2}{k - 1}\Big)

    (never below the ordinary one), its limits take t with k - 1 degrees of freedom. A new cluster
    lies within :math:`\hat\mu \pm t_{k-2} \sqrt{\tau^2 + \mathrm{se}^2}` [2]_ [3]_.

    References
    ----------
    .. [1] Rover C, Knapp G, Friede T. Hartung-Knapp-Sidik-Jonkman approach and its modification
       for random-effects meta-analysis with few studies. BMC Med Res Methodol 2015;15:99.
    .. [2] Riley RD, Higgins JPT, Deeks JJ. Interpretation of random effects meta-analyses. BMJ
       2011;342:d549.
    .. [3] Debray TPA, et al. A guide to systematic review and meta-analysis of prediction model
       performance. BMJ 2017;356:i6460.
    """
    from scipy import stats

    x = np.asarray(effects, dtype=np.float64)
    variance = np.asarray(standard_errors, dtype=np.float64) ** 2
    if x.ndim != 1 or x.shape != variance.shape:
        message = f"`effects` and `standard_errors` must match; got {x.shape} and {variance.shape}"
        raise ValueError(message)
    if x.size < 2:
        message = f"{x.size} clusters have an estimate with an error; at least 2 are needed"
        raise UndefinedMetricError(message)
    if not (np.isfinite(x).all() and np.isfinite(variance).all() and (variance > 0).all()):
        message = "`effects` must be finite and `standard_errors` above 0"
        raise ValueError(message)
    between = _between(x, variance)
    weight = 1.0 / (variance + between)
    mean = float(weight @ x / weight.sum())
    k = x.size
    factor = max(1.0, float(weight @ (x - mean) ** 2) / (k - 1))
    error = float(np.sqrt(factor / weight.sum()))
    half = float(stats.t.ppf(0.975, k - 1)) * error
    predicted: tuple[float | None, float | None] = (None, None)
    if k >= 3:
        wide = float(stats.t.ppf(0.975, k - 2)) * float(np.sqrt(between + error**2))
        predicted = (mean - wide, mean + wide)
    typical = _typical_variance(variance)
    return RandomEffects(
        mean, error, mean - half, mean + half, between, between / (between + typical), *predicted, k
    )


def _between(x: FloatArray, variance: FloatArray) -> float:
    """Maximise the restricted likelihood: its derivative is 0, or 0 is the boundary."""
    from scipy.optimize import brentq

    def slope(between: float) -> float:
        weight = 1.0 / (variance + between)
        total = weight.sum()
        residual = x - weight @ x / total
        return float(np.sum((weight * residual) ** 2) - total + np.sum(weight**2) / total)

    if slope(0.0) <= 0.0:
        return 0.0
    upper = float(np.var(x, ddof=1) + variance.max())
    for _ in range(_MAX_STEPS):
        if slope(upper) < 0.0:
            break
        upper *= 2.0
    return float(brentq(slope, 0.0, upper, xtol=1e-14 * upper, rtol=1e-14))


def _typical_variance(variance: FloatArray) -> float:
    """Return the sampling variance of a typical cluster (Higgins and Thompson 2002)."""
    weight = 1.0 / variance
    k = variance.size
    return float((k - 1) * weight.sum() / (weight.sum() ** 2 - np.sum(weight**2)))
