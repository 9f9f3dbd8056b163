"""The list of runs: newest first, what is unfinished passed over, what is damaged named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.core.canonical import sha256
from scorebuilder.report.index_page import list_runs, render_index, write_index


def _run(root: Path, name: str, version: str, **changed: Any) -> Path:
    folder = root / name / version
    folder.mkdir(parents=True)
    summary = {
        "score": {"title": "A <b>score</b>", "status": "research"},
        "headline": {
            "n_patients": 3873, "n_events": 460, "auc": 0.7123, "auc_lower": 0.69,
            "auc_upper": 0.735, "horizon": 1826.25,
        },
    }  # fmt: skip
    summary["headline"] |= changed
    files = {"summary.json": json.dumps(summary), "report.html": "<p>page</p>"}
    for file, text in files.items():
        (folder / file).write_text(text)
    sums = "".join(f"{sha256(text.encode())}  {file}\n" for file, text in files.items())
    (folder / "SHA256SUMS").write_text(sums)
    return folder


def test_runs_are_listed_the_newest_version_first(tmp_path: Path) -> None:
    for version in ("0.2.0", "0.10.0", "1.0.0"):
        _run(tmp_path, "b-score", version)
    _run(tmp_path, "a-score", "0.1.0", auc=None, reason="no event by then")
    (tmp_path / "b-score" / ".2.0.0.unfinished").mkdir()
    (tmp_path / ".hidden" / "1.0.0").mkdir(parents=True)
    (tmp_path / "examples" / "notes").mkdir(parents=True)
    rows = list_runs(tmp_path)
    assert [(row.name, row.version) for row in rows] == [
        ("a-score", "0.1.0"), ("b-score", "1.0.0"), ("b-score", "0.10.0"), ("b-score", "0.2.0"),
    ]  # fmt: skip
    assert rows[0].auc == "undefined: no event by then at 5 years"
    assert rows[1].auc == "0.712 (0.690 to 0.735) at 5 years"
    assert (rows[1].n_patients, rows[1].n_events) == ("3,873", "460")
    assert rows[1].link == "b-score/1.0.0/report.html"


@pytest.mark.parametrize(
    ("break_it", "damage"),
    [
        (lambda run: (run / "SHA256SUMS").unlink(), "checksums is missing"),
        (lambda run: (run / "report.html").unlink(), "report.html is missing"),
        (lambda run: (run / "report.html").write_text("x"), "report.html is not as the run"),
        (lambda run: (run / "summary.json").write_text("{"), "summary.json is not as the run"),
    ],
)
def test_a_damaged_run_is_listed_as_such(tmp_path: Path, break_it: Any, damage: str) -> None:
    break_it(_run(tmp_path, "score", "1.0.0"))
    (row,) = list_runs(tmp_path)
    assert damage in row.damage
    assert "damaged:" in render_index([row])


def test_a_summary_of_another_kind_is_damage(tmp_path: Path) -> None:
    folder = _run(tmp_path, "score", "1.0.0")
    (folder / "summary.json").write_text("[]")
    page = (folder / "report.html").read_bytes()
    (folder / "SHA256SUMS").write_text(
        f"{sha256(b'[]')}  summary.json\n{sha256(page)}  report.html\n"
    )
    assert list_runs(tmp_path)[0].damage == "its summary cannot be read"


def test_the_page_escapes_titles_and_has_the_same_bytes(tmp_path: Path) -> None:
    _run(tmp_path, "score", "1.0.0")
    place = write_index(tmp_path)
    first = place.read_bytes()
    write_index(tmp_path)
    assert place.read_bytes() == first
    html = first.decode()
    assert "A &lt;b&gt;score&lt;/b&gt;" in html
    assert not re.findall(r"<script|style=|https?:", html)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert "No finished run is here yet." in render_index(list_runs(tmp_path))
