"""A measure over clusters: pooled on its own scale, given back on the scale of reports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.random_effects import random_effects
from scorebuilder.validation.summary_measure import MEASURES, MeasureEstimate, Scale


class Estimated(Protocol):
    """A value with its error, either of which may be missing."""

    @property
    def value(self) -> float | None:
        """Return the estimate."""
        ...

    @property
    def standard_error(self) -> float | None:
        """Return its error."""
        ...


@dataclass(frozen=True)
class Pooled:
    """
    Random-effects summary of one measure.

    Attributes
    ----------
    metric : str
        Name in `MEASURES`.
    horizon : float
        Days.
    value, lower, upper : float or None
        Mean over clusters with 95 % limits, on the scale of the measure.
    predicted_lower, predicted_upper : float or None
        95 % limits of the measure in a new cluster.
    between : float or None
        Standard deviation between clusters (tau), on the scale `scale`.
    i_squared : float or None
        Share of the spread that is not sampling error.
    scale : {"identity", "log", "logit"}
        On which the clusters were pooled.
    n_clusters : int
        Clusters pooled.
    reason, predicted_reason : str or None
        Why there is no mean, or no prediction interval.
    """

    metric: str
    horizon: float
    value: float | None
    lower: float | None
    upper: float | None
    predicted_lower: float | None
    predicted_upper: float | None
    between: float | None
    i_squared: float | None
    scale: Scale
    n_clusters: int
    reason: str | None
    predicted_reason: str | None


def to_scale(value: float, standard_error: float, scale: Scale) -> tuple[float, float] | None:
    """
    Bring an estimate to the scale on which it is pooled, by the delta method.

    Parameters
    ----------
    value, standard_error : float
        The estimate.
    scale : {"identity", "log", "logit"}
        The scale.

    Returns
    -------
    tuple of float or None
        Value and error; None where the scale does not hold the value, such as an AUC of 1.

    Examples
    --------
    >>> to_scale(0.5, 0.1, "logit")
    (0.0, 0.4)
    """
    if scale == "log":
        return (math.log(value), standard_error / value) if value > 0 else None
    if scale == "logit":
        inside = 0.0 < value < 1.0
        odds = value * (1.0 - value)
        return (math.log(value / (1.0 - value)), standard_error / odds) if inside else None
    return value, standard_error


def from_scale(value: float, scale: Scale) -> float:
    """
    Bring a number of a scale back.

    Parameters
    ----------
    value : float
        On `scale`.
    scale : {"identity", "log", "logit"}
        The scale.

    Returns
    -------
    float
        On the scale of the measure.
    """
    if scale == "log":
        return math.exp(value)
    if scale == "logit":
        return 1.0 / (1.0 + math.exp(-value))
    return value


def confidence_limits(estimate: MeasureEstimate, scale: Scale) -> tuple[float | None, float | None]:
    """
    Give 95 % limits of an estimate, symmetric on a scale.

    Parameters
    ----------
    estimate : MeasureEstimate
        Value and error.
    scale : {"identity", "log", "logit"}
        The scale.

    Returns
    -------
    tuple of float or None
        Both None without an error, or where the scale does not hold the value.
    """
    if estimate.standard_error is None:
        return None, None
    placed = to_scale(estimate.value, estimate.standard_error, scale)
    if placed is None:
        return None, None
    value, error = placed
    return from_scale(value - Z_95 * error, scale), from_scale(value + Z_95 * error, scale)


def _back(value: float | None, scale: Scale) -> float | None:
    return None if value is None else from_scale(value, scale)


def pool(estimates: Sequence[Estimated], metric: str, horizon: float) -> Pooled:
    """
    Sum up one measure over clusters.

    Parameters
    ----------
    estimates : sequence of Estimated
        One per cluster; those without a value or an error are left out.
    metric : str
        Name in `MEASURES`.
    horizon : float
        Days.

    Returns
    -------
    Pooled
        See `random_effects` for the method.
    """
    scale = MEASURES[metric].scale
    placed = [
        to_scale(item.value, item.standard_error, scale)
        for item in estimates
        if item.value is not None and item.standard_error is not None and item.standard_error > 0
    ]
    usable = [pair for pair in placed if pair is not None]
    try:
        found = random_effects([pair[0] for pair in usable], [pair[1] for pair in usable])
    except UndefinedMetricError as error:
        nothing = (None,) * 7
        return Pooled(metric, horizon, *nothing, scale, len(usable), str(error), str(error))
    few = None if found.predicted_lower is not None else "a new cluster needs 3 clusters to predict"

    return Pooled(
        metric=metric,
        horizon=horizon,
        value=_back(found.mean, scale),
        lower=_back(found.lower, scale),
        upper=_back(found.upper, scale),
        predicted_lower=_back(found.predicted_lower, scale),
        predicted_upper=_back(found.predicted_upper, scale),
        between=math.sqrt(found.between),
        i_squared=found.i_squared,
        scale=scale,
        n_clusters=found.n_clusters,
        reason=None,
        predicted_reason=few,
    )
