"""Stage 1 in the spec: its settings, its groups, and how they reach the selector."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import load_cohort, load_dataset
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.choices import engine_names, measure_names, rule_names
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import check_fit
from scorebuilder.experiment.spec import ExperimentSpec, spec_content
from scorebuilder.experiment.spec_selection import SelectionSpec
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.validation.resampling import cross_validate

CONTENT = {
    "name": "tiny-score",
    "title": "Tiny",
    "cohort": {"data": "builtin:whas500"},
    "outcome": {"horizons": ["1y", "3y"], "main": "1y"},
    "missing": {"policy": "impute"},
}
PRESSURES = {"pressures": ["sysbp", "diasbp"]}


def spec(**changes):
    return ExperimentSpec.model_validate({**CONTENT, **changes})


@pytest.fixture(scope="module")
def cohort():
    _, schema = load_dataset("whas500")
    return load_cohort("builtin:whas500", schema)


def test_every_setting_is_one_of_the_selector_with_the_same_default() -> None:
    known = inspect.signature(RSFSelector).parameters
    for name, field in SelectionSpec.model_fields.items():
        assert name in known, name
        if name != "groups":
            assert field.get_default() == known[name].default, name
    own = {"keep", "ban", "horizon", "categorical_features", "random_state", "n_jobs"}
    assert set(known) - set(SelectionSpec.model_fields) == own


def test_settings_reach_the_selector() -> None:
    changed = {
        "n_estimators": 7, "n_bins": 64, "split_rule": "extra", "max_samples": 0.5, "max_depth": 4,
        "rule": "boruta", "boruta_rounds": 9, "boruta_alpha": 0.1, "vimp_error": "total",
        "vimp_measure": "auc", "vimp_kind": "blocks", "p_values": "permutation",
        "rule_n_estimators": 5, "inner_folds": 3,
    }  # fmt: skip
    selector = make_builder(spec(selection=changed), ["age", "sysbp"]).selector
    assert {name: getattr(selector, name) for name in changed} == changed
    assert selector.horizon == 365.25
    assert selector.groups == {}
    folds = make_builder(spec(selection=changed), ["age", "sysbp"], for_folds=True).selector
    assert folds.get_params() == selector.get_params() | {"p_values": "none"}


def test_choices_are_the_files_there_are() -> None:
    assert {"native", "scikit-survival"} <= set(engine_names())
    assert measure_names() == ("auc", "brier", "harrell", "uno")
    assert {"all", "boruta", "minimal_depth", "parsimony", "top_k", "vimp_ci"} <= set(rule_names())


def test_groups_lose_what_is_no_candidate() -> None:
    grouped = spec(selection={"groups": {**PRESSURES, "rhythm": ["afb"]}})
    selector = make_builder(grouped, ["age", "sysbp"]).selector
    assert selector.groups == {"pressures": ("sysbp",)}


def test_keep_and_ban_may_name_groups() -> None:
    found = spec(
        candidates={"keep": ["age", "pressures"], "ban": ["shapes"]},
        selection={"groups": {**PRESSURES, "shapes": ["bmi"]}},
    )
    assert found.candidates.keep == ("age", "sysbp", "diasbp")
    assert found.candidates.ban == ("bmi",)
    assert ExperimentSpec.model_validate(spec_content(found)) == found
    with pytest.raises(ValueError, match="`keep` and `ban` both name diasbp"):
        spec(
            candidates={"keep": ["pressures"], "ban": ["diasbp"]},
            selection={"groups": PRESSURES},
        )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("groups: {a: [x], b: [x]}", "`selection` names in `groups` must differ; repeated: x"),
        ("groups: {a: []}", "`selection` `groups` names no predictor for a"),
        ("groups: [a]", "`selection.groups` must be a mapping; got ['a']"),
        ("max_samples: 1.5", "`selection.max_samples` must be a whole number >= 1 or a share in"),
        ("max_samples: 0", "`selection.max_samples` must be a whole number >= 1 or a share in"),
        ("n_bins: 300", "`selection.n_bins` must be less than or equal to 256; got 300"),
        ("split_rule: gini", "`selection.split_rule` must be 'logrank', 'logrank_score' or 'extra"),
        ("vimp_measure: aux", "did you mean `auc`?"),
        ("vimp_error: all", "`selection.vimp_error` must be 'trees', 'total' or 'subsample'"),
        ("vimp_kind: trees", "`selection.vimp_kind` must be 'ensemble' or 'blocks'"),
        ("inner_folds: 1", "`selection.inner_folds` must be greater than or equal to 2; got 1"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path, line, problem) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "name: tiny-score\ntitle: Tiny\ncohort: {data: builtin:whas500}\n"
        f"outcome: {{horizons: [1y]}}\nselection:\n  {line}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert problem in str(caught.value)
    assert ":6:" in str(caught.value) or ":5:" in str(caught.value)


def test_groups_must_fit_the_schema(cohort) -> None:
    wrong = spec(selection={"groups": {"age": ["sysbp"], "other": ["bmi", "waist"]}})
    with pytest.raises(SpecError) as caught:
        check_fit(wrong, cohort)
    text = str(caught.value)
    assert "`selection.groups`: `age` is also a predictor; rename the group" in text
    assert "`selection.groups.other`: no predictor of the schema: waist; the schema has: " in text
    check_fit(spec(selection={"groups": PRESSURES}), cohort)


def test_inner_folds_need_enough_events_within_the_outer_ones(cohort) -> None:
    few = replace(cohort, X=cohort.X[:60].reset_index(drop=True), y=cohort.y[:60])
    study = {"validation": {"folds": 2}, "outcome": {"horizons": ["1y"]}}
    n_events = int((few.y["event"] & (few.y["time"] <= 365.25)).sum())
    assert 2 <= n_events // 2 < 20
    check_fit(spec(selection={"rule": "parsimony", "inner_folds": 2}, **study), few)
    with pytest.raises(SpecError, match=rf"20 folds within .* about {n_events // 2} patients"):
        check_fit(spec(selection={"rule": "parsimony", "inner_folds": 20}, **study), few)
    check_fit(spec(selection={"rule": "vimp_ci", "inner_folds": 20}, **study), few)
    assert isinstance(few.X, pd.DataFrame)


@pytest.mark.parametrize("rule", ["boruta", "parsimony"])
def test_nothing_of_a_fold_is_learned_from_the_patients_it_is_judged_by(cohort, rule) -> None:
    small = {"n_estimators": 20, "rule_n_estimators": 8, "boruta_rounds": 4, "inner_folds": 2}
    build = make_builder(
        spec(selection={"rule": rule, **small}, model={"max_df": 1}),
        ["age", "chf", "sysbp", "diasbp", "bmi"],
        for_folds=True,
    )
    X, y = cohort.X[["age", "chf", "sysbp", "diasbp", "bmi"]], cohort.y
    same = {"folds": 2, "repeats": 1, "horizons": (365.25, 1095.75), "random_state": 3}
    first = cross_validate(build, X, y, **same)
    held_out = first.folds[0] == 0
    changed, moved = y.copy(), X.copy()
    changed["time"][held_out] = np.random.default_rng(1).uniform(20, 2000, held_out.sum())
    moved.loc[held_out, "age"] = 99.0
    again = cross_validate(build, moved, changed, **same)
    np.testing.assert_array_equal(again.folds, first.folds)
    assert again.records[0] == first.records[0]
    # risks of the held-out follow their new values, by the same model
    assert not np.array_equal(again.risk[0, held_out], first.risk[0, held_out])
    unchanged = moved.copy()
    unchanged["age"] = X["age"]
    same_patients = cross_validate(build, unchanged, changed, **same)
    np.testing.assert_array_equal(same_patients.risk[0, held_out], first.risk[0, held_out])
