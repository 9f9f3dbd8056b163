"""Errors of measurement: by hand, against integrals, and what must hold of any score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm, truncnorm

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.absolute_risk import absolute_risk
from scorebuilder.validation.measurement_error import (
    MeasuredScore,
    attenuated_auc,
    propagate,
)

LINEAR = MeasuredScore(
    lambda values: 0.5 * values[:, 0], np.array([-0.5, 0.0, 0.5]), np.array([0.0]), 0.2
)


def often(*values: float) -> np.ndarray:
    """The same patients 200 times over: independent errors at the cost of one call."""
    return np.tile(values, 200)


def run(score: MeasuredScore, values: Any, sd: Any, **options: Any) -> Any:
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    ends = {
        "lower": np.full(values.shape[1], -np.inf),
        "upper": np.full(values.shape[1], np.inf),
    }
    return propagate(
        score, values, np.asarray(sd), **{**ends, "n_draws": 400, "random_state": 3, **options}
    )


def test_one_threshold_by_hand() -> None:
    # Linear predictors 0.25, -0.75, 1.0 (values / 2); SD of the linear predictor 0.5 x 1 = 0.5.
    # Patient 1 lies in [0, 0.5): stays with Phi(0.5) - Phi(-0.5) = 0.3829.
    # Patient 2 lies below -0.5:  stays with Phi(0.5)             = 0.6915.
    # Patient 3 lies above 0.5:   stays with 1 - Phi(-1)          = 0.8413.
    # Share that leaves: 1 - (0.3829 + 0.6915 + 0.8413) / 3 = 0.3614.
    # Group, cut at 0: leave Phi(-0.5), Phi(-1.5), Phi(-2): (0.3085 + 0.0668 + 0.0228) / 3 = 0.1327.
    found = run(LINEAR, often(0.5, -1.5, 2.0), 1.0, n_draws=100)
    assert found.points_changed_first_order == pytest.approx(0.3614, abs=5e-5)
    assert found.group_changed_first_order == pytest.approx(0.1327, abs=5e-5)
    # Monte Carlo: standard error of a share of 60,000 is at most 0.002; four of them.
    assert found.points_changed == pytest.approx(0.3614, abs=0.008)
    assert found.group_changed == pytest.approx(0.1327, abs=0.008)
    # The error of an SD from 100 draws is 7 %.
    assert found.points_changed_error == pytest.approx(
        np.sqrt(np.mean([0.3829 * 0.6171, 0.6915 * 0.3085, 0.8413 * 0.1587]) / 60_000), rel=0.3
    )
    # Two or more points away: patient 1 cannot cross two up, down below -0.5: Phi(-1.5) = 0.0668;
    # patient 2 reaches 0 with 1 - Phi(1.5) = 0.0668; patient 3 falls below 0: Phi(-2) = 0.0228.
    assert found.points_changed_by_two == pytest.approx((2 * 0.0668 + 0.0228) / 3, abs=0.005)
    assert found.linear_predictor_sd == pytest.approx(0.5, rel=0.02)
    assert found.linear_predictor_sd_first_order == pytest.approx(0.5, rel=1e-9)
    # Between: variance of (0.25, -0.75, 1) = 0.5139; reliability 0.5139 / (0.5139 + 0.25).
    assert found.reliability == pytest.approx(0.5139 / 0.7639, rel=0.02)
    assert found.undefined == 0.0
    assert found.auc is None
    assert found.auc_with_error is None


def test_two_measurements_differ_more_often_than_one_from_the_truth() -> None:
    # One patient at 0.25, only the group counts (cut at 0): p = Phi(-0.5) = 0.3085 below; two
    # independent measurements disagree with 2 p (1 - p) = 0.4267.
    found = run(LINEAR, often(0.5, 100.0), often(1.0, 0.0)[:, None], n_draws=200)
    assert found.group_changed == pytest.approx(0.3085 / 2, abs=0.006)
    assert found.retest_group_changed == pytest.approx(0.4267 / 2, abs=0.006)


def test_draws_equal_the_integral_of_a_curve() -> None:
    """A bent score, truncated to possible values: shares and SD by numerical integration."""
    value, sd, low, high = 1.0, 0.8, 0.2, 3.0
    thresholds = np.array([-1.0, -0.2, 0.3, 0.9])
    score = MeasuredScore(lambda x: np.log(x[:, 0]), thresholds, thresholds[1:2], 0.1)
    found = propagate(
        score,
        often(value, 2.9)[:, None],
        often(sd, 0.0)[:, None],
        lower=np.array([low]),
        upper=np.array([high]),
        n_draws=200,
        random_state=1,
    )
    law = truncnorm((low - value) / sd, (high - value) / sd, loc=value, scale=sd)
    # log x = 0 at the recorded value: points 2; they stay while exp(-0.2) <= x < exp(0.3).
    leaves = 1.0 - quad(law.pdf, np.exp(-0.2), np.exp(0.3))[0]
    assert found.points_changed == pytest.approx(leaves / 2, abs=0.006)
    mean = quad(lambda x: np.log(x) * law.pdf(x), low, high)[0]
    square = quad(lambda x: np.log(x) ** 2 * law.pdf(x), low, high)[0]
    assert found.linear_predictor_sd == pytest.approx(np.sqrt((square - mean**2) / 2), rel=0.02)

    def risk(x: float) -> float:
        return 1.0 - np.exp(-0.1 * x)

    mean = quad(lambda x: risk(x) * law.pdf(x), low, high)[0]
    square = quad(lambda x: risk(x) ** 2 * law.pdf(x), low, high)[0]
    assert found.risk_sd == pytest.approx(np.sqrt((square - mean**2) / 2), rel=0.02)


@given(st.integers(0, 10**6), st.floats(0.01, 3.0))
@settings(max_examples=20, deadline=None)
def test_larger_errors_change_more_and_none_changes_nothing(seed: int, sd: float) -> None:
    values = np.random.default_rng(seed).normal(size=60)
    none = run(LINEAR, values, 0.0, n_draws=5)
    assert none.points_changed == none.group_changed == none.risk_sd == 0.0
    assert none.points_changed_first_order == none.linear_predictor_sd_first_order == 0.0
    assert none.reliability == 1.0
    assert np.isnan(none.variance_share).all()
    # The same random numbers: the deviation of every draw grows with the SD.
    small = run(LINEAR, values, sd, n_draws=20)
    large = run(LINEAR, values, 2.0 * sd, n_draws=20)
    assert large.linear_predictor_sd == pytest.approx(2.0 * small.linear_predictor_sd, rel=1e-9)
    assert large.points_changed >= small.points_changed
    assert large.group_changed >= small.group_changed
    assert large.reliability < small.reliability


@given(st.permutations(range(12)), st.floats(0.1, 100.0))
@settings(max_examples=10, deadline=None)
def test_first_order_knows_neither_order_nor_unit(order: list[int], factor: float) -> None:
    values = np.linspace(-2.0, 2.0, 12)
    plain = run(LINEAR, values, 0.7, n_draws=2)
    scaled = replace(LINEAR, linear_predictor=lambda x: 0.5 / factor * x[:, 0])
    other = run(scaled, factor * values[np.array(order)], 0.7 * factor, n_draws=2)
    for name in ("points_changed_first_order", "linear_predictor_sd_first_order"):
        assert getattr(other, name) == pytest.approx(getattr(plain, name), rel=1e-6)


def test_variables_add_up_and_keep_their_own_errors() -> None:
    values = np.random.default_rng(4).normal(size=(200, 2))
    both = MeasuredScore(
        lambda x: x[:, 0] + 2.0 * x[:, 1], np.array([-1.0, 1.0]), np.array([0.0]), 0.1
    )
    found = run(both, values, [0.3, 0.2], streams=("a", "b"))
    # Variances 0.09 and 4 x 0.04 = 0.16: shares 0.36 and 0.64, SD 0.5.
    np.testing.assert_allclose(found.variance_share, [0.36, 0.64], rtol=1e-9)
    assert found.linear_predictor_sd_first_order == pytest.approx(0.5, rel=1e-9)
    assert found.linear_predictor_sd == pytest.approx(0.5, rel=0.02)
    fixed = values[:, :1]
    alone = replace(both, linear_predictor=lambda x: fixed[:, 0] + 2.0 * x[:, 0])
    one = run(alone, values[:, 1:], 0.2, streams=("b",))
    held = run(both, values, [0.0, 0.2], streams=("a", "b"))
    assert one.points_changed == held.points_changed
    assert one.linear_predictor_sd == pytest.approx(held.linear_predictor_sd, rel=1e-12)


def test_draws_stay_possible() -> None:
    seen: list[np.ndarray] = []

    def watch(values: np.ndarray) -> np.ndarray:
        seen.append(values)
        return np.asarray(values[:, 0])

    score = replace(LINEAR, linear_predictor=watch)
    values = np.array([[0.0], [1.0], [0.5]])
    propagate(
        score, values, np.array([5.0]), lower=np.zeros(1), upper=np.ones(1), n_draws=300,
        random_state=0,
    )  # fmt: skip
    drawn = np.array(seen[1:301])
    assert drawn.min() >= 0.0
    assert drawn.max() <= 1.0
    # With so wide an error every possible value is about as likely: mean 0.5, SD 1 / sqrt(12).
    assert drawn.mean() == pytest.approx(0.5, abs=0.03)
    assert drawn.std() == pytest.approx(12**-0.5, abs=0.02)


def test_measurements_without_a_value_are_counted_apart() -> None:
    def log(values: np.ndarray) -> np.ndarray:
        x = values[:, 0]
        return np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), np.nan)

    score = replace(LINEAR, linear_predictor=log)
    found = run(score, often(1.0, 2.0), 1.0, n_draws=100)
    assert found.undefined == pytest.approx((norm.cdf(-1) + norm.cdf(-2)) / 2, abs=0.005)
    with pytest.raises(UndefinedMetricError, match="no value for some recorded"):
        run(score, [-1.0, 2.0], 1.0)


def test_error_lowers_the_auc_as_a_binormal_marker_would() -> None:
    random = np.random.default_rng(8)
    case = random.random(4000) < 0.5
    marker = random.normal(size=4000) + 1.0 * case

    def auc(prediction: np.ndarray) -> float:
        ranks = prediction.argsort().argsort() + 1.0
        n, m = case.sum(), (~case).sum()
        return float((ranks[case].sum() - n * (n + 1) / 2) / (n * m))

    score = MeasuredScore(lambda x: x[:, 0], np.array([0.5]), np.array([0.5]), 0.1, auc)
    found = run(score, marker, 1.0, n_draws=50)
    # Within cases and controls the variance is 1, with the error 2: reliability 1 / 2.
    assert found.auc == pytest.approx(ndtr(1 / np.sqrt(2)), abs=0.015)
    assert found.auc_with_error == pytest.approx(attenuated_auc(found.auc, 0.5), abs=0.01)


def test_the_same_seed_gives_the_same_numbers() -> None:
    values = np.linspace(-1, 1, 30)
    first, second = run(LINEAR, values, 0.4), run(LINEAR, values, 0.4)
    assert first.points_changed == second.points_changed
    assert first.risk_sd_95 == second.risk_sd_95
    assert run(LINEAR, values, 0.4, random_state=4).points_changed != first.points_changed


def test_risk_is_that_of_proportional_hazards() -> None:
    eta = np.array([-3.0, 0.0, 2.0, np.nan, 800.0])
    np.testing.assert_array_equal(LINEAR.risk(eta), absolute_risk(eta, 0.2))


@pytest.mark.parametrize(
    ("values", "sd", "options", "message"),
    [
        ([np.nan, 1.0], 1.0, {}, "`values` must be finite"),
        ([0.0, 1.0], -1.0, {}, "`sd` must be finite and not negative"),
        ([0.0, 1.0], 1.0, {"upper": np.array([0.5])}, "between `lower` and `upper`"),
        ([0.0, 1.0], 1.0, {"n_draws": 1}, "`n_draws` must be at least 2"),
    ],
)
def test_what_cannot_be_is_refused(values: Any, sd: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(LINEAR, values, sd, **options)


def test_thresholds_and_shares_are_checked() -> None:
    with pytest.raises(ValueError, match="strictly ascending"):
        replace(LINEAR, thresholds=np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="`reliability` in"):
        attenuated_auc(0.7, 0.0)
    with pytest.raises(UndefinedMetricError, match="the same linear predictor"):
        run(LINEAR, [1.0, 1.0], 1.0)
