"""`report` in other formats and languages, with figures as PNG, and the list of runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scorebuilder.cli.main import main
from scorebuilder.core.canonical import sha256

EXAMPLE = Path(__file__).parents[1] / "report" / "summary_example.json"


@pytest.fixture
def call(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        return caught.value.code or 0, streams.out, streams.err

    return call


@pytest.fixture
def run_dir(tmp_path, monkeypatch):
    """A run of few figures, so that it is drawn fast."""
    summary = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    summary["model"] |= {"shapes": [], "hazard_ratios": []}
    summary["validation"] |= {"roc": [], "calibration": [], "decision_curve": []}
    summary["selection"]["stability"] = []
    summary["instability"] = None
    folder = tmp_path / "reports" / "score" / "1.0.0"
    folder.mkdir(parents=True)
    text = json.dumps(summary)
    (folder / "summary.json").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text("page", encoding="utf-8")
    sums = f"{sha256(text.encode())}  summary.json\n{sha256(b'page')}  report.html\n"
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return folder


def test_markdown_in_french_lies_beside_its_figures(call, run_dir, tmp_path):
    before = (run_dir / "SHA256SUMS").read_text()
    code, out, _ = call("report", run_dir, "--format", "md", "--lang", "fr")
    assert code == 0
    page = next(tmp_path.glob("*-fr.md"))
    assert out == f"report  {page.name}\n"
    assert "## Résumé" in page.read_text(encoding="utf-8")
    assert list((tmp_path / f"{page.stem}-figures").glob("*.svg"))
    assert (run_dir / "SHA256SUMS").read_text() == before


def test_word_and_png_go_where_they_are_asked_for(call, run_dir, tmp_path):
    out, figures = tmp_path / "x" / "paper.docx", tmp_path / "png"
    code, _, _ = call("report", run_dir, "--format", "docx", "--out", out, "--png", figures)
    assert code == 0
    assert out.read_bytes().startswith(b"PK")
    files = list(figures.iterdir())
    assert files
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "rtf"), "no format `rtf`; choose one of docx, html, md, pdf"),
        (("--lang", "xx"), "no report in `xx`; choose one of en, fr"),
        (("--lang", "fr", "--out", "{run}/report.html"), "is the English page of the run"),
        (("--format", "md", "--out", "{run}/report.md"), "lies inside the run"),
        (("--out", "a.html", "--png", "{run}/figures"), "--png lies inside the run"),
    ],
)
def test_what_cannot_be_is_refused(call, run_dir, options, message):
    given = [option.format(run=run_dir) for option in options]
    code, _, err = call("report", run_dir, *given)
    assert code == 2
    assert message in err


def test_without_a_browser_pdf_ends_with_code_5(call, run_dir, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    code, _, err = call("report", run_dir, "--format", "pdf")
    assert code == 5
    assert "needs Chromium or Chrome" in err


def test_the_list_of_runs_is_written(call, run_dir, tmp_path):
    code, out, _ = call("report", tmp_path / "reports", "--index")
    assert code == 0
    assert out == f"index   {tmp_path / 'reports' / 'index.html'}\n"
    assert "score/1.0.0/report.html" in (tmp_path / "reports" / "index.html").read_text()
    code, _, err = call("report", tmp_path / "nowhere", "--index")
    assert code == 2
    assert "is no folder of reports" in err
