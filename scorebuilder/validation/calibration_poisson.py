"""Calibration by counting: events against the cumulative hazard that was predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.metric import check_predictions

NO_EVENT = "no patient with a predicted hazard has the event by the horizon"
_TOLERANCE = 1e-14
_MAX_STEPS = 100
_LARGEST_ERROR = 1e3


@dataclass(frozen=True)
class PoissonRatio:
    """
    Observed over expected events.

    Attributes
    ----------
    observed, expected : float
        Events by the horizon and sum of the predicted cumulative hazards.
    ratio : float
        Observed / expected.
    lower, upper : float or None
        95 % limits; None without an event.
    log_ratio, standard_error : float or None
        Intercept of the Poisson model and its error; None without an event.
    reason : str or None
        Why there are no limits.
    """

    observed: float
    expected: float
    ratio: float
    lower: float | None = None
    upper: float | None = None
    log_ratio: float | None = None
    standard_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class PoissonSlope:
    """
    Intercept and slope of a Poisson model of the events.

    Attributes
    ----------
    intercept, slope : float
        0 and 1 are perfect.
    intercept_error, slope_error : float
        Standard errors.
    """

    intercept: float
    slope: float
    intercept_error: float
    slope_error: float


def poisson_ratio(y: Outcome, cumulative_hazard: FloatArray, *, horizon: float) -> PoissonRatio:
    r"""
    Observed / expected events, expected by the predicted cumulative hazard.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    cumulative_hazard : ndarray of shape (n_patients,)
        Predicted cumulative hazard at the smaller of follow-up and `horizon`, >= 0; patients with 0
        are left out.
    horizon : float
        In the unit of `y`; may lie past the follow-up, which then limits it.

    Returns
    -------
    PoissonRatio
        With limits :math:`\exp(\log O/E \pm 1.96 / \sqrt O)`.

    Raises
    ------
    UndefinedMetricError
        Without a positive hazard.

    Notes
    -----
    Does not take censoring as independent of the predictions, but the baseline hazard of the model
    as right at every time.

    References
    ----------
    .. [1] Crowson CS, Atkinson EJ, Therneau TM. Assessing calibration of prognostic risk scores.
       Stat Methods Med Res 2016;25:1692-706.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0], [1, 2, 9])
    >>> round(poisson_ratio(y, np.array([0.1, 0.4, 0.5]), horizon=5).ratio, 12)
    2.0
    """
    events, hazard, _ = _counts(y, cumulative_hazard, horizon)
    observed, expected = float(events.sum()), float(hazard.sum())
    if observed == 0.0:
        return PoissonRatio(0.0, expected, 0.0, reason=NO_EVENT)
    error = 1.0 / np.sqrt(observed)
    ratio, factor = observed / expected, float(np.exp(Z_95 * error))
    log_ratio = float(np.log(ratio))
    return PoissonRatio(
        observed, expected, ratio, ratio / factor, ratio * factor, log_ratio, float(error)
    )


def poisson_slope(
    y: Outcome,
    cumulative_hazard: FloatArray,
    linear_predictor: FloatArray,
    *,
    horizon: float,
) -> PoissonSlope:
    r"""
    Calibration slope of the linear predictor with the predicted baseline hazard as it is.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    cumulative_hazard : ndarray of shape (n_patients,)
        As in `poisson_ratio`.
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard ratio.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    PoissonSlope
        Of :math:`\log E(D) = a + b\,\mathrm{lp} + \log H - \mathrm{lp}`.

    Raises
    ------
    UndefinedMetricError
        Without an event, with constant predictions, or without a finite maximum.

    References
    ----------
    .. [1] Crowson CS, Atkinson EJ, Therneau TM. Assessing calibration of prognostic risk scores.
       Stat Methods Med Res 2016;25:1692-706.
    """
    events, hazard, used = _counts(y, cumulative_hazard, horizon)
    if not events.any():
        raise UndefinedMetricError(NO_EVENT)
    predictor = check_predictions(y, linear_predictor)[used]
    scale, center = float(predictor.std()), float(predictor.mean())
    if scale <= 1e-12 * max(abs(center), 1e-300):
        message = "the predictions are the same for every patient"
        raise UndefinedMetricError(message)
    design = np.column_stack([np.ones(predictor.size), (predictor - center) / scale])
    offset = np.log(hazard) - predictor
    coefficient = np.array([np.log(events.sum() / np.exp(offset).sum()), 0.0])
    for _ in range(_MAX_STEPS):
        mean = np.exp(offset + design @ coefficient)
        information = design.T @ (mean[:, None] * design)
        gradient = design.T @ (events - mean)
        step = np.linalg.solve(information, gradient)
        coefficient = coefficient + step / max(1.0, float(np.abs(step).max()))
        if gradient @ step < _TOLERANCE * events.sum():
            break
    else:
        message = "the predictions separate the events: the likelihood has no finite maximum"
        raise UndefinedMetricError(message)
    covariance = np.linalg.inv(information)
    back = np.array([[1.0, -center / scale], [0.0, 1.0 / scale]])
    original, errors = back @ coefficient, np.sqrt(np.diag(back @ covariance @ back.T))
    if np.sqrt(covariance[1, 1]) > _LARGEST_ERROR:
        message = "the predictions separate the events: the likelihood has no finite maximum"
        raise UndefinedMetricError(message)
    return PoissonSlope(float(original[0]), float(original[1]), float(errors[0]), float(errors[1]))


def _counts(
    y: Outcome, cumulative_hazard: FloatArray, horizon: float
) -> tuple[FloatArray, FloatArray, BoolArray]:
    hazard = check_predictions(y, cumulative_hazard)
    wrong = int(np.sum(hazard < 0.0))
    if wrong:
        message = f"`cumulative_hazard` must be >= 0; {wrong} values are not"
        raise ValueError(message)
    used = hazard > 0.0
    events = (y["event"] & (y["time"] <= horizon))[used].astype(np.float64)
    if not used.any():
        message = "the predicted hazard is 0 for every patient"
        raise UndefinedMetricError(message)
    return events, hazard[used], used
