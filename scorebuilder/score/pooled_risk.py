"""Observed risk in bands of neighbouring points, wide enough and never falling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
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
    bands = [(float(total), float(total)) for total in possible]
    position = 0
    while position < len(bands) and len(bands) > 1:
        if _count(totals, bands[position]) < MINIMUM_PATIENTS:
            position = _join(bands, position if position < len(bands) - 1 else position - 1)
        else:
            position += 1
    estimates = [_estimate(totals, risk, y, band, horizons) for band in bands]
    position = 1
    while position < len(bands):
        if _falls(estimates[position - 1], estimates[position]):
            _join(bands, position - 1)
            estimates[position - 1 : position + 1] = [
                _estimate(totals, risk, y, bands[position - 1], horizons)
            ]
            position = max(1, position - 1)
        else:
            position += 1
    return [RiskBand(*band, found) for band, found in zip(bands, estimates, strict=True)]


def _count(totals: FloatArray, band: tuple[float, float]) -> int:
    return int(np.sum((totals >= band[0]) & (totals <= band[1])))


def _join(bands: list[tuple[float, float]], position: int) -> int:
    bands[position : position + 2] = [(bands[position][0], bands[position + 1][1])]
    return position


def _estimate(
    totals: FloatArray,
    risk: FloatArray,
    y: Outcome,
    band: tuple[float, float],
    horizons: Sequence[float],
) -> tuple[ObservedRisk, ...]:
    inside = (totals >= band[0]) & (totals <= band[1])
    return tuple(
        observed_risk(y[inside], risk[inside, k], band=0, horizon=float(horizon))
        for k, horizon in enumerate(horizons)
    )


def _falls(first: tuple[ObservedRisk, ...], second: tuple[ObservedRisk, ...]) -> bool:
    return any(
        low.observed is not None and high.observed is not None and high.observed < low.observed
        for low, high in zip(first, second, strict=True)
    )
