"""The nomogram: points of each value, their total, and the score and risk below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from scorebuilder.explanation.nomogram import LONGEST, nice_values
from scorebuilder.explanation.nomogram_marks import Mark, Ruler, place_marks
from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    Band,
    Nomogram,
    Reading,
    Scale,
    Tick,
)
from scorebuilder.report import numbers
from scorebuilder.report.drawing import (
    INK,
    MUTED,
    TINT,
    VERMILION,
    drawing,
    pixels,
    to_svg,
    wrap,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

WIDTH, LEFT, RIGHT = 8.0, 2.0, 7.72
"""Inches: the figure, and the ends of its scales."""
TOP, ROW, LINE = 0.36, 0.5, 0.15
"""Inches: above the first scale, between scales, and between lines of text on one scale."""
LETTER, APART = 0.073, 0.27
NARROWEST = 0.12
SCORE = "Score, points"


@dataclass(frozen=True)
class _Row:
    title: str
    y: float
    ruler: Ruler
    marks: tuple[Mark, ...]
    first: float
    last: float
    shown: float | None
    """Where the example lies."""


def read_nomogram(found: Mapping[str, Any]) -> Nomogram:
    """
    Read a nomogram from a summary.

    Parameters
    ----------
    found : mapping
        ``nomogram`` of a summary.

    Returns
    -------
    Nomogram
        The scales.
    """
    reading = found["reading"]
    return Nomogram(
        inputs=tuple(_scale(scale) for scale in found["inputs"]),
        totals=_scale(found["totals"]),
        bands=tuple(Band(**band) for band in found["bands"]),
        risks=tuple(_scale(scale) for scale in found["risks"]),
        unit=found["unit"],
        base=found["base"],
        reading=Reading(
            tuple(Tick(**tick) for tick in reading["steps"]),
            reading["total"],
            reading["score"],
            tuple(reading["risks"]),
        ),
    )


def _scale(found: Mapping[str, Any]) -> Scale:
    plain = {field.name: found[field.name] for field in fields(Scale) if field.name != "ticks"}
    return Scale(ticks=tuple(Tick(**tick) for tick in found["ticks"]), **plain)


def _rows(nomogram: Nomogram) -> tuple[list[_Row], float, float]:
    """Stack the scales downwards; return them, the place of the score, and the height."""
    top = Scale(
        "Points", 0.0, LONGEST, tuple(Tick(f"{v:g}", v) for v in nice_values(0, LONGEST, most=10))
    )
    whole, reading = nomogram.totals.last or 1.0, nomogram.reading
    steps = [step.points for step in reading.steps]
    stacked = [
        (top, LONGEST, None),
        *zip(nomogram.inputs, [LONGEST] * len(steps), steps, strict=True),
        (nomogram.totals, whole, reading.total),
        *((scale, whole, reading.total) for scale in nomogram.risks),
    ]
    rows: list[_Row] = []
    y, score = TOP, 0.0
    for scale, span, shown in stacked:
        ruler = Ruler(LEFT, RIGHT, span, LETTER, APART)
        marks = place_marks(scale, ruler)
        y += LINE * max((mark.row for mark in marks if mark.side < 0), default=0)
        rows.append(_Row(scale.title, y, ruler, tuple(marks), scale.first, scale.last, shown))
        y += ROW + LINE * max((mark.row for mark in marks if mark.side > 0), default=0)
        if scale is nomogram.totals:
            score, y = y, y + ROW
    return rows, score, y - 0.5 * ROW


def _draw(figure: Any, nomogram: Nomogram, rows: list[_Row], score: float, height: float) -> None:
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    for mark in rows[0].marks:
        bottom = score - 1.5 * ROW
        axes.plot([mark.at] * 2, [rows[0].y, bottom], color=TINT, linewidth=0.6, zorder=1)
    for row in rows:
        _draw_row(axes, row)
    _draw_bands(axes, nomogram, rows[-1].ruler, score)
    reading = nomogram.reading
    ends = (rows[len(nomogram.inputs) + 1].y, rows[-1].y)
    at = rows[-1].ruler.place(reading.total)
    axes.plot([at] * 2, ends, color=VERMILION, linewidth=0.9, linestyle=(0, (3, 2)), zorder=2)


def _draw_row(axes: Any, row: _Row) -> None:
    _write_title(axes, row.title, row.y)
    ends = [row.ruler.place(row.first), row.ruler.place(row.last)]
    axes.plot(ends, [row.y] * 2, color=INK, linewidth=1.2, zorder=3)
    for mark in row.marks:
        length = 0.035 if mark.tick.rank == BETWEEN else 0.065
        axes.plot(
            [mark.at] * 2, [row.y, row.y + length * mark.side], color=INK, linewidth=0.8, zorder=3
        )
        if mark.text:
            y = row.y + mark.side * (0.085 + LINE * mark.row)
            _write(axes, mark.text, mark.middle, y, "bottom" if mark.side < 0 else "top")
    if row.shown is not None:
        at = row.ruler.place(row.shown)
        axes.plot(at, row.y, "o", color=VERMILION, markersize=5, zorder=4)


def _draw_bands(axes: Any, nomogram: Nomogram, ruler: Ruler, y: float) -> None:
    """Draw the score as boxes: every total inside one has the same points."""
    _write_title(axes, SCORE, y)
    for band in nomogram.bands:
        first, last = ruler.place(band.first), ruler.place(band.last)
        axes.fill_between([first, last], y - 0.11, y + 0.11, facecolor=TINT, edgecolor=INK,
                          linewidth=0.7, zorder=3)  # fmt: skip
        if last - first >= NARROWEST:
            weight = "bold" if band.score == nomogram.reading.score else "normal"
            axes.text(0.5 * (first + last), y, f"{band.score}", ha="center", va="center_baseline",
                      fontsize=8, fontweight=weight, zorder=5)  # fmt: skip


def _write(axes: Any, text: str, x: float, y: float, align: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.text(x, y, text, ha="center", va=align, fontsize=7.6, bbox=box, zorder=2.5)


def _write_title(axes: Any, title: str, y: float) -> None:
    axes.text(0.06, y, wrap(title, 27), ha="left", va="center", fontsize=8.4, fontweight="bold",
              color=INK if title else MUTED, linespacing=1.05)  # fmt: skip


def reading_table(nomogram: Nomogram) -> DataTable:
    """
    Say how the example is read.

    Parameters
    ----------
    nomogram : Nomogram
        The scales.

    Returns
    -------
    DataTable
        Each mark with its points, then what is read below their sum.
    """
    reading = nomogram.reading
    total = numbers.number(reading.total, 0)
    rows = [
        (scale.title, step.label, numbers.number(round(step.points), 0))
        for scale, step in zip(nomogram.inputs, reading.steps, strict=True)
    ]
    rows += [("Total points", "sum", total), (SCORE, total, f"{reading.score}")]
    rows += [
        (scale.title.removesuffix(", %"), total, numbers.percent(risk))
        for scale, risk in zip(nomogram.risks, reading.risks, strict=True)
    ]
    return DataTable("An example", ("Scale", "At", "Read off"), tuple(rows))


def _table(nomogram: Nomogram) -> DataTable:
    rows = [
        (scale.title, tick.label, numbers.number(tick.points, 1))
        for scale in (*nomogram.inputs, *nomogram.risks)
        for tick in sorted(scale.ticks, key=lambda tick: tick.points if scale.levels else 0)
        if tick.rank != BETWEEN
    ]
    rows += [
        (
            SCORE,
            f"{band.score}",
            f"{numbers.number(band.first, 1)} to {numbers.number(band.last, 1)}",
        )
        for band in nomogram.bands
    ]
    return DataTable(
        "Points of each value; total points of each risk and score",
        ("Scale", "Mark", "Points"),
        tuple(rows),
        text=(1,),
    )


def draw_nomogram(summary: Summary) -> Iterator[Figure]:
    """
    Draw the nomogram.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if the summary has its scales.
    """
    found = summary.get("nomogram")
    if not found or not found["inputs"]:
        return
    nomogram = read_nomogram(found)
    rows, score, height = _rows(nomogram)
    reading, longest = nomogram.reading, max(nomogram.inputs, key=lambda scale: scale.last)
    risk = f", risk {numbers.percent(reading.risks[-1])}" if reading.risks else ""
    alt = (
        f"Nomogram; predictors: {len(nomogram.inputs)}. Longest scale: {longest.title}."
        f" Example: total {numbers.number(reading.total, 0)}, score {reading.score}{risk}."
    )
    with drawing(WIDTH, height, layout=None) as figure:
        _draw(figure, nomogram, rows, score, height)
        width, tall = pixels(figure)
        svg = to_svg(figure, title=alt)
    folded = any(tick.below for scale in nomogram.inputs for tick in scale.ticks)
    caption = (
        "Scales cover the middle 98 % of the development patients."
        + (" Marks below a line stand where the curve falls." if folded else "")
        + " Dots and dashed line: the example."
    )
    yield Figure("nomogram", svg, width, tall, alt, caption, _table(nomogram))


FIGURES.register("nomogram", draw_nomogram)
