"""Calibration intercept and slope at the horizon, by pseudo-observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.pseudo_observations import pseudo_observations
from scorebuilder.validation.calibration_slope import complementary_log_log
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import CONSTANT

_MAX_STEPS = 100
_TOLERANCE = 1e-10
_WIDEST_COEFFICIENT = 30.0
_LARGEST_EXPONENT = 700.0
_BELOW_ONE = 1.0 - 2.0**-53
NO_SOLUTION = "the equations of the pseudo-observations have no finite solution"


@dataclass(frozen=True)
class PseudoIntercept:
    """
    Calibration in the large at the horizon.

    Attributes
    ----------
    intercept, lower, upper : float
        With the slope held at 1, with 95 % limits; 0 is perfect, above 0 the risk is
        underestimated.
    standard_error : float
        Robust.
    """

    intercept: float
    lower: float
    upper: float
    standard_error: float


@dataclass(frozen=True)
class PseudoSlope:
    """
    Calibration slope at the horizon.

    Attributes
    ----------
    slope, lower, upper : float
        With 95 % limits; 1 is perfect.
    standard_error : float
        Robust.
    intercept, intercept_error : float
        Intercept of the same model, and its robust error.
    covariance : ndarray of shape (2, 2)
        Robust covariance of intercept and slope.
    """

    slope: float
    lower: float
    upper: float
    standard_error: float
    intercept: float
    intercept_error: float
    covariance: FloatArray


def pseudo_intercept(
    y: Outcome, risk: FloatArray, *, horizon: float, competing: BoolArray | None = None
) -> PseudoIntercept:
    r"""
    Calibration intercept of the complementary log-log risk at the horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in (0, 1).
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    PseudoIntercept
        Estimate and robust error.

    Raises
    ------
    UndefinedMetricError
        If a risk is 0 or 1, the equations have no finite solution (no event, or nothing else, by
        the horizon), or the horizon lies past the follow-up.

    Notes
    -----
    With pseudo-observations :math:`\theta_i` and :math:`c_i = \log(-\log(1 - p_i))`, generalised
    estimating equations of :math:`E(\theta_i) = 1 - \exp(-\exp(c_i + \alpha))` with constant
    variance. Errors are those of the sandwich, which takes pseudo-observations as independent.
    Needs no proportional hazards; takes censoring as independent of the predictions.

    References
    ----------
    .. [1] Andersen PK, Klein JP, Rosthoej S. Generalised linear models for correlated
       pseudo-observations, with applications to multi-state models. Biometrika 2003;90:15-27.
    .. [2] van Geloven N, et al. Validation of prediction models in the presence of competing risks:
       a guide through modern methods. BMJ 2022;377:e069249.
    """
    pseudo, transformed = _prepared(y, risk, horizon, competing)
    found, covariance = _solve(np.ones((transformed.size, 1)), pseudo, transformed)
    value, error = float(found[0]), float(np.sqrt(covariance[0, 0]))
    return PseudoIntercept(value, value - Z_95 * error, value + Z_95 * error, error)


def pseudo_slope(
    y: Outcome, risk: FloatArray, *, horizon: float, competing: BoolArray | None = None
) -> PseudoSlope:
    r"""
    Calibration slope of the complementary log-log risk at the horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in (0, 1).
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    PseudoSlope
        Estimates and robust errors.

    Raises
    ------
    UndefinedMetricError
        As `pseudo_intercept`, and if predictions are constant.

    Notes
    -----
    As `pseudo_intercept`, with :math:`E(\theta_i) = 1 - \exp(-\exp(c_i + \alpha + \beta c_i))`;
    the slope is :math:`1 + \beta`.

    References
    ----------
    .. [1] van Geloven N, et al. Validation of prediction models in the presence of competing risks:
       a guide through modern methods. BMJ 2022;377:e069249.
    """
    pseudo, transformed = _prepared(y, risk, horizon, competing)
    scale, center = float(transformed.std()), float(transformed.mean())
    if scale <= 1e-12 * max(abs(center), 1e-300):
        raise UndefinedMetricError(CONSTANT)
    design = np.column_stack([np.ones(transformed.size), (transformed - center) / scale])
    found, covariance = _solve(design, pseudo, transformed)
    back = np.array([[1.0, -center / scale], [0.0, 1.0 / scale]])
    found, covariance = back @ found, back @ covariance @ back.T
    slope, errors = 1.0 + float(found[1]), np.sqrt(np.diag(covariance))
    half = Z_95 * float(errors[1])
    return PseudoSlope(
        slope,
        slope - half,
        slope + half,
        float(errors[1]),
        float(found[0]),
        float(errors[0]),
        covariance,
    )


def _prepared(
    y: Outcome, risk: FloatArray, horizon: float, competing: BoolArray | None
) -> tuple[FloatArray, FloatArray]:
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    transformed = complementary_log_log(y, prediction)
    return pseudo_observations(y, horizon, competing=competing), transformed


def _solve(
    design: FloatArray, response: FloatArray, offset: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Newton steps, Fisher steps where the sum of squares is concave; halved until it falls."""
    coefficient = np.zeros(design.shape[1])
    mean, slope = _curve(offset + design @ coefficient)
    for _ in range(_MAX_STEPS):
        gradient_columns = design * slope[:, None]
        information = gradient_columns.T @ gradient_columns
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e14:
            raise UndefinedMetricError(NO_SOLUTION)
        hazard = -np.log1p(-np.minimum(mean, _BELOW_ONE))
        bend = (response - mean) * slope * (1.0 - hazard)
        curvature = information - design.T @ (bend[:, None] * design)
        if np.linalg.eigvalsh(curvature)[0] <= 1e-3 * np.linalg.eigvalsh(information)[0]:
            curvature = information
        step = np.linalg.solve(curvature, gradient_columns.T @ (response - mean))
        squares, factor = np.sum((response - mean) ** 2), 1.0
        while factor > 1e-8:
            trial = coefficient + factor * step
            mean, slope = _curve(offset + design @ trial)
            if np.sum((response - mean) ** 2) <= squares * (1.0 + 1e-12):
                break
            factor /= 2.0
        coefficient = trial
        if np.abs(coefficient).max() > _WIDEST_COEFFICIENT:
            break
        if np.abs(step).max() < _TOLERANCE:
            gradient_columns = design * slope[:, None]
            inverse = np.linalg.inv(gradient_columns.T @ gradient_columns)
            scores = gradient_columns * (response - mean)[:, None]
            return coefficient, np.asarray(inverse @ (scores.T @ scores) @ inverse)
    raise UndefinedMetricError(NO_SOLUTION)


def _curve(predictor: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverse of the complementary log-log link, and its derivative."""
    hazard = np.exp(np.minimum(predictor, _LARGEST_EXPONENT))
    return -np.expm1(-hazard), hazard * np.exp(-hazard)
