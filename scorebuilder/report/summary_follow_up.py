"""What is known of the patients at each horizon: the event, no event, or nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scorebuilder.core.arrays import Outcome
from scorebuilder.report.small_counts import withhold

STATES = ("event", "event_free", "censored")


def status_at(y: Outcome, horizons: Sequence[float]) -> list[dict[str, Any]]:
    """
    Count the patients by what is known of them at each horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    horizons : sequence of float
        Days.

    Returns
    -------
    list of dict
        One per horizon: ``event`` by then, ``event_free`` then, ``censored`` before. They add up to
        the patients. Counts of 1 to 4, and the smallest other one, from which they would follow,
        are None.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([True] * 6 + [False] * 14, [1.0] * 6 + [2.0] * 7 + [9.0] * 7)
    >>> status_at(y, [5.0])
    [{'horizon': 5.0, 'event': 6, 'event_free': 7, 'censored': 7}]
    """
    rows = []
    for horizon in horizons:
        event = y["event"] & (y["time"] <= horizon)
        free = (y["time"] >= horizon) & ~event
        counts = [int(event.sum()), int(free.sum()), int(np.sum(~event & ~free))]
        shown = [withhold(count) for count in counts]
        if shown.count(None) == 1:
            others = [count for count in shown if count is not None]
            shown[shown.index(min(others))] = None
        rows.append({"horizon": float(horizon), **dict(zip(STATES, shown, strict=True))})
    return rows
