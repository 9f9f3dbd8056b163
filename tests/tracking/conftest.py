"""A tiny score, its run folder, and MLflow stores that are ready at once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scorebuilder.score.artifact import ScoreArtifact, seal

DATA_SHA256 = "ab" * 32
SUMMARY = {
    "score": {
        "name": "tiny-score",
        "title": "Tiny",
        "version": "0.1.0",
        "status": "research",
        "core_id": None,
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


FOLDS = """\
model,metric,horizon,repeat,fold,value,reason
score,auc_at,1826.25,0,0,0.70,
score,auc_at,1826.25,0,1,0.80,
score,c_index,1826.25,0,0,0.66,
score,auc_at,1826.25,1,0,0.60,
score,auc_at,1826.25,1,1,,no event
score,brier_at,1826.25,1,0,,no event
"""


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


def tiny_artifact(**changes) -> ScoreArtifact:
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
            **changes,
        }
    )


SUMMARY["score"]["core_id"] = tiny_artifact().content["core_id"]


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "tables").mkdir()
    (folder / "tables" / "ranking.csv").write_text("variable,vimp\nage,0.02\n")
    (folder / "tables" / "folds.csv").write_text(FOLDS)
    (folder / "summary.json").write_text(json.dumps(SUMMARY))
    (folder / "score.json").write_text(tiny_artifact().to_json())
    return folder


@pytest.fixture(scope="session")
def tiny():
    """Names shared by the tests: the artifact by its changes, and the summary of its run."""
    return SimpleNamespace(artifact=tiny_artifact, summary=SUMMARY, data_sha256=DATA_SHA256)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A database of MLflow without runs; its tables take seconds to make."""
    from scorebuilder.tracking.reach import make_tables

    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture
def fresh_store(empty_store, tmp_path):
    """Path of a copy of it."""
    (tmp_path / "store").mkdir()
    return Path(shutil.copy(empty_store, tmp_path / "store" / "mlflow.db"))


CANARY = 27.183459
"""A body mass index that one patient has and no other number in the project."""
SECRET_WORD = "CANARY-7f3a9c"
STUDY = """
name: whas-death
title: Death after myocardial infarction
cohort: {{data: "{data}", schema: "{schema}"}}
outcome: {{horizons: [1y, 3y]}}
missing: {{policy: impute}}
selection: {{n_estimators: 20, rule: top_k, top_k: 4}}
candidates: {{keep: [age, bmi]}}
validation: {{folds: 2, repeats: 2}}
export: {{targets: [python]}}
tracking: {tracking}
seed: 7
"""
WITHOUT_MLFLOW = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "mlflow":
            raise ImportError("mlflow is not installed here")
sys.meta_path.insert(0, Refuse())
from scorebuilder.cli.main import main
main(sys.argv[1:])
"""
"""Code that starts a command as on a computer without MLflow."""


@pytest.fixture(scope="session")
def study(tmp_path_factory, checkout):
    """A cohort with a value and words of one patient that must appear nowhere, and its spec."""
    import pandas as pd

    from scorebuilder.cohort.load import load_dataset

    folder = tmp_path_factory.mktemp("study")
    frame, _ = load_dataset("whas500")
    frame["bmi"] = frame["bmi"].astype(object)
    # The middle of three neighbours: no quantile, limit or mean of a fold is this very number.
    frame.loc[(frame["bmi"].astype(float) - CANARY).abs().idxmin(), "bmi"] = CANARY
    frame["note"] = "none"
    frame.loc[17, "note"] = SECRET_WORD
    pd.DataFrame(frame).to_csv(folder / "whas.csv", index=False)
    schema = checkout / "data_schemas" / "whas500.yaml"

    def spec(tracking):
        file = folder / "whas.yaml"
        data = folder / "whas.csv"
        file.write_text(STUDY.format(data=data, schema=schema, tracking=tracking))
        return file

    return SimpleNamespace(spec=spec, canary=str(CANARY), number=CANARY, word=SECRET_WORD)


@pytest.fixture(scope="session")
def finished_run(study, tmp_path_factory):
    """The run folder of that study, made where MLflow cannot be imported."""
    out = tmp_path_factory.mktemp("finished") / "reports"
    command = [sys.executable, "-c", WITHOUT_MLFLOW, "run", str(study.spec("none"))]
    done = subprocess.run(
        [*command, "--out", str(out), "--jobs", "1", "--json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["run_dir"])


RACE = """
import json, pathlib, sys, time
from scorebuilder.tracking import registration
from scorebuilder.tracking.tracker import record_once
from scorebuilder.tracking.trackers import TRACKERS

run_dir, store, artifacts, mine, other = sys.argv[1:]
log_score = registration.log_score

def meet(*arguments):  # both have looked, and found nothing, before either registers
    logged = log_score(*arguments)
    pathlib.Path(mine).touch()
    end = time.monotonic() + 200
    while not pathlib.Path(other).exists() and time.monotonic() < end:
        time.sleep(0.01)
    return logged

registration.log_score = meet
summary = json.loads((pathlib.Path(run_dir) / "summary.json").read_text())
tracker = TRACKERS["mlflow"](store, artifacts)
print("won" if record_once(tracker, summary, pathlib.Path(run_dir)) else "lost")
"""


@pytest.fixture
def race(tmp_path):
    """Start two processes that register the same run at the same time."""

    def start(run_dirs, store, artifacts=""):
        marks = [tmp_path / "first", tmp_path / "second"]
        command = [sys.executable, "-W", "ignore", "-c", RACE]
        both = [
            subprocess.Popen(
                [*command, str(run_dir), store, artifacts, str(mine), str(other)],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for run_dir, mine, other in zip(run_dirs, marks, marks[::-1], strict=True)
        ]  # fmt: skip
        return [(*process.communicate(timeout=300), process.returncode) for process in both]

    return start


@pytest.fixture(scope="session")
def load_model():
    """Load a registered model as a user does, without what MLflow says at its first import."""

    def load(store, name):
        from scorebuilder.tracking.mlflow_session import quiet

        with quiet(store):
            import mlflow

            mlflow.set_tracking_uri(store)
            mlflow.set_registry_uri(store)
            return mlflow.pyfunc.load_model(name)

    return load
