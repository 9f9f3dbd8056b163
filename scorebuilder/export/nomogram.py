"""The formula as a nomogram: scales to read points off, add them, and find the risk."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.units import unit_text
from scorebuilder.export.plan import InputRule, Plan
from scorebuilder.score.apply import contributions, is_spiked

LEFT, RIGHT, WIDTH, ROW = 250.0, 960.0, 1000.0, 58.0
LONGEST = 100.0
"""Points of the input with the longest scale."""
RISKS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4),
    *(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99),
)
"""Risks that are marked, where the scale reaches them."""
GRID = 401
APART = 30.0
"""Least distance between two written ticks."""


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
        Written below the line: where the curve falls, or for a second branch.
    """

    label: str
    points: float
    below: bool = False


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
    """

    title: str
    first: float
    last: float
    ticks: tuple[Tick, ...]


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
    risks : tuple of Scale
        Risk by each horizon, in points of `totals`.
    unit : float
        Log hazard of one point.
    base : float
        Linear predictor of a total of 0.
    """

    inputs: tuple[Scale, ...]
    totals: Scale
    risks: tuple[Scale, ...]
    unit: float
    base: float


def make_nomogram(plan: Plan) -> Nomogram:
    """
    Lay out the scales of a score over the usual range of its inputs.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    Nomogram
        The input whose contribution varies most gets 100 points.
    """
    found = [_contribution(plan, rule) for rule in plan.inputs]
    longest = max(float(np.ptp(parts)) for _, parts in found)
    unit = longest / LONGEST if longest > 0 else 1.0
    scales, base, most = [], 0.0, 0.0
    for rule, (values, parts) in zip(plan.inputs, found, strict=True):
        low = float(parts.min())
        base += low
        points = (parts - low) / unit
        most += float(points.max())
        title = f"{rule.label} ({unit_text(rule.unit)})" if unit_text(rule.unit) else rule.label
        ticks = _number_ticks(values, points) if rule.numeric else _level_ticks(rule, points)
        scales.append(Scale(title, 0.0, float(points.max()), ticks))
    totals = Scale("Total points", 0.0, most, _total_ticks(most))
    risks = tuple(
        Scale(
            f"Risk by {row.words}, %",
            0.0,
            most,
            _risk_ticks(row.cumulative_hazard, base, unit, most),
        )
        for row in plan.horizons
    )
    return Nomogram(tuple(scales), totals, risks, unit, base)


def _contribution(plan: Plan, rule: InputRule) -> tuple[Sequence[float | str], FloatArray]:
    """Contribution of one input over its range; the others do not matter."""
    values: Sequence[float | str] = rule.codes
    if rule.numeric:
        grid = [float(value) for value in np.linspace(*(rule.usual or _possible(rule)), GRID)]
        terms = plan.artifact.scoring["terms"]
        spiked = any(is_spiked(term) for term in terms if term["predictor"] == rule.name)
        values = [0.0, *(value for value in grid if value > 0)] if spiked else grid
    frame = pd.DataFrame(
        {
            other.name: values if other is rule else [_any_value(other)] * len(values)
            for other in plan.inputs
        }
    )
    return values, contributions(plan.artifact, frame)[rule.name].to_numpy(dtype=np.float64)


def _possible(rule: InputRule) -> tuple[float, float]:
    assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
    return rule.lowest, rule.highest


def _any_value(rule: InputRule) -> float | str:
    if not rule.numeric:
        return rule.codes[0]
    low, high = rule.usual or _possible(rule)
    return 0.5 * (low + high)


def nice_values(low: float, high: float, *, most: int = 9) -> list[float]:
    """
    Choose round values inside a range.

    Parameters
    ----------
    low, high : float
        The range.
    most : int
        How many at the most, about.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> nice_values(36, 95)
    [40.0, 50.0, 60.0, 70.0, 80.0, 90.0]
    """
    if not high > low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def _number_ticks(values: Sequence[float | str], points: FloatArray) -> tuple[Tick, ...]:
    """Mark round values; where the curve turns, the branches are written on different sides."""
    x = np.asarray(values, dtype=np.float64)
    ticks = []
    for value in nice_values(float(x[0]), float(x[-1])):
        at = float(np.interp(value, x, points))
        near = int(np.clip(np.searchsorted(x, value), 1, x.size - 1))
        ticks.append(Tick(f"{value:g}", at, below=bool(points[near] < points[near - 1])))
    return tuple(ticks)


def _level_ticks(rule: InputRule, points: FloatArray) -> tuple[Tick, ...]:
    order = np.argsort(points, kind="stable")
    labels = [rule.levels[place][1] or rule.levels[place][0] for place in order]
    return tuple(
        Tick(label, float(points[place]), below=number % 2 == 1)
        for number, (label, place) in enumerate(zip(labels, order, strict=True))
    )


def _total_ticks(most: float) -> tuple[Tick, ...]:
    return tuple(Tick(f"{value:g}", value) for value in nice_values(0.0, most, most=12))


def _risk_ticks(hazard: float, base: float, unit: float, most: float) -> tuple[Tick, ...]:
    ticks = []
    for risk in RISKS:
        if hazard <= 0:
            break
        total = (math.log(-math.log1p(-risk) / hazard) - base) / unit
        if 0.0 <= total <= most:
            ticks.append(Tick(f"{100 * risk:g}", total))
    return tuple(ticks)


def draw_nomogram(nomogram: Nomogram) -> str:
    """
    Draw the scales.

    Parameters
    ----------
    nomogram : Nomogram
        The scales.

    Returns
    -------
    str
        An ``svg`` element without styles, the same for the same score.
    """
    rows: list[tuple[Scale, float]] = []
    top = Scale(
        "Points", 0.0, LONGEST, tuple(Tick(f"{v:g}", v) for v in nice_values(0, 100, most=10))
    )
    rows += [(scale, LONGEST) for scale in (top, *nomogram.inputs)]
    whole = nomogram.totals.last or 1.0
    rows += [(scale, whole) for scale in (nomogram.totals, *nomogram.risks)]
    height = ROW * len(rows) + 20
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        'aria-label="Nomogram: read the points of each input off the first scale, add them, and '
        'find the total below" font-family="sans-serif" font-size="14" fill="#16202b">'
    )
    parts = [opening]
    for number, (scale, span) in enumerate(rows):
        parts.append(_draw_scale(scale, span, 30.0 + ROW * number))
    return "\n".join([*parts, "</svg>"])


def _draw_scale(scale: Scale, span: float, y: float) -> str:
    def x(points: float) -> float:
        return LEFT + (RIGHT - LEFT) * points / span

    parts = _title(scale.title, y)
    ends = f'x1="{x(scale.first):.1f}" y1="{y:.1f}" x2="{x(scale.last):.1f}" y2="{y:.1f}"'
    parts.append(f'<line {ends} stroke="#16202b" stroke-width="1.5"/>')
    written = {True: -math.inf, False: -math.inf}
    for tick in sorted(scale.ticks, key=lambda tick: tick.points):
        at, side = x(tick.points), -1.0 if not tick.below else 1.0
        parts.append(
            f'<line x1="{at:.1f}" y1="{y:.1f}" x2="{at:.1f}" y2="{y + 6 * side:.1f}" '
            'stroke="#16202b"/>'
        )
        room = max(APART, 7.5 * len(_short(tick.label)))
        if at - written[tick.below] >= room * 0.9:
            text_y = y - 10 if not tick.below else y + 20
            parts.append(
                f'<text x="{at:.1f}" y="{text_y:.1f}" text-anchor="middle" font-size="12">'
                f"{escape(_short(tick.label))}</text>"
            )
            written[tick.below] = at
    return "\n".join(parts)


def _title(title: str, y: float) -> list[str]:
    """Write a title on one line, or on two."""
    lines = [line if len(line) <= 30 else f"{line[:29]}…" for line in wrap(title, 28)[:2]]
    first = y + 5 - 8 * (len(lines) - 1)
    return [
        f'<text x="10" y="{first + 16 * number:.1f}" font-weight="bold">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:29]}…"
