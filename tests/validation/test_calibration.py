"""Calibration, decision curve and ROC curve: equal to R, by hand, and refused where undefined."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import (
    calibration_curve,
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
    quantile_groups,
)
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.metrics.auc import auc_at
from scorebuilder.validation.roc import roc_curve

CLOSED, FITTED = 1e-12, 1e-8  # sums and products; anything through a Cox fit


def test_in_the_large_is_that_of_r(case):
    expected = case.expected["in_the_large"]
    if case.horizon > case.y["time"].max():
        with pytest.raises(UndefinedMetricError, match="horizon"):
            calibration_in_the_large(case.y, case.risk, horizon=case.horizon)
        return
    result = calibration_in_the_large(case.y, case.risk, horizon=case.horizon)
    assert result.ratio == pytest.approx(expected["oe"], abs=CLOSED)
    assert (result.lower is None) == (result.reason is not None)
    if expected["lower_greenwood"] is None:
        assert (result.lower, result.upper) == (None, None)
    else:
        assert result.lower == pytest.approx(expected["lower_greenwood"], abs=CLOSED)
        assert result.upper == pytest.approx(expected["upper_greenwood"], abs=CLOSED)


SEPARATED = {("deg_perfect_ranking", "new"), ("deg_reversed_ranking", "new"), ("deg_tiny", "new")}


def test_slope_is_that_of_r(case, request):
    expected = case.expected["slope"]
    separated = any("-".join(key) in request.node.name for key in SEPARATED)
    if expected["slope"] is None or separated:
        with pytest.raises(UndefinedMetricError):
            calibration_slope(case.y, case.risk)
        return
    result = calibration_slope(case.y, case.risk)
    assert result.slope == pytest.approx(expected["slope"], rel=FITTED)
    assert result.standard_error == pytest.approx(expected["se"], rel=FITTED)


def test_smooth_curve_is_that_of_r(case):
    expected = case.expected["smooth"]
    if expected["ici"] is None or case.horizon > case.y["time"].max():
        with pytest.raises(UndefinedMetricError):
            calibration_smooth(case.y, case.risk, horizon=case.horizon)
        return
    result = calibration_smooth(case.y, case.risk, horizon=case.horizon)
    for value, key in ((result.ici, "ici"), (result.e50, "e50"), (result.e90, "e90")):
        assert value == pytest.approx(expected[key], abs=FITTED)
    assert result.e_max == pytest.approx(expected["emax"], abs=FITTED)


def test_groups_are_those_of_r(case, as_numbers):
    expected = case.expected["groups"]
    if expected is None or case.horizon > case.y["time"].max():
        return
    groups = case.settings["groups"]
    curve = calibration_curve(case.y, case.risk, horizon=case.horizon, groups=groups)
    assert curve["n"].tolist() == expected["n"]
    assert curve["predicted"].to_numpy() == pytest.approx(as_numbers(expected["predicted"]))
    observed, error = as_numbers(expected["km_risk"]), as_numbers(expected["se"])
    defined = curve["reason"].isna().to_numpy()
    assert curve["observed"].isna().tolist() == (~defined).tolist()
    assert curve["observed"].to_numpy()[defined] == pytest.approx(observed[defined], abs=CLOSED)
    usual = defined & (error > 0)
    for name in ("lower", "upper"):
        assert curve[name].to_numpy()[usual] == pytest.approx(
            as_numbers(expected[name])[usual], abs=CLOSED
        )


def test_net_benefit_is_that_of_r(case, as_numbers):
    thresholds = case.settings["thresholds"]
    if case.horizon > case.y["time"].max():
        with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
            decision_curve(case.y, case.risk, horizon=case.horizon, thresholds=thresholds)
        return
    curve = decision_curve(case.y, case.risk, horizon=case.horizon, thresholds=thresholds)
    assert curve["net_benefit"].isna().tolist() == curve["reason"].notna().tolist()
    if case.expected["net_benefit"] is None:
        return
    for name in ("net_benefit", "net_benefit_all"):
        expected = as_numbers(case.expected[name])
        both = np.isfinite(expected) & curve[name].notna().to_numpy()
        assert both.any()
        assert curve[name].to_numpy()[both] == pytest.approx(expected[both], abs=CLOSED)
        assert not np.any(np.isfinite(expected) & curve[name].isna().to_numpy())


def test_area_under_the_roc_curve_is_the_auc(case):
    try:
        auc = auc_at(None, case.y, case.risk, horizon=case.horizon)
    except UndefinedMetricError:
        with pytest.raises(UndefinedMetricError):
            roc_curve(case.y, case.risk, horizon=case.horizon)
        return
    full = roc_curve(case.y, case.risk, horizon=case.horizon, max_points=10**6)
    area = np.trapezoid(full["true_positive"], full["false_positive"])
    assert area == pytest.approx(auc, abs=CLOSED)
    thin = roc_curve(case.y, case.risk, horizon=case.horizon, max_points=50)
    assert len(thin) <= 50
    for curve in (full, thin):
        rates = curve[["false_positive", "true_positive"]].to_numpy()
        assert rates[0].tolist() == [0.0, 0.0]
        assert rates[-1].tolist() == [1.0, 1.0]
        assert np.all(np.diff(rates, axis=0) >= 0)


def test_groups_by_hand():
    # Risks 0.1 0.1 0.1 0.4 0.5 0.6 in two groups: the median is 0.25, three patients each.
    # Group 1: one event among three: 1/3. Group 2: events at 1 and 2, third followed: 2/3.
    y = make_outcome([1, 0, 0, 1, 1, 0], [1, 9, 9, 1, 2, 9])
    risk = np.array([0.1, 0.1, 0.1, 0.4, 0.5, 0.6])
    curve = calibration_curve(y, risk, horizon=5, groups=2)
    assert curve["n"].tolist() == [3, 3]
    assert curve["events"].tolist() == [1, 2]
    assert curve["predicted"].tolist() == pytest.approx([0.1, 0.5])
    assert curve["observed"].tolist() == pytest.approx([1 / 3, 2 / 3])


def test_net_benefit_by_hand():
    # Threshold 0.2: positives are patients 1, 2, 3 (share 3/4) with one event: e = 1/3.
    # NB = 1/4 - 2/4 * 0.2/0.8 = 0.125. Everybody: e = 1/4: 1/4 - 3/4 * 1/4 = 0.0625.
    y = make_outcome([1, 0, 0, 0], [1, 9, 9, 9])
    curve = decision_curve(y, np.array([0.9, 0.2, 0.3, 0.1]), horizon=5, thresholds=[0.2, 0.95])
    assert curve["net_benefit"].tolist() == pytest.approx([0.125, 0.0])
    assert curve["net_benefit_all"][0] == pytest.approx(0.0625)


def test_equal_risks_stay_together():
    assert quantile_groups(np.array([1.0, 1.0, 1.0, 1.0, 2.0]), 4).tolist() == [0, 0, 0, 0, 0]
    assert quantile_groups(np.full(7, 0.3), 10).tolist() == [0] * 7
    values = np.repeat([0.1, 0.2, 0.3], [5, 2, 9])
    groups = quantile_groups(values, 10)
    for value in np.unique(values):
        assert np.unique(groups[values == value]).size == 1


def test_a_group_without_follow_up_has_a_reason():
    y = make_outcome([1, 0, 0, 0], [1, 2, 9, 9])
    curve = calibration_curve(y, np.array([0.1, 0.1, 0.5, 0.5]), horizon=5, groups=2)
    assert curve["reason"].tolist() == ["nobody is followed to this time", None]
    assert np.isnan(curve["observed"][0])


def test_true_risk_is_calibrated_and_its_half_is_not():
    random = np.random.default_rng(5)
    rate = np.exp(random.normal(-1, 0.7, 1500))
    time, censoring = random.exponential(1 / rate), random.exponential(3.0, 1500)
    y = make_outcome(time <= censoring, np.minimum(time, censoring))
    true = -np.expm1(-rate)
    good = calibration_in_the_large(y, true, horizon=1.0)
    assert good.lower < 1 < good.upper
    # Half the risk everywhere: twice as many events as expected; the mean error is half the risk.
    half = calibration_in_the_large(y, true / 2, horizon=1.0)
    assert half.ratio == pytest.approx(2 * good.ratio)
    # Three standard errors of the observed risk of 1500 patients, 0.012 each.
    assert calibration_smooth(y, true, horizon=1.0).ici < 0.036
    assert calibration_smooth(y, true / 2, horizon=1.0).ici == pytest.approx(
        true.mean() / 2, abs=0.036
    )


def test_slope_of_the_true_risk_is_one():
    # 25 cohorts: the mean of the standardised slopes has standard error 0.2; a cohort of 300 with
    # some 130 events biases it by less than 0.1. The limit is four standard errors.
    random = np.random.default_rng(5)
    standardised = []
    for _ in range(25):
        rate = np.exp(random.normal(-1, 0.7, 300))
        time, censoring = random.exponential(1 / rate), random.exponential(3.0, 300)
        y = make_outcome(time <= censoring, np.minimum(time, censoring))
        slope = calibration_slope(y, -np.expm1(-rate))
        standardised.append((slope.slope - 1) / slope.standard_error)
    assert abs(np.mean(standardised)) < 0.8


def test_threshold_must_be_a_probability(gbsg):
    with pytest.raises(ValueError, match=r"must lie in \(0, 1\)"):
        decision_curve(gbsg.y, gbsg.risk, horizon=5.0, thresholds=[0.1, 1.0])


def test_slope_of_a_given_linear_predictor(gbsg):
    transformed = np.log(-np.log1p(-gbsg.risk))
    by_risk = calibration_slope(gbsg.y, gbsg.risk)
    by_predictor = calibration_slope(gbsg.y, gbsg.risk, linear_predictor=2 * transformed + 1)
    assert by_predictor.slope == pytest.approx(by_risk.slope / 2, rel=FITTED)
