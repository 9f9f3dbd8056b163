"""Kaplan-Meier: equal to R and lifelines, by hand, and refused without follow-up."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import kaplan_meier, risk_counts, survival_at
from scorebuilder.survival.outcome import make_outcome

CASES = [
    "gbsg", "smarto", "whas500", "pbc", "lung_ties", "deg_censoring_tied_with_events",
    "deg_heavy_censoring", "deg_horizon_at_last_event", "deg_horizon_beyond_followup",
    "deg_no_censoring", "deg_no_event_before_horizon", "deg_no_events", "deg_one_event",
    "deg_ties", "deg_tiny",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_survival_at_a_time_is_that_of_r(name, reference_folder):
    folder = reference_folder / "metrics"
    settings = json.loads((folder / "expected.json").read_text())[name]
    table = pd.read_csv(folder / f"{name}.csv", float_precision="round_trip")
    y, expected = make_outcome(table["event"], table["time"]), settings["km"]
    if expected["n_risk"] == 0 and expected["surv"] > 0:
        with pytest.raises(UndefinedMetricError, match="nobody is followed to this time"):
            survival_at(y, settings["horizon"])
        return
    estimate = survival_at(y, settings["horizon"])
    # Products of some hundred factors.
    assert estimate.survival == pytest.approx(expected["surv"], abs=1e-13)
    assert estimate.n_at_risk == expected["n_risk"]
    assert float(kaplan_meier(y)(settings["horizon"])) == pytest.approx(estimate.survival)
    if expected["lower"] is not None:
        assert estimate.standard_error == pytest.approx(expected["se"], abs=1e-13)
        assert estimate.lower == pytest.approx(expected["lower"], abs=1e-13)
        assert estimate.upper == pytest.approx(expected["upper"], abs=1e-13)


def test_by_hand():
    # 4 at risk at 1 (one event): 3/4. Censored at 2. 2 at risk at 3 (one event, one censoring
    # at the same time, still at risk): 3/4 * 1/2 = 3/8.
    y = make_outcome([1, 0, 1, 0], [1, 2, 3, 3])
    curve = kaplan_meier(y)
    assert curve.times.tolist() == [1, 3]
    assert curve([0.9, 1, 2.9, 3, 9]).tolist() == [1.0, 0.75, 0.75, 0.375, 0.375]
    # Greenwood: (3/8)^2 (1/(4*3) + 1/(2*1)) = 0.140625 * 0.58333
    assert survival_at(y, 3).standard_error == pytest.approx(np.sqrt(0.140625 * 7 / 12))
    counts = risk_counts(y)
    assert counts.at_risk.tolist() == [4, 3, 2]
    assert counts.events.tolist() == [1, 0, 1]
    assert counts.censored.tolist() == [0, 1, 1]


def test_no_event_has_an_exact_lower_limit():
    # None of 10: the lower limit solves p^10 = 0.025.
    estimate = survival_at(make_outcome([0] * 10, [5.0] * 10), 4.0)
    assert (estimate.survival, estimate.upper, estimate.standard_error) == (1.0, 1.0, 0.0)
    assert estimate.lower**10 == pytest.approx(0.025)


def test_an_event_of_everybody_has_an_exact_upper_limit():
    # All of 12: the lower limit of the risk solves p^12 = 0.025, so p = 0.7354. With three more
    # who were censored before, twelve outcomes are known all the same.
    for early in (0, 3):
        y = make_outcome([1] * 12 + [0] * early, [2.0] * 12 + [1.0] * early)
        estimate = survival_at(y, 4.0)
        assert (estimate.survival, estimate.lower) == (0.0, 0.0)
        assert (1.0 - estimate.upper) ** 12 == pytest.approx(0.025)


def test_everybody_dead_is_followed_for_ever():
    y = make_outcome([1, 1], [1, 2])
    assert survival_at(y, 3.0).survival == 0.0
    with pytest.raises(UndefinedMetricError, match="nobody is followed"):
        survival_at(make_outcome([1, 0], [1, 2]), 3.0)


rows = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=30)


@given(rows)
def test_is_a_survival_curve_whatever_the_order(rows):
    y = make_outcome([r[0] for r in rows], [r[1] for r in rows])
    curve = kaplan_meier(y)
    survival = curve(np.concatenate(([0.0], curve.times)))
    assert survival[0] == 1.0
    assert np.all(np.diff(survival) < 0)
    assert survival[-1] >= 0
    again = kaplan_meier(y[::-1])
    assert np.array_equal(again.times, curve.times)
    assert np.array_equal(again(curve.times), curve(curve.times))
    estimate = survival_at(y, 1.0)
    assert estimate.lower <= estimate.survival <= estimate.upper


@given(rows)
def test_without_censoring_it_is_the_share_alive(rows):
    y = make_outcome([True] * len(rows), [r[1] for r in rows])
    alive = np.array([np.mean(y["time"] > t) for t in range(10)])
    assert kaplan_meier(y)(np.arange(10.0)) == pytest.approx(alive, abs=1e-12)


def test_equals_lifelines(random_outcome):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter

        fitter = KaplanMeierFitter().fit(random_outcome["time"], random_outcome["event"])
    times = np.quantile(random_outcome["time"], [0.1, 0.3, 0.5, 0.8])
    expected = fitter.predict(times).to_numpy()
    assert kaplan_meier(random_outcome)(times) == pytest.approx(expected, abs=1e-12)
