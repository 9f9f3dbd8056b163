"""Performance in cross-validation: averages of within-fold estimates, with intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.metric import METRICS, Metric
from scorebuilder.validation.resampling import ValidationResult


@dataclass(frozen=True)
class Performance:
    """
    A metric with its interval, or the reason why it has no value.

    Attributes
    ----------
    value, lower, upper : float or None
        Estimate and 95 % limits; None where undefined.
    influence : ndarray of shape (n_patients,) or None
        Influence of each patient (0 for those not judged), scaled so that its mean is the error.
    n, n_events : int
        Patients judged, and those of them with the event by the horizon.
    reason : str or None
        Why `value` is None, or what was left out of it.
    """

    value: float | None
    lower: float | None
    upper: float | None
    influence: FloatArray | None
    n: int
    n_events: int
    reason: str | None


def evaluate(
    result: ValidationResult,
    y: Outcome,
    *,
    horizon: float,
    metric: str,
    subset: BoolArray | None = None,
) -> Performance:
    r"""
    Cross-validated performance of a build.

    Parameters
    ----------
    result : ValidationResult
        Out-of-fold predictions. A metric of the whole follow-up judges the linear predictor (if
        the build has one), every other metric the risk by `horizon`.
    y : structured ndarray of shape (n_patients,)
        Outcome of the same patients.
    horizon : float
        One of the horizons of `result`.
    metric : str
        Name in `METRICS`.
    subset : ndarray of bool of shape (n_patients,), optional
        Judge only these patients.

    Returns
    -------
    Performance
        Undefined, with the reason, if the metric is undefined in more than half of the folds.

    Notes
    -----
    Predictions of different folds come from different models and are never compared. The
    estimate is the mean over repeats of the mean over folds,

    .. math:: \hat\theta = \frac1R \sum_r \frac1{K_r} \sum_k \hat\theta_{rk}, \qquad
       \varphi_i = \frac1R \sum_r \frac{n}{K_r\, n_{r k(i)}} \varphi_{r k(i)}(i)

    with :math:`\varphi_{rk}` the influence function of patient i within the fold; the standard
    error is :math:`\sqrt{\sum_i \varphi_i^2} / n` [1]_. It is the error for these fitted models,
    without the variation from drawing another development cohort.

    References
    ----------
    .. [1] LeDell E, Petersen M, van der Laan M. Computationally efficient confidence intervals
       for cross-validated area under the ROC curve estimates. Electron J Stat 2015;9:1583-607.
    """
    prediction = _judged_prediction(result, metric, horizon)
    return evaluate_fixed(
        y, prediction, result.folds, horizon=horizon, metric=metric, subset=subset
    )


def evaluate_fixed(
    y: Outcome,
    risk: FloatArray,
    folds: IntArray,
    *,
    horizon: float,
    metric: str,
    subset: BoolArray | None = None,
) -> Performance:
    """
    Judge given predictions within the folds of a cross-validated build.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,) or (n_repeats, n_patients)
        Fixed predictions (a baseline), or one per repeat (points). May be NaN outside `subset`.
    folds : ndarray of int of shape (n_repeats, n_patients)
        Folds; zeros of shape (1, n_patients) judge all patients together.
    horizon : float
        In the unit of `y`.
    metric : str
        Name in `METRICS`.
    subset : ndarray of bool of shape (n_patients,), optional
        Judge only these patients.

    Returns
    -------
    Performance
        See `evaluate`.
    """
    event, time = check_outcome(y)
    judged = np.ones(time.size, dtype=np.bool_) if subset is None else np.asarray(subset, np.bool_)
    judge = METRICS[metric]
    predicted = _predicted(risk, folds)
    without = int(np.sum(judged & ~predicted))
    judged = judged & predicted
    estimates = _fold_estimates(judge, y, risk, folds, judged, horizon)
    n = int(judged.sum())
    counted = judged & event & (True if judge.whole_follow_up else time <= horizon)
    n_events = int(counted.sum())
    reasons = Counter(e.reason for e in estimates if e.reason is not None)
    failed = sum(reasons.values())
    if failed * 2 > len(estimates) or n == 0:
        return Performance(None, None, None, None, n, n_events, _undefined_text(reasons, estimates))
    value, influence = _combine(estimates, n, time.size)
    lower = upper = None
    if influence is not None:
        half = Z_95 * float(np.sqrt(np.sum(influence**2))) / n
        lower, upper = max(value - half, judge.lowest), min(value + half, judge.highest)
    notes = []
    if without:
        notes.append(f"left out {without} patients without a prediction")
    if failed:
        cause = reasons.most_common(1)[0][0]
        notes.append(f"left out {failed} of {len(estimates)} folds: {cause}")
    return Performance(value, lower, upper, influence, n, n_events, "; ".join(notes) or None)


def evaluate_apparent(y: Outcome, risk: FloatArray, *, horizon: float, metric: str) -> Performance:
    """
    Judge predictions on all patients together: apparent or external performance.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predictions of one model.
    horizon : float
        In the unit of `y`.
    metric : str
        Name in `METRICS`.

    Returns
    -------
    Performance
        Optimistic if the model was fitted to these patients.
    """
    one_fold = np.zeros((1, y.shape[0]), dtype=np.int64)
    return evaluate_fixed(y, risk, one_fold, horizon=horizon, metric=metric)


def fold_table(
    y: Outcome,
    prediction: FloatArray,
    folds: IntArray,
    *,
    model: str,
    metric: str,
    horizon: float,
    subset: BoolArray | None = None,
) -> pd.DataFrame:
    """
    Value of a metric in every fold, as a long table.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    prediction : ndarray of shape (n_patients,) or (n_repeats, n_patients)
        Fixed or out-of-fold predictions.
    folds : ndarray of int of shape (n_repeats, n_patients)
        Folds.
    model : str
        Name written into the table.
    metric : str
        Name in `METRICS`.
    horizon : float
        In the unit of `y`.
    subset : ndarray of bool of shape (n_patients,), optional
        Judge only these patients.

    Returns
    -------
    DataFrame
        Columns model, metric, horizon, repeat, fold, value, reason; value is NaN exactly where a
        reason stands.
    """
    judged = np.ones(y.shape[0], dtype=np.bool_) if subset is None else np.asarray(subset, np.bool_)
    judged = judged & _predicted(prediction, folds)
    estimates = _fold_estimates(METRICS[metric], y, prediction, folds, judged, horizon)
    rows = [
        {
            "model": model,
            "metric": metric,
            "horizon": horizon,
            "repeat": estimate.repeat,
            "fold": estimate.fold,
            "value": estimate.value,
            "reason": estimate.reason,
        }
        for estimate in estimates
    ]
    columns = ["model", "metric", "horizon", "repeat", "fold", "value", "reason"]
    return pd.DataFrame(rows, columns=columns)


def performance_table(
    result: ValidationResult, y: Outcome, *, model: str, metrics: tuple[str, ...]
) -> pd.DataFrame:
    """
    Fold values of several metrics at every horizon of a cross-validated build.

    Parameters
    ----------
    result : ValidationResult
        Out-of-fold predictions.
    y : structured ndarray of shape (n_patients,)
        Outcome of the same patients.
    model : str
        Name written into the table.
    metrics : tuple of str
        Names in `METRICS`.

    Returns
    -------
    DataFrame
        See `fold_table`.
    """
    tables = [
        fold_table(
            y,
            _judged_prediction(result, metric, horizon),
            result.folds,
            model=model,
            metric=metric,
            horizon=horizon,
        )
        for metric in metrics
        for horizon in result.horizons
    ]
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class _FoldEstimate:
    repeat: int
    fold: int
    value: float
    influence: FloatArray | None
    rows: IntArray
    reason: str | None


def _judged_prediction(result: ValidationResult, metric: str, horizon: float) -> FloatArray:
    if METRICS[metric].whole_follow_up and not np.isnan(result.marker).all():
        return result.marker
    return result.risk_at(horizon)


def _predicted(prediction: FloatArray, folds: IntArray) -> BoolArray:
    """Find the patients who have a prediction in every repeat."""
    return np.asarray(np.isfinite(np.broadcast_to(prediction, folds.shape)).all(axis=0))


def _fold_estimates(
    metric: Metric,
    y: Outcome,
    prediction: FloatArray,
    folds: IntArray,
    judged: BoolArray,
    horizon: float,
) -> list[_FoldEstimate]:
    per_repeat = np.broadcast_to(np.asarray(prediction, dtype=np.float64), folds.shape)
    estimates = []
    for repeat, assignment in enumerate(folds):
        for fold in np.unique(assignment):
            rows = np.flatnonzero(judged & (assignment == fold))
            place = (repeat, int(fold))
            value, influence, reason = _estimate(metric, y[rows], per_repeat[repeat, rows], horizon)
            estimates.append(_FoldEstimate(*place, value, influence, rows, reason))
    return estimates


def _estimate(
    metric: Metric, y: Outcome, prediction: FloatArray, horizon: float
) -> tuple[float, FloatArray | None, str | None]:
    if prediction.size == 0:
        return np.nan, None, "no patient of the fold has a prediction"
    try:
        estimate = metric.function(None, y, prediction, horizon=horizon)
    except UndefinedMetricError as error:
        return np.nan, None, str(error)
    return estimate.value, estimate.influence, None


def _undefined_text(reasons: Counter[str], estimates: list[Any]) -> str:
    if not reasons:
        return "there is no patient to judge"
    main = reasons.most_common(1)[0][0]
    if len(estimates) == 1:
        return main
    return f"undefined in {sum(reasons.values())} of {len(estimates)} folds: {main}"


def _combine(
    estimates: list[_FoldEstimate], n: int, n_patients: int
) -> tuple[float, FloatArray | None]:
    """Mean over repeats of the mean over defined folds, and its influence function."""
    defined: dict[int, list[_FoldEstimate]] = {}
    for estimate in estimates:
        if estimate.reason is None:
            defined.setdefault(estimate.repeat, []).append(estimate)
    values = [float(np.mean([e.value for e in repeat])) for repeat in defined.values()]
    influence = np.zeros(n_patients)
    for repeat in defined.values():
        for estimate in repeat:
            if estimate.influence is None:
                return float(np.mean(values)), None
            weight = n / (len(defined) * len(repeat) * estimate.rows.size)
            influence[estimate.rows] += weight * estimate.influence
    return float(np.mean(values)), influence
