"""No value of one patient is in any file of a run, no small cell, and labels run nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.cohort.load import load_dataset
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.run import run_experiment

BMI, TIME = 25.123456789, 1234.5678
"""Of one patient, in the middle of all: no quantile or limit of the cohort may be it."""
SMALLEST_CELL = 5
SPEC = """
name: canary
title: "<script>alert(1)</script>"
cohort: {data: "builtin:whas500"}
outcome: {horizons: [3y]}
candidates: {keep: [bmi]}
missing: {policy: impute}
selection: {n_estimators: 20, rule: top_k, top_k: 5}
validation: {folds: 3, repeats: 1}
comparators: []
baselines: [{name: score2, settings: {region: low}}]
study: {ethics: "<script>alert(2)</script>"}
export: {targets: [python]}
seed: 7
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("canary")
    frame, _ = load_dataset("whas500")
    frame = frame.astype(object)
    frame.loc[17, "bmi"], frame.loc[17, "time"] = BMI, TIME
    frame.to_csv(place / "table.csv", index=False)
    schemas = Path(__file__).parents[2] / "data_schemas"
    schema = (schemas / "whas500.yaml").read_text(encoding="utf-8")
    assert "title: Age\n" in schema
    schema = schema.replace("title: Age\n", 'title: "<script>alert(3)</script>"\n')
    (place / "schema.yaml").write_text(schema, encoding="utf-8")
    (place / "spec.yaml").write_text(SPEC, encoding="utf-8")
    overrides = (f"cohort.data={place / 'table.csv'}", f"cohort.schema={place / 'schema.yaml'}")
    spec = load_spec(place / "spec.yaml", overrides)
    return run_experiment(spec, out=place / "reports", jobs=1).run_dir


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.parents[1].rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes().decode("utf-8")


def test_no_value_of_one_patient_is_in_any_file(folder: Path) -> None:
    texts = dict(_texts(folder))
    assert {"report.html", "summary.json", "run.json", "score.json", "index.html"} <= texts.keys()
    for name, text in texts.items():
        for secret in (f"{BMI:.6f}", f"{TIME:.3f}", f"{TIME:.4f}"):
            assert secret not in text, name


def test_no_cell_is_smaller_than_five_patients(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    small = [
        (path, value)
        for path, value in _leaves(summary)
        if path[-1] in ("n", "n_patients", "at_risk", "counts") and 0 < (value or 0) < SMALLEST_CELL
    ]
    assert small == []


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value


def test_labels_of_the_user_run_on_no_page(folder: Path) -> None:
    for name, text in _texts(folder):
        if name.endswith((".html", ".svg")):
            assert "<script" not in text, name
    page = (folder / "report.html").read_text(encoding="utf-8")
    for number in (1, 2, 3):
        assert f"&lt;script&gt;alert({number})&lt;/script&gt;" in page


def test_the_study_and_the_list_of_runs_are_written(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["study"]["ethics"] == "<script>alert(2)</script>"
    assert summary["study"]["funding"] is None
    index = (folder.parents[1] / "index.html").read_text(encoding="utf-8")
    assert 'href="canary/0.1.0/report.html"' in index
