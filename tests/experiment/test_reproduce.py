"""A run done again is the same bytes; changed data are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.reproduce import reproduce_run
from scorebuilder.experiment.run import run_experiment

SPEC = """
name: whas-death
title: Death after myocardial infarction
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y, 3y]}
missing: {policy: impute}
selection: {n_estimators: 20, rule: top_k, top_k: 4}
validation: {folds: 2, repeats: 1}
export: {targets: [python]}
seed: 7
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: Any) -> Path:
    folder = tmp_path_factory.mktemp("reproduce")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return run_experiment(load_spec(folder / "spec.yaml"), out=folder, command="again").run_dir


def test_the_same_bytes(finished: Path) -> None:
    found = reproduce_run(finished)
    assert found["differences"] == []
    assert found["equal"], [row for row in found["files"] if row["state"] != "equal"]
    assert len(found["files"]) > 10


def test_the_same_bytes_with_comparators_card_and_another_cohort(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "experiments" / "rotterdam_to_gbsg.yaml"
    quick = ("selection.n_estimators=10", "validation.folds=2", "cohort.schema=null",
             "comparators=[linear_cox]", "score.card=whole")  # fmt: skip
    spec = load_spec(path, overrides=quick)
    external = spec.external[0].model_copy(update={"schema_path": None})
    spec = spec.model_copy(update={"external": (external,)})
    run_dir = run_experiment(spec, out=tmp_path, command="again").run_dir
    found = reproduce_run(run_dir)
    assert found["differences"] == []
    assert found["equal"], [row for row in found["files"] if row["state"] != "equal"]


def test_what_changed_is_named(finished: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    record = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    record["versions"]["numpy"] = "0.1"
    record["spec"]["seed"] = 8
    (copy / "run.json").write_text(json.dumps(record), encoding="utf-8")
    found = reproduce_run(copy)
    assert {row["what"] for row in found["differences"]} == {"version of numpy", "seed"}
    assert not found["equal"]
    assert {"file": "score.json", "state": "different"} in found["files"]


def test_a_folder_without_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no readable run\.json"):
        reproduce_run(tmp_path)
