"""How often each variable was chosen when the whole pipeline was refitted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    GRID,
    MUTED,
    drawing,
    percent_axis,
    pixels,
    short,
    to_svg,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

MOST_ROWS = 45


def draw_stability(summary: Summary) -> Iterator[Figure]:
    """
    Draw the share of refits in which a variable was selected and kept.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if the pipeline was refitted.
    """
    found = summary["selection"]["stability"]
    if not found:
        return
    ordered = sorted(
        found, key=lambda row: (-(row["model_share"] or 0), -(row["selected_share"] or 0))
    )
    rows = ordered[:MOST_ROWS]
    refits = words.plural(max(row["n_folds"] for row in found), "refit")
    steady = [row["label"] for row in ordered if (row["model_share"] or 0) >= 0.9]
    alt = (
        f"Share of {refits} in which each variable was chosen. In the final model in at least"
        f" 90 % of refits: {', '.join(steady) or 'none'}."
    )
    with drawing(7.6, 0.75 + 0.215 * len(rows)) as figure:
        axes = figure.subplots()
        place = np.arange(len(rows))[::-1]
        for y, row in zip(place, rows, strict=True):
            shares = [row["selected_share"], row["model_share"]]
            known = [share for share in shares if share is not None]
            axes.plot([0, *known], [y] * (len(known) + 1), color=GRID, linewidth=3, zorder=1)
            for share, marker, face, colour in zip(
                shares, "sD", ("white", BLUE), (MUTED, BLUE), strict=True
            ):
                if share is not None:
                    axes.plot(
                        share,
                        y,
                        marker,
                        color=colour,
                        markerfacecolor=face,
                        markersize=5.5,
                        clip_on=False,
                        zorder=3,
                    )
        axes.set_yticks(place, [short(row["label"], 40) for row in rows])
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.set_xlim(0, 1)
        percent_axis(axes.xaxis)
        axes.set_xlabel(f"Share of {refits}")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    table = DataTable(
        "Choice of variables over the refits",
        ("Variable", "Selected by the forest", "In the final model", "Refits"),
        tuple(
            (
                row["label"],
                numbers.maybe(
                    row["selected_share"],
                    row.get("reason"),
                    style=lambda value: numbers.percent(value, 0),
                ),
                numbers.maybe(
                    row["model_share"],
                    row.get("reason"),
                    style=lambda value: numbers.percent(value, 0),
                ),
                numbers.count(row["n_folds"]),
            )
            for row in ordered
        ),
    )
    caption = (
        "Hollow squares: passed stage 1. Filled diamonds: kept in the final model. A share"
        " near 100 % hardly depends on the sample; one near 50 % depends on it strongly."
    )
    yield Figure("selection-stability", svg, width, height, alt, caption, table)


FIGURES.register("stability", draw_stability)
