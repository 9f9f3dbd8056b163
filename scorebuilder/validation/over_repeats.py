"""Statistics of all patients of a repeat, averaged over the repeats of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.compare import NO_SPREAD


@dataclass(frozen=True)
class Estimate:
    """
    A number with its interval, or the reason why there is none.

    Attributes
    ----------
    value, lower, upper, p : float or None
        Estimate, 95 % limits and two-sided P of no effect; None where undefined or not known.
    reason : str or None
        Why a number is None.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class RepeatEstimate:
    """
    A statistic of one repeat.

    Attributes
    ----------
    value : float
        The estimate.
    influence : ndarray of shape (n_patients,) or None
        Scaled so that the error is its mean.
    standard_error : float or None
        Used where there is no influence.
    lower, upper : float or None
        Limits of an interval that is not symmetric.
    """

    value: float
    influence: FloatArray | None = None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None


def average_over_repeats(
    function: Callable[[int], RepeatEstimate],
    n_repeats: int,
    *,
    with_p: bool = False,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    r"""
    Average a statistic over the repeats.

    Parameters
    ----------
    function : callable
        Takes the number of a repeat and judges its predictions of all patients together.
    n_repeats : int
        Number of repeats.
    with_p : bool
        Whether 0 means no effect, so that there is a P.
    limits : tuple of float
        Range of the statistic, by which symmetric intervals are clipped.

    Returns
    -------
    Estimate
        Undefined, with the reason, if the statistic is undefined in a repeat.

    Notes
    -----
    Repeats predict the same patients. With influence functions the standard error is
    :math:`\sqrt{\sum_i \bar\varphi_i^2} / n` of their mean over the repeats; without, the mean of
    the standard errors (or of the limits) of the repeats stands for it, which takes the repeats as
    perfectly correlated and is conservative.
    """
    try:
        estimates = [function(repeat) for repeat in range(n_repeats)]
    except UndefinedMetricError as undefined:
        return Estimate(reason=str(undefined))
    value = float(np.mean([item.value for item in estimates]))
    lower = _mean([item.lower for item in estimates])
    upper = _mean([item.upper for item in estimates])
    if lower is not None and upper is not None:
        return Estimate(value, lower, upper)
    error = _error(estimates)
    if error is None:
        return Estimate(value)
    if error < NO_SPREAD:
        reason = "no sampling error: P is not defined" if with_p else None
        return Estimate(value, value, value, None, reason)
    p = float(2.0 * norm.sf(abs(value) / error)) if with_p else None
    half = Z_95 * error
    return Estimate(value, max(value - half, limits[0]), min(value + half, limits[1]), p)


def _error(estimates: Sequence[RepeatEstimate]) -> float | None:
    influences = [item.influence for item in estimates if item.influence is not None]
    if len(influences) == len(estimates):
        mean: FloatArray = np.mean(influences, axis=0)
        return float(np.sqrt(np.sum(mean**2))) / mean.size
    return _mean([item.standard_error for item in estimates])


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
