"""reproduce from the terminal: the same bytes, or the name of everything that changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from scorebuilder.cli.main import build_app
from scorebuilder.cohort.load import load_dataset
from scorebuilder.score.store import load_artifact

pytestmark = pytest.mark.slow

SPEC = """
name: whas-death
title: Death after myocardial infarction
cohort: {{data: {data}, schema: whas500}}
outcome: {{horizons: [1y]}}
candidates: {{ban: [bmi, hr, sysbp, diasbp, cvd, afb, av3, miord, mitype]}}
missing: {{policy: refuse}}
selection: {{n_estimators: 5, rule: all, p_values: none}}
model: {{max_df: 1}}
validation: {{folds: 2, repeats: 1, bootstrap: 0}}
comparators: []
export: {{targets: [python]}}
tracking: none
seed: 7
"""


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(build_app(), [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    load_dataset("whas500")[0].to_csv(folder / "patients.csv", index=False)
    (folder / "spec.yaml").write_text(SPEC.format(data=folder / "patients.csv"), encoding="utf-8")
    done = run("run", folder / "spec.yaml", "--out", folder)
    assert done.exit_code == 0, done.output
    return folder


def test_an_unchanged_run_is_equal_byte_by_byte(study: Path) -> None:
    folder = study / "whas-death" / "0.1.0"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run("reproduce", folder, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["equal"], found["differences"]) == (True, [])
    # All but run.json and SHA256SUMS, which tell when the run was.
    assert len(found["files"]) == len(before) - 2
    assert "equal     score.json" in done.stderr
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_risk_table_has_plain_cells(study: Path) -> None:
    folder = study / "whas-death" / "0.1.0"
    table = pd.read_csv(folder / "tables" / "risk_table.csv")
    stored = load_artifact(folder).scoring["risk_table"]
    for key in ("band", "pooled"):
        ends = table[[f"{key}_from", f"{key}_to"]].to_numpy().tolist()
        assert ends == [row[key] for row in stored]
    assert "[" not in (folder / "tables" / "risk_table.csv").read_text(encoding="utf-8")


def test_changed_data_library_and_seed_are_named(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study / "whas-death" / "0.1.0", tmp_path / "copy")
    record = json.loads((tmp_path / "copy" / "run.json").read_text(encoding="utf-8"))
    numpy = record["versions"]["numpy"]
    record["versions"]["numpy"] = "0.1"
    record["spec"]["seed"] = 8
    (tmp_path / "copy" / "run.json").write_text(json.dumps(record), encoding="utf-8")
    table = load_dataset("whas500")[0]
    table.loc[0, "age"] += 1.0
    table.to_csv(tmp_path / "other.csv", index=False)
    done = run("reproduce", tmp_path / "copy", "--data", tmp_path / "other.csv")
    assert done.exit_code == 1, done.output
    lines = done.output.splitlines()
    changed = [line.split(",")[0] for line in lines if line.startswith("changed: ")]
    assert changed == ["changed: data", "changed: seed", "changed: version of numpy"]
    assert "changed: seed, stored 7, now 8" in lines
    assert f"changed: version of numpy, stored 0.1, now {numpy}" in lines
    assert "different score.json" in lines


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    done = run("reproduce", tmp_path)
    assert done.exit_code == 2
    assert "holds no readable run.json" in done.output
