"""Trees and predictions of the forest against plain loops over the definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome

from .oracle import Node, Patients, best_splits, grow, read_node, walk  # isort: skip

N_TREES_OF_BAGS = 3


def continuous(random, n):
    return pd.DataFrame(random.normal(size=(n, 4)), columns=list("abcd"))


def whole_numbers(random, n):
    X = continuous(random, n)
    return pd.DataFrame(
        {name: np.floor(X[name] * scale) for name, scale in zip("abcd", (1, 2, 3, 5), strict=True)}
    )


def binary(random, n):
    return (continuous(random, n) > [-1, -0.3, 0.3, 0.8]).astype(int)


def missing(random, n):
    X = whole_numbers(random, n).assign(d=continuous(random, n)["d"])
    hidden = random.random((n, 4)) < [0.3, 0.1, 0.5, 0.0]
    hidden[:, 2] = X["a"] > 0  # missing because the value of another column is high
    X = X.mask(hidden)
    return X.assign(e=np.where(random.random(n) < 0.6, np.nan, 1.0))


def categories(random, n):
    X = continuous(random, n)
    words = np.array(
        ["anterior", "inferior", "lateral", "none", "posterior", "septal"], dtype=object
    )
    levels = random.integers(0, 6, n)
    return pd.DataFrame(
        {
            "wall": pd.Series(words[levels]).mask(random.random(n) < 0.15),
            "code": (levels * 7 + random.integers(0, 3, n)) % 11,
            "a": np.where(np.isin(levels, [1, 4]), 1.0, 0.0) + 0.5 * X["a"],
            "yes": X["b"] > 0,
        }
    )


def mixed(random, n):
    return pd.concat([categories(random, n), missing(random, n).add_suffix("_m")], axis=1)


TABLES = [continuous, whole_numbers, binary, missing, categories, mixed]
CATEGORICAL = ("wall", "code")


def outcome(random, X, *, ties: float):
    """Times that depend on the columns, rounded up to multiples of `ties`."""
    numbers = X.select_dtypes("number").fillna(1.5)
    risk = 0.8 * (numbers - numbers.mean()).div(numbers.std().replace(0, 1)).sum(axis=1)
    time = random.exponential(np.exp(-risk.to_numpy() / 2)) + 1e-3
    censoring = random.uniform(0.05, 3.0, len(X))
    observed = np.minimum(time, censoring)
    if ties:
        observed = np.ceil(observed / ties) * ties
    return make_outcome(time <= censoring, observed)


def fit(table, *, seed=0, n=110, ties=0.0, weight=None, competing=None, **settings):
    """Fit a forest on all patients and all columns, and describe the patients to the oracle."""
    random = np.random.default_rng([seed, TABLES.index(table)])
    X = table(random, n)
    y = outcome(random, X, ties=ties)
    categorical = tuple(name for name in CATEGORICAL if name in X)
    settings = {
        "n_estimators": 1,
        "bootstrap": False,
        "max_features": None,
        "min_samples_leaf": 8,
        "n_times": 200,
        "random_state": seed,
    } | settings
    forest = SurvivalForest(categorical_features=categorical, **settings)
    weight = np.ones(n) if weight is None else weight
    forest.fit(X, y, sample_weight=weight)
    grid = TimeGrid.from_outcome(y, n_times=settings["n_times"])
    subsets = settings.get("categorical_split") == "subset"
    patients = Patients(
        X, grid.place(y), y["event"], weight, grid.times.size, categorical, subsets=subsets
    )
    return forest, patients, y


def assert_is_best(forest, tree, patients):
    """
    Compare a tree with the definition, node by node.

    Every split must be the best of all splits of its node, at the right threshold; every terminal
    node must have none, and the right hazard. Returns the splits, and in how many of them no other
    split was as good, so that they are the only right answer.
    """
    least, rule = forest.min_samples_leaf, forest.split_rule
    found = {"splits": 0, "only": 0}

    def below(number, rows, depth):
        node = Node(patients, rows, least=least, rule=rule)
        splits = [] if depth == forest.max_depth else node.splits()
        theirs = read_node(forest, number)
        if theirs is None:
            assert splits == []
            assert rows.size >= least
            curve = forest.leaves_.curve(number, patients.n_times)
            np.testing.assert_allclose(curve, np.cumsum(node.hazard_jumps()), rtol=1e-12)
            assert forest.leaves_.mortality[number] == pytest.approx(curve.sum(), rel=1e-12)
            return
        assert splits, "a split of a node that cannot be split"
        values = patients.values(theirs.name)[rows]
        left = theirs.goes_left(values)
        same = [s for s in splits if s.name == theirs.name and np.array_equal(s.left, left)]
        assert len(same) == 1
        best = best_splits(splits)
        assert same[0] in best
        found["splits"] += 1
        found["only"] += len(best) == 1
        if not pd.isna(values).any():  # whose value is missing later follows the larger child
            beside = np.array([None if theirs.levels is not None else np.nan])
            assert theirs.goes_left(beside)[0] == (left.sum() >= (~left).sum())
        if theirs.levels is None:
            assert theirs.threshold == pytest.approx(same[0].threshold, rel=1e-12)
        child = int(forest.trees_.left[number])
        below(child, rows[left], depth + 1)
        below(child + 1, rows[~left], depth + 1)

    below(int(forest.trees_.root[tree]), np.flatnonzero(patients.weight > 0), 0)
    return found["splits"], found["only"]


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
@pytest.mark.parametrize("table", TABLES)
def test_every_split_is_the_best_one(table, rule) -> None:
    splits = only = 0
    for seed, least in enumerate((1, 4, 15)):
        forest, patients, _ = fit(table, seed=seed, min_samples_leaf=least, split_rule=rule)
        found = assert_is_best(forest, 0, patients)
        splits, only = splits + found[0], only + found[1]
    assert splits >= 15
    assert only >= splits / 2


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
@pytest.mark.parametrize("table", [continuous, mixed])
def test_so_it_is_with_heavy_ties_in_time(table, rule) -> None:
    for ties, n_times in ((0.5, 200), (0.2, 4), (0.0, 5)):
        forest, patients, _ = fit(table, seed=3, ties=ties, n_times=n_times, split_rule=rule)
        assert patients.n_times <= 12
        assert assert_is_best(forest, 0, patients)[0] >= 3


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
@pytest.mark.parametrize("table", [continuous, mixed])
def test_so_it_is_with_case_weights(table, rule) -> None:
    weight = np.random.default_rng(8).choice([0.0, 0.3, 1.0, 2.5], 110)
    forest, patients, _ = fit(table, seed=4, weight=weight, split_rule=rule)
    assert assert_is_best(forest, 0, patients)[0] >= 3


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
@pytest.mark.parametrize("table", [continuous, mixed])
def test_so_it_is_in_bootstrap_samples(table, rule) -> None:
    weight = np.random.default_rng(9).choice([0.5, 1.0, 2.0], 110)
    for given in (None, weight):
        forest, patients, _ = fit(
            table,
            seed=5,
            n_estimators=N_TREES_OF_BAGS,
            bootstrap=True,
            weight=given,
            split_rule=rule,
        )
        for tree in range(N_TREES_OF_BAGS):
            counts = forest.bags_.counts(tree)
            assert counts.sum() == 110
            np.testing.assert_array_equal(forest.out_of_bag(tree), np.flatnonzero(counts == 0))
            in_bag = replace(patients, weight=patients.weight * counts)
            assert assert_is_best(forest, tree, in_bag)[0] >= 2


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
def test_so_it_is_for_subsets_of_levels(rule) -> None:
    forest, patients, _ = fit(
        categories, seed=6, categorical_split="subset", min_samples_leaf=10, split_rule=rule
    )
    # 11 levels of `code` are more than are tried as subsets
    chosen = replace(patients, X=patients.X.drop(columns="code"))
    forest.set_params(categorical_features=("wall",)).fit(
        chosen.X, make_outcome(patients.event, patients.cell + 1.0)
    )
    assert assert_is_best(forest, 0, chosen)[0] >= 3


@pytest.mark.parametrize("max_depth", [1, 2, 3])
def test_a_tree_ends_at_its_greatest_depth(max_depth) -> None:
    forest, patients, _ = fit(continuous, seed=7, max_depth=max_depth, min_samples_leaf=3)
    assert 1 <= assert_is_best(forest, 0, patients)[0] <= 2**max_depth - 1
    assert forest.trees_.depths().max() == max_depth


@pytest.mark.parametrize("rule", ["logrank", "logrank_score"])
def test_a_tree_grown_apart_is_the_same_tree(rule) -> None:
    # continuous values and 15 patients in a leaf: no two splits are equally good
    forest, patients, _ = fit(continuous, seed=8, n=240, min_samples_leaf=15, split_rule=rule)
    tree = grow(patients, least=15, rule=rule)
    assert tree.size() == forest.trees_.left.size > 10

    def compare(ours, number):
        theirs = read_node(forest, number)
        assert (ours.split is None) == (theirs is None)
        if ours.split is None:
            curve = forest.leaves_.curve(number, patients.n_times)
            np.testing.assert_allclose(curve, np.cumsum(ours.jumps), rtol=1e-12)
            return
        assert ours.split.name == theirs.name
        assert ours.split.threshold == pytest.approx(theirs.threshold, rel=1e-12)
        for side in (0, 1):
            compare(ours.children[side], int(forest.trees_.left[number]) + side)

    compare(tree, 0)
    reached = walk(forest, 0, patients, np.arange(240))
    sizes = [leaf.rows.size for leaf in tree.terminal()]
    assert sorted(np.unique(reached, return_counts=True)[1]) == sorted(sizes)


def test_of_two_equal_columns_either_gives_the_same_children() -> None:
    forest, patients, y = fit(continuous, seed=9, min_samples_leaf=10)
    twice = patients.X.assign(e=patients.X["a"], f=patients.X["b"])
    again = SurvivalForest(**forest.get_params()).fit(twice, y)
    np.testing.assert_array_equal(again.trees_.left, forest.trees_.left)
    np.testing.assert_array_equal(again.predict(twice), forest.predict(patients.X))


def test_predictions_are_those_of_the_leaves_a_patient_reaches() -> None:
    forest, patients, _ = fit(mixed, seed=10, n_estimators=8, bootstrap=True, max_features="sqrt")
    new = mixed(np.random.default_rng(99), 60)
    new.loc[0, "wall"] = "unheard of"
    new.loc[1:5, "a_m"] = [-1e6, 1e6, np.nan, 0.5, 1.5]
    # a level that nobody had is a missing one
    others = replace(patients, X=new.assign(wall=new["wall"].where(new["wall"] != "unheard of")))
    rows = np.arange(60)
    hazard = np.zeros((60, patients.n_times))
    for tree in range(8):
        leaves = walk(forest, tree, others, rows)
        curves = {leaf: forest.leaves_.curve(leaf, patients.n_times) for leaf in np.unique(leaves)}
        hazard += np.array([curves[leaf] for leaf in leaves]) / 8
    np.testing.assert_allclose(
        forest.predict_cumulative_hazard_function(new), hazard, rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(forest.predict(new), hazard.sum(axis=1), rtol=1e-12)
    times = [0.0, forest.times_[4], forest.times_[-1] + 1]
    np.testing.assert_allclose(
        forest.predict_survival_function(new, times),
        np.exp(-np.column_stack([np.zeros(60), hazard[:, 4], hazard[:, -1]])),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        forest.predict_risk(new, horizon=times[1]), 1 - np.exp(-hazard[:, 4]), rtol=1e-9
    )


def test_out_of_bag_mortality_is_the_mean_over_the_trees_without_the_patient() -> None:
    forest, patients, y = fit(mixed, seed=11, n_estimators=9, bootstrap=True, max_features=2)
    total, count = np.zeros(110), np.zeros(110)
    for tree in range(9):
        rows = np.flatnonzero(forest.bags_.counts(tree) == 0)
        total[rows] += forest.leaves_.mortality[walk(forest, tree, patients, rows)]
        count[rows] += 1
    expected = np.divide(total, count, out=np.full(110, np.nan), where=count > 0)
    np.testing.assert_allclose(forest.oob_prediction_, expected, rtol=1e-12)
    seen = count > 0
    c_index = harrell_concordance(y[seen], forest.oob_prediction_[seen]).c_index
    assert forest.oob_c_index_ == pytest.approx(c_index, abs=1e-12)


def test_patients_without_weight_change_no_tree() -> None:
    weight = np.random.default_rng(12).choice([0.0, 1.0], 110, p=[0.3, 0.7])
    forest, patients, y = fit(continuous, seed=12, weight=weight)
    kept = weight > 0
    # the grid and the thresholds come from all patients: few event times, whole numbers
    X, y = np.floor(patients.X * 3), make_outcome(y["event"], np.ceil(y["time"] * 4))
    forest.fit(X, y, sample_weight=weight)
    assert set(y["time"][y["event"]]) == set(y["time"][y["event"] & kept])
    without = SurvivalForest(**forest.get_params()).fit(X[kept], y[kept])
    np.testing.assert_allclose(without.predict(X), forest.predict(X), rtol=1e-12)


@pytest.mark.parametrize("table", [continuous, missing, categories])
def test_extra_trees_split_only_where_they_may(table) -> None:
    forest, patients, _ = fit(table, seed=17, split_rule="extra", n_estimators=10)
    largest = []
    for tree in range(10):
        number = int(forest.trees_.root[tree])
        node = Node(patients, np.arange(110), least=8, rule="logrank")
        theirs = read_node(forest, number)
        left = theirs.goes_left(patients.values(theirs.name))
        assert min(left.sum(), (~left).sum()) >= 8
        largest.append(node.statistic(left))
        leaves = walk(forest, tree, patients, np.arange(110))
        assert np.unique(leaves, return_counts=True)[1].min() >= 8
    assert len(set(largest)) > 1
    assert min(largest) > 0


@pytest.mark.parametrize("n_bins", [3, 8, 33])
def test_with_fewer_codes_cuts_lie_between_codes_only(n_bins) -> None:
    forest, patients, _ = fit(continuous, seed=18, n=150, n_bins=n_bins)
    rounded = {}
    for name, bins in zip(forest.binning_.names, forest.binning_.columns, strict=True):
        assert bins.thresholds.size == n_bins - 2
        assert np.all(np.diff(bins.thresholds) > 0)
        values = patients.values(name)
        codes = np.array([sum(t < x for t in bins.thresholds) for x in values])
        sizes = np.bincount(codes)
        assert sizes.max() - sizes.min() <= 2  # about as many patients in each
        ordered = np.sort(values)
        for threshold in bins.thresholds:
            below, above = ordered[ordered <= threshold][-1], ordered[ordered > threshold][0]
            assert threshold == pytest.approx((below + above) / 2, rel=1e-14)
        np.testing.assert_array_equal(codes, forest.codes(patients.X)[:, len(rounded)])
        rounded[name] = codes.astype(float)
    coarse = replace(patients, X=pd.DataFrame(rounded))
    again = SurvivalForest(**forest.get_params()).fit(
        coarse.X, make_outcome(patients.event, patients.cell + 1.0)
    )
    assert_is_best(again, 0, coarse)
    np.testing.assert_array_equal(again.predict(coarse.X), forest.predict(patients.X))


def middles_of(values, codes):
    """Middle of the range of each code."""
    ranges = [(values[codes == code].min(), values[codes == code].max()) for code in range(255)]
    return np.mean(ranges, axis=1)


def test_with_more_values_than_codes_the_tree_is_best_among_the_codes() -> None:
    random = np.random.default_rng(19)
    X = pd.DataFrame({"a": random.normal(size=700), "b": random.lognormal(size=700)})
    y = make_outcome(random.random(700) < 0.6, np.ceil(random.exponential(np.exp(-X["a"])) * 10))
    forest = SurvivalForest(1, bootstrap=False, max_features=None, max_depth=2).fit(X, y)
    codes = forest.codes(X)
    assert [len(np.unique(codes[:, j])) for j in (0, 1)] == [255, 255]
    stand_for = [middles_of(X[name].to_numpy(), codes[:, j]) for j, name in enumerate(X)]
    grid = TimeGrid.from_outcome(y, n_times=150)
    coarse = Patients(
        pd.DataFrame({name: stand_for[j][codes[:, j]] for j, name in enumerate(X)}),
        grid.place(y),
        y["event"],
        np.ones(700),
        grid.times.size,
    )
    tree = grow(coarse, least=15, max_depth=2)
    for number, split in (
        (0, tree.split),
        (1, tree.children[0].split),
        (2, tree.children[1].split),
    ):
        theirs = read_node(forest, number)
        assert theirs.name == split.name
        below = stand_for[forest.trees_.feature[number]] <= split.threshold
        assert forest.trees_.cut[number] == below.sum() - 1
    values = replace(coarse, X=X)
    reached = forest.trees_.terminal_nodes(0, codes)
    np.testing.assert_array_equal(reached, walk(forest, 0, values, np.arange(700)))


def test_further_columns_are_tried_only_when_all_drawn_are_constant() -> None:
    # one column is drawn; `rare` differs in 2 of 40 patients, so that no cut leaves 5 on each side
    random = np.random.default_rng(3)
    y = make_outcome(np.ones(40), np.arange(40) + 1.0)
    x = random.permutation(40).astype(float)
    settings = {"max_features": 1, "min_samples_leaf": 5, "bootstrap": False, "max_depth": 1}
    roots = {}
    for name, values in (("rare", (np.arange(40) < 2) * 1.0), ("constant", np.ones(40))):
        X = pd.DataFrame({name: values, "x": x})
        forest = SurvivalForest(60, random_state=1, **settings).fit(X, y)
        root = forest.trees_.root[:-1]
        split = forest.trees_.left[root] >= 0
        assert np.all(forest.trees_.feature[root][split] == 1)
        roots[name] = split.mean()
    assert roots["constant"] == 1.0
    # `rare` comes first in half of 60 trees; 6 to 54 of them is more than 6 standard errors
    assert 0.1 < roots["rare"] < 0.9


def test_a_cut_lies_midway_between_neighbours_in_the_node() -> None:
    # tree on 0 and 10 only: values above 5 go right, though none of them was in the sample
    X = pd.DataFrame({"x": [0.0, 0.0, 10.0, 10.0, 3.0, 5.0, 6.0, 9.0]})
    y = make_outcome(np.ones(8), [1.0, 2.0, 3.0, 4.0, 2.5, 2.5, 2.5, 2.5])
    weight = [1, 1, 1, 1, 0, 0, 0, 0]
    forest = SurvivalForest(1, bootstrap=False, min_samples_leaf=2).fit(X, y, weight)
    assert read_node(forest, 0).threshold == 5.5  # between 5 and 6, the neighbours of 5
    reached = forest.trees_.terminal_nodes(0, forest.codes(X))
    assert reached.tolist() == [1, 1, 2, 2, 1, 1, 2, 2]
