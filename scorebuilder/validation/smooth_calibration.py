"""Observed risk as a smooth function of the predicted risk, and the distance between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.baseline_hazard import baseline_cumulative_hazard
from scorebuilder.survival.outcome import check_competing
from scorebuilder.validation.calibration_slope import complementary_log_log
from scorebuilder.validation.cox_likelihood import CoxLikelihood
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox

KNOT_QUANTILES = {
    3: (0.1, 0.5, 0.9),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
}


@dataclass(frozen=True)
class SmoothCalibration:
    """
    Smooth calibration curve and its distances from the diagonal.

    Attributes
    ----------
    ici, e50, e90, e_max : float
        Mean, median, 90th centile and maximum of abs(observed - predicted) over patients.
    predicted, observed : ndarray of shape (n_grid,)
        The curve between the 1st and the 99th centile of the risk.
    knots : ndarray of shape (n_knots,)
        Of the spline, in units of log(-log(1 - risk)).
    at_patients : ndarray of shape (n_patients,)
        Smoothed observed risk of each patient.
    coefficients : ndarray of shape (n_knots - 1,)
        Of the spline.
    log_hazard : float
        Logarithm of the cumulative hazard by the horizon where the spline is 0; minus infinity
        without an event by then.
    """

    ici: float
    e50: float
    e90: float
    e_max: float
    predicted: FloatArray
    observed: FloatArray
    knots: FloatArray
    at_patients: FloatArray
    coefficients: FloatArray
    log_hazard: float


def calibration_smooth(
    y: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    n_grid: int = 100,
    n_knots: int = 3,
    knots: Sequence[float] | None = None,
    competing: BoolArray | None = None,
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
    n_knots : {3, 4, 5}
        Knots, at `KNOT_QUANTILES` of the transformed risk.
    knots : sequence of float, optional
        At least three knots in units of log(-log(1 - risk)), used instead.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; the model is then that of the
        subdistribution hazard.

    Returns
    -------
    SmoothCalibration
        ICI, E50, E90, Emax and the curve.

    Raises
    ------
    UndefinedMetricError
        If a risk is 0 or 1, too few risks are distinct for the knots, the model has no finite
        maximum, or the horizon lies past the follow-up.

    Notes
    -----
    A Cox (Fine-Gray) model on a restricted cubic spline of :math:`\log(-\log(1 - p))` gives the
    observed risk; takes hazards as proportional in the transformed risk. [1]_ ICI is never
    negative, and so above 0 also for a perfect prediction; `calibration_distances` gives intervals.

    References
    ----------
    .. [1] Austin PC, Harrell FE, van Klaveren D. Graphical calibration curves and the integrated
       calibration index for survival models. Stat Med 2020;39:2714-42.
    .. [2] Austin PC, Putter H, Giardiello D, van Klaveren D. Graphical calibration curves and the
       integrated calibration index for competing risk models. Diagn Progn Res 2022;6:2.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    transformed = complementary_log_log(y, prediction)
    at = _knots(transformed, n_knots, knots)
    basis = restricted_cubic_spline(transformed, at)
    other = None if competing is None else check_competing(y, competing)
    coefficient, _, _ = fit_cox(basis, y, competing=other)
    linear_predictor = basis @ coefficient
    center = float(linear_predictor.mean())
    if other is None:
        baseline = baseline_cumulative_hazard(linear_predictor - center, y, ties="efron")
        hazard = float(baseline(horizon))
    else:
        likelihood = CoxLikelihood((linear_predictor - center)[:, None], y, competing=other)
        jumps = likelihood.at(np.ones(1)).jumps
        hazard = float(jumps[likelihood.times <= horizon].sum())
    observed = -np.expm1(-hazard * np.exp(linear_predictor - center))
    distance = np.abs(observed - prediction)
    first, last = np.quantile(prediction, (0.01, 0.99))
    grid = np.linspace(float(first), float(last), n_grid)
    at_grid = restricted_cubic_spline(np.log(-np.log1p(-grid)), at) @ coefficient - center
    return SmoothCalibration(
        float(distance.mean()),
        float(np.quantile(distance, 0.5)),
        float(np.quantile(distance, 0.9)),
        float(distance.max()),
        grid,
        np.asarray(-np.expm1(-hazard * np.exp(at_grid)), dtype=np.float64),
        at,
        np.asarray(observed, dtype=np.float64),
        coefficient,
        float(np.log(hazard)) - center if hazard > 0.0 else -np.inf,
    )


def restricted_cubic_spline(x: FloatArray, knots: FloatArray) -> FloatArray:
    r"""
    Cubic spline, linear outside of the outer knots.

    Parameters
    ----------
    x : ndarray of shape (n,)
        Where it is evaluated.
    knots : ndarray of shape (n_knots,)
        Strictly ascending, at least three.

    Returns
    -------
    ndarray of shape (n, n_knots - 1)
        x itself, and the cubic terms in units of the squared distance of the outer knots.

    References
    ----------
    .. [1] Stone CJ, Koo CY. Additive splines in statistics. Proc Stat Comp Sect ASA 1985:45-8.
    """
    before, last = knots[-2], knots[-1]

    cubes = [np.maximum(x - knot, 0.0) ** 3 for knot in knots]
    terms = [
        cube
        - cubes[-2] * (last - knot) / (last - before)
        + cubes[-1] * (before - knot) / (last - before)
        for knot, cube in zip(knots[:-2], cubes, strict=False)
    ]
    scale = (last - knots[0]) ** 2
    return np.column_stack([x, *(term / scale for term in terms)])


def _knots(values: FloatArray, n_knots: int, given: Sequence[float] | None) -> FloatArray:
    if given is not None:
        chosen = np.asarray(given, dtype=np.float64)
        if chosen.ndim != 1 or chosen.size < 3 or np.any(np.diff(chosen) <= 0):
            message = f"`knots` must be at least three, strictly ascending; got {chosen.tolist()}"
            raise ValueError(message)
        return chosen
    if n_knots not in KNOT_QUANTILES:
        message = f"`n_knots` must be 3, 4 or 5; got {n_knots}"
        raise ValueError(message)
    chosen = np.quantile(values, KNOT_QUANTILES[n_knots])
    if np.unique(chosen).size < n_knots:
        message = "too few distinct predictions for a smooth curve"
        raise UndefinedMetricError(message)
    return np.asarray(chosen, dtype=np.float64)
