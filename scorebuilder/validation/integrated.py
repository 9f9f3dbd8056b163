"""AUC(t) and Brier score integrated over a grid of times."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import cohort_risk
from scorebuilder.validation.metric import MetricEstimate, estimate_metric

Rule = Literal["left", "trapezoid"]


def integrated_auc(
    y: Outcome, risk: Any, *, times: Any, competing: BoolArray | None = None
) -> MetricEstimate:
    r"""
    AUC(t) averaged over a grid of times, each by the events that come up to it.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : array-like of shape (n_patients,) or (n_patients, n_times)
        One prediction for all times, or one for each.
    times : array-like of shape (n_times,)
        Strictly ascending, in the unit of `y`, within the follow-up.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    MetricEstimate
        The influence function holds the weights of the times fixed.

    Raises
    ------
    UndefinedMetricError
        If AUC(t) is undefined at one of the times.
    ValueError
        If shapes do not fit, or the times do not ascend.

    Notes
    -----
    .. math:: \mathrm{iAUC} = \sum_k \mathrm{AUC}(t_k) \frac{F(t_k) - F(t_{k-1})}{F(t_K)}, \quad
       F(t_0) = 0

    with the Kaplan-Meier (Aalen-Johansen) risk F of the cohort [1]_. Times between which nobody
    has the event have no weight.

    References
    ----------
    .. [1] Lambert J, Chevret S. Summary measure of discrimination in survival models based on
       cumulative/dynamic time-dependent ROC curves. Stat Methods Med Res 2016;25:2088-102.

    Examples
    --------
    AUC(1) = 1 and AUC(2) = 1/2; one event each, so that both weigh the same.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0], [1, 2, 9])
    >>> integrated_auc(y, np.array([0.9, 0.1, 0.5]), times=[1, 2]).value
    0.75
    """
    grid = _check_times(times)
    risks = _by_time(risk, y.shape[0], grid.size)
    incidence = np.array([cohort_risk(y, horizon=t, competing=competing) for t in grid])
    if incidence[-1] == 0.0:
        message = "no patient has the event by the last time"
        raise UndefinedMetricError(message)
    share = np.diff(incidence, prepend=0.0) / incidence[-1]
    return _combine("auc", y, risks, grid, share, competing)


def integrated_brier(
    y: Outcome,
    risk: Any,
    *,
    times: Any,
    rule: Rule = "left",
    competing: BoolArray | None = None,
) -> MetricEstimate:
    r"""
    Brier score averaged over a grid of times.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    risk : array-like of shape (n_patients, n_times)
        Probability of the event by each time.
    times : array-like of shape (n_times,)
        Strictly ascending, positive, in the unit of `y`, within the follow-up.
    rule : {"left", "trapezoid"}
        How the integral is formed; see Notes.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    MetricEstimate
        Standard error from the same average of the influence functions.

    Raises
    ------
    UndefinedMetricError
        If the Brier score is undefined at one of the times.
    ValueError
        If shapes do not fit, the times do not ascend, there are fewer than two, or the rule
        is not known.

    Notes
    -----
    "left" steps from 0 with the value of the left end, the score being 0 at time 0 [1]_;
    "trapezoid" averages between the first and the last time:

    .. math:: \frac{1}{t_K} \sum_{k=1}^{K-1} \mathrm{BS}(t_k) (t_{k+1} - t_k), \qquad
       \frac{1}{t_K - t_1} \sum_{k=1}^{K-1} \frac{\mathrm{BS}(t_k) + \mathrm{BS}(t_{k+1})}{2}
       (t_{k+1} - t_k)

    References
    ----------
    .. [1] Graf E, et al. Assessment and comparison of prognostic classification schemes for
       survival data. Stat Med 1999;18:2529-45.

    Examples
    --------
    The Brier score is 0.25 at both times; the left rule counts it from 1 to 2 only.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y, risk = make_outcome([1, 1, 0], [1, 2, 9]), np.full((3, 2), 0.5)
    >>> integrated_brier(y, risk, times=[1, 2]).value
    0.125
    >>> integrated_brier(y, risk, times=[1, 2], rule="trapezoid").value
    0.25
    """
    grid = _check_times(times)
    risks = _by_time(risk, y.shape[0], grid.size)
    if rule not in ("left", "trapezoid"):
        message = f"`rule` must be 'left' or 'trapezoid'; got {rule!r}"
        raise ValueError(message)
    if grid.size < 2:
        message = "`times` must hold two times or more: one alone has no integral"
        raise ValueError(message)
    share, steps = np.zeros(grid.size), np.diff(grid)
    if rule == "left":
        share[:-1] = steps / grid[-1]
    else:
        share[:-1] += 0.5 * steps / (grid[-1] - grid[0])
        share[1:] += 0.5 * steps / (grid[-1] - grid[0])
    return _combine("brier", y, risks, grid, share, competing)


def _check_times(times: Any) -> FloatArray:
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or grid.size == 0 or np.any(np.diff(grid) <= 0.0) or not grid[0] > 0.0:
        message = "`times` must be a strictly ascending list of positive times"
        raise ValueError(message)
    return grid


def _by_time(risk: Any, n_patients: int, n_times: int) -> FloatArray:
    values = np.asarray(risk, dtype=np.float64)
    if values.ndim == 1:
        values = np.repeat(values[:, np.newaxis], n_times, axis=1)
    if values.shape != (n_patients, n_times):
        message = (
            f"`risk` must have a row per patient and a column per time, shape "
            f"({n_patients}, {n_times}); got {values.shape}"
        )
        raise ValueError(message)
    return values


def _combine(
    metric: str,
    y: Outcome,
    risks: FloatArray,
    grid: FloatArray,
    share: FloatArray,
    competing: BoolArray | None,
) -> MetricEstimate:
    """Weighted sum of a metric over the grid, and of its influence functions."""
    value, influence = 0.0, np.zeros(y.shape[0])
    for k in np.flatnonzero(share > 0.0):
        horizon = float(grid[k])
        found = estimate_metric(metric, y, risks[:, k], horizon=horizon, competing=competing)
        assert found.influence is not None
        value += float(share[k]) * found.value
        influence += share[k] * found.influence
    return MetricEstimate(value, influence, influence_error(influence))
