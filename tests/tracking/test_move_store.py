"""A store that was moved, and the files of which were moved, is read again."""

import json
import shutil

import pandas as pd
import pytest

from scorebuilder.cli.main import main
from scorebuilder.core.errors import SpecError
from scorebuilder.tracking.move_store import move_artifacts
from scorebuilder.tracking.tracker import record_once
from scorebuilder.tracking.trackers import TRACKERS


def read_everything(file, load_model):
    """The files of a run, and the model by its alias."""
    from mlflow import MlflowClient

    uri = f"sqlite:///{file}"
    model = load_model(uri, "models:/tiny-score@score-0-1-0")
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("tiny-score")
    runs = client.search_runs([experiment.experiment_id])
    (parent,) = (run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    names = {item.path for item in client.list_artifacts(parent.info.run_id)}
    return names, model.predict(pd.DataFrame({"age": [70], "sex": [2]}))


def test_moved_reports_are_read_again(run_dir, fresh_store, tiny, load_model, tmp_path, capsys):
    before = tmp_path / "reports"
    shutil.copytree(run_dir, before / "tiny-score" / "0.1.0")
    shutil.move(fresh_store, before / "mlflow.db")
    tracker = TRACKERS["mlflow"](f"sqlite:///{before / 'mlflow.db'}")
    assert record_once(tracker, tiny.summary, before / "tiny-score" / "0.1.0")
    names, table = read_everything(before / "mlflow.db", load_model)
    after = tmp_path / "elsewhere_100%" / "reports"  # signs that LIKE would take for any text
    after.parent.mkdir()
    shutil.move(before, after)
    uri = f"sqlite:///{after / 'mlflow.db'}"
    with pytest.raises(SystemExit) as caught:
        main(["relocate", "--uri", uri, "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert not caught.value.code
    # the experiment, three runs, a logged model, and where the version was copied from
    assert answer["changed"] >= 5
    names_after, table_after = read_everything(after / "mlflow.db", load_model)
    assert names_after == names
    assert {"score.json", "summary.json", "tables"} <= names
    pd.testing.assert_frame_equal(table_after, table)
    assert move_artifacts(uri)[0] == 0
    tracker = TRACKERS["mlflow"](uri)
    assert not record_once(tracker, tiny.summary, after / "tiny-score" / "0.1.0")


def test_experiments_of_others_are_left_alone(fresh_store, tmp_path):
    import mlflow

    uri = f"sqlite:///{fresh_store}"
    client = mlflow.MlflowClient(uri, uri)
    place = (tmp_path / "theirs").as_uri()
    client.create_run(client.create_experiment("theirs", artifact_location=place))
    (fresh_store.parent / "mlartifacts").mkdir()
    assert move_artifacts(uri)[0] == 0
    assert client.get_experiment_by_name("theirs").artifact_location == place


def test_what_cannot_be_moved_is_told(tmp_path, fresh_store):
    with pytest.raises(SpecError, match="a server moves itself"):
        move_artifacts("https://mlflow.example.org")
    with pytest.raises(SpecError, match="there is no store at"):
        move_artifacts(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(SpecError, match="must be the present folder of the files"):
        move_artifacts(f"sqlite:///{fresh_store}")
