"""Events per 1,000 patient-years by hand, against R, and under a change of patients."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.survival.event_rate import event_rate
from scorebuilder.survival.outcome import make_outcome

# R 4.2.2: for (x in c(0, 1, 10, 137)) print(poisson.test(x, 24.19893)$conf.int * 1000)
FROM_R = [
    (0, 0.0, 152.4397754),
    (1, 1.046236672, 230.243378155),
    (10, 198.1653195, 759.9656696),
    (137, 4753.124805, 6692.709334),
]


@pytest.mark.parametrize(("events", "lower", "upper"), FROM_R)
def test_limits_are_those_of_r(events: int, lower: float, upper: float) -> None:
    n = max(events, 1)
    time = np.full(n, 24.19893 * DAYS_PER_YEAR / n)
    found = event_rate(make_outcome(np.arange(n) < events, time))
    # R was printed with ten digits.
    assert (found.lower, found.upper) == pytest.approx((lower, upper), rel=1e-9)


def test_by_hand() -> None:
    """2 events in 1 + 2 + 5 = 8 years: 250 in 1,000 years.

    Nobody with an event: the upper limit is -ln(0.025) / 8 = 0.46111 a year.
    """
    time = np.array([1.0, 2.0, 5.0]) * DAYS_PER_YEAR
    found = event_rate(make_outcome(np.array([True, True, False]), time))
    assert (found.events, found.patient_years) == (2, pytest.approx(8.0))
    assert found.value == pytest.approx(250.0)
    none = event_rate(make_outcome(np.zeros(3, dtype=bool), time))
    assert (none.value, none.lower) == (0.0, 0.0)
    assert none.upper == pytest.approx(-1000 * math.log(0.025) / 8)


@given(st.lists(st.tuples(st.booleans(), st.floats(1, 5000)), min_size=1, max_size=30))
def test_order_does_not_matter_and_copies_narrow(patients: list[tuple[bool, float]]) -> None:
    event, time = (np.array(column) for column in zip(*patients, strict=True))
    one = event_rate(make_outcome(event, time))
    assert one.lower <= one.value <= one.upper
    back = event_rate(make_outcome(event[::-1], time[::-1]))
    assert back.value == pytest.approx(one.value)
    twice = event_rate(make_outcome(np.tile(event, 2), np.tile(time, 2)))
    assert twice.value == pytest.approx(one.value)
    assert twice.upper - twice.lower < one.upper - one.lower


def test_nobody_followed() -> None:
    y = make_outcome(np.array([True]), np.array([1.0]))[:0]
    with pytest.raises(UndefinedMetricError, match="nobody was followed"):
        event_rate(y)
