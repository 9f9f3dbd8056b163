"""Does the predicted risk come true: grouped, smooth, in the large, and by its slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.baseline_hazard import baseline_cumulative_hazard
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox

Z_95 = 1.959963984540054
KNOT_QUANTILES = (0.1, 0.5, 0.9)


def calibration_curve(
    y: Outcome, risk: FloatArray, *, horizon: float, groups: int = 10
) -> pd.DataFrame:
    """
    Predicted and observed risk in groups of similar prediction.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    groups : int
        Groups by quantiles of the risk, right-closed. Equal risks stay together, so that few
        distinct risks give fewer groups.

    Returns
    -------
    DataFrame
        Per group ``n``, ``events`` (by the horizon), ``predicted`` (mean risk), ``observed``
        (1 - Kaplan-Meier) with log-log limits ``lower`` and ``upper``, and ``reason`` (None, or
        why the observed risk is NaN).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    index = quantile_groups(prediction, groups)
    rows = []
    for group in np.unique(index):
        members = index == group
        row: dict[str, Any] = {
            "n": int(members.sum()),
            "events": int(np.sum(y["event"][members] & (y["time"][members] <= horizon))),
            "predicted": float(prediction[members].mean()),
            "observed": np.nan,
            "lower": np.nan,
            "upper": np.nan,
            "reason": None,
        }
        try:
            estimate = survival_at(y[members], horizon)
        except UndefinedMetricError as error:
            row["reason"] = str(error)
        else:
            row["observed"] = 1.0 - estimate.survival
            row["lower"], row["upper"] = 1.0 - estimate.upper, 1.0 - estimate.lower
        rows.append(row)
    return pd.DataFrame(rows)


def quantile_groups(values: FloatArray, groups: int) -> IntArray:
    """
    Assign each value to its quantile group, equal values to the same group.

    Parameters
    ----------
    values : ndarray of shape (n_patients,)
        What is grouped.
    groups : int
        Wanted number of groups.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        0 for the lowest; breaks are linearly interpolated quantiles, right-closed.
    """
    breaks = np.unique(np.quantile(values, np.linspace(0.0, 1.0, groups + 1)))
    if breaks.size < 3:
        return np.zeros(values.size, dtype=np.int64)
    return np.asarray(np.searchsorted(breaks[1:-1], values, side="left"), dtype=np.int64)


@dataclass(frozen=True)
class CalibrationInTheLarge:
    """
    Observed over expected events.

    Attributes
    ----------
    observed, expected : float
        Kaplan-Meier risk and mean predicted risk.
    ratio : float
        Observed / expected; 1 is perfect, above 1 the risk is underestimated.
    lower, upper : float or None
        95 % limits; None if everybody has the event, when the error is not defined.
    """

    observed: float
    expected: float
    ratio: float
    lower: float | None
    upper: float | None


def calibration_in_the_large(
    y: Outcome, risk: FloatArray, *, horizon: float
) -> CalibrationInTheLarge:
    r"""
    Observed / expected risk by a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.

    Returns
    -------
    CalibrationInTheLarge
        Ratio with its interval.

    Raises
    ------
    UndefinedMetricError
        Without an event by the horizon, without expected events, or past the follow-up.

    Notes
    -----
    .. math:: \frac{O}{E} = \frac{1 - S(t)}{\bar p}, \quad
       \frac{O}{E} \exp(\pm 1.96\, \mathrm{se}_{\mathrm{Greenwood}} / O)

    References
    ----------
    .. [1] McLernon DJ, et al. Assessing performance and clinical usefulness in prediction models
       with survival outcomes. Ann Intern Med 2023;176:105-14.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    estimate = survival_at(y, horizon)
    observed, expected = 1.0 - estimate.survival, float(prediction.mean())
    if observed == 0.0:
        message = "no patient has the event by the horizon"
        raise UndefinedMetricError(message)
    if expected == 0.0:
        message = "the predicted risk is 0 for every patient"
        raise UndefinedMetricError(message)
    ratio = observed / expected
    if estimate.survival == 0.0:
        return CalibrationInTheLarge(observed, expected, ratio, None, None)
    factor = float(np.exp(Z_95 * estimate.standard_error / observed))
    return CalibrationInTheLarge(observed, expected, ratio, ratio / factor, ratio * factor)


@dataclass(frozen=True)
class CalibrationSlope:
    """
    Slope of the prediction in a Cox model of the validation data.

    Attributes
    ----------
    slope, lower, upper : float
        Estimate and 95 % limits; below 1 the predictions are too extreme.
    standard_error : float
        From the information matrix.
    """

    slope: float
    lower: float
    upper: float
    standard_error: float


def calibration_slope(
    y: Outcome, risk: FloatArray, *, linear_predictor: FloatArray | None = None
) -> CalibrationSlope:
    r"""
    Calibration slope.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability, in (0, 1); enters as log(-log(1 - risk)).
    linear_predictor : ndarray of shape (n_patients,), optional
        Used instead of the transformed risk.

    Returns
    -------
    CalibrationSlope
        Coefficient of a Cox model with Efron ties.

    Raises
    ------
    UndefinedMetricError
        If predictions are constant or 0 or 1, or separate the events completely.

    References
    ----------
    .. [1] van Houwelingen HC. Validation, calibration, revision and combination of prognostic
       survival models. Stat Med 2000;19:3401-15.
    """
    if linear_predictor is None:
        covariate = complementary_log_log(y, risk)
    else:
        covariate = check_predictions(y, linear_predictor)
    coefficient, covariance, _ = fit_cox(covariate[:, None], y)
    slope, error = float(coefficient[0]), float(np.sqrt(covariance[0, 0]))
    return CalibrationSlope(slope, slope - Z_95 * error, slope + Z_95 * error, error)


@dataclass(frozen=True)
class SmoothCalibration:
    """
    Smooth calibration curve and the mean distance from the diagonal.

    Attributes
    ----------
    ici, e50, e90, e_max : float
        Mean, median, 90th centile and maximum of abs(observed - predicted) over patients.
    predicted, observed : ndarray of shape (n_grid,)
        The curve between the 1st and the 99th centile of the risk.
    """

    ici: float
    e50: float
    e90: float
    e_max: float
    predicted: FloatArray
    observed: FloatArray


def calibration_smooth(
    y: Outcome, risk: FloatArray, *, horizon: float, n_grid: int = 100
) -> SmoothCalibration:
    r"""
    Observed risk as a smooth function of the predicted risk.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in (0, 1).
    horizon : float
        In the unit of `y`.
    n_grid : int
        Points of the returned curve.

    Returns
    -------
    SmoothCalibration
        ICI, E50, E90 and the curve.

    Raises
    ------
    UndefinedMetricError
        If a risk is 0 or 1, too few risks are distinct, the model has no finite maximum, or the
        horizon lies past the follow-up.

    Notes
    -----
    A Cox model on a restricted cubic spline of :math:`\log(-\log(1 - p))` with knots at its 10th,
    50th and 90th centile gives the observed risk; takes hazards as proportional in the
    transformed risk. [1]_

    References
    ----------
    .. [1] Austin PC, Harrell FE, van Klaveren D. Graphical calibration curves and the integrated
       calibration index for survival models. Stat Med 2020;39:2714-42.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    transformed = complementary_log_log(y, prediction)
    knots = np.quantile(transformed, KNOT_QUANTILES)
    if np.unique(knots).size < 3:
        message = "too few distinct predictions for a smooth curve"
        raise UndefinedMetricError(message)
    basis = restricted_cubic_spline(transformed, knots)
    coefficient, _, _ = fit_cox(basis, y)
    linear_predictor = basis @ coefficient
    center = float(linear_predictor.mean())
    hazard = float(baseline_cumulative_hazard(linear_predictor - center, y, ties="efron")(horizon))
    observed = -np.expm1(-hazard * np.exp(linear_predictor - center))
    distance = np.abs(observed - prediction)
    first, last = np.quantile(prediction, (0.01, 0.99))
    grid = np.linspace(float(first), float(last), n_grid)
    at_grid = restricted_cubic_spline(np.log(-np.log1p(-grid)), knots) @ coefficient - center
    return SmoothCalibration(
        float(distance.mean()),
        float(np.quantile(distance, 0.5)),
        float(np.quantile(distance, 0.9)),
        float(distance.max()),
        grid,
        np.asarray(-np.expm1(-hazard * np.exp(at_grid)), dtype=np.float64),
    )


def complementary_log_log(y: Outcome, risk: FloatArray) -> FloatArray:
    """
    Transform risks by log(-log(1 - risk)).

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome, for its length.
    risk : ndarray of shape (n_patients,)
        Probabilities.

    Returns
    -------
    ndarray of shape (n_patients,)
        Finite.

    Raises
    ------
    UndefinedMetricError
        If a risk is exactly 0 or 1.
    """
    prediction = check_predictions(y, risk, probability=True)
    if np.any((prediction == 0) | (prediction == 1)):
        message = "a predicted risk of exactly 0 or 1 has no finite log(-log(1 - risk))"
        raise UndefinedMetricError(message)
    return np.asarray(np.log(-np.log1p(-prediction)), dtype=np.float64)


def restricted_cubic_spline(x: FloatArray, knots: FloatArray) -> FloatArray:
    """
    Cubic spline with three knots, linear outside of them.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Where it is evaluated.
    knots : ndarray of shape (3,)
        Ascending.

    Returns
    -------
    ndarray of shape (n, 2)
        x itself, and the cubic term in units of the squared distance of the outer knots.
    """
    low, middle, high = knots
    cubic = (
        np.maximum(x - low, 0.0) ** 3
        - np.maximum(x - middle, 0.0) ** 3 * (high - low) / (high - middle)
        + np.maximum(x - high, 0.0) ** 3 * (middle - low) / (high - middle)
    )
    return np.column_stack([x, cubic / (high - low) ** 2])
