"""What may not change a forest, and what must."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scorebuilder.core.errors import ModelError, StatisticalWarning
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.vimp import permutation_vimp
from scorebuilder.survival.outcome import make_outcome

from .conftest import simulate  # isort: skip

ONE_TREE = {
    "n_estimators": 1,
    "bootstrap": False,
    "max_features": None,
    "min_samples_leaf": 10,
    "n_times": 40,
}
RULES = ["logrank", "logrank_score"]


def with_gaps(n_patients, seed):
    """The simulated patients, some values missing, one column without order."""
    X, y = simulate(n_patients, seed)
    random = np.random.default_rng(seed)
    X = X.mask(random.random(X.shape) < [0.0, 0.2, 0.1, 0.0, 0.3, 0.1, 0.0])
    return X.assign(levels=X["levels"].map("level {:.0f}".format)), y


def mixed_forest(**changes):
    return SurvivalForest(**(ONE_TREE | {"categorical_features": ("levels",)} | changes))


def arrays_of(forest):
    """All arrays of a fitted forest that predictions are made of."""
    found = {**vars(forest.trees_), **vars(forest.leaves_), "oob": forest.oob_prediction_}
    return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}


def assert_same_bytes(one, other):
    for (name, a), b in zip(arrays_of(one).items(), arrays_of(other).values(), strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes(), name


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_order_of_patients_does_not_matter(rule, seed) -> None:
    X, y = with_gaps(160, seed)
    order = np.random.default_rng(seed).permutation(160)
    forest = mixed_forest(split_rule=rule).fit(X, y)
    other = mixed_forest(split_rule=rule).fit(X.iloc[order], y[order])
    np.testing.assert_allclose(other.predict(X), forest.predict(X), rtol=1e-12)


@pytest.mark.parametrize("rule", [*RULES, "extra"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_scales_of_a_column_do_not_matter(rule, seed) -> None:
    # powers of two, so that the middle between two values scales without rounding
    X, y = with_gaps(160, seed)
    factors = {"strong": 4.0, "middling": 0.5, "noise_1": 1024.0}
    other = X.assign(**{name: factor * X[name] for name, factor in factors.items()})
    made = [
        mixed_forest(n_estimators=5, bootstrap=True, max_features=2, split_rule=rule).fit(table, y)
        for table in (X, other)
    ]
    assert_same_bytes(*made)
    np.testing.assert_array_equal(made[0].predict(X), made[1].predict(other))


@pytest.mark.parametrize("rule", [*RULES, "extra"])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_increasing_functions_do_not_matter_where_all_values_are_in_the_node(rule, seed) -> None:
    # One cut of all patients: no value lies between its neighbours in the node, where the middle
    # of two values is not the middle of their functions.
    X, y = with_gaps(160, seed)
    functions = {"strong": np.exp, "middling": lambda x: x**3, "noise_1": lambda x: 1e6 * x - 7}
    other = X.assign(**{name: function(X[name]) for name, function in functions.items()})
    stump = {"n_estimators": 5, "bootstrap": False, "max_features": 2, "max_depth": 1}
    made = [mixed_forest(split_rule=rule, **stump).fit(table, y) for table in (X, other)]
    np.testing.assert_array_equal(made[0].predict(X), made[1].predict(other))


@pytest.mark.parametrize("rule", [*RULES, "extra"])
def test_unit_and_increasing_functions_of_time_do_not_matter(rule) -> None:
    X, y = with_gaps(200, 1)
    made = [
        mixed_forest(n_estimators=5, bootstrap=True, max_features=2, split_rule=rule).fit(
            X, make_outcome(y["event"], time)
        )
        for time in (y["time"], y["time"] * 1024, np.log1p(y["time"]))
    ]
    assert_same_bytes(made[0], made[1])
    assert_same_bytes(made[0], made[2])


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10_000))
@example(seed=631)  # levels with equal mean scores in a node with one event
@example(seed=2520)
@settings(max_examples=15, deadline=None)
def test_weight_2_is_every_patient_twice(rule, seed) -> None:
    X, y = with_gaps(120, seed)
    weighted = mixed_forest(split_rule=rule, min_samples_leaf=8).fit(
        X, y, sample_weight=[2.0] * 120
    )
    twice = mixed_forest(split_rule=rule, min_samples_leaf=16).fit(
        pd.concat([X, X]), np.concatenate([y, y])
    )
    np.testing.assert_allclose(twice.predict(X), weighted.predict(X), rtol=1e-12)


def test_weights_count_in_statistic_and_hazard() -> None:
    # one node, times 1 2 3, all events, weights 1 2 3: H = 1/6, 1/6 + 2/5, 1/6 + 2/5 + 3/3
    X, y = pd.DataFrame({"a": [1.0, 2.0, 3.0]}), make_outcome([1, 1, 1], [1, 2, 3])
    forest = mixed_forest(categorical_features=(), min_samples_leaf=3)
    forest.fit(X, y, sample_weight=[1, 2, 3])
    hazard = forest.predict_cumulative_hazard_function(X)[0]
    np.testing.assert_allclose(hazard, [1 / 6, 17 / 30, 47 / 30], rtol=1e-14)


def test_weights_that_add_up_to_too_little_are_pointed_out() -> None:
    X, y = simulate(120, 22)
    message = r"`sample_weight` counts patients, but adds up to 0\.5 for 120 of them; .* mean is 1"
    with pytest.warns(StatisticalWarning, match=message):
        # every node weighs 1 or less, so that the variance of the log-rank statistic has no value
        light = SurvivalForest(**ONE_TREE).fit(X, y, sample_weight=np.full(120, 1 / 240))
    assert light.trees_.left.size == 1
    # patients of weight 0 do not count
    few = SurvivalForest(5).fit(X, y, sample_weight=np.where(y["event"], 0.2, 0.0))
    assert few.trees_.left.size > 5


@pytest.mark.parametrize("rule", [*RULES, "extra"])
def test_one_worker_and_two_give_the_same_bytes(rule) -> None:
    X, y = with_gaps(200, 2)
    made = [
        mixed_forest(
            n_estimators=23, bootstrap=True, max_features=2, split_rule=rule, n_jobs=n_jobs
        ).fit(X, y)
        for n_jobs in (1, 2)
    ]
    assert_same_bytes(*made)
    assert made[0].oob_c_index_ == made[1].oob_c_index_
    vimp = [
        permutation_vimp(forest, X, y, random_state=4, n_jobs=n_jobs)
        for n_jobs, forest in enumerate(made, start=1)
    ]
    assert vimp[0].tobytes() == vimp[1].tobytes()


def test_a_seed_gives_its_forest_and_another_seed_another() -> None:
    X, y = with_gaps(200, 2)
    made = [
        mixed_forest(n_estimators=5, bootstrap=True, max_features=2, random_state=seed).fit(X, y)
        for seed in (1, 1, 2)
    ]
    assert_same_bytes(made[0], made[1])
    assert not np.array_equal(made[0].predict(X), made[2].predict(X))
    # more trees with the same seed begin with the same trees
    more = mixed_forest(n_estimators=8, bootstrap=True, max_features=2, random_state=1).fit(X, y)
    n_nodes = made[0].trees_.left.size
    np.testing.assert_array_equal(more.trees_.left[:n_nodes], made[0].trees_.left)
    np.testing.assert_array_equal(more.leaves_.mortality[:n_nodes], made[0].leaves_.mortality)


def test_columns_are_drawn_with_equal_chances() -> None:
    random = np.random.default_rng(13)
    X = pd.DataFrame(random.normal(size=(60, 5)), columns=list("abcde"))
    y = make_outcome(random.random(60) < 0.7, random.exponential(size=60))
    forest = SurvivalForest(
        2000, bootstrap=False, max_features=1, max_depth=1, min_samples_leaf=5, random_state=1
    ).fit(X, y)
    drawn = np.bincount(forest.trees_.feature[forest.trees_.root[:-1]], minlength=5)
    # 18.5: one in 1,000 of chi-square with 4 degrees of freedom; the seed is fixed
    assert ((drawn - 400) ** 2 / 400).sum() < 18.5


def test_two_columns_are_drawn_without_replacement() -> None:
    # the stronger of two drawn columns is taken: the best of 4 in 1/2, the second in 1/3, ... 0
    random = np.random.default_rng(14)
    strength = random.normal(size=200)
    X = pd.DataFrame(
        {
            name: strength + spread * random.normal(size=200)
            for name, spread in zip("abcd", (0, 1, 2, 9), strict=True)
        }
    )
    y = make_outcome(np.ones(200), np.exp(-2 * strength))
    forest = SurvivalForest(
        2000, bootstrap=False, max_features=2, max_depth=1, min_samples_leaf=5, random_state=1
    ).fit(X, y)
    drawn = np.bincount(forest.trees_.feature[forest.trees_.root[:-1]], minlength=4)
    assert drawn[3] == 0
    expected = np.array([1000, 2000 / 3, 1000 / 3])
    assert ((drawn[:3] - expected) ** 2 / expected).sum() < 13.8  # one in 1,000, 2 df


def test_bootstrap_samples_are_drawn_with_replacement_and_equal_chances() -> None:
    random = np.random.default_rng(15)
    X = pd.DataFrame({"a": random.normal(size=50)})
    y = make_outcome(np.ones(50), random.exponential(size=50))
    forest = SurvivalForest(1000, max_depth=1, random_state=2).fit(X, y)
    counts = np.array([forest.bags_.counts(tree) for tree in range(1000)])
    assert np.all(counts.sum(axis=1) == 50)
    # multinomial: variance of a count is 1 - 1/50, covariance of two -1/50
    assert ((counts.sum(axis=0) - 1000) ** 2 / 1000).sum() < 85.4  # one in 1,000, 49 df
    assert (counts == 0).mean() == pytest.approx(0.98**50, abs=0.006)
    half = SurvivalForest(50, max_samples=0.5, max_depth=1).fit(X, y)
    assert {int(half.bags_.counts(tree).sum()) for tree in range(50)} == {25}


def test_extra_trees_draw_one_cut_with_equal_chances_of_the_codes() -> None:
    random = np.random.default_rng(16)
    X = pd.DataFrame({"a": random.permutation(np.arange(21.0)).repeat(5)})
    y = make_outcome(random.random(105) < 0.8, random.exponential(size=105))
    forest = SurvivalForest(
        2000, bootstrap=False, split_rule="extra", min_samples_leaf=5, max_depth=1, random_state=3
    ).fit(X, y)
    root = forest.trees_.root[:-1]
    assert np.all(forest.trees_.feature[root] == 0)
    drawn = np.bincount(forest.trees_.cut[root], minlength=20)
    assert drawn.size == 20
    assert ((drawn - 100) ** 2 / 100).sum() < 43.9  # one in 1,000, 19 df


@pytest.mark.parametrize("engine", ["native", "scikit-survival"])
def test_a_saved_forest_predicts_the_same_bytes(engine, tmp_path) -> None:
    X, y = with_gaps(200, 3)
    categorical = ("levels",)
    if engine == "scikit-survival":
        X, categorical = X.drop(columns="levels"), ()
    forest = mixed_forest(
        n_estimators=12, bootstrap=True, max_features=2, engine=engine,
        categorical_features=categorical,
    ).fit(X, y)  # fmt: skip
    path = tmp_path / "forest.npz"
    forest.save(path)
    again = SurvivalForest.load(path)
    new, _ = with_gaps(90, 4)
    times = np.linspace(0, 20, 7)
    for method, more in (
        ("predict", {}),
        ("predict_cumulative_hazard_function", {}),
        ("predict_survival_function", {"times": times}),
        ("predict_risk", {"horizon": 5.0}),
    ):
        expected = getattr(forest, method)(new, **more)
        assert getattr(again, method)(new, **more).tobytes() == expected.tobytes()
    np.testing.assert_array_equal(again.times_, forest.times_)
    assert list(again.feature_names_in_) == list(X.columns)
    assert again.oob_c_index_ == forest.oob_c_index_
    for name, value in forest.get_params().items():
        if name not in {"n_jobs", "categorical_features"}:
            assert again.get_params()[name] == value


def test_a_saved_forest_holds_arrays_and_no_code_and_no_patient(tmp_path) -> None:
    X, y = with_gaps(200, 5)
    forest = mixed_forest(n_estimators=3, bootstrap=True).fit(X, y)
    path = tmp_path / "forest.npz"
    forest.save(path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            assert name.endswith(".npy")
            assert b"'O'" not in archive.read(name)[:128]  # objects are pickled in .npy
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype.kind in "biuf" for name in file.files)
        assert all(200 not in file[name].shape for name in file.files)
    with pytest.raises(ModelError, match="does not know the patients"):
        SurvivalForest.load(path).out_of_bag(0)


def test_a_file_of_something_else_is_refused(tmp_path) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, a=np.arange(3))
    with pytest.raises(ModelError, match="is not the file of a survival forest"):
        SurvivalForest.load(path)
    np.savez(path, head=np.array([{"code": print}], dtype=object))
    with pytest.raises(ModelError, match="is not the file of a survival forest"):
        SurvivalForest.load(path)
