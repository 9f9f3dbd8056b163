"""Rotterdam to GBSG from the spec: developed, frozen and judged as published; also by command."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cli.main import main
from scorebuilder.cohort.load import load_dataset
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.run import run_experiment
from scorebuilder.experiment.spec_comparison import InputColumn
from scorebuilder.score.store import load_artifact

ROOT = Path(__file__).parents[2]
REFERENCE = json.loads(
    (ROOT / "tests" / "reference" / "mfp" / "external_validation.json").read_text()
)["rotterdam_to_gbsg_royston_altman"]
QUICK = (
    "selection.n_estimators=10",
    "validation.folds=2",
    "comparators=[linear_cox, forest]",
    "cohort.schema=null",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    spec = load_spec(ROOT / "experiments" / "rotterdam_to_gbsg.yaml", overrides=QUICK)
    external = spec.external[0].model_copy(update={"schema_path": None})
    spec = spec.model_copy(update={"external": (external,)})
    return run_experiment(spec, out=tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def judged(finished):
    return finished.summary["external"][0]


def value_of(judged, name, horizon=None):
    rows = [r for r in judged["measures"] if (r["measure"], r["horizon"]) == (name, horizon)]
    return rows[0]


def test_the_model_is_the_published_one(finished):
    terms = load_artifact(finished.run_dir).scoring["terms"]
    found = {(term["predictor"], term.get("power"), term.get("log_factor")) for term in terms}
    assert found == {
        ("age", 3.0, 0), ("age", 3.0, 1), ("nodes", -0.5, 0), ("er", 1.0, 0),
        ("meno", None, None), ("size", None, None), ("hormon", None, None),
    }  # fmt: skip
    attrition = finished.summary["cohort"]["attrition"]
    assert [step["n_left"] for step in attrition][-2:] == [1546, 1546]
    assert attrition[-1]["events_left"] == 965


def test_every_published_number_of_the_validation(judged):
    expected = REFERENCE["validation_performance"]
    for name, wanted in (
        ("c_index", expected["harrell_c"]["c"]),
        ("uno_c", expected["uno_c"]["c"]),
        ("slope", expected["slope"]["coef"]),
        ("royston_d", expected["royston_d"]["tied_scores_averaged"]["D"]),
        ("r2_d", expected["royston_d"]["tied_scores_averaged"]["R2_D"]),
        (
            "misspecification",
            REFERENCE["validation_offset_tests"]["joint_misspecification"]["chisq"],
        ),
    ):
        assert value_of(judged, name)["value"] == pytest.approx(wanted, abs=2e-6), name
    slope = REFERENCE["validation_offset_tests"]["slope_minus_one"]
    assert value_of(judged, "slope")["p"] == pytest.approx(slope["p"], abs=2e-6)
    assert value_of(judged, "slope")["standard_error"] == pytest.approx(slope["se"], rel=1e-5)


def test_prognostic_groups_as_published(judged):
    groups = judged["prognostic_groups"]
    for place, expected in enumerate(REFERENCE["validation_groups"]):
        assert groups["groups"][place]["n"] == expected["n"]
        assert groups["groups"][place]["events"] == expected["events"]
        rows = [r for r in groups["observed"] if r["label"] == f"group {place + 1}"]
        predicted = [1 - row["predicted"] for row in rows]
        observed = [1 - row["observed"] for row in rows]
        np.testing.assert_allclose(predicted, expected["predicted_survival_3y_5y"], atol=1e-6)
        np.testing.assert_allclose(observed, expected["kaplan_meier_3y_5y"], atol=1e-9)
    ratios = {f"g{r['label'][-1]}": r["log_hazard_ratio"] for r in groups["hazard_ratios"]}
    del ratios["g2"]
    assert ratios == pytest.approx(REFERENCE["validation_group_hr"]["log_hr_vs_group2"], abs=1e-6)


def test_level_of_risk_and_case_mix(judged):
    overall = REFERENCE["validation_overall"]
    for horizon, predicted, observed in zip(
        (1095.75, 1826.25), overall["predicted_3y_5y"], overall["kaplan_meier_3y_5y"], strict=True
    ):
        ratio = value_of(judged, "observed_expected", horizon)["value"]
        assert ratio == pytest.approx((1 - observed) / (1 - predicted), abs=1e-6)
    mean, sd, membership = judged["case_mix"]
    own, here = REFERENCE["development_performance"], REFERENCE["validation_performance"]
    assert mean["difference"] == pytest.approx(here["pi_mean"] - own["pi_mean"], abs=1e-6)
    assert sd["development"] == pytest.approx(0.596178485707944, abs=1e-6)
    assert sd["validation"] == pytest.approx(0.5670609390556008, abs=1e-6)
    assert 0.5 < membership["difference"] < 1


def test_counted_events_are_near_those_of_the_whole_follow_up(judged):
    """Follow-up is cut at 5 years and the hazard read from a grid: near the published 299 / 327."""
    published = (
        REFERENCE["poisson_recalibration"]["events"]
        / REFERENCE["poisson_recalibration"]["expected"]
    )
    row = value_of(judged, "poisson_observed_expected")
    assert row["lower"] < published < row["upper"]
    assert row["value"] == pytest.approx(published, abs=0.03)


def test_files_of_the_run(finished):
    tables = {path.stem for path in (finished.run_dir / "tables").iterdir()}
    assert {"all_models", "price", "external_gbsg_measures", "external_gbsg_risk_table"} <= tables
    page = (finished.run_dir / "report.html").read_text(encoding="utf-8")
    assert "German trial, 1984 to 1989" in page
    assert "All models on the same folds" in page
    figures = {path.name for path in (finished.run_dir / "figures").iterdir()}
    assert "models.svg" in figures
    assert any(name.startswith("external-gbsg-") for name in figures)


def test_price_of_every_step(finished):
    price = finished.summary["validation"]["models"]["price"]
    assert price["steps"] == ["forest", "formula", "points", "groups"]
    rows = {(r["model"], r["against"], r["measure"]): r for r in price["rows"] if not r["part"]}
    step = rows["points", "formula", "auc"]
    own = rows["points", "", "auc"]["value"], rows["formula", "", "auc"]["value"]
    assert step["value"] == pytest.approx(own[0] - own[1], abs=1e-14)
    assert step["lower"] < step["value"] < step["upper"]


def test_the_command_judges_the_artifact_alone(finished, judged, tmp_path, capsys):
    out = tmp_path / "gbsg"
    arguments = ["validate", str(finished.run_dir), "builtin:gbsg", "--out", str(out), "--json"]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--threshold", "0.3", "--threshold", "0.5"])
    assert left.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["validation"]["measures"] == judged["measures"]
    written = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    assert written["measures"] == judged["measures"]
    assert written["case_mix"][2]["reason"] == "the development patients are not at hand"
    assert "External validation" in (out / "validation.html").read_text(encoding="utf-8")
    assert len(pd.read_csv(out / "tables" / "measures.csv")) == len(judged["measures"])
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2  # a validation is never overwritten


def test_the_command_judges_those_who_are_eligible(finished, judged, tmp_path, capsys):
    out = tmp_path / "older"
    arguments = ["validate", str(finished.run_dir), "builtin:gbsg", "--out", str(out)]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--eligibility", "column: age, min: 50, label: below 50 years"])
    assert left.value.code == 0
    found = json.loads((out / "validation.json").read_text(encoding="utf-8"))
    step = found["attrition"][-2]
    whole, kept = judged["counts"]["n"], found["counts"]["n"]
    assert (step["label"], step["n_excluded"]) == ("below 50 years", whole - kept)
    ages = pd.Series(load_dataset("gbsg")[0]["age"])
    assert kept == int((ages >= 50).sum())
    page = (out / "validation.html").read_text(encoding="utf-8")
    assert f"{whole - kept} excluded: below 50 years; {kept} patients" in page
    assert "end at 5 years, the last time at which the artifact tells the baseline hazard" in page
    assert f"excluded   {whole - kept} patients: below 50 years" in capsys.readouterr().out


def test_distances_of_calibration_and_explained_variation_have_intervals(judged):
    rows = [value_of(judged, "r2_d")]
    rows += [value_of(judged, name, 1826.25) for name in ("ici", "e50", "e90", "e_max")]
    for row in rows:
        assert 0.0 <= row["lower"] < row["value"] < row["upper"] < 1.0


def test_a_cohort_that_does_not_fit_is_refused_by_the_command(finished, capsys):
    for arguments, code, text in (
        (["builtin:whas500"], 3, "the score needs this predictor"),
        (["table.csv"], 2, "`--schema` is required"),
        (["builtin:gbsg", "--column", "nodes"], 2, "PREDICTOR=COLUMN"),
        (["builtin:gbsg", "--column", "nodes=meno"], 3, "must be numeric"),
        (["builtin:gbsg", "--threshold", "1.5"], 2, "between 0 and 1"),
        (["builtin:gbsg", "--eligibility", "column: age, mni: 40, label: x"], 2, "mean `min`?"),
        (["builtin:gbsg", "--eligibility", "column: lvef, min: 4, label: x"], 2, "no predictor"),
    ):
        with pytest.raises(SystemExit) as left:
            main(["validate", str(finished.run_dir), *arguments])
        assert left.value.code == code
        assert text in capsys.readouterr().err


def test_no_patient_is_in_the_summary_of_another_cohort(judged):
    def lengths(value):
        if isinstance(value, dict):
            for item in value.values():
                yield from lengths(item)
        elif isinstance(value, list):
            yield len(value)
            for item in value:
                yield from lengths(item)

    assert max(lengths(judged)) < 400  # curves and tables, never one entry per patient (686)


def test_a_mapping_of_no_candidate_is_refused_before_anything_is_fitted(tmp_path):
    spec = load_spec(ROOT / "experiments" / "rotterdam_to_gbsg.yaml", overrides=QUICK)
    mapped = {"schema_path": None, "inputs": {"lvef": InputColumn(column="age")}}
    external = spec.external[0].model_copy(update=mapped)
    spec = spec.model_copy(update={"external": (external,)})
    with pytest.raises(SpecError, match="no candidate: lvef"):
        run_experiment(spec, out=tmp_path)
