"""Rates by points and group: what is counted, and what is hidden with few events."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.summary_rates import FEW, rates_by_points
from scorebuilder.survival.outcome import make_outcome

GROUPS = [(0, 1), (2, 3), (4, 5)]


def _found(events: list[int], hidden: tuple[int, ...] = ()) -> dict[str, list[dict[str, Any]]]:
    """40 patients with each number of points, a year each, of whom some have an event."""
    points = np.repeat(np.arange(6), 40)
    event = np.concatenate([np.arange(40) < count for count in events])
    y = make_outcome(event, np.full(240, DAYS_PER_YEAR))
    table = [
        {"points": value, "band": [value, value], "n": None if value in hidden else 40}
        for value in range(6)
    ]
    return rates_by_points(y, points, table, GROUPS)


def test_by_hand() -> None:
    """10 events in 40 years are 250 per 1,000; 8 + 10 in 80 years are 225."""
    found = _found([8, 10, 12, 14, 16, 18])
    assert [row["value"] for row in found["bands"][:2]] == pytest.approx([200.0, 250.0])
    assert found["groups"][0]["value"] == pytest.approx(225.0)
    assert found["groups"][0]["patient_years"] == pytest.approx(80.0)
    assert [(row["first"], row["last"]) for row in found["groups"]] == GROUPS
    assert all(row["reason"] is None for part in found.values() for row in part)


def test_few_events_are_hidden_with_the_one_that_would_tell_them() -> None:
    """With 3 events at 0 points, those at 1 point would follow from the group's 13."""
    found = _found([3, 10, 12, 14, 16, 18])
    assert [row["reason"] for row in found["bands"][:3]] == [FEW, HIDDEN_COMPLEMENT, None]
    assert found["bands"][1]["value"] is None
    assert found["groups"][0]["events"] == 13


def test_a_hidden_group_hides_its_points() -> None:
    found = _found([1, 2, 6, 6, 16, 18])
    assert [row["reason"] for row in found["groups"]] == [FEW, HIDDEN_COMPLEMENT, None]
    assert [row["value"] is None for row in found["bands"]] == [True] * 4 + [False] * 2


def test_points_whose_patients_are_not_counted_have_no_rate() -> None:
    found = _found([8, 10, 12, 14, 16, 18], hidden=(4,))
    assert [row["value"] is None for row in found["bands"]] == [False] * 4 + [True] * 2


@given(st.lists(st.integers(0, 12), min_size=6, max_size=6))
def test_no_few_events_follow_from_what_is_shown(events: list[int]) -> None:
    """What a reader adds up: bands to groups, groups to all; no remainder is 1 to 4."""
    found = _found(events)
    for row in itertools.chain(found["bands"], found["groups"]):
        assert row["events"] is None or row["events"] >= 5
    shown = [row["events"] for row in found["groups"]]
    if None in shown:
        rest = sum(events) - sum(count or 0 for count in shown)
        alone = all(count is None for count in shown)
        assert alone or rest == 0 or rest >= 5
    for (first, last), group in zip(GROUPS, found["groups"], strict=True):
        parts = [row for row in found["bands"] if first <= row["first"] <= last]
        known = [row["events"] for row in parts]
        if group["events"] is None:
            assert known == [None, None]
        else:
            assert known.count(None) != 1
