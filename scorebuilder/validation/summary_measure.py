"""Measures by which a resampled build is summed up: value, error, and what no information gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.calibration import (
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
)
from scorebuilder.validation.metric import METRICS

Scale: TypeAlias = Literal["identity", "log", "logit"]


@dataclass(frozen=True)
class MeasureEstimate:
    """
    Value of a measure with its sampling error.

    Attributes
    ----------
    value : float
        The estimate.
    standard_error : float or None
        On the scale of the value; None where no formula is known.
    """

    value: float
    standard_error: float | None = None


@dataclass(frozen=True)
class SummaryMeasure:
    """
    A measure of a prediction at one horizon.

    Attributes
    ----------
    label : str
        For tables.
    estimate : callable
        ``estimate(y, prediction, horizon) -> MeasureEstimate``; raises UndefinedMetricError.
    no_information : callable
        ``no_information(y, prediction, horizon) -> float``: the value expected if outcomes were
        unrelated to the predictions; raises UndefinedMetricError where that is no benchmark.
    greater_is_better : bool
        Whether no information lies below.
    scale : {"identity", "log", "logit"}
        On which values of different clusters are pooled.
    ranks_only : bool
        True if only the order of the predictions matters, so that points can be judged.
    whole_follow_up : bool
        True if the horizon plays no part, so that the linear predictor is judged.
    """

    label: str
    estimate: Callable[[Outcome, FloatArray, float], MeasureEstimate]
    no_information: Callable[[Outcome, FloatArray, float], float]
    greater_is_better: bool = True
    scale: Scale = "identity"
    ranks_only: bool = False
    whole_follow_up: bool = False


def _metric(name: str) -> Callable[[Outcome, FloatArray, float], MeasureEstimate]:
    def estimate(y: Outcome, prediction: FloatArray, horizon: float) -> MeasureEstimate:
        found = METRICS[name].function(None, y, prediction, horizon=horizon)
        error = found.standard_error
        if found.influence is not None:
            error = float(np.sqrt(np.sum(found.influence**2))) / found.influence.size
        return MeasureEstimate(found.value, error)

    return estimate


def _slope(y: Outcome, prediction: FloatArray, horizon: float) -> MeasureEstimate:  # noqa: ARG001
    found = calibration_slope(y, prediction)
    return MeasureEstimate(found.slope, found.standard_error)


def _observed_expected(y: Outcome, prediction: FloatArray, horizon: float) -> MeasureEstimate:
    found = calibration_in_the_large(y, prediction, horizon=horizon)
    if found.lower is None or found.upper is None:
        return MeasureEstimate(found.ratio)
    error = found.ratio * math.log(found.upper / found.lower) / (2 * Z_95)
    return MeasureEstimate(found.ratio, error)


def _ici(y: Outcome, prediction: FloatArray, horizon: float) -> MeasureEstimate:
    return MeasureEstimate(calibration_smooth(y, prediction, horizon=horizon).ici)


def _constant(value: float) -> Callable[[Outcome, FloatArray, float], float]:
    def no_information(y: Outcome, prediction: FloatArray, horizon: float) -> float:  # noqa: ARG001
        return value

    return no_information


def _brier_by_chance(y: Outcome, prediction: FloatArray, horizon: float) -> float:
    observed = 1.0 - survival_at(y, horizon).survival
    mean, square = float(prediction.mean()), float(np.mean(prediction**2))
    return observed * (1.0 - 2.0 * mean) + square


def _scaled_brier_by_chance(y: Outcome, prediction: FloatArray, horizon: float) -> float:
    observed = 1.0 - survival_at(y, horizon).survival
    if observed in (0.0, 1.0):
        message = "no patient, or every patient, has the event by the horizon"
        raise UndefinedMetricError(message)
    return 1.0 - _brier_by_chance(y, prediction, horizon) / (observed * (1.0 - observed))


def _ici_by_chance(y: Outcome, prediction: FloatArray, horizon: float) -> float:
    return float(np.mean(np.abs(1.0 - survival_at(y, horizon).survival - prediction)))


def _no_benchmark(y: Outcome, prediction: FloatArray, horizon: float) -> float:  # noqa: ARG001
    message = "exchanging the outcomes between patients does not change observed / expected"
    raise UndefinedMetricError(message)


MEASURES: Mapping[str, SummaryMeasure] = MappingProxyType(
    {
        "auc": SummaryMeasure(
            "AUC(t)", _metric("auc"), _constant(0.5), scale="logit", ranks_only=True
        ),
        "c_index": SummaryMeasure(
            "C-index", _metric("c_index"), _constant(0.5), scale="logit", ranks_only=True,
            whole_follow_up=True,
        ),
        "brier": SummaryMeasure(
            "Brier score", _metric("brier"), _brier_by_chance, greater_is_better=False
        ),
        "scaled_brier": SummaryMeasure(
            "Scaled Brier score", _metric("scaled_brier"), _scaled_brier_by_chance
        ),
        "slope": SummaryMeasure("Calibration slope", _slope, _constant(0.0)),
        "observed_expected": SummaryMeasure(
            "Observed / expected", _observed_expected, _no_benchmark, scale="log"
        ),
        "ici": SummaryMeasure("ICI", _ici, _ici_by_chance, greater_is_better=False),
    }
)  # fmt: skip
"""Measures by name; those of `METRICS` are the same functions."""
