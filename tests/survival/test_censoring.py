"""Censoring distribution and weights: equal to R, by hand, and never floored unasked."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import StatisticalWarning, UndefinedMetricError
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.kaplan_meier import kaplan_meier
from scorebuilder.survival.outcome import make_outcome

CASES = [
    "gbsg", "smarto", "whas500", "pbc", "lung_ties", "deg_censoring_tied_with_events",
    "deg_heavy_censoring", "deg_no_censoring", "deg_one_event", "deg_ties", "deg_tiny",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_is_that_of_r(name, reference_folder):
    folder = reference_folder / "metrics"
    settings = json.loads((folder / "expected.json").read_text())[name]
    table = pd.read_csv(folder / f"{name}.csv", float_precision="round_trip")
    y, expected = make_outcome(table["event"], table["time"]), settings["censoring"]
    distribution = CensoringDistribution().fit(y)
    at_horizon = float(distribution.survival_(settings["horizon"]))
    assert at_horizon == pytest.approx(expected["at_horizon"], abs=1e-13)
    left = distribution.survival_.before(y["time"][:20])
    assert left == pytest.approx(np.array(expected["first20_left_limit"], dtype=float), abs=1e-13)


def test_by_hand_with_ties():
    # At 2: three at risk, one event and one censored; the event comes first, so that two are at
    # risk of censoring: G = 1/2 from 2 on. The event at 2 has G(2-) = 1.
    y = make_outcome([1, 0, 0], [2, 2, 5])
    distribution = CensoringDistribution().fit(y)
    assert distribution.survival_(np.array([1.9, 2.0, 4.0])).tolist() == [1.0, 0.5, 0.5]
    weights = distribution.weights(y, horizon=3)
    assert weights.case.tolist() == [1.0, 0.0, 0.0]
    assert weights.control.tolist() == [0.0, 0.0, 2.0]
    assert weights.largest == 2.0
    assert distribution.follow_up_ == 5.0


def test_at_the_horizon_an_event_is_a_case_and_a_censoring_is_nothing():
    y = make_outcome([1, 0, 0], [3, 3, 5])
    weights = CensoringDistribution().fit(y).weights(y, horizon=3)
    assert weights.case.tolist() == [1.0, 0.0, 0.0]
    assert weights.control.tolist() == [0.0, 0.0, 2.0]


rows = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=2, max_size=30)


@given(rows, st.integers(1, 9))
def test_weights_are_at_least_one_and_restore_everybody(rows, horizon):
    y = make_outcome([r[0] for r in rows], [r[1] for r in rows])
    if horizon >= y["time"].max():
        return
    weights = CensoringDistribution().fit(y).weights(y, horizon=horizon)
    used = np.concatenate([weights.case, weights.control])
    assert np.all(used[used > 0] >= 1.0)
    # Weighted cases are n (1 - S(t)) and weighted controls n S(t), the Kaplan-Meier estimate.
    survival = float(kaplan_meier(y)(horizon))
    assert weights.case.sum() == pytest.approx(len(rows) * (1 - survival), abs=1e-10)
    assert weights.control.sum() == pytest.approx(len(rows) * survival, abs=1e-10)


def test_without_censoring_every_weight_is_one():
    y = make_outcome([1, 1, 1], [1, 2, 3])
    weights = CensoringDistribution().fit(y).weights(y, horizon=2)
    assert (weights.case + weights.control).tolist() == [1.0, 1.0, 1.0]


def test_probability_zero_is_refused():
    train = make_outcome([0, 0], [1, 2])  # everybody censored by 2
    y = make_outcome([1, 0], [3, 9])
    with pytest.raises(UndefinedMetricError, match="every patient is censored before the horizon"):
        CensoringDistribution().fit(train).weights(y, horizon=5)


def test_a_floor_is_applied_only_on_request_and_says_so():
    y = make_outcome([0, 0, 0, 0, 1, 0], [1, 1, 1, 2, 3, 9])
    distribution = CensoringDistribution().fit(y)
    assert distribution.weights(y, horizon=5).largest == pytest.approx(3.0)
    with pytest.warns(
        StatisticalWarning, match="2 censoring probabilities were raised to the floor"
    ):
        floored = distribution.weights(y, horizon=5, floor=0.5)
    assert floored.largest == 2.0
    untouched = distribution.weights(y, horizon=5, floor=0.1)
    assert untouched.largest == pytest.approx(3.0)
