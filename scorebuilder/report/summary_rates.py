"""Events per 1,000 patient-years by points and by risk group, where they are not few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, SMALLEST_CELL, hidden_levels
from scorebuilder.core.arrays import IntArray, Outcome
from scorebuilder.score.risk_rows import extent
from scorebuilder.survival.event_rate import event_rate

FEW = f"fewer than {SMALLEST_CELL} events"
KEYS = ("events", "patient_years", "value", "lower", "upper")

Band = tuple[int, int]


def rates_by_points(
    y: Outcome,
    points: IntArray,
    table: Sequence[Mapping[str, Any]],
    groups: Sequence[Band],
) -> dict[str, list[dict[str, Any]]]:
    """
    Count events per 1,000 patient-years in each band of the risk table and in each risk group.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    points : ndarray of int of shape (n_patients,)
        Points of each patient.
    table : sequence of mapping
        The artifact's ``risk_table``.
    groups : sequence of tuple of int
        First and last points of each risk group.

    Returns
    -------
    dict
        ``bands`` and ``groups``: ``first``, ``last`` (points), ``events``, ``patient_years``,
        ``value``, ``lower``, ``upper`` and ``reason``.

    Notes
    -----
    All numbers are None with a reason in fewer than 5 events, in as many others as would let such a
    count be worked out from the events of the group or of all patients, and in bands whose patients
    are not counted.
    """
    n_of = {extent(row, "band"): row["n"] for row in table}
    whole = _rows(y, points, list(groups), set())
    rows: list[dict[str, Any]] = []
    for row in whole:
        inside = [band for band in n_of if row["first"] <= band[0] <= row["last"]]
        uncounted = {band for band in inside if n_of[band] is None or row["events"] is None}
        rows += _rows(y, points, sorted(inside), uncounted)
    return {"bands": rows, "groups": whole}


def _rows(
    y: Outcome, points: IntArray, bands: list[Band], uncounted: set[Band]
) -> list[dict[str, Any]]:
    inside = [(points >= first) & (points <= last) for first, last in bands]
    counts = np.array([int(y["event"][part].sum()) for part in inside], dtype=np.int64)
    shown = np.where([band in uncounted for band in bands], 0, counts)
    if not bands:
        return []
    hidden = hidden_levels(shown[None, :])
    rows = []
    for band, part, count, hide in zip(bands, inside, counts, hidden, strict=True):
        row: dict[str, Any] = {"first": band[0], "last": band[1], **dict.fromkeys(KEYS)}
        if hide:
            row["reason"] = FEW if count < SMALLEST_CELL else HIDDEN_COMPLEMENT
        else:
            found = event_rate(y[part])
            row |= {key: getattr(found, key) for key in KEYS} | {"reason": None}
        rows.append(row)
    return rows
