"""Performance by subgroup: the same numbers as on the subgroup alone, tests by hand, coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import calibration_in_the_large, calibration_slope
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.metrics.auc import auc_estimate
from scorebuilder.validation.subgroups import (
    LABELS,
    TOO_FEW,
    Estimate,
    SubgroupPerformance,
    contrast_subgroups,
    subgroup_performance,
)

HORIZON = 5.0


def draw(n: int, seed: int, effect: float = 1.0) -> tuple[Outcome, FloatArray]:
    """Exponential times with the given log hazard ratio, and the true risks by the horizon."""
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    rate = 0.08 * np.exp(effect * x)
    time, end = random.exponential(1.0 / rate), random.uniform(0.0, 12.0, n)
    return make_outcome(time <= end, np.minimum(time, end)), -np.expm1(-HORIZON * rate)


def judge(y: Outcome, risks: FloatArray, members: np.ndarray) -> SubgroupPerformance:
    return subgroup_performance(y, risks, members, horizon=HORIZON, threshold=0.3)


def test_it_is_the_performance_of_the_patients_inside() -> None:
    y, risk = draw(500, 1)
    members = np.arange(500) % 3 == 0
    found = judge(y, risk[None, :], members)
    inside, own = y[members], risk[members]
    expected = auc_estimate(None, inside, own, horizon=HORIZON)
    auc = found.measures["auc"]
    assert expected.standard_error is not None
    assert auc.value == pytest.approx(expected.value, abs=1e-14)
    # divisor n here, n - 1 there
    assert auc.standard_error == pytest.approx(
        expected.standard_error * np.sqrt(1 - 1 / members.sum()), rel=1e-9
    )
    ratio = calibration_in_the_large(inside, own, horizon=HORIZON)
    oe = found.measures["observed_expected"]
    assert (oe.value, oe.lower, oe.upper) == pytest.approx(
        (ratio.ratio, ratio.lower, ratio.upper), abs=1e-12
    )
    assert found.measures["observed"].value == pytest.approx(ratio.observed, abs=1e-12)
    assert found.measures["predicted"].value == pytest.approx(own.mean(), abs=1e-12)
    assert found.measures["slope"].value == pytest.approx(
        calibration_slope(inside, own).slope, abs=1e-12
    )
    rates = classification_at(inside, own, threshold=0.3, horizon=HORIZON)
    assert found.measures["sensitivity"].value == pytest.approx(rates.sensitivity.value, abs=1e-12)
    assert found.measures["ppv"].value == pytest.approx(rates.ppv.value, abs=1e-12)
    assert found.n == members.sum()
    assert found.n_events == int(np.sum(inside["event"] & (inside["time"] <= HORIZON)))


@given(st.integers(0, 10_000))
def test_patients_outside_play_no_part(seed: int) -> None:
    y, risk = draw(200, seed)
    members = np.arange(200) < 120
    other, changed = y.copy(), risk.copy()
    other["time"][120:] *= 0.5
    changed[120:] = 0.5
    assert judge(y, risk[None, :], members) == judge(other, changed[None, :], members)


def test_repeats_are_averaged_and_unpredicted_patients_left_out() -> None:
    y, risk = draw(400, 2)
    _, worse = draw(400, 3)
    everybody = np.ones(400, dtype=bool)
    both = judge(y, np.stack([risk, worse]), everybody).measures["auc"].value
    single = [judge(y, one[None, :], everybody).measures["auc"].value for one in (risk, worse)]
    assert both == pytest.approx(np.mean(single), abs=1e-14)
    risk[:50] = np.nan
    assert judge(y, risk[None, :], everybody).n == 350


def test_nothing_is_said_of_few_events() -> None:
    y, risk = draw(30, 4)
    y["event"][:] = False
    y["event"][np.argsort(y["time"])[:9]] = True
    y["time"][y["event"]] /= 100.0
    found = judge(y, risk[None, :], np.ones(30, dtype=bool))
    assert found.n_events == 9
    assert set(found.measures) == set(LABELS)
    assert all(item == Estimate(reason=TOO_FEW) for item in found.measures.values())


def of(value: float | None, error: float | None, name: str = "auc") -> SubgroupPerformance:
    reason = "no event" if value is None else None
    return SubgroupPerformance(100, 20, {name: Estimate(value, None, None, error, reason)})


def test_contrast_by_hand() -> None:
    """
    AUC 0.70 (SE 0.03), 0.80 (SE 0.04), undefined.

    Difference 0.10, SE 0.05, z = 2, P = 0.0455. Q of two estimates is z squared: 4 with 1 df.
    """
    found = contrast_subgroups([of(0.7, 0.03), of(0.8, 0.04), of(None, None)], "auc")
    first, second, third = found.differences
    assert (first.value, first.lower, first.upper) == (0.0, 0.0, 0.0)
    assert second.value == pytest.approx(0.1, abs=1e-12)
    assert second.upper == pytest.approx(0.1 + 1.959964 * 0.05, abs=1e-6)
    assert found.p_each[1] == pytest.approx(0.0455003, abs=1e-6)
    assert found.p == pytest.approx(chi2.sf(4.0, 1), rel=1e-9)
    assert (third.value, third.reason) == (None, "undefined in this subgroup")


def test_observed_expected_is_contrasted_as_a_ratio() -> None:
    groups = [of(1.0, 0.3, "observed_expected"), of(2.0, 0.4, "observed_expected")]
    found = contrast_subgroups(groups, "observed_expected")
    assert found.differences[0].value == 1.0
    assert found.differences[1].value == pytest.approx(2.0, rel=1e-12)
    assert found.differences[1].lower == pytest.approx(2.0 * np.exp(-1.959964 * 0.5), rel=1e-6)
    assert found.p == pytest.approx(chi2.sf((np.log(2.0) / 0.5) ** 2, 1), rel=1e-9)


def test_one_subgroup_has_nothing_to_be_compared_with() -> None:
    found = contrast_subgroups([of(0.7, 0.03), of(None, None)], "auc")
    assert found.p is None
    assert found.reason == "defined with an interval in 1 of 2 subgroups"


@pytest.mark.slow
def test_the_test_of_equal_subgroups_keeps_its_level() -> None:
    """300 cohorts, three equal subgroups: 5 % rejected, binomial 99.9 % limits 0.015 and 0.095."""
    rejected = dict.fromkeys(("auc", "observed_expected"), 0)
    for seed in range(300):
        y, risk = draw(900, 1000 + seed)
        group = np.arange(900) % 3
        found = [judge(y, risk[None, :], group == k) for k in range(3)]
        for measure in rejected:
            p = contrast_subgroups(found, measure).p
            assert p is not None
            rejected[measure] += p < 0.05
    for measure, count in rejected.items():
        assert 0.015 <= count / 300 <= 0.095, measure
