"""The forest: engines, leaves, predictions, out-of-bag C, settings, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.engine import ENGINES
from scorebuilder.selection.engines.scikit_survival import fit_forest
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.growth_settings import drawn_patients, tried_features
from scorebuilder.selection.placed_outcome import place_outcome
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome

SMALL = {"n_estimators": 20, "min_samples_leaf": 10, "n_times": 30, "random_state": 3}
WHOLE = {"n_estimators": 1, "bootstrap": False, "max_features": None, "min_samples_leaf": 10}


@pytest.fixture(scope="module", params=["native", "scikit-survival"])
def forest(request, patients):
    X, y = patients
    return SurvivalForest(engine=request.param, **SMALL).fit(X, y)


def test_engines_are_registered() -> None:
    assert set(ENGINES) == {"native", "scikit-survival"}


def test_equals_predictions_of_scikit_survival(patients) -> None:
    X, y = patients
    forest = SurvivalForest(engine="scikit-survival", **SMALL).fit(X, y)
    placed = place_outcome(y, TimeGrid.from_outcome(y, n_times=30))
    values = X.to_numpy(dtype=np.float32)
    theirs = fit_forest(values, placed, forest._settings(len(y)))
    # 1e-10 relative: the same sums of about 30 fractions in another order
    np.testing.assert_allclose(forest.predict(X), theirs.predict(values), rtol=1e-10)
    cells = np.array(list(zip(y["event"], placed.cell, strict=True)), y.dtype)
    theirs.set_params(low_memory=False, oob_score=True).fit(values, cells)
    np.testing.assert_allclose(forest.oob_prediction_, theirs.oob_prediction_, rtol=1e-10)
    hazard = theirs.predict_cumulative_hazard_function(values, return_array=True)
    in_grid = theirs.unique_times_ >= 1  # their grid also holds cell 0, where nothing happens
    np.testing.assert_allclose(
        forest.predict_cumulative_hazard_function(X), hazard[:, in_grid], rtol=1e-10, atol=1e-13
    )


def test_missing_values_go_where_scikit_survival_sends_them(patients) -> None:
    X, y = patients
    holes = X.mask(np.random.default_rng(0).random(X.shape) < 0.2)
    forest = SurvivalForest(engine="scikit-survival", **SMALL).fit(holes, y)
    placed = place_outcome(y, TimeGrid.from_outcome(y, n_times=30))
    values = holes.to_numpy(dtype=np.float32)
    theirs = fit_forest(values, placed, forest._settings(len(y)))
    np.testing.assert_allclose(forest.predict(holes), theirs.predict(values), rtol=1e-10)


def test_trees_are_sound(forest, patients) -> None:
    _, y = patients
    trees = forest.trees_
    split = trees.left >= 0
    np.testing.assert_array_equal(split, trees.feature >= 0)
    for tree in range(trees.n_trees):
        count = forest.bags_.counts(tree)
        assert count.sum() == len(y)
        reached = trees.terminal_nodes(tree, forest.codes_)
        sizes = np.bincount(reached[count > 0], minlength=split.size)
        nodes = np.arange(trees.root[tree], trees.root[tree + 1])
        assert not split[np.unique(reached)].any()
        assert sizes[nodes[~split[nodes]]].min() >= 10
    depth = trees.depths()
    assert depth.max() > 1
    assert np.all(depth[trees.left[split]] == depth[split] + 1)


def test_out_of_bag(forest, patients) -> None:
    X, y = patients
    one = int(forest.out_of_bag(0)[0])
    mortality = [
        forest.leaves_.mortality[
            forest.trees_.terminal_nodes(tree, forest.codes_, np.array([one]))[0]
        ]
        for tree in range(20)
        if one in forest.out_of_bag(tree)
    ]
    assert forest.oob_prediction_[one] == pytest.approx(np.mean(mortality), rel=1e-12)
    seen = ~np.isnan(forest.oob_prediction_)
    expected = harrell_concordance(y[seen], forest.oob_prediction_[seen]).c_index
    assert forest.oob_c_index_ == pytest.approx(expected, abs=1e-15)
    assert 0.65 < forest.oob_c_index_ < harrell_concordance(y, forest.predict(X)).c_index


def test_a_patient_in_every_bag_has_no_out_of_bag_prediction(patients) -> None:
    X, y = patients
    forest = SurvivalForest(2, min_samples_leaf=30).fit(X, y)
    never = np.ones(len(y), dtype=bool)
    for tree in range(2):
        never[forest.out_of_bag(tree)] = False
    assert never.any()
    np.testing.assert_array_equal(np.isnan(forest.oob_prediction_), never)


def test_without_bootstrap_nobody_is_out_of_bag(patients) -> None:
    X, y = patients
    forest = SurvivalForest(**WHOLE).fit(X, y)
    assert forest.out_of_bag(0).size == 0
    assert np.isnan(forest.oob_c_index_)


def test_survival_curves(forest, patients) -> None:
    X, _ = patients
    hazard = forest.predict_cumulative_hazard_function(X)
    assert hazard.shape == (len(X), forest.times_.size)
    assert np.all(np.diff(hazard, axis=1) >= 0)
    np.testing.assert_allclose(hazard.sum(axis=1), forest.predict(X), rtol=1e-10)
    times = [forest.times_[0] / 2, forest.times_[0], forest.times_[-1], 1e9]
    survival = forest.predict_survival_function(X, times)
    np.testing.assert_array_equal(survival[:, 0], 1.0)
    np.testing.assert_allclose(survival[:, 1], np.exp(-hazard[:, 0]))
    np.testing.assert_allclose(survival[:, 2:], np.exp(-hazard[:, [-1, -1]]))
    np.testing.assert_allclose(
        forest.predict_risk(X, horizon=forest.times_[3]), 1 - np.exp(-hazard[:, 3])
    )


def test_workers_and_order_of_columns_do_not_matter(forest, patients) -> None:
    X, y = patients
    again = clone(forest).set_params(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(again.trees_.cut, forest.trees_.cut)
    np.testing.assert_array_equal(again.oob_prediction_, forest.oob_prediction_)
    np.testing.assert_array_equal(forest.predict(X[X.columns[::-1]]), forest.predict(X))


def test_unit_of_time_does_not_matter(forest, patients) -> None:
    X, y = patients
    years = make_outcome(y["event"], y["time"] * 365.25)
    again = clone(forest).fit(X, years)
    np.testing.assert_array_equal(again.oob_prediction_, forest.oob_prediction_)


def test_engines_agree_in_accuracy(patients) -> None:
    X, y = patients
    c = [
        SurvivalForest(60, engine=engine, min_samples_leaf=10).fit(X, y).oob_c_index_
        for engine in ("native", "scikit-survival")
    ]
    assert c[0] == pytest.approx(c[1], abs=0.02)  # two random forests of 60 trees


def test_by_hand_one_leaf() -> None:
    # nobody can be split off, so that every tree is a leaf: mortality is the sum over the grid of
    # the Nelson-Aalen estimate of its bootstrap sample
    y = make_outcome([1, 1, 0, 1], [1, 2, 2.5, 3])
    X = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [0.0, 1, 0, 1]})
    forest = SurvivalForest(8, min_samples_leaf=3, random_state=1).fit(X, y)
    np.testing.assert_array_equal(forest.times_, [1, 2, 3])
    for tree in range(8):
        a, b, c, d = forest.bags_.counts(tree)
        steps = [a / 4, b / (b + c + d) if b else 0.0, 1.0 if d else 0.0]
        np.testing.assert_allclose(forest.leaves_.curve(tree, 3), np.cumsum(steps), rtol=1e-12)
        assert forest.leaves_.mortality[tree] == pytest.approx(np.cumsum(steps).sum(), rel=1e-12)


def test_weights_of_two_are_patients_twice(patients) -> None:
    X, y = patients
    X = X.round(1)  # fewer values than codes
    weight = np.where(X["middling"] > 0, 2, 1)
    twice = np.repeat(np.arange(len(y)), weight)
    # Leaves count distinct patients, so that only a tree whose leaves are given is comparable.
    settings = WHOLE | {"max_depth": 1, "min_samples_leaf": 1, "n_times": 1000}
    weighted = SurvivalForest(**settings).fit(X, y, sample_weight=weight)
    repeated = SurvivalForest(**settings).fit(X.iloc[twice], y[twice])
    np.testing.assert_array_equal(weighted.trees_.feature, repeated.trees_.feature)
    np.testing.assert_array_equal(weighted.trees_.cut, repeated.trees_.cut)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-12)


def test_a_patient_of_weight_0_is_not_there(patients) -> None:
    X, y = patients
    X = X.round(1)
    kept = np.arange(len(y)) % 3 > 0
    zero = SurvivalForest(**WHOLE, n_times=1000).fit(X, y, sample_weight=kept.astype(float))
    without = SurvivalForest(**WHOLE, n_times=1000).fit(X[kept], y[kept])
    np.testing.assert_array_equal(zero.trees_.feature, without.trees_.feature)
    at = without.times_
    np.testing.assert_allclose(
        zero.predict_survival_function(X[kept], at), without.predict_survival_function(X[kept], at)
    )


def test_a_missing_value_is_information(patients) -> None:
    # The column says nothing but by being missing in those of high risk.
    X, y = patients
    random = np.random.default_rng(5)
    only = pd.DataFrame({"x": random.normal(size=len(y)), "z": random.normal(size=len(y))})
    only.loc[X["strong"] > 0.3, "x"] = np.nan
    forest = SurvivalForest(**WHOLE | {"max_depth": 1}).fit(only, y)
    assert forest.trees_.feature[0] == 0
    reached = forest.trees_.terminal_nodes(0, forest.codes_)
    missing = only["x"].isna().to_numpy()
    sides = set(reached[missing])
    assert len(sides) == 1
    assert forest.predict(only)[missing].mean() > forest.predict(only)[~missing].mean()


def test_a_value_first_missing_later_follows_the_larger_child(patients) -> None:
    X, y = patients
    forest = SurvivalForest(**WHOLE | {"max_depth": 1}).fit(X, y)
    reached = forest.trees_.terminal_nodes(0, forest.codes_)
    tested = X.columns[forest.trees_.feature[0]]
    new = X.iloc[:1].assign(**{tested: np.nan})
    larger = np.bincount(reached).argmax()
    assert forest.trees_.terminal_nodes(0, forest.codes(new))[0] == larger


@pytest.mark.parametrize("split", ["ordered", "subset"])
def test_levels_without_order_are_put_in_order_of_risk(split) -> None:
    random = np.random.default_rng(2)
    level = random.integers(0, 6, 600)
    hazard = np.exp(1.5 * np.isin(level, [0, 3, 4]))
    time = random.exponential(5 / hazard)
    y = make_outcome(time < 8, np.minimum(time, 8))
    X = pd.DataFrame({"site": np.array(list("abcdef"))[level], "x": random.normal(size=600)})
    settings = WHOLE | {"max_depth": 1, "categorical_split": split}
    forest = SurvivalForest(**settings, categorical_features=["site"]).fit(X, y)
    risk = pd.Series(forest.predict(X)).groupby(X["site"]).nunique()
    assert (risk == 1).all()
    high = pd.Series(forest.predict(X)).groupby(X["site"]).first()
    assert set(high.index[high > high.mean()]) == {"a", "d", "e"}
    unseen = forest.predict(pd.DataFrame({"site": ["z", None], "x": [0.0, 0.0]}))
    assert unseen[0] == unseen[1]


def test_subsets_find_at_least_what_the_order_finds() -> None:
    random = np.random.default_rng(3)
    for seed in range(5):
        X = pd.DataFrame({"site": random.integers(0, 7, 150).astype(float)})
        y = make_outcome(random.random(150) < 0.6, random.exponential(3, 150) + 0.01)
        mortality = [
            SurvivalForest(
                **WHOLE | {"max_depth": 1, "categorical_split": split},
                categorical_features=["site"],
                random_state=seed,
            )
            .fit(X, y)
            .predict(X)
            for split in ("ordered", "subset")
        ]
        spread = [_log_rank(y, values == values.max()) for values in mortality]
        assert spread[1] >= spread[0] - 1e-9


def _log_rank(y, left) -> float:
    u = v = 0.0
    for t in np.unique(y["time"][y["event"]]):
        at_risk, failing = y["time"] >= t, y["event"] & (y["time"] == t)
        n, d, n1, d1 = at_risk.sum(), failing.sum(), (at_risk & left).sum(), (failing & left).sum()
        u += d1 - n1 * d / n
        if n > 1:
            v += d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1)
    return u * u / v if v > 0 else 0.0


def test_competing_events_lower_the_incidence(patients) -> None:
    X, y = patients
    competing = ~y["event"] & (np.arange(len(y)) % 2 == 0)
    one_leaf = {"n_estimators": 1, "bootstrap": False, "min_samples_leaf": 200, "n_times": 1000}
    # On the grid everybody leaves follow-up at an event time, or before the first.
    grid = np.unique(y["time"][y["event"]])
    last = np.searchsorted(grid, y["time"], side="right") - 1
    y = make_outcome(y["event"], np.where(last < 0, grid[0] / 2, grid[last]))
    forest = SurvivalForest(**one_leaf).fit(X, y, competing=competing)
    # Aalen and Johansen by hand, all patients in one leaf
    alive, incidence = 1.0, 0.0
    for t in np.unique(y["time"]):
        at_risk = (y["time"] >= t).sum()
        incidence += alive * (y["event"] & (y["time"] == t)).sum() / at_risk
        alive *= 1 - ((y["event"] | competing) & (y["time"] == t)).sum() / at_risk
    assert forest.predict_risk(X, horizon=1e9)[0] == pytest.approx(incidence, rel=1e-12)
    assert incidence < 1 - np.exp(-SurvivalForest(**one_leaf).fit(X, y).leaves_.jump.sum())
    with pytest.raises(ModelError, match="use `predict_risk`"):
        forest.predict_survival_function(X, [1.0])
    with pytest.raises(ValueError, match="1 patients have both"):
        SurvivalForest(5).fit(X, y, competing=competing | (np.cumsum(y["event"]) == 1) & y["event"])


def test_a_split_rule_needs_its_name_and_finds_the_strong_variable(patients) -> None:
    X, y = patients
    for rule in ("logrank", "logrank_score", "extra"):
        forest = SurvivalForest(40, split_rule=rule, min_samples_leaf=10).fit(X, y)
        assert forest.oob_c_index_ > 0.7
        tested = np.bincount(forest.trees_.feature[forest.trees_.feature >= 0], minlength=7)
        assert tested.argmax() == 0
    with pytest.raises(ValueError, match="must be one of logrank, logrank_score, extra"):
        SurvivalForest(5, split_rule="gini").fit(X, y)


def test_a_smaller_sample_is_drawn(patients) -> None:
    X, y = patients
    forest = SurvivalForest(5, max_samples=0.5).fit(X, y)
    assert [int(forest.bags_.counts(tree).sum()) for tree in range(5)] == [150] * 5
    assert drawn_patients(None, 300) == 300
    assert drawn_patients(20, 300) == drawn_patients(np.int64(20), 300) == 20
    assert drawn_patients(450, 300) == 300
    assert drawn_patients(np.float32(0.5), 300) == 150
    for wrong in (2.0, 0, -1, 0.0, np.nan, "half", [1]):
        with pytest.raises(
            ValueError, match=r"`max_samples` must be a whole number of at least 1 or"
        ):
            drawn_patients(wrong, 300)


@pytest.mark.parametrize("engine", ["native", "scikit-survival"])
def test_a_file_predicts_the_same_bytes(engine, patients, tmp_path) -> None:
    X, y = patients
    X = X.mask(np.random.default_rng(0).random(X.shape) < 0.1)
    forest = SurvivalForest(engine=engine, **SMALL).fit(X, y)
    forest.save(tmp_path / "forest.npz")
    again = SurvivalForest.load(tmp_path / "forest.npz")
    np.testing.assert_array_equal(again.predict(X), forest.predict(X))
    np.testing.assert_array_equal(
        again.predict_survival_function(X, [1.0, 5.0]),
        forest.predict_survival_function(X, [1.0, 5.0]),
    )
    assert again.get_params() == forest.get_params()
    assert [path.name for path in tmp_path.iterdir()] == ["forest.npz"]
    with pytest.raises(ModelError, match="does not know the patients"):
        again.out_of_bag(0)
    (tmp_path / "other.npz").write_bytes(b"PK nothing")
    with pytest.raises(ModelError, match=r"`other.npz` is not the file of a survival forest"):
        SurvivalForest.load(tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("given", "n", "expected"),
    [("sqrt", 27, 5), ("log2", 16, 4), (None, 9, 9), (0.5, 9, 4), (3, 9, 3), (0.01, 9, 1)],
)
def test_tried_features(given, n, expected) -> None:
    assert tried_features(given, n) == expected


def test_names_and_levels_may_be_of_any_type(patients, tmp_path) -> None:
    X, y = patients
    table = pd.DataFrame({0: X["strong"], 1: X["coin"].map({1.0: 7, 0.0: "seven"}).astype(object)})
    table.loc[:9, 1] = 7
    forest = SurvivalForest(5, categorical_features=["1"], random_state=np.int64(3)).fit(table, y)
    forest.save(tmp_path / "forest.npz")
    again = SurvivalForest.load(tmp_path / "forest.npz")
    np.testing.assert_array_equal(again.predict(table), forest.predict(table))


def test_refusals(patients) -> None:
    X, y = patients
    with pytest.raises(ModelError, match="none of the 300 patients has one"):
        SurvivalForest(5).fit(X, make_outcome(np.zeros(300), y["time"]))
    with pytest.raises(ValueError, match=r"infinite values: strong \(1\)"):
        SurvivalForest(5).fit(X.assign(strong=np.r_[np.inf, np.zeros(299)]), y)
    with pytest.raises(ValueError, match="these are not: word"):
        SurvivalForest(5).fit(X.assign(word="a"), y)
    with pytest.raises(ValueError, match="names no column of `X`: word"):
        SurvivalForest(5, categorical_features=["word"]).fit(X, y)
    with pytest.raises(ValueError, match="`X` has 300 rows and `y` 10"):
        SurvivalForest(5).fit(X, y[:10])
    with pytest.raises(ValueError, match="`n_estimators` must be a whole number"):
        SurvivalForest(0).fit(X, y)
    with pytest.raises(ValueError, match=r"`max_features` must be a whole number of at least 1 or"):
        SurvivalForest(5, max_features=1.5).fit(X, y)
    with pytest.raises(ValueError, match='got "third"'):
        SurvivalForest(5, max_features="third").fit(X, y)
    with pytest.raises(ValueError, match=r"must lie in 3..256; got 300"):
        SurvivalForest(5, n_bins=300).fit(X, y)
    for setting in ({"max_depth": -1}, {"min_samples_leaf": 2.5}, {"random_state": None}):
        with pytest.raises(ValueError, match=f"`{next(iter(setting))}` must be a whole number"):
            SurvivalForest(5, **setting).fit(X, y)
    with pytest.raises(TypeError, match="must be a pandas DataFrame with named columns"):
        SurvivalForest(5).fit(X.to_numpy(), y)
    with pytest.raises(ValueError, match="repeated: coin"):
        SurvivalForest(5).fit(pd.concat([X, X[["coin"]]], axis=1), y)
    with pytest.raises(ValueError, match="at least one column"):
        SurvivalForest(5).fit(X[[]], y)
    with pytest.raises(ValueError, match="positive for at least one patient with an event"):
        SurvivalForest(5).fit(X, y, sample_weight=~y["event"])
    with pytest.raises(ValueError, match="times must be at least 0; 1 are not"):
        SurvivalForest(5).fit(X, y).predict_risk(X, horizon=np.nan)
    with pytest.raises(ValueError, match="2 values are not"):
        SurvivalForest(5).fit(X, y, sample_weight=np.r_[-1.0, np.nan, np.ones(298)])
    with pytest.raises(KeyError, match="unknown forest engine `gpu`; known: native"):
        SurvivalForest(5, engine="gpu").fit(X, y)
    with pytest.raises(ModelError, match="has no categorical columns"):
        SurvivalForest(5, engine="scikit-survival", categorical_features=["coin"]).fit(X, y)
    with pytest.raises(ModelError, match="has no split rule `extra`"):
        SurvivalForest(5, engine="scikit-survival", split_rule="extra").fit(X, y)
    forest = SurvivalForest(5).fit(X, y)
    with pytest.raises(ValueError, match="lacks columns of `fit`: coin"):
        forest.predict(X.drop(columns="coin"))


def test_more_columns_or_draws_than_there_are_is_all_of_them(patients) -> None:
    X, y = patients
    whole = SurvivalForest(5, max_features=X.shape[1], max_samples=len(X)).fit(X, y)
    more = SurvivalForest(5, max_features=99, max_samples=9_999).fit(X, y)
    np.testing.assert_array_equal(whole.oob_prediction_, more.oob_prediction_)


def test_weights_that_no_statistic_can_hold_are_refused(patients) -> None:
    X, y = patients
    with pytest.raises(ValueError, match=r"adds up to 3e\+102, too much for the statistics"):
        SurvivalForest(5).fit(X, y, sample_weight=np.full(len(X), 1e100))


def test_a_huge_weight_beside_a_competing_event_leaves_incidences(patients) -> None:
    X, y = patients
    weight = np.where(y["event"], 1e17, 1.0)
    competing = ~y["event"] & (np.arange(len(y)) % 2 == 0)
    coarse = y.copy()
    coarse["time"] = np.ceil(coarse["time"])
    forest = SurvivalForest(20, min_samples_leaf=2).fit(
        X, coarse, sample_weight=weight, competing=competing
    )
    risk = forest.predict_risk(X, horizon=float(forest.times_[-1]))
    assert np.all((risk >= 0.0) & (risk <= 1.0 + 1e-12))
