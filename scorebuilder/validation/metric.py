"""What a metric is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.core.registry import Registry
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.influence import influence_error


@dataclass(frozen=True)
class MetricEstimate:
    """
    Value of a metric, and what each patient contributes to its sampling error.

    Attributes
    ----------
    value : float
        The estimate.
    influence : ndarray of shape (n_patients,) or None
        Influence function of each patient, scaled so that the estimate's error is its mean; None
        where no formula is known.
    standard_error : float or None
        Standard error of the published reference implementation.
    """

    value: float
    influence: FloatArray | None = None
    standard_error: float | None = None

    def limits(self, *, lowest: float = 0.0, highest: float = 1.0) -> tuple[float, float] | None:
        """
        Return the 95 % limits: value -+ 1.96 standard errors, within the range of the metric.

        Parameters
        ----------
        lowest, highest : float
            Range of the metric.

        Returns
        -------
        tuple of float or None
            Lower and upper limit; None without a standard error.

        Examples
        --------
        >>> MetricEstimate(0.9, standard_error=0.1).limits()
        (0.7040036015459946, 1.0)
        """
        if self.standard_error is None:
            return None
        half = Z_95 * self.standard_error
        return max(self.value - half, lowest), min(self.value + half, highest)


class MetricFunction(Protocol):
    """The signature of every metric."""

    def __call__(
        self, y_train: Outcome | None, y_test: Outcome, risk: FloatArray, /, *, horizon: float
    ) -> MetricEstimate:
        """Estimate the metric; `y_train` None takes the censoring distribution from `y_test`."""
        ...


class CompetingMetricFunction(Protocol):
    """The signature of a metric in the presence of a competing event."""

    def __call__(
        self,
        y_train: Outcome | None,
        y_test: Outcome,
        risk: FloatArray,
        /,
        *,
        horizon: float,
        competing: BoolArray | None,
    ) -> MetricEstimate:
        """Estimate the metric; `competing` marks whose follow-up ended with the other event."""
        ...


@dataclass(frozen=True)
class Metric:
    """
    A statistic that judges predictions against outcomes.

    Attributes
    ----------
    name : str
        Key in `METRICS`.
    function : callable
        ``function(y_train, y_test, risk, *, horizon) -> MetricEstimate``; raises
        UndefinedMetricError with the reason where the statistic has no value.
    label : str
        For tables and figures.
    greater_is_better : bool
        Direction.
    perfect : float
        Value of a perfect prediction.
    lowest, highest : float
        Range of the statistic, by which intervals are clipped.
    ranks_only : bool
        True if only the order of the predictions matters, so that a linear predictor or points
        can be judged as well as a risk.
    whole_follow_up : bool
        True if the horizon plays no part.
    with_competing : callable or None
        ``function(None, y_test, risk, *, horizon, competing) -> MetricEstimate``; None where the
        metric has no version for competing risks.
    spread : callable
        Standard error from an influence function, also from the difference of two.
    """

    name: str
    function: MetricFunction
    label: str
    greater_is_better: bool
    perfect: float
    lowest: float = 0.0
    highest: float = 1.0
    ranks_only: bool = False
    whole_follow_up: bool = False
    with_competing: CompetingMetricFunction | None = None
    spread: Callable[[FloatArray], float | None] = influence_error


METRICS: Registry[Metric] = Registry("metric", "scorebuilder.validation.metrics")
"""All metrics by name."""


def estimate_metric(
    metric: str,
    y: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> MetricEstimate:
    """
    Estimate a metric, with competing risks in its version for them.

    Parameters
    ----------
    metric : str
        Name in `METRICS`.
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : ndarray of shape (n_patients,)
        Their predictions.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    MetricEstimate
        The estimate.

    Raises
    ------
    UndefinedMetricError
        If the metric is undefined, or has no version for competing risks.
    """
    judge = METRICS[metric]
    if competing is None:
        return judge.function(None, y, risk, horizon=horizon)
    if judge.with_competing is None:
        message = f"`{metric}` has no version for competing risks"
        raise UndefinedMetricError(message)
    return judge.with_competing(None, y, risk, horizon=horizon, competing=competing)


def check_predictions(
    y: Outcome, risk: Any, *, horizon: float | None = None, probability: bool = False
) -> FloatArray:
    """
    Return predictions as a float array that fits the outcome, or say what is wrong.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : array-like of shape (n_patients,)
        Predictions, without missing values.
    horizon : float, optional
        If given, somebody must be followed to it.
    probability : bool
        Whether predictions must lie in [0, 1].

    Returns
    -------
    ndarray of shape (n_patients,)
        The predictions.

    Raises
    ------
    ValueError
        If lengths differ, or a prediction is not finite or leaves [0, 1].
    UndefinedMetricError
        If there is no patient, or the horizon lies past the follow-up of every patient.
    """
    _, time = check_outcome(y)
    prediction = np.ascontiguousarray(risk, dtype=np.float64)
    if prediction.shape != time.shape:
        message = (
            f"`risk` must hold one value per patient; got shape {prediction.shape} "
            f"for {time.size} patients"
        )
        raise ValueError(message)
    if time.size == 0:
        message = "there is no patient to judge"
        raise UndefinedMetricError(message)
    wrong = int(np.sum(~np.isfinite(prediction)))
    if wrong:
        message = f"`risk` must be finite; {wrong} of {time.size} values are not"
        raise ValueError(message)
    if probability:
        wrong = int(np.sum((prediction < 0) | (prediction > 1)))
        if wrong:
            message = f"`risk` must lie in [0, 1]; {wrong} of {time.size} values do not"
            raise ValueError(message)
    if horizon is not None and horizon > time.max():
        message = f"the horizon of {horizon:g} lies past the longest follow-up ({time.max():g})"
        raise UndefinedMetricError(message)
    return prediction
