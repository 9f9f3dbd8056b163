"""The MLflow record of a run, in a fresh SQLite store."""

import os
import sqlite3
import sys

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import CohortError, MissingPartError, SpecError
from scorebuilder.tracking import mlflow_session as module
from scorebuilder.tracking.tracker import TrackingError, record_once
from scorebuilder.tracking.trackers import TRACKERS


@pytest.fixture(scope="session")
def store(tmp_path_factory, run_dir, tiny):
    """One recorded run; a fresh store costs seconds, so all tests read the same one."""
    file = tmp_path_factory.mktemp("store") / "deeper" / "mlflow.db"
    tracker = TRACKERS["mlflow"](f"sqlite:///{file}")
    assert record_once(tracker, tiny.summary, run_dir)
    return file


def parents(client, experiment):
    runs = client.search_runs([experiment.experiment_id])
    return [run for run in runs if "mlflow.parentRunId" not in run.data.tags]


@pytest.fixture(scope="session")
def run(store):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{store}", f"sqlite:///{store}")
    experiment = client.get_experiment_by_name("tiny-score")
    (run,) = parents(client, experiment)
    return client, experiment, run


def test_telemetry_is_off_before_mlflow_is_imported(store):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"


def test_settings_results_and_files_are_recorded(run, store, tiny):
    client, experiment, run = run
    assert run.info.status == "FINISHED"
    assert run.data.params["selection.rule"] == "vimp_ci"
    assert run.data.params["reproduce.seed"] == "7"
    assert run.data.metrics["auc_5y"] == 0.71
    assert run.data.metrics["n_patients"] == 300
    assert run.data.tags["scorebuilder.data_sha256"] == tiny.data_sha256
    assert experiment.artifact_location == (store.parent / "mlartifacts").as_uri()
    names = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"score.json", "summary.json", "tables"} <= names
    tables = client.list_artifacts(run.info.run_id, "tables")
    assert [table.path for table in tables] == ["tables/folds.csv", "tables/ranking.csv"]


def test_data_are_named_by_a_short_digest(run, tiny):
    (data,) = run[2].inputs.dataset_inputs
    assert data.dataset.digest == tiny.data_sha256[:32]
    assert data.dataset.name == "Tiny cohort"


def test_registered_model_carries_version_and_core_id(run, tiny):
    client = run[0]
    version = client.get_model_version_by_alias("tiny-score", "score-0-1-0")
    assert version.tags["version"] == "0.1.0"
    assert version.tags["core_id"] == tiny.artifact().content["core_id"]


@pytest.fixture(scope="session")
def model(store, load_model):
    return load_model(f"sqlite:///{store}", "models:/tiny-score@score-0-1-0")


SCORES = [0.25, 0.5 * (5 - 6) - 0.0]
"""Of a woman (2) of 70, and of a man (1) of 50: 0.5 (age / 10 - 6), and - 0.25 for women."""


@pytest.mark.parametrize(
    ("age", "sex"),
    [
        ([70, 50], ["2", "1"]),
        ([70.0, 50.0], [2, 1]),
        (np.array([70, 50], dtype="int8"), pd.Categorical(["2", "1"])),
        (np.array([70, 50], dtype="float32"), [2.0, 1.0]),
        (pd.array([70, 50], dtype="Int64"), pd.array([2, 1], dtype="Int64")),
        (["70", "50"], pd.array(["2", "1"], dtype="string")),
    ],
)
def test_registered_model_takes_any_width_and_form_of_number(model, age, sex):
    table = model.predict(pd.DataFrame({"ward": ["x", "y"], "sex": sex, "age": age}))
    assert table["status"].tolist() == ["ok", "ok"]
    np.testing.assert_allclose(table["linear_predictor"], SCORES, rtol=0, atol=1e-12)


def test_registered_model_says_why_a_row_has_no_score(model):
    frame = pd.DataFrame(
        {"age": pd.array([70, None, 95, 111], dtype="Int64"), "sex": ["2", "1", "1", "3"]},
        index=[5, 6, 7, 8],
    )
    table = model.predict(frame)
    assert table.index.tolist() == [5, 6, 7, 8]
    assert table["status"].tolist() == ["ok", "refused", "ok", "refused"]
    assert table["refusals"].tolist() == ["", "age missing", "", "age out_of_range; sex invalid"]
    assert table["warnings"].tolist() == ["", "", "age extrapolation", ""]
    assert table["risk_5y"].isna().tolist() == [False, True, False, True]
    assert table["risk_group"].tolist() == ["high", "", "high", ""]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"age": [71.25]}, r"column `sex`: the score needs this column. Add it \(sex\)"),
        ({"sex": ["2"]}, "column `age`: the score needs this column"),
        ({"ward": ["71.25"]}, "column `age`: the score needs this column"),
        ({"age": ["71,25"], "sex": ["2"]}, r"column `age`: every cell must be a number; 1 row"),
        ({"age": [True], "sex": ["2"]}, r"column `age`: truth values cannot be read"),
        ({"age": [71.25], "sex": [True]}, r"column `sex`: truth .* Give the codes 1, 2"),
        ({"age": pd.to_datetime(["1971-02-05"]), "sex": ["2"]}, "every cell must be a number"),
    ],
)
def test_registered_model_refuses_what_it_cannot_read_without_quoting_it(model, columns, message):
    with pytest.raises(CohortError, match=message) as caught:
        model.predict(pd.DataFrame(columns))
    assert "71" not in str(caught.value)


def test_signature_names_inputs_of_any_type_and_requires_none(model):
    inputs, outputs = model.metadata.signature.inputs, model.metadata.signature.outputs
    assert [(item.name, item.required) for item in inputs] == [("age", False), ("sex", False)]
    assert model.metadata.metadata["needed_inputs"] == ["age", "sex"]
    example = model.predict(pd.DataFrame({"age": [60.0], "sex": ["1"]}))
    assert set(outputs.input_names()) == set(example.columns)


def test_each_repeat_is_a_child_run(run):
    client, experiment, parent = run
    runs = client.search_runs(
        [experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    )
    found = {child.info.run_name: child.data.metrics for child in runs}
    # (0.7 + 0.8) / 2; of the second repeat one of two folds is defined, and no fold of brier
    assert found["repeat 1"] == pytest.approx({"auc_5y": 0.75, "c_index_5y": 0.66}, abs=1e-12)
    assert found["repeat 2"] == pytest.approx({"auc_5y": 0.6}, abs=1e-12)
    assert all(child.info.status == "FINISHED" for child in runs)


def test_metrics_name_the_model_and_the_data(run):
    client, _, parent = run
    (logged,) = parent.outputs.model_outputs
    metrics = {item.key: item for item in client.get_logged_model(logged.model_id).metrics}
    assert metrics["auc_5y"].value == 0.71
    assert metrics["auc_5y"].dataset_name == "Tiny cohort"
    assert metrics["auc_5y"].run_id == parent.info.run_id


def test_a_run_is_recorded_once(store, run, run_dir, tiny):
    import mlflow

    before = mlflow.get_tracking_uri()
    tracker = TRACKERS["mlflow"](f"sqlite:///{store}")
    assert not record_once(tracker, tiny.summary, run_dir)
    assert mlflow.get_tracking_uri() == before
    client, experiment, _ = run
    assert len(parents(client, experiment)) == 1


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


def test_failed_record_says_that_the_run_folder_is_complete(tmp_path, run_dir, tiny):
    file = tmp_path / "mlflow.db"
    file.write_text("this is no database")
    tracker = TRACKERS["mlflow"](f"sqlite:///{file}")
    with pytest.raises(TrackingError, match=r"run folder is complete, but its record in .*failed"):
        record_once(tracker, tiny.summary, run_dir)


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
