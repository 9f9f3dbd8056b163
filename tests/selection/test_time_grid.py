"""The grid of event times and the cell of each patient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.outcome import make_outcome


@st.composite
def outcomes(draw):
    n = draw(st.integers(2, 40))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    time = draw(st.lists(st.integers(1, 30), min_size=n, max_size=n))
    return make_outcome(event, time)


def test_by_hand() -> None:
    # events at 1 2 3 4 -> quantiles 1/2 and 1 are 2 and 4; events 1, 2 in cell 1, 3, 4 in cell 2
    # censored at 0.5 before the grid (cell 0), at 2 and 3.9 in cell 1, at 9 in cell 2
    y = make_outcome([1, 1, 1, 1, 0, 0, 0, 0], [1, 2, 3, 4, 0.5, 2, 3.9, 9])
    grid = TimeGrid.from_outcome(y, n_times=2)
    np.testing.assert_array_equal(grid.times, [2, 4])
    np.testing.assert_array_equal(grid.place(y), [1, 1, 2, 2, 0, 1, 1, 2])


@given(outcomes(), st.integers(1, 12))
def test_order_of_events_is_kept(y, n_times) -> None:
    grid = TimeGrid.from_outcome(y, n_times=n_times)
    event, time, cell = y["event"], y["time"], grid.place(y)
    assert grid.times.size <= n_times
    assert grid.times[-1] == time[event].max()
    order = np.argsort(time[event])
    assert np.all(np.diff(cell[event][order]) >= 0)
    assert cell[event].min() >= 1
    # never at risk for an event that came after censoring
    for censored in np.flatnonzero(~event):
        at_risk_for = event & (cell <= cell[censored])
        assert np.all(time[at_risk_for] <= time[censored])


@given(outcomes())
def test_a_full_grid_loses_nothing(y) -> None:
    grid = TimeGrid.from_outcome(y, n_times=30)
    cell = grid.place(y)
    for number, time in enumerate(grid.times, 1):
        np.testing.assert_array_equal(cell >= number, y["time"] >= time)
        np.testing.assert_array_equal(
            y["event"] & (cell == number), y["event"] & (y["time"] == time)
        )


def test_refusals() -> None:
    with pytest.raises(ModelError, match="none of the 2 patients has one"):
        TimeGrid.from_outcome(make_outcome([0, 0], [1, 2]), n_times=5)
    with pytest.raises(ValueError, match="`n_times` must be a whole number of at least 1"):
        TimeGrid.from_outcome(make_outcome([1, 0], [1, 2]), n_times=0)
