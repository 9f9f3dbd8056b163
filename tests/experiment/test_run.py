import json

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import load_dataset
from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import CohortError, MissingPartError, ModelError, SpecError
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import check_fit, read_cohort
from scorebuilder.experiment.run import run_experiment
from scorebuilder.score.apply import score_table
from scorebuilder.score.store import load_artifact
from scorebuilder.tracking.trackers import TRACKERS
from scorebuilder.validation.performance import evaluate
from scorebuilder.validation.resampling import cross_validate

SPEC = """
name: whas-death
title: Death after myocardial infarction
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y, 3y]}
missing: {policy: impute}
selection: {n_estimators: 30, rule: top_k, top_k: 5}
validation: {folds: 3, repeats: 1}
baselines:
  - {name: score2, settings: {region: low}}
  - name: framingham_cvd_2008_bmi
    assume: {bp_treated: 1, current_smoker: 0, diabetes: 0}
    recalibrate: slope_and_baseline
export: {targets: [python]}
seed: 7
"""


@pytest.fixture(scope="module")
def spec_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "whas.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(spec_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("reports")
    return run_experiment(load_spec(spec_file), out=out, jobs=1)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_run_folder_is_complete(finished):
    files = files_of(finished.run_dir)
    for name in ("score.json", "report.html", "summary.json", "run.json", "SHA256SUMS"):
        assert files[name]
    assert "exports/python/whas_death.py" in files
    assert any(name.startswith("figures/") for name in files)
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: sha256(content) for name, content in files.items() if name != "SHA256SUMS"
    }
    assert not any(path.name.startswith(".") for path in finished.run_dir.parent.iterdir())


def test_the_same_study_gives_the_same_bytes_for_any_number_of_workers(
    finished, spec_file, tmp_path
):
    again = run_experiment(load_spec(spec_file), out=tmp_path, jobs=2)
    first, second = files_of(finished.run_dir), files_of(again.run_dir)
    assert first.keys() == second.keys()
    differing = {name for name in first if first[name] != second[name]}
    assert differing <= {"run.json", "SHA256SUMS"}  # the record of the run holds its time


def test_a_finished_run_is_not_computed_again(finished, spec_file):
    again = run_experiment(load_spec(spec_file), out=finished.run_dir.parent.parent)
    assert again.already_finished
    assert again.summary == json.loads((finished.run_dir / "summary.json").read_text())


def test_a_finished_run_is_indexed_afterwards_and_once(finished, spec_file):
    tracker = TRACKERS["memory"]("")
    for _ in range(2):
        out = finished.run_dir.parent.parent
        assert run_experiment(load_spec(spec_file), out=out, tracker=tracker).already_finished
    assert len(tracker.records) == 1


def test_another_study_never_overwrites_it(finished, spec_file):
    other = load_spec(spec_file, overrides=("seed=8",))
    with pytest.raises(SpecError, match="never overwritten"):
        run_experiment(other, out=finished.run_dir.parent.parent)


def test_the_artifact_alone_reproduces_the_builder(finished, spec_file):
    spec = load_spec(spec_file)
    cohort = read_cohort(spec)
    candidates = list(check_fit(spec, cohort))
    builder = make_builder(spec, candidates).fit(cohort.X[candidates], cohort.y)
    scored = score_table(load_artifact(finished.run_dir), cohort.X)
    for column, horizon in (("risk_1y", 365.25), ("risk_3y", 1095.75)):
        np.testing.assert_allclose(
            scored[column],
            builder.predict_risk(cohort.X[candidates], horizon=horizon),
            rtol=0,
            atol=1e-12,
        )


def test_no_patient_row_is_in_the_summary(finished):
    text = json.dumps(finished.summary)
    longest = max(_lengths(finished.summary))
    assert longest <= 400  # curves and tables, never one entry per patient (500)
    assert "NaN" not in text


def _lengths(value):
    yield 0
    if isinstance(value, dict):
        for item in value.values():
            yield from _lengths(item)
    elif isinstance(value, list):
        yield len(value)
        for item in value:
            yield from _lengths(item)


def test_undefined_numbers_carry_a_reason(finished):
    # score2 asks for inputs that whas500 does not have.
    row = finished.summary["validation"]["comparison"][0]
    assert row["n_scorable"] == 0
    assert row["auc_baseline"] is None
    assert row["reason"]
    assert row["reasons"]


def test_established_scores_are_shown_as_published_and_recalibrated(finished):
    row = finished.summary["validation"]["comparison"][1]
    assert [form["form"] for form in row["forms"]] == ["score", "published", "slope_and_baseline"]
    assert row["assumed"][0] == "Treated for hypertension: yes for every patient"
    measures = {item["measure"]: item for item in row["forms"][2]["measures"]}
    assert measures["in_the_large"]["lower"] < 1.0 < measures["in_the_large"]["upper"]
    table = pd.read_csv(finished.run_dir / "tables" / "recalibration.csv")
    assert set(table["form"]) == {"score", "published", "slope_and_baseline"}
    assert table["value"].isna().equals(table["reason"].notna())
    page = (finished.run_dir / "report.html").read_text(encoding="utf-8")
    assert "Recalibrated: slope and baseline hazard" in page


def test_a_stopped_run_goes_on_from_its_finished_folds(spec_file, tmp_path, monkeypatch):
    from scorebuilder.experiment import run

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "_artifact", stop)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(load_spec(spec_file), out=tmp_path)
    monkeypatch.undo()
    folds = list((tmp_path / "whas-death" / ".0.1.0.unfinished" / "folds").glob("*.json"))
    assert len(folds) == 3

    def never(*_, **__):
        raise AssertionError

    monkeypatch.setattr("scorebuilder.validation.refit.Refitting.__call__", never)
    result = run_experiment(load_spec(spec_file), out=tmp_path)
    assert not result.already_finished


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("outcome.horizons=[1y, 30y]", SpecError, "30y past the longest follow-up"),
        ("baselines=[nosuch]", SpecError, "nosuch"),
        ("baselines=[{name: score2, settings: {regionx: low}}]", SpecError, "regionx"),
        ("baselines=[{name: score2, variant: nosuch}]", SpecError, "has no variant `nosuch`"),
        ("export.targets=[cobol]", SpecError, "unknown cobol; known:"),
        ("model.max_df_by={nosuch: 1}", SpecError, "not among the candidates: nosuch"),
        ("candidates.ban=[nosuch]", SpecError, "no predictor of the schema: nosuch"),
        ("candidates.groups={a: [age]}", CohortError, "at least two candidates must vary"),
        ("score={points: 100, risk_groups: [1, 100]}", ModelError, "fewer than 10 patients in"),
        ("model.select_alpha=1.0e-300", ModelError, "no variable was kept: 5 of"),
    ],
)
def test_what_does_not_fit_is_refused(spec_file, tmp_path, override, error, message):
    # A list in an override may hold commas, so that it is given whole.
    with pytest.raises(error, match=message):
        run_experiment(load_spec(spec_file, overrides=(override,)), out=tmp_path)
    assert not (tmp_path / "whas-death" / "0.1.0").exists()


def test_missing_report_parts_are_found_before_anything_is_computed(
    spec_file, tmp_path, monkeypatch
):
    def without_jinja2(name):
        return None if name == "jinja2" else object()

    monkeypatch.setattr("scorebuilder.experiment.preflight.find_spec", without_jinja2)
    with pytest.raises(MissingPartError, match=r"reports need jinja2; install with .*\[report\]"):
        run_experiment(load_spec(spec_file), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_missing_values_are_refused_when_they_must_be(spec_file, tmp_path, checkout):
    frame, _ = load_dataset("whas500")
    frame = frame.astype(object)
    frame.loc[[3, 8], "bmi"] = np.nan
    table = tmp_path / "table.csv"
    frame.to_csv(table, index=False)
    overrides = (
        f"cohort.data={table}",
        f"cohort.schema={checkout / 'data_schemas' / 'whas500.yaml'}",
        "missing.policy=refuse",
    )
    with pytest.raises(CohortError, match=r"`bmi`.*`missing.policy` is refuse; 2 rows"):
        run_experiment(load_spec(spec_file, overrides=overrides), out=tmp_path)


@pytest.mark.slow
def test_shuffled_outcomes_give_an_auc_of_one_half(spec_file):
    # The whole pipeline, imputation to points, refitted in every fold. Any leak of the outcome into
    # the held-out patients would push the AUC above 0.5. Three shuffles; each interval has 95 %
    # coverage, so the mean of the three must lie within 0.5 +- 1.96 mean-of-three standard errors
    # (widened to 3 for a fixed seed).
    spec = load_spec(spec_file, overrides=("validation.folds=5", "outcome.horizons=[1y]"))
    cohort = read_cohort(spec)
    candidates = list(check_fit(spec, cohort))
    builder = make_builder(spec, candidates)
    values, errors = [], []
    for seed in range(3):
        y = cohort.y[np.random.default_rng(seed).permutation(len(cohort.y))]
        result = cross_validate(
            builder,
            cohort.X[candidates],
            y,
            folds=5,
            repeats=1,
            horizons=(365.25,),
            random_state=seed,
        )
        found = evaluate(result, y, horizon=365.25, metric="auc")
        assert found.lower - 0.02 < 0.5 < found.upper + 0.02
        values.append(found.value)
        errors.append((found.upper - found.lower) / (2 * 1.96))
    assert abs(np.mean(values) - 0.5) < 3 * np.mean(errors) / np.sqrt(3)


def test_tables_hold_aggregates_only(finished):
    for path in (finished.run_dir / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        assert 0 < len(table) < 400
        assert not {"id", "time", "event"} & set(table.columns)
