"""Observed risk in bands of neighbouring points, wide enough and never falling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.score.risk_table import MINIMUM_PATIENTS, ObservedRisk, observed_risk


@dataclass(frozen=True)
class RiskBand:
    """
    Neighbouring totals taken together.

    Attributes
    ----------
    first, last : float
        Lowest and highest total of the band, both inside.
    risks : tuple of ObservedRisk
        One per horizon.
    """

    first: float
    last: float
    risks: tuple[ObservedRisk, ...]


def pooled_risk(
    totals: FloatArray,
    risk: FloatArray,
    y: Outcome,
    *,
    possible: Sequence[float],
    horizons: Sequence[float],
) -> list[RiskBand]:
    """
    Join neighbouring totals until each band has patients enough and observed risk never falls.

    Parameters
    ----------
    totals : ndarray of shape (n_patients,)
        Total of each patient.
    risk : ndarray of shape (n_patients, n_horizons)
        Predicted risk, of which each band shows the mean.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    possible : sequence of float
        All totals, ascending; each belongs to exactly one band.
    horizons : sequence of float
        In the unit of `y`.

    Returns
    -------
    list of RiskBand
        Ascending. One band alone may have fewer than `MINIMUM_PATIENTS` patients, when there are
        no more.

    Notes
    -----
    Pool adjacent violators: a band whose Kaplan-Meier risk lies below that of the band before it,
    at any horizon, is joined with it, and the risk of both is estimated anew. An interval is that
    of the joined patients; it does not know of the joining.
    """
    return never_falling(joined_bands(totals, possible), totals, risk, y, horizons=horizons)


def joined_bands(totals: FloatArray, possible: Sequence[float]) -> list[tuple[float, float]]:
    """
    Join neighbouring totals until each band has `MINIMUM_PATIENTS`.

    Parameters
    ----------
    totals : ndarray of shape (n_patients,)
        Total of each patient.
    possible : sequence of float
        Totals that may be joined, ascending.

    Returns
    -------
    list of tuple of float
        First and last total of each band. One band alone may have fewer patients.
    """
    bands = [(float(total), float(total)) for total in possible]
    position = 0
    while position < len(bands) and len(bands) > 1:
        if np.sum(inside(totals, bands[position])) < MINIMUM_PATIENTS:
            position = min(position, len(bands) - 2)
            bands[position : position + 2] = [(bands[position][0], bands[position + 1][1])]
        else:
            position += 1
    return bands


def never_falling(
    bands: Sequence[tuple[float, float]],
    totals: FloatArray,
    risk: FloatArray,
    y: Outcome,
    *,
    horizons: Sequence[float],
) -> list[RiskBand]:
    """
    Join bands until observed risk never falls from one to a later one.

    Parameters
    ----------
    bands : sequence of tuple of float
        First and last total of each, ascending.
    totals : ndarray of shape (n_patients,)
        Total of each patient.
    risk : ndarray of shape (n_patients, n_horizons)
        Predicted risk.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    horizons : sequence of float
        In the unit of `y`.

    Returns
    -------
    list of RiskBand
        Ascending. Bands without observed risk are joined only where they lie between two that are.
    """
    joined = list(bands)
    estimates = [_estimate(totals, risk, y, band, horizons) for band in joined]
    position = 1
    while position < len(joined):
        above = [k for k in range(position) if _falls(estimates[k], estimates[position])]
        if not above:
            position += 1
            continue
        start = above[-1]
        band = (joined[start][0], joined[position][1])
        joined[start : position + 1] = [band]
        estimates[start : position + 1] = [_estimate(totals, risk, y, band, horizons)]
        position = max(1, start)
    return [RiskBand(*band, found) for band, found in zip(joined, estimates, strict=True)]


def inside(totals: FloatArray, band: tuple[float, float]) -> BoolArray:
    """
    Tell who belongs to a band.

    Parameters
    ----------
    totals : ndarray of shape (n_patients,)
        Total of each patient.
    band : tuple of float
        First and last total, both inside.

    Returns
    -------
    ndarray of bool of shape (n_patients,)
        Members.
    """
    return (totals >= band[0]) & (totals <= band[1])


def _estimate(
    totals: FloatArray,
    risk: FloatArray,
    y: Outcome,
    band: tuple[float, float],
    horizons: Sequence[float],
) -> tuple[ObservedRisk, ...]:
    members = inside(totals, band)
    return tuple(
        observed_risk(y[members], risk[members, k], band=0, horizon=float(horizon))
        for k, horizon in enumerate(horizons)
    )


def _falls(first: tuple[ObservedRisk, ...], second: tuple[ObservedRisk, ...]) -> bool:
    return any(
        low.observed is not None and high.observed is not None and high.observed < low.observed
        for low, high in zip(first, second, strict=True)
    )
