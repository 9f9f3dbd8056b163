"""Calibration slope: how much too extreme, or too cautious, the predictions are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.outcome import check_competing
from scorebuilder.validation.cox_influence import subdistribution_covariance
from scorebuilder.validation.cox_likelihood import CoxLikelihood, Ties
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox


@dataclass(frozen=True)
class CalibrationSlope:
    """
    Slope of the prediction in a Cox model of the validation data.

    Attributes
    ----------
    slope, lower, upper : float
        Estimate and 95 % limits; below 1 the predictions are too extreme.
    standard_error : float
        From the information matrix; with competing risks robust.
    wald_z, wald_p : float
        Test of a slope of 1.
    lr_statistic, lr_p : float or None
        Likelihood ratio test of a slope of 1; None with competing risks, where the pseudo
        likelihood has no such test.
    """

    slope: float
    lower: float
    upper: float
    standard_error: float
    wald_z: float
    wald_p: float
    lr_statistic: float | None
    lr_p: float | None


def calibration_slope(
    y: Outcome,
    risk: FloatArray,
    *,
    linear_predictor: FloatArray | None = None,
    ties: Ties = "efron",
    competing: BoolArray | None = None,
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
    ties : {"efron", "breslow"}
        Handling of tied events.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; the slope is then that of the
        subdistribution hazard.

    Returns
    -------
    CalibrationSlope
        Coefficient of a Cox (Fine-Gray) model of the whole follow-up.

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
    design = covariate[:, None]
    other = None if competing is None else check_competing(y, competing)
    coefficient, covariance, log_likelihood = fit_cox(design, y, ties=ties, competing=other)
    slope = float(coefficient[0])
    statistic = p = None
    if other is None:
        at_one = CoxLikelihood(design, y, ties=ties).at(np.ones(1)).value
        statistic = max(2.0 * (log_likelihood - at_one), 0.0)
        p = float(chi2.sf(statistic, 1))
    else:
        covariance = subdistribution_covariance(design, y, coefficient, competing=other)
    error = float(np.sqrt(covariance[0, 0]))
    z = (slope - 1.0) / error
    return CalibrationSlope(
        slope,
        slope - Z_95 * error,
        slope + Z_95 * error,
        error,
        z,
        float(2.0 * norm.sf(abs(z))),
        statistic,
        p,
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
