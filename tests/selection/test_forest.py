"""The forest: engines, leaves, predictions, out-of-bag C."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.engine import ENGINES, GrowthSettings
from scorebuilder.selection.engines.native import _event_cells, _scan
from scorebuilder.selection.engines.scikit_survival import fit_forest
from scorebuilder.selection.forest import SurvivalForest, complete_values, tried_features
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome

SMALL = {"n_estimators": 20, "min_samples_leaf": 10, "n_times": 30, "random_state": 3}


@pytest.fixture(scope="module", params=["native", "scikit-survival"])
def forest(request, patients):
    X, y = patients
    return SurvivalForest(engine=request.param, **SMALL).fit(X, y)


def settings(n_estimators: int = 1, **changes) -> GrowthSettings:
    values = {
        "n_estimators": n_estimators,
        "max_features": 7,
        "min_samples_leaf": 10,
        "max_depth": None,
        "random_state": 0,
        "n_jobs": 1,
    }
    return GrowthSettings(**(values | changes))


def log_rank(cell, event, left, weight) -> float:
    """U^2 / V by a loop over the cells with events."""
    u = v = 0.0
    for k in np.unique(cell[event & (weight > 0)]):
        at_risk = weight * (cell >= k)
        failing = weight * (event & (cell == k))
        y, d = at_risk.sum(), failing.sum()
        y1, d1 = at_risk[left].sum(), failing[left].sum()
        u += d1 - y1 * d / y
        if y > 1:
            v += d * y1 / y * (1 - y1 / y) * (y - d) / (y - 1)
    return u * u / v if v > 0 else 0.0


def test_engines_are_registered() -> None:
    assert set(ENGINES) == {"native", "scikit-survival"}


def test_equals_predictions_of_scikit_survival(patients) -> None:
    X, y = patients
    forest = SurvivalForest(engine="scikit-survival", **SMALL).fit(X, y)
    grid = TimeGrid.from_outcome(y, n_times=30)
    theirs = fit_forest(
        complete_values(X),
        grid.place(y),
        y["event"],
        settings=settings(20, max_features=2, random_state=3),
    )
    # 1e-10 relative: the same sums of about 30 fractions in another order
    np.testing.assert_allclose(forest.predict(X), theirs.predict(X.to_numpy()), rtol=1e-10)
    theirs.set_params(low_memory=False, oob_score=True).fit(
        complete_values(X), np.array(list(zip(y["event"], grid.place(y), strict=True)), y.dtype)
    )
    np.testing.assert_allclose(forest.oob_prediction_, theirs.oob_prediction_, rtol=1e-10)
    hazard = theirs.predict_cumulative_hazard_function(X.to_numpy(), return_array=True)
    in_grid = theirs.unique_times_ >= 1  # their grid also holds cell 0, where nothing happens
    np.testing.assert_allclose(
        forest.predict_cumulative_hazard_function(X), hazard[:, in_grid], rtol=1e-10, atol=1e-13
    )


def test_native_split_is_the_best_log_rank(patients) -> None:
    X, y = patients
    values = complete_values(X)
    cell = TimeGrid.from_outcome(y, n_times=30).place(y)
    trees = ENGINES["native"](values, cell, y["event"], settings=settings(3, max_depth=1))
    for tree in range(3):
        weight = trees.in_bag[tree]
        assert weight.sum() == len(y)
        best = 0.0
        for column in range(values.shape[1]):
            distinct = np.unique(values[weight > 0, column])
            for cut in distinct[:-1]:
                left = values[:, column] <= cut
                if 10 <= weight[left].sum() <= len(y) - 10:
                    best = max(best, log_rank(cell, y["event"], left, weight))
        node = trees.root[tree]
        chosen = values[:, trees.feature[node]] <= trees.threshold[node]
        # 1e-9 relative: variance updated patient by patient against sums over cells
        assert log_rank(cell, y["event"], chosen, weight) == pytest.approx(best, rel=1e-9)


def test_log_rank_by_hand() -> None:
    # three patients, all events, cells 1 2 3; left = the first
    # U = (1 - 1/3) + 0 + 0 = 2/3; V = 1/3 x 2/3 x (3-1)/(3-1) = 2/9 -> U^2/V = 2
    # left = the first two: U = (1 - 2/3) + (1 - 1/2) + 0 = 5/6; V = 2/9 + 1/4 = 17/36 -> 25/17
    rows, cell = np.arange(3, dtype=np.int32), np.array([1, 2, 3])
    event, count, local = np.ones(3, bool), np.ones(3, np.int32), np.zeros(3, np.int64)
    tables = _event_cells(rows, cell, event, count, local)
    values = np.array([1.0, 2.0, 4.0], dtype=np.float32)
    statistic, cut = _scan(values, rows, event, count, local, *tables, 3, 1)
    assert (statistic, cut) == (pytest.approx(2.0, rel=1e-12), 1.5)


def test_trees_are_sound(forest, patients) -> None:
    X, y = patients
    trees, reached = forest.trees_, forest.development_nodes()
    split = trees.left >= 0
    np.testing.assert_array_equal(split, trees.right >= 0)
    np.testing.assert_array_equal(split, trees.feature >= 0)
    for tree in range(trees.n_trees):
        assert trees.in_bag[tree].sum() == len(y)
        sizes = np.bincount(reached[tree], weights=trees.in_bag[tree], minlength=split.size)
        nodes = np.arange(trees.root[tree], trees.root[tree + 1])
        leaves = nodes[~split[nodes]]
        assert sizes[leaves].min() >= 10
        assert sizes[leaves].sum() == len(y)
    assert trees.depths().max() > 1
    np.testing.assert_array_equal(trees.terminal_nodes(complete_values(X)), reached)


def test_out_of_bag(forest, patients) -> None:
    X, y = patients
    outside = forest.out_of_bag()
    one = int(np.flatnonzero(outside.any(axis=0))[0])
    leaves = forest.development_nodes()[outside[:, one], one]
    assert forest.oob_prediction_[one] == pytest.approx(
        forest.node_mortality_[leaves].mean(), rel=1e-12
    )
    seen = ~np.isnan(forest.oob_prediction_)
    expected = harrell_concordance(y[seen], forest.oob_prediction_[seen]).c_index
    assert forest.oob_c_index_ == pytest.approx(expected, abs=1e-15)
    assert 0.65 < forest.oob_c_index_ < harrell_concordance(y, forest.predict(X)).c_index


def test_a_patient_in_every_bag_has_no_out_of_bag_prediction(patients) -> None:
    X, y = patients
    forest = SurvivalForest(2, engine="native", min_samples_leaf=30).fit(X, y)
    never = ~forest.out_of_bag().any(axis=0)
    assert never.any()
    np.testing.assert_array_equal(np.isnan(forest.oob_prediction_), never)


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
    np.testing.assert_array_equal(again.trees_.threshold, forest.trees_.threshold)
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
    forest = SurvivalForest(8, engine="native", min_samples_leaf=3, random_state=1).fit(X, y)
    np.testing.assert_array_equal(forest.times_, [1, 2, 3])
    for tree in range(8):
        a, b, c, d = forest.trees_.in_bag[tree]
        steps = [a / 4, b / (b + c + d) if b else 0.0, 1.0 if d else 0.0]
        expected = np.cumsum(steps).sum()
        assert forest.node_mortality_[tree] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "n", "expected"),
    [("sqrt", 27, 5), ("log2", 16, 4), (None, 9, 9), (0.5, 9, 4), (3, 9, 3), (0.01, 9, 1)],
)
def test_tried_features(given, n, expected) -> None:
    assert tried_features(given, n) == expected


def test_refusals(patients) -> None:
    X, y = patients
    with pytest.raises(ModelError, match="none of the 300 patients has one"):
        SurvivalForest(5).fit(X, make_outcome(np.zeros(300), y["time"]))
    with pytest.raises(ValueError, match="impute first: strong"):
        SurvivalForest(5).fit(X.mask(X["strong"] > 2), y)
    with pytest.raises(ValueError, match="these are not: word"):
        SurvivalForest(5).fit(X.assign(word="a"), y)
    with pytest.raises(ValueError, match="`X` has 300 rows and `y` 10"):
        SurvivalForest(5).fit(X, y[:10])
    with pytest.raises(ValueError, match="`n_estimators` must be at least 1; got 0"):
        SurvivalForest(0).fit(X, y)
    with pytest.raises(ValueError, match=r"must lie in \(0, 7\]; got 8"):
        SurvivalForest(5, max_features=8).fit(X, y)
    with pytest.raises(ValueError, match='got "third"'):
        SurvivalForest(5, max_features="third").fit(X, y)
    with pytest.raises(KeyError, match="unknown forest engine `gpu`; known: native"):
        SurvivalForest(5, engine="gpu").fit(X, y)
    forest = SurvivalForest(5, engine="native").fit(X, y)
    with pytest.raises(ValueError, match="lacks columns of `fit`: coin"):
        forest.predict(X.drop(columns="coin"))
