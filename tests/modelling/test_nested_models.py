"""Nested Cox models: by hand, against a library, and what must not change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.nested_models import compare_nested, hazard_ratios
from scorebuilder.survival.outcome import make_outcome


def cohort(n: int = 300, seed: int = 5) -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, 3)), columns=["a", "b", "noise"])
    time = random.exponential(np.exp(-0.8 * X["a"] - 0.5 * X["b"]))
    censored = random.exponential(1.5, n)
    return X, make_outcome(time <= censored, np.minimum(time, censored))


def test_by_hand() -> None:
    """
    Three patients with events at 1, 2, 3 and x = 0, 1, 0.

    Partial likelihood: 1/(2 + e^b) * e^b/(1 + e^b) * 1. Its maximum: with u = e^b,
    log L = log u - log(2 + u) - log(1 + u), derivative zero at 1 = u/(2+u) + u/(1+u), that is
    u^2 = 2: b = log(2)/2. log L = log(sqrt2 / ((2 + sqrt2)(1 + sqrt2))); without x it is log(1/6).
    """
    model = CoxRegression().fit(
        pd.DataFrame({"x": [0.0, 1.0, 0.0], "y": [0.0, 0.0, 0.0]})[["x"]],
        make_outcome([1, 1, 1], [1, 2, 3]),
    )
    found = compare_nested(None, model)
    root = np.sqrt(2.0)
    expected = 2.0 * (np.log(root / ((2.0 + root) * (1.0 + root))) - np.log(1.0 / 6.0))
    assert found.delta == pytest.approx(expected, rel=1e-9)
    assert found.p == pytest.approx(chi2.sf(expected, 1), rel=1e-9)
    assert (found.df_old, found.df_new, found.adequacy) == (0, 1, 0.0)
    (ratio,) = hazard_ratios(model, "x", np.array([0.0, 1.0, 0.0]))
    assert ratio.per == "unit"  # an indicator has no standard deviation to step by
    assert ratio.value == pytest.approx(root, rel=1e-9)


def test_agrees_with_lifelines() -> None:
    """Both maximise the same likelihood: 1e-6, the tolerance of lifelines' own iterations."""
    from lifelines import CoxPHFitter

    X, y = cohort()
    frame = X.assign(time=y["time"], event=y["event"])
    theirs = [
        CoxPHFitter().fit(frame[[*names, "time", "event"]], "time", "event")
        for names in (["a"], ["a", "b"])
    ]
    old, new = CoxRegression().fit(X[["a"]], y), CoxRegression().fit(X[["a", "b"]], y)
    found = compare_nested(old, new)
    delta = 2.0 * (theirs[1].log_likelihood_ - theirs[0].log_likelihood_)
    assert found.delta == pytest.approx(delta, rel=1e-6)
    ratio = theirs[0].log_likelihood_ratio_test().test_statistic
    assert found.chi2_old == pytest.approx(ratio, rel=1e-6)
    assert found.adequacy == pytest.approx(
        ratio / theirs[1].log_likelihood_ratio_test().test_statistic, rel=1e-6
    )
    per_unit, per_sd = hazard_ratios(new, "b", X["b"].to_numpy())
    summary = theirs[1].summary.loc["b"]
    assert per_unit.value == pytest.approx(summary["exp(coef)"], rel=1e-6)
    assert per_unit.upper == pytest.approx(summary["exp(coef) upper 95%"], rel=1e-6)
    assert per_sd.value == pytest.approx(per_unit.value ** X["b"].std(), rel=1e-12)
    assert per_unit.p == per_sd.p == pytest.approx(summary["p"], rel=1e-4)


def test_unit_of_a_marker_plays_no_part_per_sd() -> None:
    X, y = cohort()
    model = CoxRegression().fit(X, y)
    other = CoxRegression().fit(X.assign(b=X["b"] * 1000.0 + 7.0), y)
    _, first = hazard_ratios(model, "b", X["b"].to_numpy())
    _, second = hazard_ratios(other, "b", X["b"].to_numpy() * 1000.0 + 7.0)
    assert second.value == pytest.approx(first.value, rel=1e-8)
    assert compare_nested(None, other).chi2_new == pytest.approx(
        compare_nested(None, model).chi2_new, rel=1e-9
    )


def test_refuses_models_that_are_not_nested() -> None:
    X, y = cohort()
    one, other = CoxRegression().fit(X[["a"]], y), CoxRegression().fit(X[["b"]], y)
    with pytest.raises(ValueError, match="`new` must hold all columns of `old`; it lacks a"):
        compare_nested(one, other)
    fewer = CoxRegression().fit(X[["a", "b"]].iloc[:200], y[:200])
    with pytest.raises(ValueError, match="must be fitted to the same patients"):
        compare_nested(one, fewer)
    same = compare_nested(one, one)
    assert same.p is None
    assert same.reason == "no column was added"
    assert same.adequacy == 1.0
