"""compare and status: texts, JSON, page, exit codes, and the present version untouched."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scorebuilder.cli.main import build_app
from scorebuilder.score.artifact import seal
from scorebuilder.score.store import load_artifact, save_artifact


@pytest.fixture
def stored(small_score: Any, tmp_path: Path) -> Path:
    save_artifact(small_score.artifact, tmp_path / "whas-death" / "1.0.0")
    return tmp_path / "whas-death"


def store(root: Path, artifact: Any, version: str, change: Any) -> Path:
    content = copy.deepcopy(artifact.content)
    content["version"] = version
    change(content)
    return save_artifact(seal(content), root / version)


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(build_app(), [str(argument) for argument in arguments])


def lower_risk(content: Any) -> None:
    content["scoring"]["baseline"][0]["survival"] **= 0.8


def test_compare_enforces_the_version(small_score: Any, stored: Path) -> None:
    store(stored, small_score.artifact, "1.0.1", lower_risk)
    store(stored, small_score.artifact, "1.1.0", lower_risk)
    done = run("compare", stored / "1.0.0", stored / "1.0.1")
    assert done.exit_code == 1
    assert "must be 1.1.0 or later" in done.output
    done = run("compare", stored / "1.0.0", stored / "1.1.0", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert (found["required"], found["claimed"], found["version_ok"]) == ("minor", "minor", True)


def test_compare_on_a_cohort_as_page_and_json(
    small_score: Any, stored: Path, tmp_path: Path
) -> None:
    store(stored, small_score.artifact, "1.1.0", lower_risk)
    page = tmp_path / "page.html"
    done = run(
        "compare", stored / "1.0.0", stored / "1.1.0", "builtin:whas500", "--json", "--html", page
    )
    assert done.exit_code == 0, done.output
    cohort = json.loads(done.stdout)["cohort"]
    assert cohort["n"] == 500
    by_measure = {(row["measure"], row["horizon"]): row for row in cohort["performance"]}
    ratio = by_measure["observed_expected", 365.25]
    # A risk that is lower for everybody raises observed / expected and keeps every rank.
    assert ratio["new"] > ratio["old"]
    auc = by_measure["auc", 365.25]
    assert auc["new"] == pytest.approx(auc["old"], abs=1e-12)
    assert sum(row["n"] or 0 for row in cohort["reclassification"]) == 500
    text = page.read_text(encoding="utf-8")
    assert "Content-Security-Policy" in text
    assert not re.search(r"<script|javascript:|https?://|style=", text)


def test_units_that_changed_are_refused(small_score: Any, stored: Path) -> None:
    def other_unit(content: Any) -> None:
        content["scoring"]["predictors"][0]["unit"] = "mo"

    store(stored, small_score.artifact, "2.0.0", other_unit)
    done = run("compare", stored / "1.0.0", stored / "2.0.0", "builtin:whas500")
    assert done.exit_code == 3
    assert "must be in" in done.output


def test_status_writes_the_next_version_and_keeps_the_present(stored: Path) -> None:
    before = (stored / "1.0.0" / "score.json").read_bytes()
    done = run("status", stored / "1.0.0", "--to", "withdrawn", "--reason", "wrong unit", "--json")
    assert done.exit_code == 0, done.output
    assert load_artifact(stored / "1.0.1").content["status"] == "withdrawn"
    assert (stored / "1.0.0" / "score.json").read_bytes() == before
    again = run("status", stored / "1.0.0", "--to", "active", "--reason", "no")
    assert again.exit_code == 2
    assert "a stored version never changes" in again.output


def test_a_tampered_artifact_is_named(stored: Path) -> None:
    path = stored / "1.0.0" / "score.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["scoring"]["terms"][1]["coefficient"] += 1e-6
    path.write_text(json.dumps(content), encoding="utf-8")
    done = run("compare", path, path)
    assert done.exit_code == 2
    assert "changed at scoring/terms/1" in done.output
