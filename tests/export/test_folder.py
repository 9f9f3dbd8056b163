"""The folder that a clinic gets, and the command that writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from scorebuilder.cli.main import build_app
from scorebuilder.core.errors import SpecError
from scorebuilder.export.folder import export_folder
from scorebuilder.export.target import TARGETS, choose_targets
from scorebuilder.score.store import write_folder

from .shapes import run  # isort: skip


@pytest.fixture
def score_file(small_score: Any, tmp_path: Path) -> Path:
    path = tmp_path / "score.json"
    path.write_text(small_score.artifact.to_json(), "utf-8")
    return path


def call(*arguments: str | Path) -> Any:
    """Run the command inside this process."""
    return CliRunner().invoke(build_app(), ["export", *map(str, arguments)])


def test_all_targets_with_checksums_and_what_they_are(score_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "exports"
    done = call(score_file, "--target", "all", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["written"]) == set(TARGETS)
    assert {path.name for path in out.iterdir()} == set(TARGETS)
    for name in TARGETS:
        folder = out / name
        run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder)
        listed = {line.split("  ")[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
        assert listed == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
        told = (folder / "README.txt").read_text("utf-8")
        for words in ("Intended use:", "Not for:", "MIT", TARGETS[name].label):
            assert words in told
        assert len(json.loads((folder / "test_vectors.json").read_text())["test_vectors"]) >= 50


def test_the_list_names_every_target() -> None:
    done = call("list")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(TARGETS)


def test_an_earlier_export_is_replaced_and_a_foreign_folder_is_not(
    score_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "exports"
    for _ in range(2):
        assert call(score_file, "--target", "python", "--out", out).exit_code == 0
    foreign = out / "r"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    done = CliRunner().invoke(
        build_app(), ["export", str(score_file), "--target", "r", "--out", str(out)]
    )
    assert done.exit_code == 2
    assert "holds other files" in done.stderr
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]


def test_unknown_targets_and_none(score_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="unknown cobol; known: all, "):
        choose_targets(["python", "cobol"])
    assert choose_targets(["r", "r"]) == ["r"]
    assert call(score_file, "--out", tmp_path / "x").exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_missing_module_is_found_before_anything_is_written(
    score_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scorebuilder.export.target.find_spec", lambda name: None)
    done = call(score_file, "--target", "all", "--out", tmp_path / "x")
    assert done.exit_code == 5
    assert "openpyxl" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_damaged_artifact_is_not_exported(score_file: Path, tmp_path: Path) -> None:
    text = score_file.read_text("utf-8")
    score_file.write_text(text.replace('"coefficient": ', '"coefficient": 1', 1), "utf-8")
    done = call(score_file, "--target", "python", "--out", tmp_path / "x")
    assert done.exit_code == 2
    assert not (tmp_path / "x").exists()


def test_a_full_disk_leaves_the_earlier_export(
    small_score: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = export_folder(small_score.artifact, "python")
    write_folder(tmp_path / "python", files, mark="SHA256SUMS")
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr("scorebuilder.score.store.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write_folder(tmp_path / "python", dict.fromkeys(files, b"new"), mark="SHA256SUMS")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "python").iterdir()}
    assert kept == files
    assert [path.name for path in tmp_path.iterdir()] == ["python"]
