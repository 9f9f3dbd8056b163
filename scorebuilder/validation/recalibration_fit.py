"""Cox models of the outcome on a few transformations of the prediction."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.cox_likelihood import CoxLikelihood, Ties

NO_MAXIMUM = "the predictions separate the events: the likelihood has no finite maximum"
CONSTANT = "the predictions are the same for every patient"
_MAX_STEPS = 50
_DECREMENT_LIMIT = 1e-18
_CONDITION_LIMIT = 1e14
_WIDEST_PREDICTOR = 100.0
_LARGEST_ERROR = 1e3


def fit_cox(
    design: FloatArray,
    y: Outcome,
    *,
    ties: Ties = "efron",
    competing: BoolArray | None = None,
) -> tuple[FloatArray, FloatArray, float]:
    """
    Maximum partial likelihood.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Covariates.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    ties : {"efron", "breslow"}
        Handling of tied events.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event: the model is then that of the
        subdistribution hazard, with Breslow ties.

    Returns
    -------
    coefficient : ndarray of shape (n_columns,)
        Log hazard ratios.
    covariance : ndarray of shape (n_columns, n_columns)
        Inverse information.
    log_likelihood : float
        At the maximum.

    Raises
    ------
    UndefinedMetricError
        Without an event, with a constant covariate, or without a finite maximum.
    """
    event, _ = check_outcome(y)
    if not event.any():
        message = "no patient has the event"
        raise UndefinedMetricError(message)
    center, scale = design.mean(axis=0), design.std(axis=0)
    if np.any(scale <= 1e-12 * np.maximum(np.abs(center), 1e-300)):
        raise UndefinedMetricError(CONSTANT)
    standardised = (design - center) / scale
    if competing is None and _is_monotone(standardised[:, 0], y):
        raise UndefinedMetricError(NO_MAXIMUM)
    likelihood = CoxLikelihood(standardised, y, ties=ties, competing=competing)
    coefficient, covariance, log_likelihood = _maximise(likelihood, standardised.shape[1])
    spread = float(np.ptp(standardised @ coefficient))
    if spread > _WIDEST_PREDICTOR or np.sqrt(np.diag(covariance).max()) > _LARGEST_ERROR:
        raise UndefinedMetricError(NO_MAXIMUM)
    return coefficient / scale, covariance / np.outer(scale, scale), log_likelihood


def _maximise(likelihood: CoxLikelihood, n_columns: int) -> tuple[FloatArray, FloatArray, float]:
    """Newton's method with halved steps; full steps from 0 overshoot for strong predictors."""
    coefficient = np.zeros(n_columns)
    here = likelihood.at(coefficient)
    for _ in range(_MAX_STEPS):
        if np.linalg.cond(here.information) > _CONDITION_LIMIT:
            raise UndefinedMetricError(NO_MAXIMUM)
        step = np.linalg.solve(here.information, here.gradient)
        if here.gradient @ step < _DECREMENT_LIMIT * max(1.0, abs(here.value)):
            covariance: FloatArray = np.linalg.inv(here.information).astype(np.float64)
            return coefficient + step, covariance, here.value
        factor = 1.0
        while True:
            trial = coefficient + factor * step
            with np.errstate(all="ignore"):
                there = likelihood.at(trial)
            if np.isfinite(there.value) and there.value >= here.value - 1e-10:
                break
            factor /= 2.0
            if factor < 1e-8:
                raise UndefinedMetricError(NO_MAXIMUM)
        coefficient, here = trial, there
    raise UndefinedMetricError(NO_MAXIMUM)


def _is_monotone(x: FloatArray, y: Outcome) -> bool:
    """Whether events always have the largest (or always the smallest) covariate at risk."""
    event, time = check_outcome(y)
    order = np.argsort(-time, kind="stable")
    largest = np.maximum.accumulate(x[order])
    smallest = np.minimum.accumulate(x[order])
    last_of_tie = np.searchsorted(-time[order], -time, side="right") - 1
    above = np.any(largest[last_of_tie][event] > x[event])
    below = np.any(smallest[last_of_tie][event] < x[event])
    return not (above and below)
