"""Which unit and which rounding make additive points lose least of the formula's risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import ModelError
from scorebuilder.survival.absolute_risk import absolute_risk

PHASES = (0.5, 0.1, 0.3, 0.7, 0.9)
"""Where within a step a value is rounded up; 0.5 is ordinary rounding."""
N_UNITS = 40
"""Units tried."""
FEWEST_STEPS = 3
"""The widest card that is tried spreads over at least so many steps."""
SWEEPS = 2
TOLERANCE = 0.0005
"""Error of the risk, as root mean square, that is given up for fewer points."""
LARGEST_SAMPLE = 4000
"""Patients on whom rounding is chosen; of more, every so many are taken."""


@dataclass(frozen=True)
class CardScale:
    """
    How contributions become points.

    Attributes
    ----------
    unit : float
        Log hazard of one step.
    lowest : tuple of float
        Smallest contribution of each predictor; it gets no points.
    phases : tuple of float
        Rounding of each predictor: a contribution gets ``floor((c - lowest) / unit + phase)``
        steps.
    error : float
        Root mean square difference between the risk by the card and by the formula.
    """

    unit: float
    lowest: tuple[float, ...]
    phases: tuple[float, ...]
    error: float

    def steps(self, position: int, contribution: FloatArray) -> FloatArray:
        """
        Count the steps of contributions of one predictor.

        Parameters
        ----------
        position : int
            Which predictor.
        contribution : ndarray of shape (n_values,)
            Log hazard, not below its lowest.

        Returns
        -------
        ndarray of shape (n_values,)
            Whole numbers, at least 0.
        """
        return _steps(contribution - self.lowest[position], self.unit, self.phases[position])


def _steps(above: FloatArray, unit: float, phase: float) -> FloatArray:
    return np.asarray(np.floor(np.maximum(above, 0.0) / unit + phase), dtype=np.float64)


def search_card(
    contributions: FloatArray,
    linear_predictor: FloatArray,
    *,
    cumulative_hazard: float,
    lowest: Sequence[float],
    highest: Sequence[float],
    most_steps: int,
) -> CardScale:
    r"""
    Choose the unit of a step and the rounding of each predictor.

    Parameters
    ----------
    contributions : ndarray of shape (n_patients, n_predictors)
        Log hazard by predictor, within `lowest` and `highest`.
    linear_predictor : ndarray of shape (n_patients,)
        By the formula.
    cumulative_hazard : float
        Baseline cumulative hazard at the horizon at which risks are compared.
    lowest, highest : sequence of float
        Range of each predictor's contribution.
    most_steps : int
        Largest total that the card may have.

    Returns
    -------
    CardScale
        The same for the same patients in the same order.

    Raises
    ------
    ModelError
        If no predictor's contribution varies.

    Notes
    -----
    For each unit, one predictor's rounding is changed at a time while that lowers

    .. math:: \frac1n \sum_i \{r(\eta_i) - r(a + b\,T_i)\}^2

    with the risk r, the linear predictor :math:`\eta`, the total T and the least-squares line of
    :math:`\eta` on T. Of all units whose root mean square error is within `TOLERANCE` of the
    smallest, the one with the fewest points is taken.
    """
    every = -(-len(linear_predictor) // LARGEST_SAMPLE)
    above = contributions[::every] - np.asarray(lowest)
    eta = linear_predictor[::every]
    spans = np.asarray(highest, dtype=np.float64) - np.asarray(lowest)
    if not spans.sum() > 0.0:
        message = "no contribution to the score varies, so there is no points card"
        raise ModelError(message)
    risk = absolute_risk(eta, cumulative_hazard)
    found = []
    narrow, wide = spans.sum() / most_steps / 1.2, spans.sum() / min(FEWEST_STEPS, most_steps)
    for unit in np.geomspace(narrow, wide, N_UNITS):
        phases, error = _round(above, spans, float(unit), eta, risk, cumulative_hazard, most_steps)
        if np.isfinite(error):
            total = float(
                sum(_steps(spans, float(unit), phase)[k] for k, phase in enumerate(phases))
            )
            found.append((total, error, float(unit), phases))
    if not found:
        message = f"no points card has a total of {most_steps} steps or fewer; allow more"
        raise ModelError(message)
    best = min(error for _, error, _, _ in found)
    _, error, unit, phases = min(entry for entry in found if entry[1] <= best + TOLERANCE)
    return CardScale(unit, tuple(float(low) for low in lowest), phases, error)


def _round(
    above: FloatArray,
    spans: FloatArray,
    unit: float,
    eta: FloatArray,
    risk: FloatArray,
    hazard: float,
    most_steps: int,
) -> tuple[tuple[float, ...], float]:
    phases = [PHASES[0]] * len(spans)
    steps = np.column_stack([_steps(above[:, k], unit, PHASES[0]) for k in range(len(spans))])
    tops = np.array([_steps(spans[k : k + 1], unit, PHASES[0])[0] for k in range(len(spans))])
    error = _error(steps.sum(axis=1), eta, risk, hazard) if tops.sum() <= most_steps else np.inf
    for _ in range(SWEEPS):
        before = error
        for k in range(len(spans)):
            others = steps.sum(axis=1) - steps[:, k]
            for phase in PHASES:
                top = _steps(spans[k : k + 1], unit, phase)[0]
                if phase == phases[k] or tops.sum() - tops[k] + top > most_steps:
                    continue
                own = _steps(above[:, k], unit, phase)
                tried = _error(others + own, eta, risk, hazard)
                if tried < error:
                    error, phases[k], steps[:, k], tops[k] = tried, phase, own, top
        if error == before:
            break
    return tuple(phases), error


def _error(total: FloatArray, eta: FloatArray, risk: FloatArray, hazard: float) -> float:
    """Root mean square error of the risk from the least-squares line of `eta` on `total`."""
    centred = total - total.mean()
    spread = float(centred @ centred)
    if spread == 0.0:
        return np.inf
    slope = float(centred @ eta) / spread
    fitted = absolute_risk(eta.mean() + slope * centred, hazard)
    return float(np.sqrt(np.mean((risk - fitted) ** 2)))
