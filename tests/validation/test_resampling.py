"""Folds, refitting in every fold, resuming, and the same numbers on any number of workers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from scorebuilder.core.errors import ModelError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.performance import evaluate, evaluate_apparent
from scorebuilder.validation.resampling import cross_validate, cross_validate_all, stratified_folds


class RateModel(BaseEstimator):
    """Exponential rate on the column that separates events best in the patients fitted."""

    def __init__(self, points=True, fail_on=None, n_jobs=4):
        self.points = points
        self.fail_on = fail_on
        self.n_jobs = n_jobs

    def fit(self, X, y):
        assert self.n_jobs == 1, "folds run in parallel, so that nothing inside may"
        assert list(X.index) == list(range(len(X)))
        if self.fail_on is not None and self.fail_on not in X["id"].to_numpy():
            message = "the likelihood has no finite maximum"
            raise ModelError(message)
        columns = X.drop(columns="id")
        effects = {c: np.corrcoef(columns[c], y["event"])[0, 1] for c in columns}
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
        return np.round(self.predict(X))

    def fold_record(self):
        return {"column": self.column_}


class BareModel(BaseEstimator):
    def fit(self, X, y):
        return self

    def predict_risk(self, X, *, horizon):
        return np.full(len(X), 0.1)


def cohort(n=120, n_columns=3, seed=1, effect=1.0):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, n_columns)), columns=list("abcdefghij")[:n_columns])
    time = random.exponential(np.exp(-effect * X["a"].to_numpy()))
    censoring = random.exponential(1.5, n)
    X["id"] = np.arange(n)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring))


SETTINGS = {"folds": 4, "repeats": 2, "horizons": (0.5, 1.0), "random_state": 7}


@given(st.lists(st.booleans(), min_size=12, max_size=60), st.integers(2, 4), st.integers(0, 50))
def test_folds_are_stratified_and_balanced(event, folds, seed):
    event = np.array([*event, *[True] * 4, *[False] * 4])
    dealt = stratified_folds(event, folds=folds, repeats=2, random_state=seed)
    for assignment in dealt:
        for members in (np.ones(event.size, bool), event, ~event):
            sizes = np.bincount(assignment[members], minlength=folds)
            assert sizes.max() - sizes.min() <= 1


def test_repeats_differ_and_do_not_depend_on_their_number():
    event = np.arange(60) % 3 == 0
    three = stratified_folds(event, folds=5, repeats=3, random_state=1)
    assert np.array_equal(three[:2], stratified_folds(event, folds=5, repeats=2, random_state=1))
    assert not np.array_equal(three[0], three[1])
    assert not np.array_equal(three, stratified_folds(event, folds=5, repeats=3, random_state=2))


def test_too_few_events_are_refused():
    with pytest.raises(ModelError, match=r"3 events among 50 patients. Choose fewer folds"):
        stratified_folds(np.arange(50) < 3, folds=5, repeats=1, random_state=0)
    with pytest.raises(ValueError, match="`folds` must be at least 2"):
        stratified_folds(np.arange(50) < 30, folds=1, repeats=1, random_state=0)


def test_every_patient_is_predicted_by_a_model_that_has_not_seen_him():
    X, y = cohort()
    result = cross_validate(RateModel(), X, y, **SETTINGS)
    for repeat, assignment in enumerate(result.folds):
        for fold in range(4):
            test = assignment == fold
            model = RateModel(n_jobs=1).fit(X[~test].reset_index(drop=True), y[~test])
            expected = model.predict_risk(X[test], horizon=1.0)
            assert np.array_equal(result.risk_at(1.0)[repeat, test], expected)
            assert np.array_equal(result.marker[repeat, test], model.predict(X[test]))
            assert np.array_equal(result.points[repeat, test], model.predict_points(X[test]))
    assert [(r["repeat"], r["fold"]) for r in result.records] == [
        (repeat, fold) for repeat in range(2) for fold in range(4)
    ]


def test_outcome_of_a_patient_cannot_reach_his_own_prediction():
    X, y = cohort()
    changed = y.copy()
    changed["time"][5] *= 1.5  # the same event, so the same folds
    first = cross_validate(RateModel(), X, y, **SETTINGS)
    second = cross_validate(RateModel(), X, changed, **SETTINGS)
    assert np.array_equal(first.risk[:, 5], second.risk[:, 5])
    assert not np.array_equal(first.risk, second.risk)


def test_two_workers_give_the_same_numbers():
    X, y = cohort(60)
    one = cross_validate(RateModel(), X, y, **SETTINGS)
    two = cross_validate(RateModel(), X, y, **SETTINGS, n_jobs=2)
    assert np.array_equal(one.risk, two.risk)
    assert one.records == two.records


class Cache:
    def __init__(self, stop_after=None):
        self.content, self.stop_after = {}, stop_after

    def get(self, name):
        return self.content.get(name)

    def put(self, name, content):
        if self.stop_after == len(self.content):
            raise KeyboardInterrupt
        self.content[name] = content


def test_a_stopped_run_resumes_with_the_same_numbers():
    X, y = cohort()
    cache, calls = Cache(stop_after=3), []
    with pytest.raises(KeyboardInterrupt):
        cross_validate(RateModel(), X, y, **SETTINGS, cache=cache)
    assert len(cache.content) == 3
    cache.stop_after = None
    resumed = cross_validate(
        RateModel(), X, y, **SETTINGS, cache=cache, progress=lambda: calls.append(1)
    )
    whole = cross_validate(RateModel(), X, y, **SETTINGS)
    assert len(calls) == 8
    assert np.array_equal(resumed.risk, whole.risk)
    assert resumed.records == whole.records


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_failed_fold_is_named(n_jobs):
    X, y = cohort(60)
    # Only the build that predicts patient 3 fails, once in each repeat; either may end first.
    own = stratified_folds(y["event"], folds=4, repeats=2, random_state=7)[:, 3] + 1
    wrong = "|".join(f"repeat {repeat + 1}, fold {fold}" for repeat, fold in enumerate(own))
    with pytest.raises(ModelError, match=rf"^({wrong}): the likelihood has no finite"):
        cross_validate(RateModel(fail_on=3), X, y, **SETTINGS, n_jobs=n_jobs)


def test_what_a_model_lacks_is_missing():
    X, y = cohort()
    bare = cross_validate(BareModel(), X, y, **SETTINGS)
    assert np.isnan(bare.marker).all()
    assert np.isnan(bare.points).all()
    assert bare.records == []
    no_points = cross_validate(RateModel(points=False), X, y, **SETTINGS)
    assert np.isnan(no_points.points).all()
    assert np.isfinite(no_points.marker).all()


def test_unknown_horizon_and_length_are_named():
    X, y = cohort()
    result = cross_validate(BareModel(), X, y, **SETTINGS)
    with pytest.raises(ValueError, match=r"`horizon` must be one of 0.5, 1; got 3"):
        result.risk_at(3.0)
    with pytest.raises(ValueError, match="equal length; got 119 and 120"):
        cross_validate(BareModel(), X.iloc[1:], y, **SETTINGS)


def test_shuffled_outcomes_give_chance():
    # Ten useless columns; the model picks the best of them. The apparent AUC rises above chance,
    # the cross-validated one must not.
    X, y = cohort(600, n_columns=10, effect=1.0)
    y = y[np.random.default_rng(4).permutation(y.size)]
    result = cross_validate(RateModel(), X, y, folds=5, repeats=2, horizons=(1.0,), random_state=1)
    honest = evaluate(result, y, horizon=1.0, metric="auc")
    assert honest.lower < 0.5 < honest.upper
    model = RateModel(n_jobs=1).fit(X, y)
    apparent = evaluate_apparent(y, model.predict(X), horizon=1.0, metric="auc")
    assert apparent.value > honest.value


def test_several_builds_share_folds_and_equal_each_alone():
    X, y = cohort()
    builds = {"rate": RateModel(), "bare": BareModel(), "few": RateModel()}
    calls: list[int] = []
    cache = Cache()
    results = cross_validate_all(
        builds, X, y, **SETTINGS, columns={"few": ["b", "c", "id"]}, n_jobs=2, cache=cache,
        progress=lambda: calls.append(1),
    )  # fmt: skip
    assert list(results) == list(builds)
    assert len(calls) == len(cache.content) == 3 * 8
    alone = cross_validate(RateModel(), X, y, **SETTINGS)
    few = cross_validate(RateModel(), X[["b", "c", "id"]], y, **SETTINGS)
    for name, expected in (("rate", alone), ("few", few)):
        assert np.array_equal(results[name].folds, alone.folds)
        assert np.array_equal(results[name].risk, expected.risk)
        assert results[name].records == expected.records
    assert np.array_equal(results["bare"].folds, alone.folds)
    assert {record["column"] for record in results["few"].records} <= {"b", "c"}


def test_a_failed_build_is_named():
    X, y = cohort(60)
    builds = {"good": RateModel(), "bad": RateModel(fail_on=3)}
    with pytest.raises(ModelError, match=r"bad, repeat 1, fold .: the likelihood has no finite"):
        cross_validate_all(builds, X, y, **SETTINGS)
