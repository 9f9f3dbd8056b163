"""Rules of yes or no: by hand, against the decision curve, and coverage of the intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.arrays import BoolArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.rule_performance import (
    SHARES,
    averaged,
    classification,
    net_benefit,
)


def draw(n: int, seed: int, *, censored: bool = True) -> tuple[Outcome, BoolArray]:
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.3
    time = random.exponential(np.where(positive, 4.0, 16.0))
    end = random.uniform(0.0, 12.0, n) if censored else np.full(n, 99.0)
    return make_outcome(time <= end, np.minimum(time, end)), positive


def test_by_hand() -> None:
    """
    Six patients, horizon 5: events at 1 (+), 3 (-), 4 (+); censored at 2 (+); free at 9 (+), 9 (-).

    Five patients are at risk of censoring at 2, so G is 1 until 2 and 4/5 after. Weights of the
    events: 1, 5/4, 5/4; of the two others: 5/4 each.
    sensitivity = (1 + 5/4) / (1 + 5/4 + 5/4) = 9/14; specificity = (5/4) / (10/4) = 1/2;
    PPV = (9/4) / (9/4 + 5/4) = 9/14; NPV = (5/4) / (10/4) = 1/2.
    Net benefit at 20 % (odds 1/4): Kaplan-Meier of the four positives: event at 1 (4 at risk),
    censored at 2, event at 4 (2 at risk): 1 - 3/4 * 1/2 = 5/8; share 4/6:
    2/3 * (5/8 - 3/8 / 4) = 2/3 * 17/32 = 17/48.
    """
    y = make_outcome([1, 0, 1, 1, 0, 0], [1, 2, 3, 4, 9, 9])
    rule = np.array([True, True, False, True, True, False])
    expected = {"sensitivity": 9 / 14, "specificity": 1 / 2, "ppv": 9 / 14, "npv": 1 / 2}
    for name, value in expected.items():
        found = classification(y, rule, name, horizon=5.0)
        assert found.value == pytest.approx(value, abs=1e-14)
        assert found.influence is not None
        assert float(found.influence.sum()) == pytest.approx(0.0, abs=1e-12)
    benefit = net_benefit(y, rule, horizon=5.0, threshold=0.2)
    assert benefit.value == pytest.approx(17 / 48, abs=1e-14)
    assert benefit.influence is not None
    assert float(benefit.influence.sum()) == pytest.approx(0.0, abs=1e-12)


@given(st.integers(0, 10_000), st.floats(0.02, 0.6))
def test_net_benefit_is_that_of_the_decision_curve(seed: int, threshold: float) -> None:
    y, positive = draw(80, seed)
    curve = decision_curve(y, positive.astype(float), horizon=3.0, thresholds=[threshold])
    found = net_benefit(y, positive, horizon=3.0, threshold=threshold)
    assert found.value == pytest.approx(curve["net_benefit"].iloc[0], abs=1e-12)


@given(st.integers(0, 10_000), st.floats(0.1, 30.0))
def test_order_and_unit_of_time_play_no_part(seed: int, factor: float) -> None:
    y, positive = draw(60, seed)
    order = np.random.default_rng(seed).permutation(60)
    other = make_outcome(y["event"][order], y["time"][order] * factor)
    for name in SHARES:
        one = classification(y, positive, name, horizon=4.0)
        two = classification(other, positive[order], name, horizon=4.0 * factor)
        assert two.value == pytest.approx(one.value, abs=1e-12)


def test_without_censoring_they_are_plain_shares() -> None:
    y, positive = draw(400, 3, censored=False)
    case = y["time"] <= 5.0
    expected = {
        "sensitivity": positive[case].mean(),
        "specificity": (~positive[~case]).mean(),
        "ppv": case[positive].mean(),
        "npv": (~case[~positive]).mean(),
    }
    for name, value in expected.items():
        found = classification(y, positive, name, horizon=5.0)
        assert found.value == pytest.approx(value, abs=1e-12)
        assert found.influence is not None
        n = {"sensitivity": case, "specificity": ~case, "ppv": positive, "npv": ~positive}[name]
        error = np.sqrt(np.sum(found.influence**2)) / 400
        assert error == pytest.approx(np.sqrt(value * (1 - value) / n.sum()), rel=1e-9)


def test_influence_is_the_derivative() -> None:
    """Leaving out one patient moves the estimate by -influence / (n - 1), up to terms of 1/n^2."""
    y, positive = draw(2000, 8)
    whole = {name: classification(y, positive, name, horizon=4.0) for name in SHARES}
    benefit = net_benefit(y, positive, horizon=4.0, threshold=0.2)
    for row in range(0, 2000, 97):
        rest = np.delete(np.arange(2000), row)
        for name, found in whole.items():
            less = classification(y[rest], positive[rest], name, horizon=4.0).value
            assert found.influence is not None
            assert 1999 * (found.value - less) == pytest.approx(found.influence[row], abs=0.03)
        less = net_benefit(y[rest], positive[rest], horizon=4.0, threshold=0.2).value
        assert benefit.influence is not None
        assert 1999 * (benefit.value - less) == pytest.approx(benefit.influence[row], abs=0.03)


def test_undefined_says_why() -> None:
    y = make_outcome([1, 1, 0], [1, 2, 9])
    nobody, everybody = np.zeros(3, dtype=bool), np.ones(3, dtype=bool)
    for rule, name, message in (
        (nobody, "ppv", "nobody at or above the threshold has a known outcome"),
        (everybody, "npv", "nobody below the threshold has a known outcome"),
    ):
        with pytest.raises(UndefinedMetricError, match=message):
            classification(y, rule, name, horizon=5.0)
    with pytest.raises(UndefinedMetricError, match="no patient has the event"):
        classification(y, everybody, "sensitivity", horizon=0.5)
    assert net_benefit(y, nobody, horizon=5.0, threshold=0.1).value == 0.0
    with pytest.raises(ValueError, match="`threshold` must lie in"):
        net_benefit(y, everybody, horizon=5.0, threshold=1.0)


@pytest.mark.slow
def test_intervals_cover() -> None:
    """300 cohorts of 500: binomial 99.9 % limits of a coverage of 0.95 are 0.90 and 0.99."""
    truth_y, truth_positive = draw(400_000, 1, censored=False)
    truth = {
        name: classification(truth_y, truth_positive, name, horizon=4.0).value for name in SHARES
    }
    truth["nb"] = net_benefit(truth_y, truth_positive, horizon=4.0, threshold=0.2).value
    inside = dict.fromkeys(truth, 0)
    for seed in range(300):
        y, positive = draw(500, 100 + seed)
        found = {name: classification(y, positive, name, horizon=4.0) for name in SHARES}
        found["nb"] = net_benefit(y, positive, horizon=4.0, threshold=0.2)
        for name, item in found.items():
            assert item.influence is not None
            error = np.sqrt(np.sum(item.influence**2)) / 500
            inside[name] += abs(item.value - truth[name]) <= 1.96 * error
    for name, count in inside.items():
        assert 0.90 <= count / 300 <= 0.99, name


def test_average_over_repeats() -> None:
    y, positive = draw(100, 4)
    rules = np.stack([positive, ~positive])
    found = averaged(lambda r: classification(y, rules[r], "sensitivity", horizon=4.0), 2)
    assert found.value == pytest.approx(0.5, abs=1e-12)  # a rule and its opposite
    assert found.influence is not None
    np.testing.assert_allclose(found.influence, 0.0, atol=1e-12)
