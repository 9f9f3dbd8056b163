"""Follow-up times placed on a small grid of event-time quantiles before trees are grown."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.survival.outcome import check_outcome

MOST_TIMES = 2**15 - 1


@dataclass(frozen=True)
class TimeGrid:
    """
    Increasing event times g_1 < ... < g_m; g_m is the last event time.

    Attributes
    ----------
    times : ndarray of shape (n_times,)
        The grid, in the unit of the outcome.

    Notes
    -----
    An event at t lies in cell k when g_(k-1) < t <= g_k, so all events keep their order or are
    tied. A patient censored at c lies in cell k when g_k <= c < g_(k+1), and in cell 0 when
    c < g_1: at risk for the events of cells 1 to k and for no other. Who is censored within a cell
    therefore does not count at risk for the events of that cell. With no more distinct event times
    than grid points, risk sets and events, and with them log-rank and Nelson-Aalen, are those of
    the times themselves.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 1, 1, 0, 0], [1, 2, 3, 4, 2, 3.5])
    >>> grid = TimeGrid.from_outcome(y, n_times=2)
    >>> grid.times
    array([2., 4.])
    >>> grid.place(y)
    array([1, 1, 2, 2, 1, 1])
    """

    times: FloatArray

    @classmethod
    def from_outcome(cls, y: Outcome, *, n_times: int) -> TimeGrid:
        """
        Take at most `n_times` quantiles of the event times, themselves event times.

        Parameters
        ----------
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.
        n_times : int
            Most grid points, >= 1. All distinct event times are taken if there are no more.

        Returns
        -------
        TimeGrid
            Ends at the last event time.

        Raises
        ------
        ModelError
            If no patient has an event.
        ValueError
            If `n_times` is below 1, or the grid has more than 32,767 points.
        """
        most: Any = n_times
        if not isinstance(most, Integral) or most < 1:
            message = f"`n_times` must be a whole number of at least 1; got {most!r}"
            raise ValueError(message)
        event, time = check_outcome(y)
        event_times = time[event]
        distinct = np.unique(event_times)
        if distinct.size == 0:
            message = f"a survival forest needs events; none of the {event.size} patients has one"
            raise ModelError(message)
        if distinct.size > n_times:
            levels = np.arange(1, n_times + 1) / n_times
            distinct = np.unique(np.quantile(event_times, levels, method="inverted_cdf"))
        if distinct.size > MOST_TIMES:
            message = f"`n_times` must be at most {MOST_TIMES} here; {distinct.size} times differ"
            raise ValueError(message)
        return cls(distinct)

    def place(self, y: Outcome) -> IntArray:
        """
        Return the cell of each patient.

        Parameters
        ----------
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``; no event after the last grid time.

        Returns
        -------
        ndarray of int of shape (n_patients,)
            In 0..n_times; 0 only for patients censored before the first grid time.
        """
        event, time = check_outcome(y)
        of_event = np.searchsorted(self.times, time, side="left") + 1
        of_censored = np.searchsorted(self.times, time, side="right")
        return np.where(event, of_event, of_censored).astype(np.int64)
