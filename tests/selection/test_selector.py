"""The selector: rules, kept and banned variables, refusals, leaks, stability."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from scorebuilder.core.errors import ModelError
from scorebuilder.selection import RSFSelector, selection_stability
from scorebuilder.selection.rule import RULES
from scorebuilder.selection.vimp import permutation_vimp_with_error
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.resampling import cross_validate

from .conftest import NAMES, simulate  # isort: skip

COLUMNS = [
    "variable", "group", "vimp", "vimp_lower", "vimp_upper", "minimal_depth", "rank", "selected",
    "reason",
]  # fmt: skip


def selector(**settings) -> RSFSelector:
    common = {
        "engine": "native",
        "n_estimators": 60,
        "min_samples_leaf": 10,
        "n_times": 50,
        "rule_n_estimators": 20,
        "inner_folds": 3,
        "boruta_rounds": 12,
    }
    return RSFSelector(**(common | settings))


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("engine", ["native", "scikit-survival"])
def test_every_rule_keeps_the_strong_variable(patients, rule, engine) -> None:
    X, y = patients
    few = {"n_estimators": 30, "rule_n_estimators": 8, "boruta_rounds": 9, "inner_folds": 2}
    fitted = selector(rule=rule, top_k=2, engine=engine, **few).fit(X, y)
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
    with pytest.raises(
        KeyError, match="unknown selection rule `best`; known: all, boruta, minimal"
    ):
        selector(rule="best").fit(X, y)
    with pytest.raises(ValueError, match="`top_k` must be at least 1; got 0"):
        selector(rule="top_k", top_k=0).fit(X, y)
    with pytest.raises(ValueError, match='`vimp_error` must be one of "trees", "total", "sub'):
        selector(vimp_error="all").fit(X, y)
    with pytest.raises(ValueError, match='`kind` must be one of "ensemble", "blocks"; got "all"'):
        selector(vimp_kind="all").fit(X, y)
    with pytest.raises(ValueError, match='`p_values` must be one of "none", "permutation"; got'):
        selector(p_values="all").fit(X, y)
    with pytest.raises(ValueError, match="`rule_n_estimators` must be at least 1; got 0"):
        selector(rule_n_estimators=0).fit(X, y)
    with pytest.raises(ValueError, match="lacks chosen columns: strong"):
        selector(n_estimators=20).fit(X, y).transform(X.drop(columns="strong"))


def test_rules_that_refit_show_what_they_rest_on(patients) -> None:
    X, y = patients
    fitted = selector(rule="boruta").fit(X, y)
    assert list(fitted.evidence_["variable"]) == list(fitted.ranking_["variable"])
    kept = fitted.evidence_.loc[fitted.evidence_["selected"], "variable"]
    assert set(fitted.get_feature_names_out()) == set(kept)
    fitted = selector(rule="parsimony", horizon=4.0).fit(X, y)
    curve = fitted.evidence_
    assert list(curve["variable"]) == ["", *fitted.ranking_["variable"]]
    number = int(curve.loc[curve["chosen"], "n_variables"].iloc[0])
    assert number == fitted.get_support().sum()
    assert f"AUC(t) lies within one standard error of the best ({number})" in fitted.rule_text_
    assert selector(rule="all").fit(X, y).evidence_ is None


def test_parsimony_starts_from_what_is_to_be_kept(patients) -> None:
    X, y = patients
    X = X.assign(same=1.0)
    fitted = selector(rule="parsimony", keep=("noise_1", "same")).fit(X, y)
    curve = fitted.evidence_
    assert curve["n_variables"].iloc[0] == 1  # the constant is nothing a forest can use
    assert "noise_1" not in set(curve["variable"])
    assert {"noise_1", "same", "strong"} <= set(fitted.get_feature_names_out())


@pytest.mark.parametrize("rule", ["boruta", "parsimony"])
def test_refits_do_not_depend_on_workers(patients, rule) -> None:
    X, y = patients
    first = selector(rule=rule, horizon=4.0, boruta_rounds=4).fit(X, y)
    again = clone(first).set_params(n_jobs=2).fit(X, y)
    assert first.ranking_.equals(again.ranking_)
    assert first.evidence_.equals(again.evidence_)


@pytest.mark.parametrize("measure", ["harrell", "uno", "auc", "brier"])
def test_every_measure_ranks_the_strong_variable_first(patients, measure) -> None:
    X, y = patients
    fitted = selector(vimp_measure=measure, horizon=4.0).fit(X, y)
    assert fitted.ranking_.loc[0, "variable"] == "strong"
    assert fitted.ranking_.loc[0, "selected"]


def test_blocks_of_trees_are_judged_where_they_are_asked_for() -> None:
    X, y = simulate(300, 1)
    few = {"n_estimators": 40, "rule": "vimp_ci"}
    whole = selector(**few).fit(X, y)
    blocks = selector(vimp_kind="blocks", **few).fit(X, y)
    expected = permutation_vimp_with_error(
        whole.forest_, X, y, kind="blocks", random_state=whole.random_state
    )
    for name, limit in zip(
        ("vimp_lower", "vimp_upper"), expected.interval(error="total"), strict=True
    ):
        found = blocks.ranking_.set_index("variable").loc[list(X.columns), name]
        np.testing.assert_array_equal(found, limit)
    assert blocks.ranking_.loc[0, "variable"] == whole.ranking_.loc[0, "variable"] == "strong"
    assert blocks.ranking_.loc[0, "vimp"] != whole.ranking_.loc[0, "vimp"]


def test_subsamples_give_a_wider_interval_than_trees() -> None:
    X, y = simulate(300, 1)
    few = {"n_estimators": 30, "rule": "vimp_ci"}
    trees = selector(vimp_error="trees", **few).fit(X, y).ranking_
    sampled = selector(vimp_error="subsample", **few).fit(X, y).ranking_
    np.testing.assert_array_equal(trees["vimp"], sampled["vimp"])
    width = [(table["vimp_upper"] - table["vimp_lower"]).iloc[0] for table in (trees, sampled)]
    assert width[1] > width[0] > 0
    assert sampled.loc[0, "selected"]


def test_p_values_stand_beside_the_numbers_and_change_nothing_else() -> None:
    X, y = simulate(150, 9)
    few = {"n_estimators": 15, "groups": {"noise": ["noise_1", "noise_2"]}, "ban": ("coin",)}
    plain = selector(**few).fit(X, y).ranking_
    tested = selector(p_values="permutation", **few).fit(X, y).ranking_
    assert plain.equals(tested.drop(columns="p_value"))
    values = tested.set_index("variable")["p_value"]
    assert values["strong"] == pytest.approx(1 / 101)
    assert values["noise_1"] == values["noise_2"] > 0.05
    assert np.isnan(values["coin"])


def test_forest_settings_reach_every_forest(patients) -> None:
    X, y = patients
    settings = {
        "max_depth": 2, "n_bins": 20, "max_samples": 0.5, "split_rule": "extra",
        "categorical_features": ("levels", "coin"), "max_features": 3,
    }  # fmt: skip
    fitted = selector(ban=("coin",), **settings).fit(X, y)
    refits = fitted._refits(X.drop(columns="coin"), y, {}, [])
    for forest in (fitted.forest_, refits.forest):
        given = {name: getattr(forest, name) for name in settings}
        assert given == settings | {"categorical_features": ("levels",)}
    assert fitted.forest_.n_estimators == 60
    assert refits.forest.n_estimators == 20


class ByMedian(BaseEstimator):
    """Predicts the same risk for everybody from what the selector chose; keeps the choice."""

    def __init__(self, selector) -> None:
        self.selector = selector

    def fit(self, X, y):
        self.selector_ = clone(self.selector).fit(X, y)
        return self

    def predict_risk(self, X, *, horizon):
        return np.full(len(X), 0.5)

    def fold_record(self):
        chosen = self.selector_
        numbers = chosen.ranking_[["vimp", "minimal_depth"]].to_numpy().tolist()
        evidence = chosen.evidence_.select_dtypes("number").to_numpy().tolist()
        return {"selected": chosen.get_feature_names_out(), "rests_on": [numbers, evidence]}


@pytest.mark.parametrize("rule", ["boruta", "parsimony"])
def test_a_fold_never_sees_the_outcomes_it_is_judged_by(patients, rule) -> None:
    X, y = patients
    build = ByMedian(selector(rule=rule, horizon=4.0, boruta_rounds=6, n_estimators=20))
    same = {"folds": 2, "repeats": 1, "horizons": (4.0,), "random_state": 5}
    first = cross_validate(build, X, y, **same)
    for fold in range(2):
        # swap outcomes among the validation patients, within those with and without the event,
        # so that the folds stay as they are
        held_out = first.folds[0] == fold
        corrupted = y.copy()
        for event in (True, False):
            rows = np.flatnonzero(held_out & (y["event"] == event))
            corrupted["time"][rows] = np.random.default_rng(1).permutation(y["time"][rows]) + 1.0
        again = cross_validate(build, X, corrupted, **same)
        np.testing.assert_array_equal(again.folds, first.folds)
        assert again.records[fold] == first.records[fold]
        assert again.records[1 - fold]["rests_on"] != first.records[1 - fold]["rests_on"]


def test_stability() -> None:
    X, y = simulate(200, 2)
    chooser = selector(n_estimators=20, rule="top_k", top_k=2)
    found = selection_stability(chooser, X, y, n_bootstrap=5, random_state=3)
    table = found.inclusion
    assert table.loc[0, "variable"] == "strong"
    assert table.loc[0, "frequency"] == 1.0
    assert table["frequency"].sum() == pytest.approx(2.0)  # two of them in every resample
    # one of two is always there and the other one of six: well above chance
    assert found.index().value > 0.3


def test_importing_the_room_is_cheap() -> None:
    code = "import sys, scorebuilder.selection; assert not {'sksurv', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_number_of_columns_or_patients_is_at_most_all_of_them(patients) -> None:
    X, y = patients
    few = {"max_features": 6, "max_samples": 280, "rule_n_estimators": 5, "n_estimators": 20}
    chosen = selector(rule="parsimony", ban=("coin",), **few).fit(X, y)
    assert chosen.evidence_["n_variables"].max() == 6
    selector(rule="boruta", boruta_rounds=2, **few).fit(X, y)


def test_any_names_of_columns_will_do_but_not_the_same_twice(patients) -> None:
    X, y = patients
    numbered = X.set_axis(range(X.shape[1]), axis=1)
    fitted = selector(n_estimators=20).fit(numbered, y)
    assert set(fitted.feature_names_in_) == {str(number) for number in range(X.shape[1])}
    assert list(fitted.transform(numbered).columns) == fitted.get_feature_names_out()
    with pytest.raises(ValueError, match="distinct column names; repeated: 0"):
        selector().fit(X.set_axis([0, 0, *range(2, X.shape[1])], axis=1), y)
    with pytest.raises(TypeError, match="must be a pandas DataFrame"):
        selector().fit(X.to_numpy(), y)
    with pytest.raises(ValueError, match="`categorical_features` names no column of `X`: sites"):
        selector(categorical_features=("sites",)).fit(X, y)
