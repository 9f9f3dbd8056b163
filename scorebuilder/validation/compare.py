"""Comparison with an established score on the same patients and the same folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.performance import Performance, evaluate, evaluate_fixed
from scorebuilder.validation.resampling import ValidationResult

MIN_EVENTS = 10
"""Fewest events by the horizon among scorable patients for a comparison to be stated."""

NO_SPREAD = 1e-12
"""A standard error below this is rounding of 0."""


@dataclass(frozen=True)
class Comparison:
    """
    AUC(t) of a score and of a baseline on the patients whom the baseline can score.

    Attributes
    ----------
    horizon : float
        In the unit of the outcome.
    n_total, n_scorable, n_events : int
        Patients; those whom both the baseline and the score can judge; of these, the ones with the
        event by the horizon.
    auc_score, auc_score_lower, auc_score_upper : float or None
        Cross-validated AUC of the score, with 95 % limits.
    auc_baseline, auc_baseline_lower, auc_baseline_upper : float or None
        The same of the baseline.
    difference, lower, upper : float or None
        Score minus baseline, with 95 % limits.
    p : float or None
        Two-sided P of no difference.
    reason : str or None
        Why a value is None.
    """

    horizon: float
    n_total: int
    n_scorable: int
    n_events: int
    auc_score: float | None = None
    auc_score_lower: float | None = None
    auc_score_upper: float | None = None
    auc_baseline: float | None = None
    auc_baseline_lower: float | None = None
    auc_baseline_upper: float | None = None
    difference: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    reason: str | None = None


def compare_with_baseline(
    result: ValidationResult, y: Outcome, baseline_risk: FloatArray, *, horizon: float
) -> Comparison:
    r"""
    Difference of AUC(t) between a cross-validated build and a fixed score.

    Parameters
    ----------
    result : ValidationResult
        Out-of-fold predictions of the build.
    y : structured ndarray of shape (n_patients,)
        Outcome of the same patients.
    baseline_risk : ndarray of shape (n_patients,)
        Risk (or points) of the baseline; NaN where it cannot be computed.
    horizon : float
        One of the horizons of `result`.

    Returns
    -------
    Comparison
        Undefined, with the reason, with fewer than `MIN_EVENTS` events by the horizon among
        scorable patients, or if AUC(t) is undefined in more than half of the folds.

    Notes
    -----
    Both are judged on scorable patients only, within the same folds. The standard error of the
    difference is :math:`\sqrt{\sum_i (\varphi_{1i} - \varphi_{0i})^2} / n` of the paired
    influence functions [1]_ [2]_.

    References
    ----------
    .. [1] Blanche P, et al. Stat Med 2013;32:5381-97.
    .. [2] LeDell E, et al. Electron J Stat 2015;9:1583-607.
    """
    event, time = check_outcome(y)
    baseline = np.asarray(baseline_risk, dtype=np.float64)
    scorable = np.isfinite(baseline) & np.isfinite(result.risk_at(horizon)).all(axis=0)
    n_events = int(np.sum(scorable & event & (time <= horizon)))
    counts = (horizon, time.size, int(scorable.sum()), n_events)
    if n_events < MIN_EVENTS:
        reason = (
            f"{n_events} events by the horizon among patients it can score; "
            f"at least {MIN_EVENTS} are needed"
        )
        return Comparison(*counts, reason=reason)
    score = evaluate(result, y, horizon=horizon, metric="auc", subset=scorable)
    fixed = evaluate_fixed(
        y, baseline, result.folds, horizon=horizon, metric="auc", subset=scorable
    )
    return _comparison(counts, score, fixed)


@dataclass(frozen=True)
class Difference:
    """
    Difference of a metric between two predictions of the same patients.

    Attributes
    ----------
    value, lower, upper : float or None
        First minus second, with 95 % limits.
    p : float or None
        Two-sided P of no difference.
    reason : str or None
        Why a value is None.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    reason: str | None = None


def paired_difference(
    first: Performance, second: Performance, *, widest: float = 1.0
) -> Difference:
    r"""
    Difference of a metric between two predictions judged on the same patients and folds.

    Parameters
    ----------
    first, second : Performance
        Of the same metric, from `evaluate` or `evaluate_fixed`.
    widest : float
        Largest difference that the metric allows, by which the interval is clipped.

    Returns
    -------
    Difference
        Undefined where one of the two is, or their influence functions are not known.

    Notes
    -----
    The standard error is :math:`\sqrt{\sum_i (\varphi_{1i} - \varphi_{2i})^2} / n` of the paired
    influence functions.
    """
    if (
        first.value is None
        or second.value is None
        or first.influence is None
        or second.influence is None
    ):
        return Difference(reason=first.reason or second.reason)
    if first.n != second.n:
        reason = f"judged on different patients ({first.n:,} and {second.n:,})"
        return Difference(reason=reason)
    spread = float(np.sqrt(np.sum((first.influence - second.influence) ** 2))) / first.n
    value = first.value - second.value
    if spread < NO_SPREAD:
        return Difference(value, value, value, None, "no sampling error: P is not defined")
    return Difference(
        value,
        max(value - Z_95 * spread, -widest),
        min(value + Z_95 * spread, widest),
        float(2.0 * norm.sf(abs(value) / spread)),
        first.reason,
    )


def _comparison(
    counts: tuple[float, int, int, int], score: Performance, fixed: Performance
) -> Comparison:
    aucs = (score.value, score.lower, score.upper, fixed.value, fixed.lower, fixed.upper)
    found = paired_difference(score, fixed)
    return Comparison(*counts, *aucs, found.value, found.lower, found.upper, found.p, found.reason)
