"""Plain progress says a line for each tenth; the bar needs a terminal."""

import sys

import pytest

from scorebuilder.cli.console import Console, counted, duration
from scorebuilder.cli.progress import PlainProgress, RichProgress, progress_on


def test_one_line_for_each_tenth_with_the_time_left():
    lines, now = [], [0.0]
    progress = PlainProgress(lines.append, clock=lambda: now[0])
    progress.stage("folds", 50)
    for _ in range(50):
        now[0] += 2
        progress.advance()
    progress.done()
    # 5 of 50 steps took 10 s, so 45 more take 90 s
    assert lines[:2] == ["folds", "folds: 5 of 50, about 1 min 30 s left"]
    assert lines[-1] == "folds: 50 of 50"
    assert len(lines) == 11


def test_single_step_is_one_line():
    lines = []
    progress = PlainProgress(lines.append)
    progress.stage("reading", 1)
    progress.advance()
    assert lines == ["reading"]


def test_few_steps_skip_tenths():
    lines = []
    progress = PlainProgress(lines.append, clock=lambda: 0.0)
    progress.stage("folds", 3)
    for _ in range(3):
        progress.advance()
    assert [line.split(",")[0] for line in lines] == ["folds", "folds: 1 of 3", "folds: 2 of 3",
                                                      "folds: 3 of 3"]  # fmt: skip


def test_bar_needs_a_terminal_that_moves_its_cursor(monkeypatch):
    assert isinstance(progress_on(Console()), PlainProgress)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(progress_on(Console()), RichProgress)
    assert isinstance(progress_on(Console(quiet=True)), PlainProgress)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress_on(Console()), PlainProgress)


def test_bar_writes_on_stderr_only(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with RichProgress() as progress:
        progress.stage("folds [1]", 2)
        progress.advance()
        progress.stage("report", 1)
        progress.done()
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "folds [1]" in streams.err


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.6, "1 min 0 s"), (133, "2 min 13 s"), (3900, "1 h 5 min")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_counted():
    assert counted(1, "row") == "1 row"
    assert counted(0, "row") == "0 rows"
