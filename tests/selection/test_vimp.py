"""Permutation VIMP against the definition, its errors, and its behaviour on noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import generator, seed_of
from scorebuilder.selection import vimp_estimate
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.importance_measure import IMPORTANCE_MEASURES
from scorebuilder.selection.vimp import permutation_vimp, permutation_vimp_with_error
from scorebuilder.survival.concordance import concordance_influence, harrell_concordance

from .conftest import simulate  # isort: skip
from .vimp_oracle import ensemble  # isort: skip

EXACT = 1e-12


def forest_on(patients, n_estimators=40, **settings):
    X, y = patients
    settings = {"min_samples_leaf": 10, "n_times": 40} | settings
    return SurvivalForest(n_estimators, **settings).fit(X, y)


def donors_of(random_state):
    return lambda tree, rows: generator(random_state, "vimp", tree, 0).permutation(rows)


def c_and_influence(y, prediction, count):
    seen = count > 0
    return concordance_influence(y[seen], prediction[seen, 0])


def c_drop(y, before, after):
    seen = before[1] > 0
    c, c_permuted = (
        harrell_concordance(y[seen], prediction[seen, 0]).c_index
        for prediction, _ in (before, after)
    )
    return c - c_permuted


def test_ensemble_equals_the_definition(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 6)
    result = permutation_vimp_with_error(forest, X, y, random_state=5)
    assert result.names == tuple(X.columns)
    before = ensemble(forest, range(6))
    for feature in (0, 1, 6):
        after = ensemble(forest, range(6), columns={feature}, donors_of=donors_of(5))
        drop = c_drop(y, before, after)
        assert result.vimp[feature, 0] == pytest.approx(drop, abs=EXACT)
        _, influence = c_and_influence(y, *before)
        _, influence_after = c_and_influence(y, *after)
        error = np.sqrt(np.sum((influence - influence_after) ** 2))
        assert result.patient_error[feature] == pytest.approx(error, abs=EXACT)
        left_out = []
        for without in range(6):  # six trees are six blocks of one
            trees = [tree for tree in range(6) if tree != without]
            rest = ensemble(forest, trees, columns={feature}, donors_of=donors_of(5))
            left_out.append(c_drop(y, ensemble(forest, trees), rest))
        spread = np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
        assert result.tree_error[feature] == pytest.approx(np.sqrt(5 / 6 * spread), abs=EXACT)


def test_blocks_equal_the_definition(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 12)
    result = permutation_vimp_with_error(forest, X, y, random_state=5, kind="blocks", block_size=4)
    drops = []
    for trees in (range(4), range(4, 8), range(8, 12)):
        after = ensemble(forest, trees, columns={0}, donors_of=donors_of(5))
        drops.append(c_drop(y, ensemble(forest, trees), after))
    assert result.n_blocks == 3
    assert result.vimp[0, 0] == pytest.approx(np.mean(drops), abs=EXACT)
    error = np.std(drops, ddof=1) / np.sqrt(3)
    assert result.tree_error[0] == pytest.approx(error, abs=EXACT)


@pytest.mark.parametrize("measure", ["harrell", "brier"])
def test_random_assignment_equals_the_definition(patients, measure) -> None:
    X, y = patients
    forest = forest_on(patients, 6)
    result = permutation_vimp(
        forest, X, y, random_state=3, assignment="random", measure=measure, horizon=6.0,
        groups={"strong": ["strong"], "two": ["strong", "noise_1"]},
    )  # fmt: skip
    from scorebuilder.selection.vimp_walk import judged_patients

    judge = IMPORTANCE_MEASURES[measure](judged_patients(forest, X, y, horizon=6.0))
    seeds = {"seed_of": lambda tree: seed_of(3, "vimp", "child", tree, 0), "times": judge.times}
    before, count = ensemble(forest, range(6), times=judge.times)
    for group, columns in enumerate([{0}, {0, 2}]):
        after, _ = ensemble(forest, range(6), columns=columns, **seeds)
        rise = judge.loss(after, count > 0) - judge.loss(before, count > 0)
        assert result[group, 0] == pytest.approx(rise, abs=EXACT)


def test_auc_and_brier_see_the_curves_of_the_leaves(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 5)
    from scorebuilder.selection.vimp_walk import judged_patients

    for measure in ("auc", "brier"):
        judge = IMPORTANCE_MEASURES[measure](judged_patients(forest, X, y, horizon=5.0))
        before, count = ensemble(forest, range(5), times=judge.times)
        after, _ = ensemble(
            forest, range(5), columns={1}, donors_of=donors_of(9), times=judge.times
        )
        rise = judge.loss(after, count > 0) - judge.loss(before, count > 0)
        result = permutation_vimp(forest, X, y, random_state=9, measure=measure, horizon=5.0)
        assert result[1, 0] == pytest.approx(rise, abs=EXACT)


def test_donors_stay_within_strata(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 5)
    # within its own values, and with each patient a stratum of his own, nothing changes
    assert permutation_vimp(forest, X, y, strata=X["levels"])[6, 0] == 0.0
    assert not permutation_vimp(forest, X, y, strata=np.arange(300)).any()
    strata = (X["noise_1"] > 0).to_numpy()

    def within(tree, rows):
        drawn = generator(5, "vimp", tree, 0).permutation(np.arange(len(rows)))
        donors = np.empty_like(rows)
        for side in (False, True):
            own = [place for place in range(len(rows)) if strata[rows[place]] == side]
            donors[own] = [rows[place] for place in drawn if strata[rows[place]] == side]
        return donors

    after = ensemble(forest, range(5), columns={0}, donors_of=within)
    drop = c_drop(y, ensemble(forest, range(5)), after)
    result = permutation_vimp(forest, X, y, strata=strata, random_state=5)
    assert result[0, 0] == pytest.approx(drop, abs=EXACT)


def test_a_duplicated_variable_is_found_as_a_pair(patients) -> None:
    X, y = patients
    X = X.assign(again=X["strong"])
    forest = forest_on((X, y), 100)
    pair, one, other, noise = permutation_vimp(
        forest, X, y,
        groups={
            "pair": ["strong", "again"], "one": ["strong"], "other": ["again"],
            "noise": ["noise_1", "noise_2", "noise_3"],
        },
    )[:, 0]  # fmt: skip
    assert pair > 1.5 * max(one, other)
    assert abs(noise) < 0.02


def test_a_variable_never_split_on_has_vimp_0(patients) -> None:
    X, y = patients
    forest = SurvivalForest(10, max_depth=1, max_features=None).fit(X, y)
    unused = set(range(7)) - set(forest.trees_.feature.tolist())
    assert unused
    for kind in ("ensemble", "blocks"):
        result = permutation_vimp_with_error(forest, X, y, kind=kind, block_size=2)
        for feature in unused:
            assert result.vimp[feature, 0] == 0.0
            assert result.patient_error[feature] == 0.0
            assert result.tree_error[feature] == 0.0


@pytest.mark.parametrize("measure", ["harrell", "uno", "auc", "brier"])
def test_every_measure_finds_the_effects_and_not_the_noise(patients, measure) -> None:
    X, y = patients
    forest = forest_on(patients, 150)
    for assignment in ("permute", "random"):
        result = permutation_vimp_with_error(
            forest, X, y, measure=measure, horizon=6.0, assignment=assignment
        )
        vimp = result.vimp[:, 0]
        assert vimp[0] > 3 * vimp[1] > 0
        assert np.all(np.abs(vimp[2:]) < vimp[1])
        lower, upper = result.interval()
        assert lower[0] > 0
        assert np.all((lower[2:] <= 0.01) & (upper[2:] >= -0.01))


@pytest.mark.parametrize(
    "options",
    [
        {"n_repeats": 2},
        {"n_repeats": 2, "kind": "blocks"},
        {"assignment": "random"},
        {"measure": "brier", "horizon": 5.0},
    ],
)
def test_workers_and_memory_do_not_matter(patients, options, monkeypatch) -> None:
    X, y = patients
    forest = forest_on(patients)
    one = permutation_vimp_with_error(forest, X, y, random_state=1, **options)
    two = permutation_vimp_with_error(forest, X, y, random_state=1, n_jobs=2, **options)
    monkeypatch.setattr(vimp_estimate, "MOST_BYTES", 1)  # group by group
    three = permutation_vimp_with_error(forest, X, y, random_state=1, n_jobs=2, **options)
    for name in ("vimp", "tree_error", "patient_error"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
        assert getattr(one, name).tobytes() == getattr(three, name).tobytes()


def test_repeats_and_seeds_are_other_permutations(patients) -> None:
    X, y = patients
    forest = forest_on(patients)
    one = permutation_vimp(forest, X, y, n_repeats=2, random_state=1)
    assert one.shape == (7, 2)
    assert np.all(one[:3, 0] != one[:3, 1])
    np.testing.assert_array_equal(permutation_vimp(forest, X, y, random_state=1), one[:, :1])
    assert not np.array_equal(permutation_vimp(forest, X, y, random_state=2), one[:, :1])


def test_missing_and_categorical_values_are_permuted_like_others(patients) -> None:
    X, y = patients
    random = np.random.default_rng(0)
    X = X.assign(
        strong=X["strong"].mask(random.random(300) < 0.2),
        ward=pd.cut(X["middling"], 4, labels=False).map({0: "d", 1: "a", 2: "c", 3: "b"}),
    ).drop(columns="middling")
    forest = forest_on((X, y), 12, categorical_features=("ward",))
    result = permutation_vimp(forest, X, y, random_state=5)
    before = ensemble(forest, range(12))
    for feature in (0, 6):
        after = ensemble(forest, range(12), columns={feature}, donors_of=donors_of(5))
        assert result[feature, 0] == pytest.approx(c_drop(y, before, after), abs=EXACT)
        assert result[feature, 0] > 0.01


def test_interval(patients) -> None:
    X, y = patients
    result = permutation_vimp_with_error(forest_on(patients), X, y)
    lower, upper = result.interval(error="trees")
    # ten blocks: the 97.5th centile of Student's t with 9 degrees of freedom
    np.testing.assert_allclose((upper - lower) / 2, 2.2621571627409915 * result.tree_error)
    np.testing.assert_allclose((upper + lower) / 2, result.vimp[:, 0])
    wide_lower, wide_upper = result.interval(error="total")
    assert np.all(wide_lower <= lower)
    assert np.all(wide_upper >= upper)
    with pytest.raises(ValueError, match="`confidence` must lie between 0 and 1; got 95"):
        result.interval(confidence=95)
    with pytest.raises(ValueError, match='"total" or "trees"; got "both"'):
        result.interval(error="both")


def test_tree_error_predicts_the_spread_of_forests(patients) -> None:
    # 20 forests of 40 trees on the same patients: their spread is what the tree error estimates;
    # a ratio of standard deviations of 20 varies by about 16 %, so that a factor 1.7 is 3 sd.
    # Continuous variables only: for few distinct values the jackknife is rougher (docstring)
    X, y = patients
    results = [
        permutation_vimp_with_error(forest_on(patients, random_state=seed), X, y, random_state=seed)
        for seed in range(20)
    ]
    spread = np.std([result.vimp[:, 0] for result in results], axis=0, ddof=1)
    estimate = np.mean([result.tree_error for result in results], axis=0)
    ratio = estimate[:5] / spread[:5]
    assert np.all((ratio > 1 / 1.7) & (ratio < 1.7))


@pytest.mark.slow
def test_intervals_on_fresh_cohorts() -> None:
    # 20 cohorts of 250: noise is covered about nominally, the strong variable is always found
    covered, found = [], []
    for seed in range(20):
        X, y = simulate(250, 100 + seed)
        result = permutation_vimp_with_error(forest_on((X, y), 60, random_state=seed), X, y)
        lower, upper = result.interval()
        covered.extend((lower[2:] <= 0) & (upper[2:] >= 0))
        found.append(lower[0] > 0)
    assert all(found)
    assert np.mean(covered) > 0.85  # 100 intervals at 95 %, five of each cohort together


def test_competing_risks_are_judged_as_in_the_forest(patients) -> None:
    X, y = patients
    other = ~y["event"] & (X["noise_1"] > 0).to_numpy()
    forest = SurvivalForest(60, min_samples_leaf=10).fit(X, y, competing=other)
    for measure in ("harrell", "auc", "brier"):
        vimp = permutation_vimp(forest, X, y, measure=measure, horizon=6.0)[:, 0]
        assert vimp.argmax() == 0
    with pytest.raises(ModelError, match="`uno` has no competing risks"):
        permutation_vimp(forest, X, y, measure="uno")


def test_refusals(patients, tmp_path) -> None:
    X, y = patients
    forest = forest_on(patients, 4)
    with pytest.raises(ValueError, match="must hold the 300 patients of `fit`; got 299"):
        permutation_vimp(forest, X.iloc[1:], y[1:])
    with pytest.raises(ValueError, match="in that order; the rows differ"):
        permutation_vimp(forest, X.iloc[::-1], y)
    with pytest.raises(ValueError, match="`y` must be the outcome of `fit`"):
        permutation_vimp(forest, X, y[::-1])
    with pytest.raises(ValueError, match="`n_repeats` must be at least 1; got 0"):
        permutation_vimp(forest, X, y, n_repeats=0)
    with pytest.raises(ValueError, match='`kind` must be one of "ensemble", "blocks"; got "tree"'):
        permutation_vimp(forest, X, y, kind="tree")
    with pytest.raises(ValueError, match="`block_size` must be at least 1; got 0"):
        permutation_vimp(forest, X, y, kind="blocks", block_size=0)
    with pytest.raises(ModelError, match="4 trees are less than two blocks of 10"):
        permutation_vimp(forest, X, y, kind="blocks")
    with pytest.raises(ValueError, match="with random assignment nobody does"):
        permutation_vimp(forest, X, y, assignment="random", strata=np.ones(300))
    with pytest.raises(ValueError, match=r"`strata` must have shape \(300,\); got \(2,\)"):
        permutation_vimp(forest, X, y, strata=[1, 2])
    with pytest.raises(ValueError, match="must not be missing; 1 of 300 labels are"):
        permutation_vimp(forest, X, y, strata=[None, *["a"] * 299])
    with pytest.raises(KeyError, match="unknown importance measure `c`"):
        permutation_vimp(forest, X, y, measure="c")
    with pytest.raises(ModelError, match="at least two trees"):
        permutation_vimp(forest_on(patients, 1), X, y)
    with pytest.raises(ModelError, match="without bootstrap nobody is out of bag"):
        permutation_vimp(forest_on(patients, 4, bootstrap=False), X, y)
    forest.save(tmp_path / "forest.npz")
    with pytest.raises(ModelError, match="does not know the patients"):
        permutation_vimp(SurvivalForest.load(tmp_path / "forest.npz"), X, y)


def test_the_other_engine_is_judged_alike(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 6, engine="scikit-survival")
    result = permutation_vimp_with_error(forest, X, y, random_state=5)
    before = ensemble(forest, range(6))
    after = ensemble(forest, range(6), columns={0}, donors_of=donors_of(5))
    assert result.vimp[0, 0] == pytest.approx(c_drop(y, before, after), abs=EXACT)


@pytest.mark.parametrize("block_size", [1, 2, 10])
def test_blocks_of_any_size_equal_the_definition_ties_included(patients, block_size) -> None:
    X, y = patients
    forest = forest_on(patients, 20)
    found = permutation_vimp(forest, X, y, random_state=5, kind="blocks", block_size=block_size)
    for feature in (0, 2):
        drops = []
        for first in range(0, 20, block_size):
            trees = range(first, first + block_size)
            after = ensemble(forest, trees, columns={feature}, donors_of=donors_of(5))
            drops.append(c_drop(y, ensemble(forest, trees), after))
        assert found[feature, 0] == pytest.approx(np.mean(drops), abs=EXACT)
