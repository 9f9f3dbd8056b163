"""Performance by number of variables, its folds, and the one-standard-error rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.parsimony import (
    inner_folds,
    parsimony_curve,
    smallest_within_one_error,
)
from scorebuilder.selection.refits import Refits
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.metrics.auc import auc_at

from .conftest import simulate  # isort: skip

ORDER = ["strong", "middling", "noise_1", "noise_2"]


def curve(mean, error):
    number = np.arange(len(mean))
    return pd.DataFrame({"n_variables": number, "mean": mean, "standard_error": error})


def test_the_smallest_within_one_error_of_the_best_is_chosen() -> None:
    # the best is 0.72 with 3, its error 0.02: 0.70 with 2 just reaches 0.70, 0.69 does not
    assert smallest_within_one_error(curve([0.5, 0.69, 0.70, 0.72], [0, 0.1, 0.1, 0.02])) == 2
    assert smallest_within_one_error(curve([0.5, 0.69, 0.70, 0.72], [0, 0.1, 0.1, 0.04])) == 1
    assert smallest_within_one_error(curve([0.5, 0.69, 0.70, 0.72], [0, 0.1, 0.1, 0.01])) == 3
    # the error of the best counts, not that of the others; at equal means the first is the best
    assert smallest_within_one_error(curve([0.5, 0.7, 0.7], [0, 0.01, 0.3])) == 1


def test_nothing_is_chosen_when_nothing_beats_chance() -> None:
    assert smallest_within_one_error(curve([0.5, 0.48, 0.51], [0, 0.02, 0.02])) == 0


def in_order(forest, X, y, units, seed, n_jobs):
    """Stands for VIMP: the columns in the order in which they are named."""
    return -np.arange(len(units), dtype=float)


@pytest.fixture(scope="module")
def refits() -> Refits:
    X, y = simulate(240, 5)
    return Refits(
        X=X[ORDER],
        y=y,
        units={name: (name,) for name in ORDER},
        keep=(),
        forest=SurvivalForest(15, min_samples_leaf=10, n_times=40),
        vimp=in_order,
        horizon=4.0,
        inner_folds=4,
        boruta_rounds=1,
        boruta_alpha=0.05,
        random_state=2,
        n_jobs=1,
    )


def test_the_curve_is_that_of_forests_on_the_first_variables(refits) -> None:
    found = parsimony_curve(refits, ORDER)
    assert list(found["n_variables"]) == [0, 1, 2, 3, 4]
    assert list(found["variable"]) == ["", *ORDER]
    assert found.loc[0, ["mean", "standard_error"]].tolist() == [0.5, 0.0]
    assert found.loc[1, "mean"] > 0.65
    fold = inner_folds(refits.y, 4, horizon=4.0, random_state=2)
    values = []
    for number in range(4):
        train, test = fold != number, fold == number
        X = refits.X[["strong", "middling"]]
        forest = refits.grow(X[train], refits.y[train], "parsimony", number, 2)
        risk = forest.predict_risk(X[test], horizon=4.0)
        values.append(auc_at(refits.y, refits.y[test], risk, horizon=4.0))
    assert found.loc[2, "mean"] == pytest.approx(np.mean(values))
    assert found.loc[2, "standard_error"] == pytest.approx(np.std(values, ddof=1) / 2)


def test_the_curve_does_not_depend_on_workers(refits) -> None:
    pd.testing.assert_frame_equal(
        parsimony_curve(refits, ORDER), parsimony_curve(replace(refits, n_jobs=2), ORDER)
    )


def test_what_is_to_be_kept_comes_first_and_groups_are_added_whole(refits) -> None:
    units = {"noise": ("noise_1", "noise_2"), "middling": ("middling",), "strong": ("strong",)}
    grown = []

    def look(forest, X, y, units, seed, n_jobs):
        grown.append((list(X.columns), len(X)))
        return in_order(forest, X, y, units, seed, n_jobs)

    changed = replace(refits, units=units, keep=("strong",), vimp=look, horizon=None)
    found = parsimony_curve(changed, ["strong", "middling", "noise"])
    assert list(found["n_variables"]) == [1, 2, 3]
    assert list(found["variable"]) == ["", "middling", "noise"]
    assert len(grown) == 4  # the ranking of each fold
    assert {size for _, size in grown} == {180}
    # with `strong` kept, the first row is a forest on it and not chance
    assert found.loc[0, "mean"] > 0.65


def test_folds_rank_the_variables_without_their_own_patients(refits) -> None:
    fold = inner_folds(refits.y, 4, horizon=4.0, random_state=2)
    seen = []

    def look(forest, X, y, units, seed, n_jobs):
        seen.append(np.sort(y["time"]))
        return in_order(forest, X, y, units, seed, n_jobs)

    parsimony_curve(replace(refits, vimp=look), ORDER)
    for number in range(4):
        np.testing.assert_array_equal(seen[number], np.sort(refits.y["time"][fold != number]))


def test_patients_are_dealt_evenly_by_what_is_known_at_the_horizon() -> None:
    _, y = simulate(101, 6)
    fold = inner_folds(y, 5, horizon=4.0, random_state=1)
    case, control = y["event"] & (y["time"] <= 4.0), y["time"] > 4.0
    for stratum in (case, control, ~case & ~control, np.ones(101, dtype=bool)):
        counts = np.bincount(fold[stratum], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert set(fold) == set(range(5))
    assert not np.array_equal(fold, inner_folds(y, 5, horizon=4.0, random_state=2))


def test_folds_that_cannot_be_judged_are_refused() -> None:
    y = make_outcome([1, 1, 1, 0, 0, 0], [1, 2, 9, 3, 9, 9])
    message = r"2 patients have the event by the horizon \(5\) and 3 beyond\. .* or another horizon"
    with pytest.raises(ModelError, match=message):
        inner_folds(y, 3, horizon=5.0, random_state=0)
    assert set(inner_folds(y, 3, horizon=None, random_state=0)) == {0, 1, 2}
    with pytest.raises(ModelError, match="each of the 4 inner folds must be judged; 3 patients"):
        inner_folds(y, 4, horizon=None, random_state=0)
    with pytest.raises(ValueError, match="`inner_folds` must be at least 2; got 1"):
        inner_folds(y, 1, horizon=None, random_state=0)


def test_without_a_horizon_the_c_index_is_taken(refits) -> None:
    changed = replace(refits, horizon=None, inner_folds=2)
    found = parsimony_curve(changed, ORDER)
    fold = inner_folds(refits.y, 2, horizon=None, random_state=2)
    values = []
    for number in range(2):
        train, test = fold != number, fold == number
        forest = refits.grow(refits.X[train], refits.y[train], "parsimony", number, 4)
        mortality = forest.predict(refits.X[test])
        values.append(harrell_concordance(refits.y[test], mortality).c_index)
    assert found.loc[4, "mean"] == pytest.approx(np.mean(values))


def test_a_fold_without_comparable_patients_is_named(refits) -> None:
    # one event in each fold, and nobody outlives the last one
    event = np.arange(60) < 3
    y = make_outcome(event, np.r_[1.0, 2.0, 99.0, np.linspace(3, 50, 57)])
    forest = SurvivalForest(60, min_samples_leaf=5)
    few = replace(refits, X=refits.X[:60], y=y, forest=forest, horizon=None, inner_folds=3)
    with pytest.raises(ModelError, match=r"inner fold \d of 3 cannot be judged: no comparable"):
        parsimony_curve(few, ORDER)
