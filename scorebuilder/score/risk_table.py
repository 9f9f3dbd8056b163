"""What each band of points means: predicted risk beside observed risk, censoring respected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import survival_at

MINIMUM_PATIENTS = 10
"""Fewer patients than this show no observed risk: neither private nor informative."""


@dataclass(frozen=True)
class ObservedRisk:
    """
    Risk of a band of patients at one horizon.

    Attributes
    ----------
    band : int
        Number of points, or of the risk group.
    horizon : float
        Days.
    n : int
        Patients in the band.
    predicted : float or None
        Mean risk by the formula; None when the band is empty.
    observed, lower, upper : float or None
        1 - Kaplan-Meier with its log-log interval; None when undefined.
    reason : str
        Why the observed risk is undefined; empty when it is not.
    """

    band: int
    horizon: float
    n: int
    predicted: float | None
    observed: float | None
    lower: float | None
    upper: float | None
    reason: str


def observed_risk(y: Outcome, risk: FloatArray, *, band: int, horizon: float) -> ObservedRisk:
    """
    Set the mean predicted risk of a band beside its Kaplan-Meier risk.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the band's patients.
    risk : ndarray of shape (n_patients,)
        Their risk by the formula.
    band : int
        What the band is called.
    horizon : float
        Days.

    Returns
    -------
    ObservedRisk
        With a reason instead of an observed risk for fewer than `MINIMUM_PATIENTS` patients, or
        when nobody is followed to the horizon.
    """
    n = int(y.shape[0])
    predicted = float(np.mean(risk)) if n else None
    if n < MINIMUM_PATIENTS:
        reason = f"fewer than {MINIMUM_PATIENTS} patients" if n else "no patients"
        return ObservedRisk(band, horizon, n, predicted, None, None, None, reason)
    try:
        estimate = survival_at(y, horizon)
    except UndefinedMetricError as error:
        return ObservedRisk(band, horizon, n, predicted, None, None, None, str(error))
    return ObservedRisk(
        band,
        horizon,
        n,
        predicted,
        1.0 - estimate.survival,
        1.0 - estimate.upper,
        1.0 - estimate.lower,
        "",
    )


def risk_by_band(
    bands: IntArray,
    risk: FloatArray,
    y: Outcome,
    *,
    n_bands: int,
    horizons: Sequence[float],
) -> list[ObservedRisk]:
    """
    Tabulate predicted and observed risk for every band and horizon.

    Parameters
    ----------
    bands : ndarray of int of shape (n_patients,)
        Points or risk group of each patient.
    risk : ndarray of shape (n_patients, n_horizons)
        Risk by the formula.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    n_bands : int
        Bands are 0..n_bands - 1; empty ones are listed too.
    horizons : sequence of float
        Days.

    Returns
    -------
    list of ObservedRisk
        Ordered by band, then horizon.
    """
    rows = []
    for band in range(n_bands):
        inside = bands == band
        rows += [
            observed_risk(y[inside], risk[inside, k], band=band, horizon=float(horizon))
            for k, horizon in enumerate(horizons)
        ]
    return rows


def risk_of_bands(
    table: Sequence[ObservedRisk], *, n_bands: int, horizons: Sequence[float]
) -> list[list[float]]:
    """
    List the mean predicted risk of every band, which is what a reader of points or groups sees.

    Parameters
    ----------
    table : sequence of ObservedRisk
        From `risk_by_band`; at least one band holds patients.
    n_bands : int
        Bands are 0..n_bands - 1.
    horizons : sequence of float
        Days.

    Returns
    -------
    list of list of float
        One list for each horizon. An empty band lies between its neighbours, linearly, and beyond
        the last one with patients it has the risk of that one.
    """
    risks = []
    for horizon in horizons:
        known = {
            row.band: row.predicted
            for row in table
            if row.horizon == horizon and row.predicted is not None
        }
        values = np.interp(np.arange(n_bands), list(known), list(known.values()))
        risks.append([float(value) for value in values])
    return risks
