"""Metrics: equal to R, by hand, under change of order and unit, best at the true risk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.metrics.auc import auc_at, auc_estimate
from scorebuilder.validation.metrics.brier import brier_at, brier_estimate
from scorebuilder.validation.metrics.c_index import c_index, c_index_estimate
from scorebuilder.validation.metrics.scaled_brier import scaled_brier_at

# Point estimates and errors are sums of some hundred terms without iteration.
POINT, ERROR = 1e-12, 1e-10
REFERENCE = Path(__file__).resolve().parent.parent / "reference" / "metrics" / "expected.json"
WITH_DIFFERENCE = [
    name
    for name, settings in json.loads(REFERENCE.read_text()).items()
    if settings.get("auc_difference", {"p": None})["p"] is not None
]
"""Cases in which R states a P value."""


def test_c_index_is_that_of_r(case):
    expected = case.expected["harrell_c"]
    if expected["c"] is None:
        with pytest.raises(UndefinedMetricError, match="comparable"):
            c_index(case.y, case.risk)
        return
    estimate = c_index_estimate(None, case.y, case.risk, horizon=case.horizon)
    assert estimate.value == pytest.approx(expected["c"], abs=POINT)
    assert estimate.standard_error == pytest.approx(expected["se"], abs=ERROR)


def test_auc_is_that_of_r(case):
    expected = case.expected.get("auc", {"value": None})
    if expected["value"] is None:
        with pytest.raises(UndefinedMetricError, match="horizon"):
            auc_at(None, case.y, case.risk, horizon=case.horizon)
        return
    estimate = auc_estimate(None, case.y, case.risk, horizon=case.horizon)
    assert estimate.value == pytest.approx(expected["value"], abs=POINT)
    assert estimate.standard_error == pytest.approx(expected["se"], abs=ERROR)


@pytest.mark.parametrize("name", WITH_DIFFERENCE)
def test_auc_difference_is_that_of_r(name, reference_case):
    case = reference_case(name, "new")
    old, new = (
        auc_estimate(None, case.y, reference_case(case.name, model).risk, horizon=case.horizon)
        for model in ("old", "new")
    )
    expected = case.settings["auc_difference"]
    error = np.std(new.influence - old.influence, ddof=1) / np.sqrt(case.y.size)
    assert new.value - old.value == pytest.approx(expected["value"], abs=POINT)
    assert error == pytest.approx(expected["se"], abs=ERROR)


def test_brier_is_that_of_r(case):
    if "brier" not in case.expected:
        if case.horizon > case.y["time"].max():
            with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
                brier_at(None, case.y, case.risk, horizon=case.horizon)
        return
    expected = case.expected["brier"]
    estimate = brier_estimate(None, case.y, case.risk, horizon=case.horizon)
    assert estimate.value == pytest.approx(expected["value"], abs=POINT)
    assert estimate.standard_error == pytest.approx(expected["se"], abs=ERROR)
    if isinstance(expected["ipa"], float):
        scaled = scaled_brier_at(None, case.y, case.risk, horizon=case.horizon)
        assert scaled == pytest.approx(expected["ipa"], abs=POINT)
    elif not isinstance(expected["ipa"], int):
        with pytest.raises(UndefinedMetricError, match="makes no error"):
            scaled_brier_at(None, case.y, case.risk, horizon=case.horizon)


DEGENERATE = json.loads(
    (Path(__file__).parents[1] / "reference" / "metrics" / "degenerate_expected.json").read_text()
)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        (name, row)
        for name, rows in DEGENERATE.items()
        for row in rows
        if row["measure"] in {"harrell_c", "auc_t", "brier_t"} and row["expect"] is not None
    ],
)
def test_degenerate_cases_are_numbers_or_refused(name, row, reference_case):
    case = reference_case(name, row["model"] or "new")
    metric = METRICS[{"harrell_c": "c_index", "auc_t": "auc", "brier_t": "brier"}[row["measure"]]]
    if isinstance(row["expect"], str):
        with pytest.raises(UndefinedMetricError):
            metric.function(None, case.y, case.risk, horizon=case.horizon)
    else:
        value = metric.function(None, case.y, case.risk, horizon=case.horizon).value
        assert value == pytest.approx(row["expect"], abs=POINT)


def test_auc_by_hand_with_one_censored_patient():
    # Patient 2 is censored at 2, so G = 3/4 from 2 on (4 at risk of censoring, 1 censored).
    # Cases: patient 1 (weight 1) and 3 (T = 3, G(3-) = 3/4, weight 4/3); controls 4 and 5, equal
    # weights. Patient 1 beats both controls; 3 beats the one and ties with the other: 1.5 of 2.
    # AUC = (1 * 2 + 4/3 * 1.5) / ((1 + 4/3) * 2) = 4 / (14/3) = 6/7.
    y = make_outcome([1, 0, 1, 0, 0], [1, 2, 3, 9, 9])
    risk = np.array([0.9, 0.5, 0.4, 0.4, 0.1])
    assert auc_at(None, y, risk, horizon=5) == pytest.approx(6 / 7, abs=1e-15)


def test_brier_by_hand_with_one_censored_patient():
    # Weights as above: 1, 0, 4/3, 4/3, 4/3 (G(5) = 3/4).
    # (0.1^2 + 0 + 4/3 (0.6^2 + 0.4^2 + 0.1^2)) / 5 = (0.01 + 4/3 * 0.53) / 5
    y = make_outcome([1, 0, 1, 0, 0], [1, 2, 3, 9, 9])
    risk = np.array([0.9, 0.5, 0.4, 0.4, 0.1])
    expected = (0.01 + 4 / 3 * 0.53) / 5
    assert brier_at(None, y, risk, horizon=5) == pytest.approx(expected, abs=1e-15)


def test_event_at_the_horizon_is_a_case_and_censoring_at_it_is_nothing():
    y = make_outcome([1, 0, 0], [5, 5, 9])
    assert auc_at(None, y, np.array([0.8, 0.9, 0.1]), horizon=5) == 1.0
    assert auc_at(None, y, np.array([0.8, 0.0, 0.1]), horizon=5) == 1.0


def test_censoring_distribution_of_other_patients():
    y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    train = make_outcome([0, 1, 0, 0], [0.5, 6, 9, 9])  # G = 3/4 from 0.5 on: equal weights
    risk = np.array([0.5, 0.8, 0.1, 0.6])
    assert auc_at(train, y, risk, horizon=5) == pytest.approx(0.75)
    assert brier_at(train, y, risk, horizon=5) == pytest.approx(
        4 / 3 * brier_at(None, y, risk, horizon=5)
    )


JUDGED = (
    "auc",
    "auc_binary",
    "auc_event_free",
    "brier",
    "c_index",
    "c_index_truncated",
    "scaled_brier",
    "uno_c",
    "uno_c_truncated",
    "wolbers_c",
)


@pytest.mark.parametrize("name", JUDGED)
class TestEveryMetric:
    def test_has_what_reports_show(self, name):
        metric = METRICS[name]
        assert metric.name == name
        assert metric.label
        assert metric.lowest <= metric.perfect <= metric.highest

    def test_influence_sums_to_zero(self, name, gbsg):
        estimate = METRICS[name].function(None, gbsg.y, gbsg.risk, horizon=5.0)
        assert estimate.influence is not None
        assert abs(estimate.influence.mean()) < 1e-12

    def test_order_and_unit_of_time_do_not_matter(self, name, gbsg):
        function = METRICS[name].function
        order = np.random.default_rng(1).permutation(gbsg.y.size)
        months = make_outcome(gbsg.y["event"][order], gbsg.y["time"][order] * 12.0)
        expected = function(None, gbsg.y, gbsg.risk, horizon=5.0)
        changed = function(None, months, gbsg.risk[order], horizon=60.0)
        assert changed.value == pytest.approx(expected.value, abs=POINT)
        assert changed.influence == pytest.approx(expected.influence[order], abs=1e-10)

    def test_is_best_at_the_true_risk(self, name):
        random = np.random.default_rng(3)
        rate = np.exp(random.normal(0, 1, 4000))
        time, censoring = random.exponential(1 / rate), random.exponential(2.0, 4000)
        y = make_outcome(time <= censoring, np.minimum(time, censoring))
        true = -np.expm1(-rate)
        others = (
            true[random.permutation(true.size)],
            np.clip(true + random.normal(0, 0.3, true.size), 0, 1),
            true**4 if not METRICS[name].ranks_only else 1 - true,
        )
        sign = 1 if METRICS[name].greater_is_better else -1
        best = METRICS[name].function(None, y, true, horizon=1.0).value
        for other in others:
            assert sign * METRICS[name].function(None, y, other, horizon=1.0).value < sign * best

    def test_refuses_predictions_that_do_not_fit(self, name, gbsg):
        function = METRICS[name].function
        with pytest.raises(ValueError, match="one value per patient"):
            function(None, gbsg.y, gbsg.risk[1:], horizon=5.0)
        with pytest.raises(ValueError, match="must be finite; 686 of 686"):
            function(None, gbsg.y, gbsg.risk * np.nan, horizon=5.0)

    def test_nobody_to_judge(self, name, gbsg):
        with pytest.raises(UndefinedMetricError, match="no patient to judge"):
            METRICS[name].function(None, gbsg.y[:0], gbsg.risk[:0], horizon=5.0)


def test_every_registered_metric_is_tested_above():
    assert set(METRICS) == set(JUDGED)


@pytest.mark.parametrize("name", ["brier", "scaled_brier"])
def test_risk_must_be_a_probability(name, gbsg):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        METRICS[name].function(None, gbsg.y, gbsg.risk + 1.0, horizon=5.0)


outcomes = st.lists(
    st.tuples(st.booleans(), st.integers(1, 8), st.integers(0, 5)), min_size=4, max_size=25
)


@given(outcomes)
def test_auc_and_c_index_depend_on_ranks_only(rows):
    y = make_outcome([r[0] for r in rows], [r[1] for r in rows])
    risk = np.array([r[2] / 10 for r in rows])
    for name in ("auc", "c_index"):
        try:
            value = METRICS[name].function(None, y, risk, horizon=4.0).value
        except UndefinedMetricError:
            continue
        monotone = METRICS[name].function(None, y, np.exp(3 * risk), horizon=4.0).value
        reverse = METRICS[name].function(None, y, -risk, horizon=4.0).value
        assert monotone == pytest.approx(value, abs=POINT)
        assert reverse == pytest.approx(1 - value, abs=POINT)


@given(outcomes)
def test_auc_is_the_sum_over_pairs(rows):
    # The definition written out over all pairs, with weights counted patient by patient.
    y = make_outcome([r[0] for r in rows], [r[1] for r in rows])
    risk, time, event = np.array([r[2] / 10 for r in rows]), y["time"], y["event"]

    def uncensored(limit, inclusive):
        value = 1.0
        for v in np.unique(time):
            if v < limit or (inclusive and v == limit):
                at_risk = np.sum(time >= v) - np.sum(event & (time == v))
                censored = np.sum(~event & (time == v))
                value *= 1 - censored / at_risk if censored else 1.0
        return value

    pairs = total = 0.0
    for i in range(len(rows)):
        for j in range(len(rows)):
            if event[i] and time[i] <= 4 and time[j] > 4:
                weight = 1 / uncensored(time[i], False) / uncensored(4, True)
                total += weight
                pairs += weight * (risk[i] > risk[j]) + weight * 0.5 * (risk[i] == risk[j])
    if total:
        assert auc_at(None, y, risk, horizon=4.0) == pytest.approx(pairs / total, abs=POINT)


def test_auc_error_is_that_of_repeated_samples():
    # 300 cohorts of 300: the mean standard error is within 10 % of the spread of the estimates
    # (the Monte-Carlo error of a standard deviation from 300 values is 4 %).
    random = np.random.default_rng(11)
    values, errors = [], []
    for _ in range(300):
        marker = random.normal(0, 1, 300)
        time, censoring = random.exponential(np.exp(-marker)), random.exponential(1.5, 300)
        y = make_outcome(time <= censoring, np.minimum(time, censoring))
        estimate = auc_estimate(None, y, marker, horizon=1.0)
        values.append(estimate.value)
        errors.append(estimate.standard_error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.1)
