"""Cross-validated performance: averages within folds, their intervals, and paired comparison."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.compare import compare_with_baseline
from scorebuilder.validation.metrics.auc import auc_estimate
from scorebuilder.validation.performance import (
    evaluate,
    evaluate_apparent,
    evaluate_fixed,
    fold_table,
    performance_table,
)
from scorebuilder.validation.resampling import ValidationResult, stratified_folds


def simulated(n=400, seed=2, noise=1.0, censoring=2.0):
    random = np.random.default_rng(seed)
    rate = np.exp(random.normal(0, 1, n))
    time, until = random.exponential(1 / rate), random.exponential(censoring, n)
    y = make_outcome(time <= until, np.minimum(time, until))
    worse = np.log(rate) + random.normal(0, noise, n)
    return y, -np.expm1(-rate), 1 / (1 + np.exp(-worse))


def as_result(y, risk, folds=5, repeats=2, seed=3):
    assignment = stratified_folds(y["event"], folds=folds, repeats=repeats, random_state=seed)
    stacked = np.repeat(np.broadcast_to(risk, assignment.shape)[:, :, None], 1, axis=2)
    empty = np.full(assignment.shape, np.nan)
    return ValidationResult(assignment, stacked, empty, empty, [], (1.0,))


def test_value_is_the_mean_of_folds_and_repeats():
    y, risk, _ = simulated()
    result = as_result(y, risk)
    folds = [
        auc_estimate(None, y[rows], risk[rows], horizon=1.0).value
        for assignment in result.folds
        for rows in (assignment == fold for fold in range(5))
    ]
    performance = evaluate(result, y, horizon=1.0, metric="auc")
    assert performance.value == pytest.approx(np.mean(folds), abs=1e-14)
    table = performance_table(result, y, model="score", metrics=("auc", "brier"))
    assert list(table.columns) == [
        "model", "metric", "horizon", "repeat", "fold", "value", "reason",
    ]  # fmt: skip
    assert len(table) == 20
    assert table.query("metric == 'auc'")["value"].to_numpy() == pytest.approx(folds)


def test_predictions_of_different_folds_are_never_compared():
    y, risk, _ = simulated()
    result = as_result(y, risk, repeats=1)
    shifted = risk + result.folds[0]  # each fold's model on its own scale
    expected = evaluate(result, y, horizon=1.0, metric="auc")
    changed = evaluate_fixed(y, shifted, result.folds, horizon=1.0, metric="auc")
    assert changed.value == pytest.approx(expected.value, abs=1e-14)
    assert changed.lower == pytest.approx(expected.lower, abs=1e-14)


def test_one_fold_is_the_plain_estimate(gbsg):
    # The only difference is the divisor n of the variance where R has n - 1.
    performance = evaluate_apparent(gbsg.y, gbsg.risk, horizon=5.0, metric="auc")
    error = gbsg.expected["auc"]["se"] * np.sqrt((gbsg.y.size - 1) / gbsg.y.size)
    assert performance.value == pytest.approx(gbsg.expected["auc"]["value"], abs=1e-12)
    assert performance.lower == pytest.approx(performance.value - 1.959963984540054 * error)
    assert (performance.n, performance.n_events) == (686, 285)
    assert performance.reason is None


def test_repeats_of_the_same_prediction_do_not_narrow_the_interval():
    # Fixed predictions: more repeats average the fold noise away, but not the patients' own.
    y, risk, _ = simulated()
    widths = []
    for repeats in (1, 10):
        performance = evaluate(as_result(y, risk, repeats=repeats), y, horizon=1.0, metric="auc")
        widths.append(performance.upper - performance.lower)
    assert widths[1] > 0.9 * widths[0]


@pytest.mark.slow
def test_interval_covers_the_truth():
    # 200 cohorts: 95 % intervals of a fixed prediction cover its AUC in a huge cohort. The
    # binomial limits of 95 % in 200 are 91 to 98 %; 89 % leaves room for the normal interval.
    y, risk, _ = simulated(200_000, seed=99)
    truth = auc_estimate(None, y, risk, horizon=1.0).value
    covered = 0
    for seed in range(200):
        y, risk, _ = simulated(300, seed=seed)
        performance = evaluate(as_result(y, risk, seed=seed), y, horizon=1.0, metric="auc")
        covered += performance.lower <= truth <= performance.upper
    assert 178 <= covered <= 199


def test_undefined_folds_are_left_out_and_counted():
    y, risk, _ = simulated(60)
    folds = np.arange(60)[None, :] % 3
    nobody = y.copy()
    nobody["event"][(folds[0] == 0)] = False
    performance = evaluate_fixed(nobody, risk, folds, horizon=1.0, metric="auc")
    assert performance.reason == "left out 1 of 3 folds: no patient has the event by the horizon"
    assert performance.value is not None
    assert np.all(performance.influence[folds[0] == 0] == 0)
    nobody["event"][(folds[0] == 1)] = False
    undefined = evaluate_fixed(nobody, risk, folds, horizon=1.0, metric="auc")
    assert (undefined.value, undefined.lower, undefined.upper) == (None, None, None)
    assert undefined.reason == "undefined in 2 of 3 folds: no patient has the event by the horizon"


def test_missing_predictions_are_a_reason():
    y, risk, _ = simulated(60)
    folds = np.zeros((1, 60), dtype=int)
    performance = evaluate_fixed(y, risk * np.nan, folds, horizon=1.0, metric="auc")
    assert performance.value is None
    assert performance.reason == "no patient of the fold has a prediction"
    table = fold_table(y, risk * np.nan, folds, model="m", metric="auc", horizon=1.0)
    assert table["value"].isna().tolist() == table["reason"].notna().tolist() == [True]


def test_c_index_judges_the_linear_predictor():
    y, risk, worse = simulated()
    result = as_result(y, risk)
    with_marker = ValidationResult(
        result.folds, result.risk, np.broadcast_to(worse, result.folds.shape), result.points, [],
        result.horizons,
    )  # fmt: skip
    by_marker = evaluate(with_marker, y, horizon=1.0, metric="c_index")
    by_worse = evaluate_fixed(y, worse, result.folds, horizon=1.0, metric="c_index")
    assert by_marker.value == by_worse.value
    assert by_marker.n_events == y["event"].sum()


def test_comparison_uses_scorable_patients_only():
    y, risk, worse = simulated()
    scorable = np.arange(y.size) % 3 > 0
    baseline = np.where(scorable, worse, np.nan)
    result = as_result(y, risk)
    comparison = compare_with_baseline(result, y, baseline, horizon=1.0)
    assert (comparison.n_total, comparison.n_scorable) == (400, scorable.sum())
    hidden = y.copy()
    hidden["time"][~scorable] = 0.01  # what happens to the others must not matter
    again = compare_with_baseline(result, hidden, baseline, horizon=1.0)
    assert again.difference == comparison.difference
    own = evaluate(result, y, horizon=1.0, metric="auc", subset=scorable)
    assert comparison.auc_score == own.value
    assert comparison.difference == comparison.auc_score - comparison.auc_baseline
    assert comparison.lower < comparison.difference < comparison.upper
    assert 0 < comparison.p < 1


def test_paired_difference_is_that_of_r_in_one_fold(gbsg, reference_case):
    old = reference_case("gbsg", "old")
    empty = np.full((1, 686), np.nan)
    result = ValidationResult(
        np.zeros((1, 686), dtype=int), gbsg.risk[None, :, None], empty, empty, [], (5.0,)
    )
    comparison = compare_with_baseline(result, gbsg.y, old.risk, horizon=5.0)
    expected = gbsg.settings["auc_difference"]
    half = 1.959963984540054 * expected["se"] * np.sqrt(685 / 686)
    assert comparison.difference == pytest.approx(expected["value"], abs=1e-12)
    assert comparison.upper - comparison.difference == pytest.approx(half, abs=1e-10)
    assert comparison.p == pytest.approx(expected["p"], rel=0.01)


def test_no_comparison_with_few_events():
    y, risk, worse = simulated(200)
    few = np.flatnonzero(y["event"] & (y["time"] <= 1))[:9]
    baseline = np.full(200, np.nan)
    baseline[few] = worse[few]
    baseline[np.flatnonzero(y["time"] > 1)] = 0.5
    comparison = compare_with_baseline(as_result(y, risk), y, baseline, horizon=1.0)
    assert comparison.reason == (
        "9 events by the horizon among patients it can score; at least 10 are needed"
    )
    assert (comparison.auc_score, comparison.difference, comparison.p) == (None, None, None)


def test_identical_predictions_have_no_p():
    y, risk, _ = simulated()
    comparison = compare_with_baseline(as_result(y, risk), y, risk, horizon=1.0)
    assert comparison.difference == 0.0
    assert comparison.p is None
    assert comparison.reason == "no sampling error: P is not defined"
