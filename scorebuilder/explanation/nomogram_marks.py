"""Which marks of a nomogram are written, and how far from their line, so that none meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    Scale,
    Tick,
)

LONGEST_LABEL = 30
CLOSEST = 0.15
"""Finer values nearer to one another than this share of `Ruler.apart` are not marked at all."""


@dataclass(frozen=True)
class Ruler:
    """
    The page on which a scale is drawn.

    Attributes
    ----------
    start, stop : float
        Where 0 and `span` lie.
    span : float
        Points of the nomogram from end to end, > 0.
    letter : float
        Width of a letter.
    apart : float
        Least distance between two written numbers.
    """

    start: float
    stop: float
    span: float
    letter: float
    apart: float

    def place(self, points: float) -> float:
        """
        Place points on the page.

        Parameters
        ----------
        points : float
            Of the nomogram.

        Returns
        -------
        float
            In the unit of `start`.
        """
        return self.start + (self.stop - self.start) * points / self.span


@dataclass(frozen=True)
class Mark:
    """
    A tick on the page.

    Attributes
    ----------
    tick : Tick
        What is marked.
    at, middle : float
        Where the tick stands, and the middle of its text.
    text : str
        What is written; empty if there is no room.
    side, row : int
        -1 above the line and 1 below; 0 next to it, 1 one line of text further.
    """

    tick: Tick
    at: float
    middle: float
    text: str
    side: int
    row: int


def place_marks(scale: Scale, ruler: Ruler) -> list[Mark]:
    """
    Choose where the marks of a scale are written.

    Parameters
    ----------
    scale : Scale
        One line of a nomogram.
    ruler : Ruler
        The page.

    Returns
    -------
    list of Mark
        Numbers are left out where they would meet, the finer ones between two round ones all or
        none; levels are all written, further from the line if they must be.
    """
    marks: list[Mark] = []
    groups = [list(group) for _, group in groupby(scale.ticks, key=_group)]
    for group in sorted(groups, key=lambda group: group[0].rank):
        if group[0].rank != BETWEEN:
            marks += _write(scale, ruler, group, marks)
            continue
        places = [ruler.place(tick.points) for tick in group]
        if any(abs(b - a) < CLOSEST * ruler.apart for a, b in pairwise(places)):
            continue
        written = _write(scale, ruler, group, marks)
        complete = all(mark.text for mark in written)
        marks += written if complete else [replace(mark, text="") for mark in written]
    return sorted(marks, key=lambda mark: mark.tick.points)


def _group(tick: Tick) -> tuple[int, str]:
    """Keep finer values between two round ones together; all others stand alone."""
    return (tick.rank, "") if tick.rank == BETWEEN else (tick.rank, tick.label)


def _write(scale: Scale, ruler: Ruler, ticks: list[Tick], others: list[Mark]) -> list[Mark]:
    marks: list[Mark] = []
    for tick in ticks:
        at, text = ruler.place(tick.points), short(tick.label)
        half = 0.5 * ruler.letter * len(text)
        first, last = ruler.start - ruler.apart + half, ruler.stop + ruler.apart - half
        middle = min(max(at, first), last) if half > ruler.apart else at
        for side, row in _places(scale, tick):
            beside = _beside([*others, *marks], side, row)
            if all(_clear(middle, half, other, ruler) for other in beside):
                marks.append(Mark(tick, at, middle, text, side, row))
                break
        else:
            marks.append(Mark(tick, at, middle, "", 1 if tick.below else -1, 0))
    return marks


def _places(scale: Scale, tick: Tick) -> Iterator[tuple[int, int]]:
    if not scale.levels:
        yield (1 if tick.below else -1), 0
        return
    for row in range(len(scale.ticks)):
        yield -1, row
        yield 1, row


def _beside(marks: list[Mark], side: int, row: int) -> list[Mark]:
    return [mark for mark in marks if mark.text and (mark.side, mark.row) == (side, row)]


def _clear(middle: float, half: float, other: Mark, ruler: Ruler) -> bool:
    widths = max(ruler.apart, half + 0.5 * ruler.letter * len(other.text))
    return abs(middle - other.middle) >= 0.9 * widths


def short(text: str) -> str:
    """
    Cut a long label.

    Parameters
    ----------
    text : str
        The label.

    Returns
    -------
    str
        At most `LONGEST_LABEL` characters.
    """
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
