"""Questions about added value: a true marker adds, a useless one does not; rules; resuming."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorebuilder.cohort.simulation import SIMULATORS, simulate_cohort
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.incremental import Setting, n_refits, study_incremental
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.preflight import check_fit, compute_baselines, read_cohort
from scorebuilder.experiment.run import run_experiment
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.modelling.nested_models import compare_nested
from scorebuilder.score.competitor import Competitor
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.added_value import Measure, added_value
from scorebuilder.validation.compare import MIN_EVENTS

SPEC = """
name: markers
title: What markers add
cohort: {{data: "{data}", schema: "{schema}"}}
outcome: {{horizons: [5y]}}
comparators: []
thresholds: [0.05, 0.1]
candidates: {{ban: [bmi]}}
selection: {{n_estimators: 20, rule: top_k, top_k: 4}}
validation: {{folds: 4, repeats: 2}}
baselines:
  - {{rule: "lvef < 35 | hf_hosp == 1", label: Pump failure}}
incremental:
  ladder: [clinical, imaging]
  build: cox
  markers:
    - {{marker: lge_seg, on_top_of: "lvef < 35 & ischaemia == 1"}}
    - {{marker: family_history, on_top_of: [age, male, diabetes, lvef]}}
    - {{marker: lge, on_top_of: Pump failure, subgroup: "ischaemia == 0"}}
    - {{marker: lge, on_top_of: age, subgroup: "lvef < 20 & age < 50"}}
seed: 3
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> ExperimentSpec:
    folder = tmp_path_factory.mktemp("simulated")
    frame = simulate_cohort("stress-cmr", n=8000, seed=5)
    whole = [name for name, decimals in SIMULATORS["stress-cmr"].decimals.items() if not decimals]
    frame = frame.astype(dict.fromkeys(["time", *whole], "Int64"))
    frame.to_csv(folder / "cmr.csv", index=False)
    text = SPEC.format(data=folder / "cmr.csv", schema=checkout / "data_schemas/stress_cmr.yaml")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return load_spec(folder / "spec.yaml")


def setting_of(spec: ExperimentSpec, scratch: Path, **changed: Any) -> Setting:
    cohort = read_cohort(spec)
    return Setting(
        **{
            "spec": spec,
            "cohort": cohort,
            "candidates": check_fit(spec, cohort),
            "baselines": compute_baselines(spec, cohort),
            "scratch": scratch,
            "key": "k",
            **changed,
        }
    )


@pytest.fixture(scope="module")
def answered(spec: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return study_incremental(setting_of(spec, tmp_path_factory.mktemp("scratch")))


def measures_of(answer: Any, spec: ExperimentSpec) -> dict[tuple[str, str], Measure]:
    found = added_value(
        answer.y, answer.new, answer.old, horizon=spec.outcome.main, thresholds=(0.05,)
    )
    return {(item.name, item.part): item for item in found}


def test_a_true_marker_adds(answered: Any, spec: ExperimentSpec) -> None:
    scar = answered.markers[0]
    assert scar.reason is None
    assert scar.nested.p < 1e-6
    per_unit, per_sd = scar.hazard_ratios
    assert (per_unit.per, per_sd.per) == ("unit", "SD")
    assert per_sd.lower > 1.0
    found = measures_of(scar, spec)
    for name in ("auc", "c_index", "nri_continuous", "idi"):
        assert found[name, ""].value > 0.0, name
        assert found[name, ""].p < 0.001, name


def test_a_useless_marker_adds_nothing(answered: Any, spec: ExperimentSpec) -> None:
    """The truth holds no effect of the family history, beside age, sex, diabetes or without."""
    nothing = answered.markers[1]
    (ratio,) = nothing.hazard_ratios
    assert ratio.lower < 1.0 < ratio.upper
    assert nothing.nested.p > 0.01
    assert nothing.nested.adequacy > 0.99
    found = measures_of(nothing, spec)
    for name in ("auc", "c_index", "idi"):
        assert abs(found[name, ""].value) < 0.004, name
        assert found[name, ""].lower < 0.005, name
    assert abs(found["net_benefit", "0.05"].value) < 0.002


def test_a_question_within_a_subgroup(answered: Any, spec: ExperimentSpec, tmp_path: Path) -> None:
    answer = answered.markers[2]
    cohort = setting_of(spec, tmp_path).cohort
    without = (cohort.X["ischaemia"] == "0").to_numpy()
    assert answer.n == answer.n_subgroup == int(without.sum())
    assert answer.on_top_of == "Pump failure"
    assert answer.old.folds.shape == (2, answer.n)
    np.testing.assert_array_equal(answer.old.folds, answer.new.folds)
    np.testing.assert_array_equal(answer.y["time"], cohort.y["time"][without])
    assert answer.nested.df_new - answer.nested.df_old == 1


def test_too_few_events_give_a_reason_and_no_number(answered: Any) -> None:
    answer = answered.markers[3]
    assert answer.n_events < MIN_EVENTS
    assert answer.reason.startswith(f"fewer than {MIN_EVENTS} events by the horizon")
    assert answer.old is None
    assert answer.nested is None


def test_each_step_of_the_ladder_holds_the_one_before(answered: Any, spec: ExperimentSpec) -> None:
    first, second = answered.rungs
    assert "bmi" not in second.variables
    assert second.variables[: len(first.variables)] == first.variables
    assert first.nested.chi2_new == second.nested.chi2_old
    assert first.nested.chi2_old == 0.0
    assert second.nested.delta > 0.0
    assert n_refits(spec) == (2 + 2 * 4) * 8


def test_resumes_and_does_not_depend_on_workers(spec: ExperimentSpec, tmp_path: Path) -> None:
    steps: list[int] = []
    limited = spec.incremental.model_copy(
        update={"ladder": (), "markers": spec.incremental.markers[:1]}
    )
    small = spec.model_copy(update={"incremental": limited})
    first = study_incremental(setting_of(small, tmp_path, progress=lambda: steps.append(1)))
    assert len(steps) == n_refits(small)
    for path in list(tmp_path.rglob("*.json"))[::2]:
        path.unlink()
    again = study_incremental(setting_of(small, tmp_path, jobs=2))
    np.testing.assert_array_equal(first.markers[0].new.risk, again.markers[0].new.risk)
    assert first.markers[0].nested == again.markers[0].nested


def test_a_rule_is_undefined_where_its_inputs_are_missing(
    spec: ExperimentSpec, tmp_path: Path
) -> None:
    setting = setting_of(spec, tmp_path)
    X = setting.cohort.X.copy()
    X.loc[:4, "lvef"] = np.nan
    cohort = dataclasses.replace(setting.cohort, X=X)
    (found,) = compute_baselines(spec, cohort)
    assert found.label == "Pump failure"
    failing = (X["hf_hosp"] == "1").to_numpy()
    expected = np.where(failing | (X["lvef"] < 35), 1.0, 0.0)
    expected[:5] = np.where(failing[:5], 1.0, np.nan)
    np.testing.assert_array_equal(found.predictions, expected)
    unknown = np.isnan(expected)
    assert set(found.table["reason"][unknown]) == {"`lvef` missing"}
    assert found.table["reason"][~unknown].isna().all()


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"incremental": {"ladder": ["clinical", "imging"]}}, "did you mean `imaging`?"),
        (
            {"incremental": {"markers": [{"marker": "lgee", "on_top_of": "age"}]}},
            "number 1: no predictor `lgee`; did you mean `lge`?",
        ),
        (
            {"incremental": {"markers": [{"marker": "lge", "on_top_of": "ages > 3"}]}},
            "character 1: no predictor `ages`; did you mean `age`?",
        ),
        ({"baselines": [{"rule": "lvef <"}]}, "`baselines`: condition `lvef <`, character 7"),
        ({"baselines": [{"rule": "lvef < 0"}]}, "must hold in some patients and not in others"),
        ({"subgroups": [{"by": "age"}]}, "number 1: `age` is numeric and needs `cuts`"),
        ({"subgroups": [{"by": "male", "cuts": [1.0]}]}, "is no number and takes no `cuts`"),
        ({"subgroups": [{"by": "agee"}]}, "the cohort has no column `agee`"),
        ({"subgroups": [{"where": "male > 0"}]}, "the levels of `male` have no order"),
    ],
)
def test_wrong_questions_are_refused_before_anything_is_computed(
    spec: ExperimentSpec, part: dict[str, Any], message: str
) -> None:
    plain = {"baselines": (), "incremental": {}, "subgroups": ()}
    content = {**spec.model_dump(mode="json", by_alias=True), **plain, **part}
    content["cohort"] = {"data": spec.cohort.data, "schema": spec.cohort.schema_path}
    other = ExperimentSpec.model_validate_json(json.dumps(content))
    cohort = read_cohort(other)

    def checked() -> None:
        check_fit(other, cohort)
        compute_baselines(other, cohort)

    with pytest.raises(SpecError) as caught:
        checked()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"baselines": [{"rule": "a < 1", "name": "score2"}]}, "must give one of"),
        ({"baselines": [{"rule": "a < 1", "variant": "x"}]}, "takes `label` and `note` only"),
        ({"baselines": [{"name": "score2", "label": "x"}]}, "`label` belongs to a `rule`"),
        ({"incremental": {"ladder": ["a"]}}, "at least two groups"),
        (
            {"incremental": {"markers": [{"marker": "a", "on_top_of": ["b", "a"]}]}},
            "must not hold the marker `a` itself",
        ),
        ({"subgroups": [{"by": "a", "where": "b < 1"}]}, "must give one of `by` and `where`"),
        ({"subgroups": [{"by": "a", "cuts": [2.0, 1.0]}]}, "`cuts` must ascend"),
        ({"subgroups": [{"where": "a < 1", "cuts": [2.0]}]}, "`cuts` belong to `by`"),
    ],
)
def test_inconsistent_specs_are_refused(part: dict[str, Any], message: str) -> None:
    content = {
        "name": "x",
        "title": "x",
        "cohort": {"data": "builtin:whas500"},
        "outcome": {"horizons": ["1y"]},
        **part,
    }
    with pytest.raises(ValueError, match=message):
        ExperimentSpec.model_validate_json(json.dumps(content))


RUN = """
name: whas-questions
title: Death after myocardial infarction
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y]}
missing: {policy: impute}
selection: {n_estimators: 20, rule: top_k, top_k: 4}
explanation: {forest_shap: false}
comparators: []
validation: {folds: 3, repeats: 1}
candidates:
  groups: {bedside: [age, gender, bmi, hr, sysbp], course: [sho, chf, mitype]}
thresholds: [0.2]
baselines: [{rule: "age >= 75 & chf == 1", label: Old and failing}]
incremental:
  ladder: [bedside, course]
  markers: [{marker: hr, on_top_of: Old and failing, subgroup: "sho == 0"}]
subgroups:
  - {by: gender}
  - {by: age, cuts: [50, 75]}
  - {where: "sho == 1", label: Shock}
seed: 7
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("run")
    (folder / "spec.yaml").write_text(RUN, encoding="utf-8")
    return run_experiment(load_spec(folder / "spec.yaml"), out=folder / "reports")


def test_a_whole_run_answers_them(finished: Any) -> None:
    summary = finished.summary
    assert [row["group"] for row in summary["incremental"]["ladder"]] == ["bedside", "course"]
    assert summary["incremental"]["build"] == "pipeline"
    assert summary["incremental"]["ladder"][1]["measures"]
    assert summary["incremental"]["markers"][0]["hazard_ratios"]
    (rule,) = summary["rules"]
    assert {row["measure"] for row in rule["shares"]} == {
        "sensitivity", "specificity", "ppv", "npv",
    }  # fmt: skip
    compared = summary["validation"]["comparison"][0]
    assert compared["label"] == "Old and failing"
    assert compared["auc_baseline"] is not None
    names = {path.name for path in (finished.run_dir / "tables").iterdir()}
    assert {
        "rules.csv", "rules_against.csv", "incremental_ladder.csv", "incremental_markers.csv",
        "incremental_measures.csv", "subgroups.csv",
    } <= names  # fmt: skip
    page = (finished.run_dir / "report.html").read_text(encoding="utf-8")
    for title in ("Guideline rules", "Added value", "Subgroups"):
        assert f">{title}</h3>" in page
    assert (finished.run_dir / "figures/subgroups.svg").is_file()


def test_small_subgroups_are_withheld(finished: Any) -> None:
    divisions = {row["label"]: row["groups"] for row in finished.summary["subgroups"]}
    shock = divisions["Shock"][0]
    assert shock["label"] == "yes"
    young = next(group for group in divisions["Age"] if group["label"] == "below 50")
    for group in (young,):
        for measure in group["measures"]:
            assert measure["value"] is None
            assert measure["reason"] == "fewer than 10 events by the horizon"


@pytest.mark.slow
def test_a_shuffled_outcome_adds_nothing(spec: ExperimentSpec, tmp_path: Path) -> None:
    """
    Whole pipeline per step: nothing leaks from the outcome of the patients judged.

    With 8,000 patients and about 300 events the standard error of a difference of AUC between two
    useless scores is about 0.02; 3 of them, and the same for the scores' own AUC.
    """
    base = setting_of(spec, tmp_path)
    order = np.random.default_rng(4).permutation(len(base.cohort.y))
    y = make_outcome(base.cohort.y["event"][order], base.cohort.y["time"][order])
    limited = spec.incremental.model_copy(
        update={"build": "pipeline", "markers": spec.incremental.markers[:1]}
    )
    model = spec.model.model_copy(update={"select_alpha": 1.0, "fp_alpha": 1.0, "max_df": 1})
    small = spec.model_copy(update={"incremental": limited, "model": model})
    cohort = dataclasses.replace(base.cohort, y=y)
    found = study_incremental(setting_of(small, tmp_path, cohort=cohort))
    pairs = [(y, found.rungs[1].result, found.rungs[0].result)]
    pairs += [(item.y, item.new, item.old) for item in found.markers]
    for outcome, new, old in pairs:
        measures = added_value(outcome, new, old, horizon=spec.outcome.main, thresholds=(0.05,))
        assert {"nri_continuous", "idi", "auc", "net_benefit"} <= {item.name for item in measures}
        for item in measures:
            if item.part == "" and item.value is not None:
                limit = 0.15 if item.name.startswith("nri_continuous") else 0.06
                assert abs(item.value) < limit, item.name


def test_apparent_chi2_of_the_ladder_is_that_of_nested_fits(
    spec: ExperimentSpec, answered: Any, tmp_path: Path
) -> None:
    from scorebuilder.modelling.cox import CoxRegression

    cohort = setting_of(spec, tmp_path).cohort
    first, second = answered.rungs
    fits = [
        Competitor(None, CoxRegression()).fit(cohort.X[list(rung.variables)], cohort.y).model_
        for rung in (first, second)
    ]
    assert compare_nested(fits[0], fits[1]).delta == pytest.approx(second.nested.delta, rel=1e-9)
