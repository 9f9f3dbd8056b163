"""Risk by points as it may be shown: bands wide enough, observed risk never falling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, SMALLEST_CELL, hidden_levels
from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.score.pooled_risk import RiskBand, inside, joined_bands, never_falling

Band = tuple[float, float]


def public_risk_rows(
    points: IntArray,
    risk: FloatArray,
    y: Outcome,
    *,
    groups: Sequence[tuple[int, int]],
    horizons: Sequence[float],
) -> list[dict[str, Any]]:
    """
    Tabulate predicted and observed risk for every number of points.

    Parameters
    ----------
    points : ndarray of int of shape (n_patients,)
        Points of each patient.
    risk : ndarray of shape (n_patients, n_horizons)
        Risk by the formula.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    groups : sequence of tuple of int
        First and last points of each risk group, ascending, without gaps.
    horizons : sequence of float
        In the unit of `y`.

    Returns
    -------
    list of dict
        The artifact's ``risk_table``, by points and horizon. Neighbouring points of a risk group
        are joined until ``band`` has `MINIMUM_PATIENTS`; ``n`` and ``predicted`` are those of the
        band. Bands are joined further until observed risk never falls (pool adjacent violators);
        ``observed``, ``lower`` and ``upper`` are those of ``pooled``.

    Notes
    -----
    Reports count the patients of each risk group, so bands never cross the border of a group before
    they are large enough. Where a whole group has one to four patients, its count and one more are
    hidden, and hidden bands are not pooled. An interval does not know of the joining.
    """
    totals = points.astype(np.float64)
    bands = [band for low, high in groups for band in joined_bands(totals, range(low, high + 1))]
    counts = [int(np.sum(inside(totals, band))) for band in bands]
    hidden = _hidden(bands, counts, groups)
    rows = []
    for k, horizon in enumerate(horizons):
        for pool, members in _pools(bands, hidden, totals, risk[:, [k]], y, float(horizon)):
            for place in members:
                own = risk[inside(totals, bands[place]), k]
                row = _row(bands[place], pool, own, hidden=place in hidden)
                first, last = row["band"]
                rows += [{"points": value, **row} for value in range(first, last + 1)]
    return sorted(rows, key=lambda row: (row["points"], row["horizon"]))


def _pools(
    bands: list[Band],
    hidden: set[int],
    totals: FloatArray,
    risk: FloatArray,
    y: Outcome,
    horizon: float,
) -> Iterator[tuple[RiskBand, list[int]]]:
    """Give each pool with the places of its bands; a hidden band is a pool of its own."""
    run: list[int] = []
    for place in range(len(bands) + 1):
        if place < len(bands) and place not in hidden:
            run.append(place)
            continue
        for places in (run, [place] if place < len(bands) else []):
            pooled = never_falling([bands[i] for i in places], totals, risk, y, horizons=[horizon])
            for pool in pooled:
                yield pool, [i for i in places if pool.first <= bands[i][0] <= pool.last]
        run = []


def _hidden(bands: list[Band], counts: list[int], groups: Sequence[tuple[int, int]]) -> set[int]:
    filled = {place: count for place, count in enumerate(counts) if count}
    found: set[int] = set()
    for first, last in groups:
        found |= _hidden_of({i: n for i, n in filled.items() if first <= bands[i][0] <= last})
    return found | _hidden_of(filled) if len(found) == 1 else found


def _hidden_of(counts: dict[int, int]) -> set[int]:
    if not counts:
        return set()
    hidden = hidden_levels(np.array([list(counts.values())]))
    return {place for place, hide in zip(counts, hidden, strict=True) if hide}


def _row(band: Band, pool: RiskBand, own: FloatArray, *, hidden: bool) -> dict[str, Any]:
    found = pool.risks[0]
    row: dict[str, Any] = {
        "band": [int(band[0]), int(band[1])],
        "pooled": [int(pool.first), int(pool.last)],
        "horizon": found.horizon,
        "n": len(own),
        "predicted": float(np.mean(own)) if len(own) else None,
        "observed": found.observed,
        "lower": found.lower,
        "upper": found.upper,
        "reason": found.reason,
    }
    if hidden:
        # The width of the observed interval would tell the count; the mean risk does not.
        row |= {**dict.fromkeys(("n", "observed", "lower", "upper")), "reason": HIDDEN_COMPLEMENT}
        if len(own) < SMALLEST_CELL:
            row["predicted"] = None
    return row
