"""Calibration is judged in every repeat and averaged, never on averaged risks."""

from types import SimpleNamespace

import numpy as np
import pytest

from scorebuilder.report.summary_calibration import summarise_calibration, summarise_net_benefit
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import calibration_slope
from scorebuilder.validation.calibration_distance import calibration_distances
from scorebuilder.validation.resampling import ValidationResult


def study_of(y, risks):
    risks = np.asarray(risks, dtype=float)
    nothing = np.full(risks.shape, np.nan)
    folds = np.zeros(risks.shape, dtype=int)
    result = ValidationResult(folds, risks[:, :, None], nothing, nothing, [], (1.0,))
    return SimpleNamespace(cohort=SimpleNamespace(y=y), validation=result, main_horizon=1.0)


@pytest.fixture
def simulated():
    random = np.random.default_rng(5)
    true = random.normal(0, 1, 400)
    time = random.exponential(np.exp(-true))
    y = make_outcome(time <= 2.0, np.minimum(time, 2.0))
    # Two repeats of too extreme risks: each has noise of its own.
    predictors = [true + random.normal(0, 1, 400) for _ in range(2)]
    return y, [1 - np.exp(-np.exp(predictor)) for predictor in predictors]


def test_numbers_are_means_over_repeats(simulated):
    y, risks = simulated
    row = summarise_calibration(study_of(y, risks), 1.0)
    slopes = [calibration_slope(y, risk).slope for risk in risks]
    assert row["slope"] == pytest.approx(np.mean(slopes), rel=1e-12)
    averaged = calibration_slope(y, np.mean(risks, axis=0)).slope
    assert row["slope"] < averaged - 0.1  # the average of two models flatters
    assert row["reason"] is None
    assert row["in_the_large_lower"] < row["in_the_large"] < row["in_the_large_upper"]
    for name in ("ici", "e50", "e90", "e_max"):
        found = [calibration_distances(y, risk, horizon=1.0)[name] for risk in risks]
        for end in ("value", "lower", "upper"):
            key = name if end == "value" else f"{name}_{end}"
            assert row[key] == pytest.approx(np.mean([getattr(f, end) for f in found]), rel=1e-12)


def test_each_number_keeps_its_own_reason(simulated):
    # Two distinct risks: observed / expected and the slope are defined, the curve is not.
    y, _ = simulated
    risk = np.where(np.arange(len(y)) % 2, 0.3, 0.6)
    row = summarise_calibration(study_of(y, [risk]), 1.0)
    assert row["in_the_large"] is not None
    assert row["slope"] is not None
    assert (row["ici"], row["smooth"]) == (None, None)
    assert row["reason"].startswith("smooth curve: ")


def test_patients_without_a_risk_are_left_out(simulated):
    y, risks = simulated
    holes = np.array(risks)
    holes[1, :3] = np.nan
    row = summarise_calibration(study_of(y, holes), 1.0)
    without = summarise_calibration(study_of(y[3:], holes[:, 3:]), 1.0)
    assert row["slope"] == without["slope"]
    assert sum(group["n"] for group in row["groups"]) == len(y) - 3


def test_net_benefit_is_the_mean_over_repeats(simulated):
    y, risks = simulated
    both = summarise_net_benefit(study_of(y, risks))
    single = [summarise_net_benefit(study_of(y, [risk]))[0]["net_benefit"] for risk in risks]
    np.testing.assert_allclose(both[0]["net_benefit"], np.mean(single, axis=0), rtol=1e-12)
    assert [row["model"] for row in both] == ["score", "all"]
