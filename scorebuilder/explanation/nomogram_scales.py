"""What a nomogram is made of: scales with marks, bands of the score, and readings."""

from __future__ import annotations

from dataclasses import dataclass

TURN, ROUND, BETWEEN, END = range(4)
"""Ranks of marks: where there is no room for all, the first ones are written."""


@dataclass(frozen=True)
class Tick:
    """
    A mark on a scale.

    Attributes
    ----------
    label : str
        What is written.
    points : float
        Where, in points of the nomogram.
    below : bool
        Written below the line: where the curve falls.
    rank : int
        `TURN` where the curve turns and the line is folded, `ROUND` for round values and levels,
        `BETWEEN` for finer ones, `END` for the ends of the range.
    """

    label: str
    points: float
    below: bool = False
    rank: int = 1


@dataclass(frozen=True)
class Scale:
    """
    One line of the nomogram.

    Attributes
    ----------
    title : str
        Label and unit.
    first, last : float
        Its ends, in points of the nomogram.
    ticks : tuple of Tick
        Marks.
    levels : bool
        Whether every mark is a level, which must be written.
    """

    title: str
    first: float
    last: float
    ticks: tuple[Tick, ...]
    levels: bool = False


@dataclass(frozen=True)
class Band:
    """
    Totals that have the same points of the score.

    Attributes
    ----------
    score : int
        Thresholds reached.
    first, last : float
        Ends, in points of the nomogram; the first is inside.
    """

    score: int
    first: float
    last: float


@dataclass(frozen=True)
class Reading:
    """
    One way through the scales, as an example.

    Attributes
    ----------
    steps : tuple of Tick
        A mark of each input, in their order.
    total : float
        Sum of their points, each read to a whole number.
    score : int
        Points of the score.
    risks : tuple of float
        One per horizon, of `total`.
    """

    steps: tuple[Tick, ...]
    total: float
    score: int
    risks: tuple[float, ...]


@dataclass(frozen=True)
class Nomogram:
    """
    All scales of a score.

    Attributes
    ----------
    inputs : tuple of Scale
        Points of each input, at least 0.
    totals : Scale
        Sum of the points.
    bands : tuple of Band
        The score along `totals`, ascending.
    risks : tuple of Scale
        Risk by each horizon, in points of `totals`.
    unit : float
        Log hazard of one point.
    base : float
        Linear predictor of a total of 0.
    reading : Reading
        An example.
    """

    inputs: tuple[Scale, ...]
    totals: Scale
    bands: tuple[Band, ...]
    risks: tuple[Scale, ...]
    unit: float
    base: float
    reading: Reading
