"""A number and a word that only one patient has are in no file of the run or of the store."""

import struct

import pytest

from scorebuilder.cli.main import main


@pytest.fixture(scope="module")
def registered(finished_run, empty_store, tmp_path_factory):
    import shutil

    store = tmp_path_factory.mktemp("index") / "mlflow.db"
    shutil.copy(empty_store, store)
    with pytest.raises(SystemExit) as caught:
        main(["register", str(finished_run), "--uri", f"sqlite:///{store}", "--alias", "champion"])
    assert not caught.value.code
    return store


def test_canary_is_in_no_file(study, finished_run, registered):
    data = (study.spec("none").parent / "whas.csv").read_bytes()
    marks = [study.canary.encode(), study.word.encode()]
    assert all(mark in data for mark in marks)  # it was there to be found
    marks += [struct.pack("<d", study.number), struct.pack(">d", study.number)]
    folders = (finished_run.parent.parent, registered.parent)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"report.html", "score.json", "summary.json", "folds.csv", "mlflow.db"} <= names
    assert {"MLmodel", "whas_death.py", "serving_input_example.json"} <= names
    found = [path.name for path in files if any(mark in path.read_bytes() for mark in marks)]
    assert found == []


def test_champion_gives_risk_points_and_group(registered, small_score, load_model):
    model = load_model(f"sqlite:///{registered}", "models:/whas-death@champion")
    table = model.predict(small_score.cohort.X.head(20))
    assert table["risk_1y"].between(0, 1).all()
    assert table["points"].between(0, 10).all()
    assert set(table["risk_group"]) <= {"low", "intermediate", "high"}
