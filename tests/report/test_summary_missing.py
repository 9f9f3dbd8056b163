"""Missing values and follow-up in the summary: counted by hand, small counts withheld."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.summary_follow_up import status_at
from scorebuilder.report.summary_missing import FEW_EVENTS, against_event, summarise_missing
from scorebuilder.survival.logrank import logrank
from scorebuilder.survival.outcome import make_outcome


def study(*, lacking_a: int, lacking_b: int, lacking_both: int, n: int = 60) -> Any:
    a, b = np.ones(n), np.ones(n)
    a[: lacking_a + lacking_both] = np.nan
    b[lacking_a : lacking_a + lacking_both + lacking_b] = np.nan
    X = pd.DataFrame({"a": a, "b": b, "c": 1.0})
    y = make_outcome(np.arange(n) % 2 == 0, np.full(n, DAYS_PER_YEAR))
    return SimpleNamespace(X=X, cohort=SimpleNamespace(y=y), label=str.upper)


def test_patterns_by_hand() -> None:
    found = summarise_missing(study(lacking_a=10, lacking_b=8, lacking_both=12))
    # 60 patients: 12 lack both, 10 only a, 8 only b, 30 nothing.
    assert (found["n_complete"], found["n_patterns"], found["n_other"]) == (30, 3, 0)
    assert found["patterns"] == [
        {"labels": ["A", "B"], "n": 12}, {"labels": ["A"], "n": 10}, {"labels": ["B"], "n": 8},
    ]  # fmt: skip
    assert [row["variable"] for row in found["against_event"]] == ["a", "b"]


def test_a_rare_pattern_cannot_be_worked_out() -> None:
    found = summarise_missing(study(lacking_a=10, lacking_b=2, lacking_both=12))
    # 2 lack b alone: hidden, and with them the next smallest pattern, the 10 who lack a alone.
    assert found["patterns"] == [{"labels": ["A", "B"], "n": 12}]
    assert (found["n_complete"], found["n_other"]) == (36, 12)


def test_nothing_missing_has_no_pattern() -> None:
    found = summarise_missing(study(lacking_a=0, lacking_b=0, lacking_both=0))
    assert (found["n_complete"], found["patterns"], found["against_event"]) == (60, [], [])


def test_nobody_complete_is_a_count_of_zero() -> None:
    found = summarise_missing(study(lacking_a=60, lacking_b=0, lacking_both=0))
    assert (found["n_complete"], found["n_other"]) == (0, 0)


def test_rates_by_hand() -> None:
    # Missing: 10 patients of 2 years, 5 events: 5 / 20 = 250 per 1,000 patient-years.
    # Known: 20 patients of 4 years, 8 events: 8 / 80 = 100 per 1,000.
    missing = np.arange(30) < 10
    event = np.concatenate([np.arange(10) < 5, np.arange(20) < 8])
    y = make_outcome(event, np.where(missing, 2.0, 4.0) * DAYS_PER_YEAR)
    found = against_event(y, missing)
    assert (found["n"], found["events"], found["reason"]) == (10, 5, None)
    assert found["rate_missing"] == pytest.approx(250.0, rel=1e-12)
    assert found["rate_known"] == pytest.approx(100.0, rel=1e-12)
    assert found["p"] == logrank(y, missing).p


def test_few_events_say_so() -> None:
    missing = np.arange(30) < 10
    y = make_outcome(~missing | (np.arange(30) < 3), np.arange(1.0, 31.0))
    found = against_event(y, missing)
    assert (found["events"], found["p"], found["rate_known"]) == (None, None, None)
    assert found["reason"] == FEW_EVENTS


def test_status_adds_up_and_hides_with_a_small_count_its_complement() -> None:
    # By day 5: 3 events, 7 followed to 9, 10 censored at day 2.
    y = make_outcome([True] * 3 + [False] * 17, [1.0] * 3 + [9.0] * 7 + [2.0] * 10)
    assert status_at(y, [5.0, 0.5]) == [
        {"horizon": 5.0, "event": None, "event_free": None, "censored": 10},
        {"horizon": 0.5, "event": 0, "event_free": 20, "censored": 0},
    ]


def test_an_event_at_the_horizon_counts_and_so_does_follow_up_to_it() -> None:
    y = make_outcome([True] * 6 + [False] * 6, [5.0] * 12)
    assert status_at(y, [5.0]) == [{"horizon": 5.0, "event": 6, "event_free": 6, "censored": 0}]
