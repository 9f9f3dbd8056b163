"""The MLflow record of a run, in a fresh SQLite store."""

import os
import sqlite3
import sys

import pandas as pd
import pytest

from scorebuilder.core.errors import CohortError, MissingPartError, SpecError
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.tracking.tracker import TrackingError, record_once
from scorebuilder.tracking.trackers import TRACKERS
from scorebuilder.tracking.trackers import mlflow_tracker as module

DATA_SHA256 = "ab" * 32
SUMMARY = {
    "score": {
        "name": "tiny-score",
        "title": "Tiny",
        "version": "0.1.0",
        "status": "research",
        "core_id": "cd" * 32,
        "outcome": "death",
        "horizons": [1095.75, 1826.25],
        "main_horizon": 1826.25,
    },
    "headline": {"n_patients": 300, "n_events": 40},
    "selection": {"engine": "scikit-survival", "rule": "vimp_ci"},
    "cohort": {"title": "Tiny cohort", "data_sha256": DATA_SHA256},
    "reproduce": {"seed": 7, "spec_sha256": "ef" * 32},
    "validation": {
        "performance": [
            {"model": "score", "metric": "auc_at", "horizon": 1826.25, "value": 0.71, "lower": 0.65}
        ]
    },
}


def predictor(name, kind, levels=()):
    return {
        "id": name,
        "label": name,
        "unit": "1",
        "type": kind,
        "levels": [{"code": code, "label": code} for code in levels],
        "hard_range": [18, 110] if kind == "numeric" else [None, None],
        "soft_range": [30, 90] if kind == "numeric" else [None, None],
        "missing": {"policy": "refuse"},
    }


def tiny_artifact() -> ScoreArtifact:
    power = {"kind": "power", "predictor": "age", "shift": 0, "scale": 10, "power": 1}
    sex = {"kind": "indicator", "predictor": "sex", "levels": ["2"], "center": 0}
    return seal(
        {
            "schema_version": 1,
            "name": "tiny-score",
            "version": "0.1.0",
            "status": "research",
            "title": "Tiny",
            "derived_from": None,
            "changelog": [],
            "licence": "MIT",
            "meaning": {
                "intended_use": "tests",
                "not_for": "anything else",
                "population": "nobody",
                "outcome": "death",
                "time_zero": "start",
            },
            "scoring": {
                "predictors": [predictor("age", "numeric"), predictor("sex", "binary", "12")],
                "terms": [
                    {**power, "log_factor": 0, "center": 6, "coefficient": 0.5},
                    {**sex, "coefficient": -0.25},
                ],
                "baseline": [
                    {"horizon": 1095.75, "survival": 0.95},
                    {"horizon": 1826.25, "survival": 0.9},
                ],
                "points": {"thresholds": [-0.5, 0.0, 0.5], "anchors": [0.01, 0.99]},
                "risk_table": [],
                "risk_groups": [
                    {"label": "low", "points_from": 0, "points_to": 1},
                    {"label": "high", "points_from": 2, "points_to": 3},
                ],
                "reference": [{"predictor": "age", "contribution": 0.0}],
            },
            "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
        }
    )


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "tables").mkdir()
    (folder / "tables" / "ranking.csv").write_text("variable,vimp\nage,0.02\n")
    (folder / "summary.json").write_text("{}")
    (folder / "score.json").write_text(tiny_artifact().to_json())
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory, run_dir):
    """One recorded run; a fresh store costs seconds, so all tests read the same one."""
    file = tmp_path_factory.mktemp("store") / "deeper" / "mlflow.db"
    tracker = TRACKERS["mlflow"](f"sqlite:///{file}")
    assert record_once(tracker, SUMMARY, run_dir)
    return file


@pytest.fixture(scope="session")
def run(store):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{store}", f"sqlite:///{store}")
    experiment = client.get_experiment_by_name("tiny-score")
    (run,) = client.search_runs([experiment.experiment_id])
    return client, experiment, run


def test_telemetry_is_off_before_mlflow_is_imported(store):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"


def test_settings_results_and_files_are_recorded(run, store):
    client, experiment, run = run
    assert run.info.status == "FINISHED"
    assert run.data.params["selection.rule"] == "vimp_ci"
    assert run.data.params["reproduce.seed"] == "7"
    assert run.data.metrics["auc_5y"] == 0.71
    assert run.data.metrics["n_patients"] == 300
    assert run.data.tags["scorebuilder.data_sha256"] == DATA_SHA256
    assert experiment.artifact_location == (store.parent / "mlartifacts").as_uri()
    names = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"score.json", "summary.json", "tables"} <= names
    tables = client.list_artifacts(run.info.run_id, "tables")
    assert [table.path for table in tables] == ["tables/ranking.csv"]


def test_data_are_named_by_a_short_digest(run):
    (data,) = run[2].inputs.dataset_inputs
    assert data.dataset.digest == DATA_SHA256[:32]
    assert data.dataset.name == "Tiny cohort"


def test_registered_model_carries_version_and_core_id(run):
    client = run[0]
    version = client.get_model_version_by_alias("tiny-score", "score-0-1-0")
    assert version.tags["version"] == "0.1.0"
    assert version.tags["core_id"] == tiny_artifact().content["core_id"]


@pytest.fixture(scope="session")
def model(run, store):
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{store}")
    mlflow.set_registry_uri(f"sqlite:///{store}")
    return mlflow.pyfunc.load_model("models:/tiny-score@score-0-1-0")


def test_registered_model_scores_from_the_artifact_alone(model):
    # age 70: 0.5 * (7 - 6) = 0.5; sex 2: - 0.25; sum 0.25 reaches two thresholds
    # risk at 5 years 1 - 0.9 ** exp(0.25) = 0.12653
    table = model.predict(pd.DataFrame({"age": [70.0], "sex": ["2"]}))
    assert table["linear_predictor"][0] == pytest.approx(0.25, abs=1e-12)
    assert table["points"][0] == 2
    assert table["risk_5y"][0] == pytest.approx(1 - 0.9**1.2840254166877414, abs=1e-12)
    assert table["risk_group"][0] == "high"


def test_registered_model_says_why_a_row_has_no_score(model):
    table = model.predict(pd.DataFrame({"age": [70.0]}))
    assert table["reason"][0] == "sex missing"
    assert table["linear_predictor"].isna().all()


def test_registered_model_refuses_an_unknown_level(model):
    with pytest.raises(CohortError, match="sex"):
        model.predict(pd.DataFrame({"age": [70.0], "sex": ["3"]}))


def test_signature_lets_every_predictor_be_missing(model):
    inputs = model.metadata.signature.inputs
    assert [(item.name, item.type.name, item.required) for item in inputs] == [
        ("age", "double", False),
        ("sex", "string", False),
    ]


def test_a_run_is_recorded_once(store, run, run_dir):
    import mlflow

    before = mlflow.get_tracking_uri()
    tracker = TRACKERS["mlflow"](f"sqlite:///{store}")
    assert not record_once(tracker, SUMMARY, run_dir)
    assert mlflow.get_tracking_uri() == before
    client, experiment, _ = run
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_only_finished_records_of_the_same_run_count(store):
    tracker = TRACKERS["mlflow"](f"sqlite:///{store}")
    tags = {"scorebuilder.core_id": "12" * 32, "scorebuilder.cohort": "O'Hara's cohort"}
    assert not tracker.knows("third-score", tags)
    tracker.start("third-score", tags)
    assert not tracker.knows("third-score", tags)
    tracker.finish("failed")
    assert not tracker.knows("third-score", tags)
    tracker.start("third-score", tags)
    tracker.finish("finished")
    assert tracker.knows("third-score", tags)
    assert not tracker.knows("third-score", {**tags, "scorebuilder.version": "2.0.0"})
    assert not tracker.knows("tiny-score", tags)


def test_addresses_are_given_back(store):
    import mlflow

    before = mlflow.get_tracking_uri()
    tracker = TRACKERS["mlflow"](f"sqlite:///{store}")
    tracker.start("another-score", {})
    assert mlflow.get_tracking_uri() != before or before.endswith(str(store))
    tracker.finish("finished")
    assert mlflow.get_tracking_uri() == before


def test_failed_record_says_that_the_run_folder_is_complete(tmp_path, run_dir):
    file = tmp_path / "mlflow.db"
    file.write_text("this is no database")
    tracker = TRACKERS["mlflow"](f"sqlite:///{file}")
    with pytest.raises(TrackingError, match=r"run folder is complete, but its record in .*failed"):
        record_once(tracker, SUMMARY, run_dir)


def test_missing_mlflow_is_told_before_the_run(monkeypatch, tmp_path):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"pip install 'scorebuilder\[mlflow\]'") as caught:
        TRACKERS["mlflow"](f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert caught.value.exit_code == 5


def test_folder_that_cannot_be_made_is_told_before_the_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match="the tracking store needs the folder"):
        TRACKERS["mlflow"](f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}")


def test_naming_the_trackers_does_not_import_mlflow():
    import subprocess

    code = (
        "import sys; from scorebuilder.tracking.trackers import TRACKERS; list(TRACKERS); "
        "sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_store_holds_no_column_of_patients(store):
    """The tables of the store hold the names of predictors, but the file of values is absent."""
    with sqlite3.connect(store) as connection:
        (count,) = connection.execute("select count(*) from datasets").fetchone()
        (profile,) = connection.execute("select dataset_profile from datasets").fetchone()
    assert count == 1
    assert not profile or "age" not in profile
