"""How far a run is: a bar with the remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Self

from scorebuilder.cli.console import Console, duration


class PlainProgress:
    """
    One line per stage and about one for each tenth of it.

    Parameters
    ----------
    write : callable
        Takes a line.
    clock : callable
        Seconds, for tests.
    """

    def __init__(
        self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._name, self._total, self._n = "", 0, 0
        self._tenth, self._start = 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def stage(self, name: str, total: int) -> None:
        """
        Begin a stage.

        Parameters
        ----------
        name : str
            What is done.
        total : int
            Steps of the stage.
        """
        self._name, self._total, self._n = name, total, 0
        self._tenth, self._start = 0, self._clock()
        self._write(name)

    def advance(self, n: int = 1) -> None:
        """
        Count finished steps.

        Parameters
        ----------
        n : int
            How many.
        """
        self._n += n
        if self._total <= 1 or not 0 < self._n <= self._total:
            return
        tenth = 10 * self._n // self._total
        if tenth == self._tenth:
            return
        self._tenth = tenth
        left = (self._clock() - self._start) * (self._total - self._n) / self._n
        more = f", about {duration(left)} left" if self._n < self._total else ""
        self._write(f"{self._name}: {self._n} of {self._total}{more}")

    def done(self) -> None:
        """End the last stage."""


class RichProgress:
    """A bar on stderr with the remaining time."""

    def __init__(self) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bars: Any = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=RichConsole(stderr=True),
            redirect_stdout=False,
        )
        self._task: Any = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def stage(self, name: str, total: int) -> None:
        """
        Begin a stage.

        Parameters
        ----------
        name : str
            What is done.
        total : int
            Steps of the stage.
        """
        self.done()
        self._task = self._bars.add_task(name, total=total)

    def advance(self, n: int = 1) -> None:
        """
        Count finished steps.

        Parameters
        ----------
        n : int
            How many.
        """
        if self._task is not None:
            self._bars.advance(self._task, n)

    def done(self) -> None:
        """End the last stage."""
        if self._task is not None:
            self._bars.update(self._task, completed=self._bars.tasks[-1].total)
            self._task = None


def progress_on(console: Console) -> PlainProgress | RichProgress:
    """
    Choose how progress is shown.

    Parameters
    ----------
    console : Console
        Where the command writes.

    Returns
    -------
    PlainProgress or RichProgress
        A context; the bar only on a terminal that can move its cursor.
    """
    can_move = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
    if can_move and not console.quiet:
        return RichProgress()
    return PlainProgress(console.note)
