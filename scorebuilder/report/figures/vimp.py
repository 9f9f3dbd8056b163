"""Dot plot of VIMP with its intervals, and minimal depth beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.report import numbers
from scorebuilder.report.drawing import BLUE, INK, MUTED, drawing, pixels, short, to_svg
from scorebuilder.report.figure import FIGURES, Figure, Summary

MOST_ROWS = 45


def _alt(rows: list[dict[str, Any]]) -> str:
    known = [row for row in rows if row["vimp"] is not None]
    selected = sum(bool(row["selected"]) for row in rows)
    first = ", ".join(f"{row['label']} {numbers.four(row['vimp'])}" for row in known[:3])
    return (
        f"Dot plot of {len(rows)} candidate variables by VIMP. Highest: {first or 'none defined'}."
        f" {selected} of {len(rows)} pass to stage 2."
    )


def _column(rows: list[dict[str, Any]], key: str) -> Any:
    return np.array([np.nan if row[key] is None else row[key] for row in rows], dtype=float)


def _draw(figure: Any, rows: list[dict[str, Any]], found: dict[str, Any]) -> None:
    threshold = found["minimal_depth_threshold"]
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.4, 1))
    place = np.arange(len(rows))[::-1]
    vimp, lower, upper, depth = (
        _column(rows, key) for key in ("vimp", "lower", "upper", "minimal_depth")
    )
    left.axvline(0, color=MUTED, linewidth=1)
    for index, row in enumerate(rows):
        colour = BLUE if row["selected"] else MUTED
        face = colour if row["kept_in_model"] else "white"
        marker = "o" if row["selected"] else "s"
        y = place[index]
        left.plot([lower[index], upper[index]], [y, y], color=colour, linewidth=1.3)
        for axes, x in ((left, vimp), (right, depth)):
            axes.plot(
                x[index], y, marker, color=colour, markerfacecolor=face, markersize=5, zorder=3
            )
    left.set_yticks(place, [short(row["label"], 40) for row in rows])
    for text, row in zip(left.get_yticklabels(), rows, strict=True):
        text.set_color(INK if row["selected"] else MUTED)
        text.set_fontweight("bold" if row["kept_in_model"] else "normal")
    left.set_ylim(-0.7, len(rows) - 0.3)
    left.set_xlabel(f"VIMP ({found.get('vimp_text', 'loss of out-of-bag C-index')})")
    right.set_xlabel("Minimal depth")
    right.tick_params(axis="y", length=0)
    if threshold is not None:
        right.axvline(threshold, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))


def draw_vimp(summary: Summary) -> Iterator[Figure]:
    """
    Draw the variables by VIMP.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if there is a ranking.
    """
    ranking = summary["selection"]["ranking"]
    if not ranking:
        return
    rows = ranking[:MOST_ROWS]
    alt = _alt(ranking)
    with drawing(7.6, 0.75 + 0.215 * len(rows)) as figure:
        _draw(figure, rows, summary["selection"])
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    more = (
        f" The first {MOST_ROWS} are drawn; the table holds all."
        if len(ranking) > MOST_ROWS
        else ""
    )
    caption = (
        "Blue circles passed to stage 2, grey squares were dropped; filled and bold: in the final"
        " score. Dashed: the mean minimal depth of a variable without effect; smaller is more"
        f" important. {summary['selection'].get('interval_text', 'Bars are intervals.')}{more}"
    )
    yield Figure("variable-importance", svg, width, height, alt, caption)


FIGURES.register("vimp", draw_vimp)
