"""The selector: rules, kept and banned variables, refusals, stability."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone

from scorebuilder.core.errors import ModelError
from scorebuilder.selection import RSFSelector, selection_stability
from scorebuilder.selection.rule import RULES
from scorebuilder.survival.outcome import make_outcome

from .conftest import NAMES, simulate  # isort: skip

COLUMNS = [
    "variable", "vimp", "vimp_lower", "vimp_upper", "minimal_depth", "rank", "selected", "reason",
]  # fmt: skip


def selector(**settings) -> RSFSelector:
    common = {"engine": "native", "n_estimators": 60, "min_samples_leaf": 10, "n_times": 50}
    return RSFSelector(**(common | settings))


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("engine", ["native", "scikit-survival"])
def test_every_rule_keeps_the_strong_variable(patients, rule, engine) -> None:
    X, y = patients
    fitted = selector(rule=rule, top_k=2, engine=engine, n_estimators=30).fit(X, y)
    table = fitted.ranking_
    assert list(table.columns) == COLUMNS
    assert sorted(table["variable"]) == sorted(NAMES)
    assert list(table["rank"]) == list(range(1, 8))
    assert table["vimp"].is_monotonic_decreasing
    assert table.loc[0, "variable"] == "strong"
    assert table.loc[0, "selected"]
    assert table["selected"].dtype == bool
    assert all(table["reason"].str.len() > 0)
    assert fitted.get_feature_names_out()[0] == "strong"
    chosen = fitted.transform(X)
    assert list(chosen.columns) == fitted.get_feature_names_out()
    np.testing.assert_array_equal(X.columns[fitted.get_support()], chosen.columns)
    assert fitted.oob_c_index_ > 0.65
    assert fitted.minimal_depth_threshold_ > 0
    assert fitted.n_features_in_ == 7


def test_rules_do_what_they_say(patients) -> None:
    X, y = patients
    table = selector(rule="vimp_ci").fit(X, y).ranking_
    np.testing.assert_array_equal(table["selected"], table["vimp_lower"] > 0)
    fitted = selector(rule="minimal_depth").fit(X, y)
    table = fitted.ranking_
    expected = table["minimal_depth"] < fitted.minimal_depth_threshold_
    np.testing.assert_array_equal(table["selected"], expected)
    table = selector(rule="top_k", top_k=3).fit(X, y).ranking_
    np.testing.assert_array_equal(table["selected"], [True] * 3 + [False] * 4)
    assert selector(rule="all").fit(X, y).get_support().all()


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("vimp_ci", "kept if the lower limit of its permutation importance is above 0"),
        ("minimal_depth", "kept if its mean minimal depth lies below the mean under no effect"),
        ("top_k", "the 3 most important are kept"),
        ("all", "all kept"),
    ],
)
def test_rules_say_what_they_do(patients, rule, text) -> None:
    assert selector(rule=rule, top_k=3, n_estimators=10).fit(*patients).rule_text_ == text


def test_keep_stays_and_ban_never_enters(patients) -> None:
    X, y = patients
    X = X.assign(same=1.0)
    fitted = selector(rule="top_k", top_k=1, keep=("noise_2",), ban=("strong",)).fit(X, y)
    assert fitted.get_feature_names_out() == ["middling", "noise_2"]
    assert "strong" not in fitted.forest_.feature_names_in_
    table = fitted.ranking_.set_index("variable")
    assert table.loc["strong", "reason"] == "banned"
    assert table.loc["same", "reason"] == "constant: says nothing about anybody"
    assert table.loc["noise_2", "reason"] == "to be kept, although not among the 1 largest VIMP"
    assert table.loc["middling", "reason"] == "among the 1 largest VIMP"
    assert list(table["rank"]) == list(range(1, 9))
    assert table.loc[["strong", "same"], "vimp"].isna().all()
    constant = selector(rule="top_k", top_k=1, keep=("same",)).fit(X, y)
    assert constant.get_feature_names_out() == ["strong", "same"]


def test_nothing_chosen_is_not_an_error(patients) -> None:
    X, _ = patients
    random = np.random.default_rng(4)
    y = make_outcome(random.random(300) < 0.4, random.exponential(5, 300) + 0.1)
    fitted = selector(confidence=0.99999).fit(X, y)
    assert not fitted.get_support().any()
    assert fitted.get_feature_names_out() == []
    assert fitted.transform(X).shape == (300, 0)


def test_same_result_for_any_workers_and_clone(patients) -> None:
    X, y = patients
    first = selector(keep=("coin",)).fit(X, y)
    again = clone(first).set_params(n_jobs=2).fit(X, y)
    assert first.ranking_.equals(again.ranking_)
    other = clone(first).set_params(random_state=1).fit(X, y)
    assert not first.ranking_.equals(other.ranking_)


def test_refusals(patients) -> None:
    X, y = patients
    with pytest.raises(ValueError, match="`keep` names `stron`, which is not a column; did you"):
        selector(keep=("stron",)).fit(X, y)
    with pytest.raises(ValueError, match="did you mean `coin`"):
        selector(ban=("coins",)).fit(X, y)
    with pytest.raises(ValueError, match="must not name the same column: coin"):
        selector(keep=("coin",), ban=("coin",)).fit(X, y)
    with pytest.raises(ModelError, match="at least two candidates; 1 of 7 columns"):
        selector(ban=tuple(NAMES[1:])).fit(X, y)
    with pytest.raises(ModelError, match="none of the 300 patients"):
        selector().fit(X, make_outcome(np.zeros(300), y["time"]))
    with pytest.raises(KeyError, match="unknown selection rule `best`; known: all, minimal"):
        selector(rule="best").fit(X, y)
    with pytest.raises(ValueError, match="`top_k` must be at least 1; got 0"):
        selector(rule="top_k", top_k=0).fit(X, y)
    with pytest.raises(ValueError, match="lacks chosen columns: strong"):
        selector(n_estimators=20).fit(X, y).transform(X.drop(columns="strong"))


def test_stability() -> None:
    X, y = simulate(200, 2)
    chooser = selector(n_estimators=20, rule="top_k", top_k=2)
    table = selection_stability(chooser, X, y, n_bootstrap=5, random_state=3)
    assert list(table.columns) == ["variable", "frequency", "n_resamples"]
    assert table.loc[0, "variable"] == "strong"
    assert table.loc[0, "frequency"] == 1.0
    assert table["frequency"].sum() == pytest.approx(2.0)  # two of them in every resample
    again = selection_stability(chooser, X, y, n_bootstrap=5, random_state=3)
    assert table.equals(again)
    with pytest.raises(ValueError, match="`n_bootstrap` must be at least 1; got 0"):
        selection_stability(chooser, X, y, n_bootstrap=0)


def test_importing_the_room_is_cheap() -> None:
    code = "import sys, scorebuilder.selection; assert not {'sksurv', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
