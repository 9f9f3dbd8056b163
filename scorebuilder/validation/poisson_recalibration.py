"""Observed and expected events over the whole follow-up, as counts with known hazards."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import check_outcome


@dataclass(frozen=True)
class PoissonRecalibration:
    """
    What a Poisson model says of the level and the slope of a frozen score.

    Attributes
    ----------
    observed : int
        Events.
    expected : float
        Sum of the cumulative hazards at the end of each patient's follow-up.
    intercept, intercept_error : float
        log(observed / expected) and its standard error; 0 is perfect.
    slope, slope_error : float or None
        Coefficient of the linear predictor beside the baseline hazard, 1 is perfect; None if the
        linear predictor is constant.
    n_used : int
        Patients with an expected number above 0; the others have no event by definition.
    """

    observed: int
    expected: float
    intercept: float
    intercept_error: float
    slope: float | None
    slope_error: float | None
    n_used: int


def poisson_recalibration(
    y: Outcome, linear_predictor: FloatArray, baseline_hazard: FloatArray
) -> PoissonRecalibration:
    r"""
    Recalibrate a frozen score by Poisson models of the event indicator.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the validation patients.
    linear_predictor : ndarray of shape (n_patients,)
        Of the frozen score.
    baseline_hazard : ndarray of shape (n_patients,)
        Cumulative hazard of the score at linear predictor 0 and at each patient's follow-up time.

    Returns
    -------
    PoissonRecalibration
        Intercept and slope, each from a model of its own.

    Raises
    ------
    UndefinedMetricError
        Without an event among patients with an expected number above 0.
    ValueError
        If a hazard is negative, or lengths differ.

    Notes
    -----
    The event indicator of a patient followed to :math:`T_i` is treated as Poisson with mean
    :math:`H_0(T_i) e^{\eta_i}`, which gives the likelihood of the hazard model. Intercept:
    :math:`\log E[D_i] = \alpha + \log(H_0(T_i) e^{\eta_i})`; slope:
    :math:`\log E[D_i] = \alpha + \log H_0(T_i) + \beta (\eta_i - \bar\eta)`. [1]_ [2]_

    References
    ----------
    .. [1] Royston P, Altman DG. BMC Med Res Methodol 2013;13:33.
    .. [2] Crowson CS, Atkinson EJ, Therneau TM. Assessing calibration of prognostic risk scores.
       Stat Methods Med Res 2016;25:1692-706.

    Examples
    --------
    Two events where 0.5 + 0.5 + 1 were expected: log(2 / 2) = 0.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0], [1, 1, 2])
    >>> found = poisson_recalibration(y, np.zeros(3), np.array([0.5, 0.5, 1.0]))
    >>> found.observed, found.expected, found.intercept
    (2, 2.0, 0.0)
    """
    event, _ = check_outcome(y)
    if baseline_hazard.shape != event.shape or linear_predictor.shape != event.shape:
        message = "`linear_predictor` and `baseline_hazard` must hold one value per patient"
        raise ValueError(message)
    if np.any(baseline_hazard < 0):
        message = "`baseline_hazard` must not be negative"
        raise ValueError(message)
    used = baseline_hazard > 0
    observed = int(event[used].sum())
    if observed == 0:
        message = "no patient has the event"
        raise UndefinedMetricError(message)
    expected = float(np.sum(baseline_hazard[used] * np.exp(linear_predictor[used])))
    slope, slope_error = _slope(event[used], linear_predictor[used], baseline_hazard[used])
    return PoissonRecalibration(
        observed,
        expected,
        float(np.log(observed / expected)),
        float(1.0 / np.sqrt(observed)),
        slope,
        slope_error,
        int(used.sum()),
    )


def _slope(
    event: BoolArray, linear_predictor: FloatArray, hazard: FloatArray
) -> tuple[float | None, float | None]:
    import statsmodels.api as sm

    centred = linear_predictor - linear_predictor.mean()
    if np.ptp(centred) == 0.0:
        return None, None
    design = np.column_stack([np.ones(centred.size), centred])
    model = sm.GLM(
        event.astype(np.float64), design, family=sm.families.Poisson(), offset=np.log(hazard)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        fit = model.fit(tol=1e-12)
    return float(fit.params[1]), float(fit.bse[1])
