"""Permutation VIMP against the definition, its errors, and its behaviour on noise."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import generator
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.vimp import permutation_vimp, permutation_vimp_with_error
from scorebuilder.survival.concordance import concordance_influence, harrell_concordance

from .conftest import simulate  # isort: skip


def forest_on(patients, n_estimators=40, **settings):
    X, y = patients
    return SurvivalForest(
        n_estimators, engine="native", min_samples_leaf=10, n_times=40, **settings
    ).fit(X, y)


def by_definition(forest, X, y, feature, trees, random_state):
    """Permute within the out-of-bag rows of each tree and send everybody down again."""
    total, permuted, count = np.zeros(len(y)), np.zeros(len(y)), np.zeros(len(y))
    for tree in trees:
        rows = np.flatnonzero(forest.trees_.in_bag[tree] == 0)
        donors = generator(random_state, "vimp", tree, 0).permutation(rows)
        changed = X.copy()
        changed.iloc[rows, feature] = X.iloc[donors, feature].to_numpy()
        total[rows] += forest.node_mortality_[forest.development_nodes()[tree, rows]]
        nodes = forest.trees_.terminal_nodes(forest.values(changed))[tree]
        permuted[rows] += forest.node_mortality_[nodes[rows]]
        count[rows] += 1
    seen = count > 0
    return y[seen], total[seen] / count[seen], permuted[seen] / count[seen]


def test_equals_the_definition(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 6)
    result = permutation_vimp_with_error(forest, X, y, random_state=5)
    for feature in (0, 1, 6):
        seen, observed, permuted = by_definition(forest, X, y, feature, range(6), 5)
        c, influence = concordance_influence(seen, observed)
        c_permuted, influence_permuted = concordance_influence(seen, permuted)
        # 1e-4: the sums run in another order, so that mortalities tied to 1e-15 may part
        assert result.vimp[feature, 0] == pytest.approx(c - c_permuted, abs=1e-4)
        error = np.sqrt(np.sum((influence - influence_permuted) ** 2))
        assert result.patient_error[feature] == pytest.approx(error, abs=1e-4)
        left_out = []
        for without in range(6):  # six trees are six blocks of one
            trees = [tree for tree in range(6) if tree != without]
            seen, observed, permuted = by_definition(forest, X, y, feature, trees, 5)
            left_out.append(
                harrell_concordance(seen, observed).c_index
                - harrell_concordance(seen, permuted).c_index
            )
        spread = np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
        assert result.tree_error[feature] == pytest.approx(np.sqrt(5 / 6 * spread), abs=2e-4)


def test_a_variable_never_split_on_has_vimp_0(patients) -> None:
    X, y = patients
    forest = SurvivalForest(10, engine="native", max_depth=1, max_features=None).fit(X, y)
    unused = set(range(7)) - set(forest.trees_.feature.tolist())
    assert unused
    result = permutation_vimp_with_error(forest, X, y)
    for feature in unused:
        assert result.vimp[feature, 0] == 0.0
        assert result.patient_error[feature] == 0.0
        assert result.tree_error[feature] == 0.0


def test_workers_do_not_matter_and_seeds_do(patients) -> None:
    X, y = patients
    forest = forest_on(patients)
    one = permutation_vimp_with_error(forest, X, y, n_repeats=2, random_state=1)
    two = permutation_vimp_with_error(forest, X, y, n_repeats=2, random_state=1, n_jobs=2)
    for name in ("vimp", "tree_error", "patient_error"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.vimp.shape == (7, 2)
    assert not np.array_equal(one.vimp[:, 0], one.vimp[:, 1])
    np.testing.assert_array_equal(
        permutation_vimp(forest, X, y, n_repeats=2, random_state=1), one.vimp
    )


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


def test_refusals(patients) -> None:
    X, y = patients
    forest = forest_on(patients, 4)
    with pytest.raises(ValueError, match="must hold the 300 patients of `fit`; got 299"):
        permutation_vimp(forest, X.iloc[1:], y[1:])
    with pytest.raises(ValueError, match="in that order; the rows differ"):
        permutation_vimp(forest, X.iloc[::-1], y)
    with pytest.raises(ValueError, match="`n_repeats` must be at least 1; got 0"):
        permutation_vimp(forest, X, y, n_repeats=0)
    with pytest.raises(ModelError, match="at least two trees"):
        permutation_vimp(forest_on(patients, 1), X, y)
