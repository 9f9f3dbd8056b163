"""Updating a score: likelihoods by hand and by statsmodels, and the rung that is chosen."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2
from statsmodels.duration.hazard_regression import PHReg

from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.updating import (
    baseline_chisq,
    censored_at,
    closed_test,
    expected_events,
    fit_rung,
    log_partial_likelihood,
)
from scorebuilder.survival.outcome import make_outcome


def site(
    n: int, *, level: float = 1.0, slope: float = 1.0, twist: float = 0.0, seed: int = 1
) -> Any:
    """Patients whose hazard is 0.1 x level x exp(slope x predictor + twist x third term)."""
    random = np.random.default_rng(seed)
    terms = random.normal(size=(n, 3))
    predictor = slope * terms @ COEFFICIENTS + twist * terms[:, 2]
    time = random.exponential(1.0 / (0.1 * level * np.exp(predictor)))
    censoring = random.uniform(3.0, 10.0, n)
    return terms, make_outcome(time <= censoring, np.minimum(time, censoring))


COEFFICIENTS = np.array([0.8, -0.5, 0.3])
TIMES = np.array([2.5, 5.0])
HAZARDS = 0.1 * TIMES


def chosen(terms: Any, y: Any) -> Any:
    return closed_test(terms, COEFFICIENTS, censored_at(y, 5.0), times=TIMES, hazards=HAZARDS)


def test_likelihoods_by_hand() -> None:
    # Three patients, events at 1 and 2, censored at 3, predictors log 2, 0, 0: hazards 2, 1, 1.
    # l = log(2 / 4) + log(1 / 2) = -2 log 2.
    y = make_outcome([True, True, False], [1.0, 2.0, 3.0])
    predictor = np.array([np.log(2.0), 0.0, 0.0])
    assert log_partial_likelihood(predictor, y) == pytest.approx(-2.0 * np.log(2.0), abs=1e-14)
    # H0 = 0.1 by time 1 and 0.4 by time 3, straight between: 0.25 at 2. 2 x 0.1 + 0.25 + 0.4.
    expected = expected_events(
        predictor, y, times=np.array([1.0, 3.0]), hazards=np.array([0.1, 0.4])
    )
    assert expected == pytest.approx(0.85, abs=1e-14)
    assert baseline_chisq(2.0, 0.85) == pytest.approx(2 * (2 * np.log(2 / 0.85) - 1.15), abs=1e-14)
    assert baseline_chisq(0.0, 3.0) == 6.0


def test_tests_agree_with_statsmodels() -> None:
    terms, y = site(900, slope=0.6, twist=0.5)
    short = censored_at(y, 5.0)
    _, tests, _ = chosen(terms, y)
    predictor = terms @ COEFFICIENTS

    def phreg(columns: Any) -> Any:
        return PHReg(short["time"], columns, status=short["event"].astype(float), ties="efron")

    full = phreg(terms).fit().llf
    kept = phreg(predictor[:, None]).loglike(np.ones(1))
    sloped = phreg(predictor[:, None]).fit().llf
    expected = np.sum(0.1 * short["time"] * np.exp(predictor))
    level = baseline_chisq(float(short["event"].sum()), float(expected))
    by_hand = [2 * (full - kept) + level, 2 * (full - kept), 2 * (full - sloped)]
    assert [test.df for test in tests] == [4, 3, 2]
    # statsmodels stops within about 1e-8 of the maximum.
    np.testing.assert_allclose([test.chisq for test in tests], by_hand, atol=1e-6)
    np.testing.assert_allclose(
        [test.p for test in tests], chi2.sf([test.chisq for test in tests], [4, 3, 2])
    )


def offered(
    n: int, *, effect: float, seed: int, level: float = 1.0, twist: float = 0.0
) -> tuple[Any, Any]:
    """Patients with two new columns, of which the first multiplies the hazard."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(n, 5))
    predictor = columns[:, :3] @ COEFFICIENTS + twist * columns[:, 2] + effect * columns[:, 3]
    time = random.exponential(1.0 / (0.1 * level * np.exp(predictor)))
    censoring = random.uniform(3.0, 10.0, n)
    return columns, make_outcome(time <= censoring, np.minimum(time, censoring))


def test_new_columns_are_tested_as_statsmodels_does() -> None:
    columns, y = offered(900, effect=0.4, seed=21)
    short = censored_at(y, 5.0)
    rung, tests, reason = chosen(columns, y)
    assert (rung, reason) == ("extend", "")

    def phreg(design: Any) -> Any:
        return PHReg(short["time"], design, status=short["event"].astype(float), ties="efron")

    own = columns[:, :3]
    predictor = own @ COEFFICIENTS
    extended = phreg(columns).fit()
    expected = np.sum(0.1 * short["time"] * np.exp(predictor))
    smaller = [
        phreg(predictor[:, None]).loglike(np.ones(1)),
        phreg(predictor[:, None]).fit().llf,
        phreg(own).fit().llf,
    ]
    kept, sloped, refitted = (2.0 * (extended.llf - value) for value in smaller)
    level = baseline_chisq(float(short["event"].sum()), float(expected))
    assert [test.rung for test in tests] == ["none", "baseline", "slope_and_baseline", "refit"]
    assert {test.against for test in tests} == {"extend"}
    # Five coefficients: one more parameter for the level; one less for a slope; two new columns.
    assert [test.df for test in tests] == [6, 5, 4, 2]
    # statsmodels stops within about 1e-8 of the maximum.
    np.testing.assert_allclose(
        [test.chisq for test in tests], [kept + level, kept, sloped, refitted], atol=1e-6
    )
    update = fit_rung("extend", columns, COEFFICIENTS, y, horizons=[2.5, 5.0], hazards=HAZARDS)
    reference = PHReg(y["time"], columns, status=y["event"].astype(float), ties="efron").fit()
    np.testing.assert_allclose(update.coefficients, reference.params, atol=1e-6)


def test_columns_of_noise_are_not_taken() -> None:
    assert chosen(*offered(2000, effect=0.0, seed=22))[0] == "none"
    assert chosen(*offered(2000, effect=0.0, level=2.0, seed=23))[0] == "baseline"
    assert chosen(*offered(2000, effect=0.0, twist=0.7, seed=24))[0] == "refit"


def test_a_smaller_rung_does_not_see_the_new_columns() -> None:
    columns, y = offered(800, effect=0.8, seed=25)
    given: dict[str, Any] = {"horizons": [2.5, 5.0], "hazards": HAZARDS}
    for rung in ("none", "baseline", "slope_and_baseline", "refit"):
        with_them = fit_rung(rung, columns, COEFFICIENTS, y, **given)
        without = fit_rung(rung, columns[:, :3], COEFFICIENTS, y, **given)
        np.testing.assert_array_equal(with_them.coefficients, without.coefficients)
        np.testing.assert_array_equal(with_them.cumulative_hazards, without.cumulative_hazards)


def test_a_new_column_that_repeats_a_term_is_left_out_with_its_reason() -> None:
    terms, y = site(900, level=2.0, seed=26)
    rung, tests, reason = chosen(np.column_stack([terms, 2.0 * terms[:, 0]]), y)
    assert "the new predictors cannot be fitted here" in reason
    assert (rung, tests[0].against) == ("baseline", "refit")


@pytest.mark.parametrize(
    ("truth", "rung"),
    [
        ({}, "none"),
        ({"level": 2.0}, "baseline"),
        ({"level": 2.0, "slope": 0.5}, "slope_and_baseline"),
        ({"twist": 0.7}, "refit"),
    ],
)
def test_the_true_change_is_found(truth: dict[str, float], rung: str) -> None:
    terms, y = site(3000, seed=2, **truth)
    assert chosen(terms, y)[0] == rung


@pytest.mark.slow
def test_an_unchanged_score_stays_in_19_of_20_sites() -> None:
    # 200 sites, level 0.05: at most 20 updates with probability 0.997.
    updated = sum(chosen(*site(500, seed=seed))[0] != "none" for seed in range(100, 300))
    assert updated <= 20


def test_few_events_allow_the_baseline_only() -> None:
    terms, y = site(120, level=3.0, twist=2.0, seed=4)
    few = slice(0, 60)
    rung, tests, reason = chosen(terms[few], y[few])
    assert "fewer than 100 events" in reason
    assert [(test.rung, test.against, test.df) for test in tests] == [("none", "baseline", 1)]
    assert rung == "baseline"


def test_rungs_by_their_properties() -> None:
    terms, y = site(800, level=1.5, slope=0.7, seed=5)
    given = {"horizons": [2.5, 5.0], "hazards": HAZARDS}
    none = fit_rung("none", terms, COEFFICIENTS, y, **given)
    np.testing.assert_array_equal(none.cumulative_hazards, HAZARDS)
    baseline = fit_rung("baseline", terms, COEFFICIENTS, y, **given)
    np.testing.assert_array_equal(baseline.coefficients, COEFFICIENTS)
    slope = fit_rung("slope_and_baseline", terms, COEFFICIENTS, y, **given)
    ratio = slope.coefficients / COEFFICIENTS
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert ratio[0] == pytest.approx(0.7, abs=0.15)
    refit = fit_rung("refit", terms, COEFFICIENTS, y, **given)
    reference = PHReg(y["time"], terms, status=y["event"].astype(float), ties="efron").fit()
    np.testing.assert_allclose(refit.coefficients, reference.params, atol=1e-6)
    for update in (baseline, slope, refit):
        assert all(a < b for a, b in pairwise(update.cumulative_hazards))


def test_what_cannot_be_updated_is_refused() -> None:
    terms, y = site(200, seed=6)
    given = {"horizons": [2.5, 50.0], "hazards": HAZARDS}
    with pytest.raises(ModelError, match="must be followed to the last horizon"):
        fit_rung("baseline", terms, COEFFICIENTS, y, **given)
    with pytest.raises(ModelError, match="does not rise with the risk"):
        fit_rung(
            "slope_and_baseline", terms, -COEFFICIENTS, y, horizons=[2.5, 5.0], hazards=HAZARDS
        )
    quiet = make_outcome(np.zeros(200, dtype=bool), y["time"])
    with pytest.raises(ModelError, match="no patient has the event"):
        chosen(terms, quiet)
