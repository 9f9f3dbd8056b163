"""Share of each variable in the predictions of the forest and of the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    INK,
    MUTED,
    drawing,
    percent_axis,
    pixels,
    short,
    to_svg,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

MOST_ROWS = 30


def _draw(figure: Any, rows: list[dict[str, Any]]) -> None:
    axes = figure.subplots()
    place = np.arange(len(rows))[::-1]
    for y, row in zip(place, rows, strict=True):
        stages = [("forest", y + 0.14, "s", MUTED, "white")]
        if row["in_score"]:
            stages.append(("score", y - 0.14, "D", BLUE, BLUE))
        for stage, at, marker, colour, face in stages:
            share, half = row[f"{stage}_share"], 1.96 * row[f"{stage}_error"]
            axes.plot([max(0.0, share - half), share + half], [at, at], color=colour, linewidth=1.2)
            axes.plot(
                share,
                at,
                marker,
                color=colour,
                markerfacecolor=face,
                markersize=5,
                clip_on=False,
                zorder=3,
            )
    axes.set_yticks(place, [short(row["label"], 40) for row in rows])
    for text, row in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(INK if row["in_score"] else MUTED)
        text.set_fontweight("bold" if row["in_score"] else "normal")
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlim(left=0)
    percent_axis(axes.xaxis)
    axes.set_xlabel("Share of the mean absolute attribution")


def _numbers(rows: list[dict[str, Any]]) -> DataTable:
    def _share(row: dict[str, Any], stage: str) -> str:
        share, half = row[f"{stage}_share"], 1.96 * row[f"{stage}_error"]
        return numbers.estimate(
            share, max(0.0, share - half), min(1.0, share + half), style=numbers.percent
        )

    return DataTable(
        "Share of each variable in the predictions of both stages",
        ("Variable", "Forest (95 % interval)", "Score (95 % interval)"),
        tuple(
            (
                row["label"],
                _share(row, "forest"),
                _share(row, "score") if row["in_score"] else "not in the score",
            )
            for row in rows
        ),
    )


def draw_stage_agreement(summary: Summary) -> Iterator[Figure]:
    """
    Draw the shares of the variables in both stages.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if there are shares.
    """
    found = summary.get("stage_agreement")
    if not found or not found["rows"]:
        return
    rows = found["rows"][:MOST_ROWS]
    first = ", ".join(f"{row['label']} {numbers.percent(row['forest_share'])}" for row in rows[:3])
    alt = (
        f"Share of {words.plural(len(found['rows']), 'variable')} in the predictions of the forest"
        f" and of the score. Largest in the forest: {first}."
    )
    with drawing(7.6, 0.75 + 0.27 * len(rows)) as figure:
        _draw(figure, rows)
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    more = (
        f" The first {MOST_ROWS} are drawn; the table holds all."
        if len(found["rows"]) > MOST_ROWS
        else ""
    )
    caption = (
        "Hollow squares: the forest of stage 1. Filled diamonds: the score; bold: variables that"
        " it holds. Bars: 95 % interval, for the choice of the patients explained only."
        f"{more}"
    )
    yield Figure("stage-agreement", svg, width, height, alt, caption, _numbers(found["rows"]))


FIGURES.register("stage_agreement", draw_stage_agreement)
