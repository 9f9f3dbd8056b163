"""Bootstrap optimism: arithmetic by hand, no leak, and nothing dropped in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from scorebuilder.core.errors import ModelError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.bootstrap_optimism import bootstrap_optimism
from scorebuilder.validation.bootstrap_replicate import bootstrap_rows
from scorebuilder.validation.performance import evaluate_apparent
from scorebuilder.validation.plus632 import plus632
from scorebuilder.validation.summary_measure import MEASURES


class BestColumn(BaseEstimator):
    """Takes the column that follows the time best, so that it overfits."""

    def __init__(self, fails_without=None, points=False, n_jobs=4):
        self.fails_without = fails_without
        self.points = points
        self.n_jobs = n_jobs

    def fit(self, X, y):
        if self.fails_without is not None and self.fails_without not in X["id"].to_numpy():
            message = "the likelihood has no finite maximum"
            raise ModelError(message)
        columns = X.drop(columns="id")
        effects = {c: -np.corrcoef(columns[c], np.log(y["time"]))[0, 1] for c in columns}
        self.column_ = max(effects, key=lambda c: abs(effects[c]))
        self.coef_ = effects[self.column_]
        self.rate_ = y["event"].sum() / y["time"].sum()
        return self

    def predict(self, X):
        return self.coef_ * X[self.column_].to_numpy()

    def predict_risk(self, X, *, horizon):
        return -np.expm1(-self.rate_ * horizon * np.exp(self.predict(X)))

    def predict_points(self, X):
        if not self.points:
            message = "no points: nothing was selected"
            raise ModelError(message)
        return np.round(10 * self.predict(X))


def cohort(n=150, n_columns=4, effect=0.0, seed=1):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, n_columns)), columns=list("abcdefghij")[:n_columns])
    time = random.exponential(np.exp(-effect * X["a"].to_numpy()))
    censoring = random.exponential(1.5, n)
    X["id"] = np.arange(n)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring))


def run(build, X, y, **more):
    settings = {"n_replicates": 12, "horizons": (0.5,), "random_state": 3, **more}
    return bootstrap_optimism(build, X, y, **settings)


def found(result, metric, prediction="risk", horizon=0.5):
    return next(
        e
        for e in result.estimates
        if (e.metric, e.prediction, e.horizon) == (metric, prediction, horizon)
    )


def test_corrected_is_apparent_minus_mean_optimism_of_refits_done_by_hand():
    X, y = cohort()
    result = run(BestColumn(), X, y)
    optimism, unseen = [], []
    for replicate in range(12):
        rows = bootstrap_rows(150, replicate=replicate, random_state=3)
        model = BestColumn().fit(X.iloc[rows], y[rows])
        risk = model.predict_risk(X, horizon=0.5)
        out = np.setdiff1d(np.arange(150), rows)
        own, whole, bag = (
            evaluate_apparent(y[where], risk[where], horizon=0.5, metric="auc").value
            for where in (rows, np.arange(150), out)
        )
        optimism.append(own - whole)
        unseen.append(bag)
    risk = BestColumn().fit(X, y).predict_risk(X, horizon=0.5)
    apparent = evaluate_apparent(y, risk, horizon=0.5, metric="auc").value
    auc = found(result, "auc")
    # Exact: the same functions of the same numbers; 1e-14 for the order of additions.
    assert auc.apparent == apparent
    assert auc.optimism == pytest.approx(np.mean(optimism), abs=1e-14)
    assert auc.corrected == pytest.approx(apparent - np.mean(optimism), abs=1e-14)
    assert auc.optimism_error == pytest.approx(np.std(optimism, ddof=1) / np.sqrt(12), abs=1e-14)
    assert auc.out_of_bag == pytest.approx(np.mean(unseen), abs=1e-14)
    expected = plus632(apparent, float(np.mean(unseen)), 0.5, greater_is_better=True)
    assert (auc.overfitting, auc.plus632) == pytest.approx(expected, abs=1e-14)


def test_plus632_by_hand():
    # Brier: apparent 0.10, out of bag 0.16, chance 0.20: R = 0.06 / 0.10 = 0.6,
    # w = 0.632 / (1 - 0.2208) = 0.811088..., value = 0.10 + w 0.06.
    overfitting, value = plus632(0.10, 0.16, 0.20, greater_is_better=False)
    assert overfitting == pytest.approx(0.6)
    assert value == pytest.approx(0.10 + 0.632 / 0.7792 * 0.06)
    # No overfitting: the plain .632 weights.
    assert plus632(0.8, 0.8, 0.5, greater_is_better=True) == (0.0, pytest.approx(0.8))
    # Out of bag worse than chance counts as chance: R = 1, w = 1.
    assert plus632(0.8, 0.4, 0.5, greater_is_better=True) == (1.0, pytest.approx(0.5))


@given(st.floats(0, 1), st.floats(0, 1), st.booleans())
def test_plus632_lies_between_apparent_and_what_is_unseen(apparent, unseen, greater):
    overfitting, value = plus632(apparent, unseen, 0.5, greater_is_better=greater)
    assert 0 <= overfitting <= 1
    ends = (apparent, unseen, 0.5)
    assert min(ends) - 1e-12 <= value <= max(ends) + 1e-12


def test_chance_by_hand():
    # Nobody is censored: two of four have the event by time 2. Risks 0.2, 0.4, 0.6, 0.8: mean 0.5,
    # mean square 0.3. Brier by chance = 0.5 (1 - 2 x 0.5) + 0.3 = 0.3; scaled 1 - 0.3 / 0.25.
    # ICI by chance = mean |0.5 - p| = (0.3 + 0.1 + 0.1 + 0.3) / 4 = 0.2.
    y = make_outcome([True, True, True, True], [1.0, 1.5, 3.0, 4.0])
    risk = np.array([0.2, 0.4, 0.6, 0.8])
    for name, expected in (("brier", 0.3), ("scaled_brier", -0.2), ("ici", 0.2), ("auc", 0.5)):
        assert MEASURES[name].no_information(y, risk, 2.0) == pytest.approx(expected)
    # All pairs of an outcome with a prediction: the mean of (outcome - risk)^2.
    died = np.array([1.0, 1.0, 0.0, 0.0])
    assert np.mean((died[:, None] - risk[None, :]) ** 2) == pytest.approx(0.3)


def test_observed_expected_has_no_chance_value():
    X, y = cohort()
    ratio = found(run(BestColumn(), X, y), "observed_expected")
    assert ratio.corrected is not None
    assert ratio.plus632 is None
    assert "does not change observed / expected" in ratio.plus632_reason


def test_useless_predictors_are_at_chance_out_of_bag():
    # Ten useless columns, the best is taken. On patients a replicate has not seen the AUC, a mean
    # over five cohorts, must lie within 0.03 of 0.5 (three standard errors: 0.02 / sqrt(5) each).
    # The optimism removes a part of the excess only, for the whole cohort shares 63 % of its
    # patients with each replicate; the .632+ estimate removes more.
    corrected, apparent, plus, unseen = [], [], [], []
    for seed in range(5):
        X, y = cohort(300, n_columns=10, seed=seed)
        auc = found(run(BestColumn(), X, y, n_replicates=30), "auc")
        corrected.append(auc.corrected)
        apparent.append(auc.apparent)
        plus.append(auc.plus632)
        unseen.append(auc.out_of_bag)
    assert np.mean(apparent) > 0.55
    assert np.mean(unseen) == pytest.approx(0.5, abs=0.03)
    assert np.mean(apparent) > np.mean(corrected) > np.mean(plus)


def test_workers_do_not_matter_and_replicates_do_not_depend_on_their_number():
    X, y = cohort(80)
    one = run(BestColumn(points=True), X, y)
    two = run(BestColumn(points=True), X, y, n_jobs=2)
    assert one.estimates == two.estimates
    pd.testing.assert_frame_equal(one.replicates, two.replicates, check_exact=True)
    five = run(BestColumn(points=True), X, y, n_replicates=5)
    first = one.replicates[one.replicates["replicate"] < 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, five.replicates, check_exact=True)
    assert {e.metric for e in one.estimates if e.prediction == "points"} == {"auc", "c_index"}


class Grouped(BestColumn):
    def fold_record(self):
        return {"cut_points": [0, 2] if self.column_ == "a" else [1]}


def test_what_rebuilt_models_say_of_the_original_patients():
    X, y = cohort(80)
    result = run(Grouped(points=True, fails_without=3), X, y)
    fitted = [b for b in range(12) if b not in result.failures]
    assert result.rebuilt.risk.shape == (len(fitted), 80, 1)
    three, two = result.rebuilt.groups(3), result.rebuilt.groups(2)
    for place, replicate in enumerate(fitted):
        rows = bootstrap_rows(80, replicate=replicate, random_state=3)
        model = Grouped(points=True).fit(X.iloc[rows], y[rows])
        risk, points = model.predict_risk(X, horizon=0.5), model.predict_points(X)
        np.testing.assert_array_equal(result.rebuilt.risk_at(0.5)[place], risk)
        np.testing.assert_array_equal(result.rebuilt.points[place], points)
        # A cut point is the lowest number of points of the group above it.
        if model.column_ == "a":
            np.testing.assert_array_equal(three[place], 1.0 * (points >= 0) + (points >= 2))
            assert np.isnan(two[place]).all()
        else:
            np.testing.assert_array_equal(two[place], 1.0 * (points >= 1))
            assert np.isnan(three[place]).all()
    assert {len(cuts) for cuts in result.rebuilt.cut_points} == {1, 2}


def test_models_without_points_have_no_groups():
    X, y = cohort(60)
    rebuilt = run(BestColumn(), X, y, n_replicates=2).rebuilt
    assert np.isnan(rebuilt.points).all()
    assert np.isnan(rebuilt.groups(3)).all()


def test_failed_replicates_are_counted_with_their_reason():
    X, y = cohort(80)
    result = run(BestColumn(fails_without=3), X, y)
    without = [
        b for b in range(12) if 3 not in bootstrap_rows(80, replicate=b, random_state=3)
    ]  # about 37 %
    assert without
    assert list(result.failures) == without
    assert set(result.failures.values()) == {"the likelihood has no finite maximum"}
    assert found(result, "auc").n_replicates == 12 - len(without)


def test_too_many_failures_leave_no_estimate_but_a_reason():
    class Hopeless(BestColumn):
        def fit(self, X, y):
            if X["id"].duplicated().any():
                message = "too few distinct patients"
                raise ModelError(message)
            return super().fit(X, y)

    X, y = cohort(60)
    auc = found(run(Hopeless(), X, y), "auc")
    assert auc.apparent is not None
    assert auc.corrected is None
    assert auc.reason == "undefined in 12 of 12 replicates: too few distinct patients"


def test_a_build_that_cannot_be_fitted_is_refused():
    X, y = cohort(60)
    with pytest.raises(ModelError, match="no finite maximum"):
        run(BestColumn(fails_without=999), X, y)
    with pytest.raises(ValueError, match="`n_replicates` must be at least 2; got 1"):
        run(BestColumn(), X, y, n_replicates=1)
    with pytest.raises(ValueError, match="equal length; got 59 and 60"):
        run(BestColumn(), X.iloc[1:], y)


def test_limits_need_forty_replicates_and_are_shifted_by_the_optimism():
    X, y = cohort(100, effect=1.0)
    few = found(run(BestColumn(), X, y), "auc")
    assert few.lower is None
    assert few.interval_reason == "12 replicates, 40 are needed for an interval"
    result = run(BestColumn(), X, y, n_replicates=40)
    auc = found(result, "auc")
    table = result.replicates
    own = table[(table["metric"] == "auc") & (table["prediction"] == "risk")]
    own = own.loc[own["sample"] == "apparent", "value"]
    assert auc.lower == pytest.approx(np.quantile(own, 0.025) - auc.optimism)
    assert auc.lower < auc.corrected < auc.upper


class Cache:
    def __init__(self, stop_after=None):
        self.content, self.stop_after = {}, stop_after

    def get(self, name):
        return self.content.get(name)

    def put(self, name, content):
        if self.stop_after == len(self.content):
            raise KeyboardInterrupt
        self.content[name] = content


def test_a_stopped_run_resumes_with_all_its_predictions():
    X, y = cohort(80)
    cache = Cache(stop_after=5)
    with pytest.raises(KeyboardInterrupt):
        run(BestColumn(), X, y, cache=cache)
    cache.stop_after, calls = None, []
    resumed = run(BestColumn(), X, y, cache=cache, progress=lambda: calls.append(1))
    assert len(calls) == 13
    assert resumed.estimates == run(BestColumn(), X, y).estimates
    np.testing.assert_array_equal(resumed.rebuilt.risk, run(BestColumn(), X, y).rebuilt.risk)
    table = resumed.table()
    assert table["corrected"].isna().equals(table["reason"].notna())
    values = resumed.replicates
    assert values["value"].isna().equals(values["reason"].notna())
