"""The ten most important variables of the forest, as bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, INK, MUTED, TINT, drawing, pixels, to_svg, wrap
from scorebuilder.report.figure import FIGURES, Figure, Summary

MOST = 10
GREY = "#dfe4e9"


def _draw(axes: Any, rows: list[dict[str, Any]], unit: str) -> None:
    place = np.arange(len(rows))[::-1]
    for y, row in zip(place, rows, strict=True):
        inside = row["kept_in_model"]
        axes.barh(y, row["vimp"], height=0.62, color=BLUE if inside else TINT
                  if row["selected"] else GREY, edgecolor=BLUE if row["selected"] else MUTED,
                  linewidth=0.8, hatch="" if row["selected"] else "////")  # fmt: skip
        if row["lower"] is not None and row["upper"] is not None:
            axes.plot([row["lower"], row["upper"]], [y, y], color=INK, linewidth=1.3)
            for end in (row["lower"], row["upper"]):
                axes.plot([end, end], [y - 0.13, y + 0.13], color=INK, linewidth=1.3)
        axes.text(1.02, y, numbers.four(row["vimp"]), transform=axes.get_yaxis_transform(),
                  va="center", fontsize=8.5)  # fmt: skip
    axes.axvline(0, color=MUTED, linewidth=1)
    axes.set_yticks(place, [f"{wrap(row['label'], 34)}" for row in rows])
    for text, row in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_color(INK)
        text.set_fontweight("bold" if row["kept_in_model"] else "normal")
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.grid(visible=False, axis="y")
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel(f"VIMP ({unit})")


def draw_leading_variables(summary: Summary) -> Iterator[Figure]:
    """
    Draw the variables of highest VIMP, the first on top.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if a VIMP is defined.
    """
    found = summary["selection"]
    known = [row for row in found["ranking"] if row["vimp"] is not None]
    rows = sorted(known, key=lambda row: -row["vimp"])[:MOST]
    if not rows:
        return
    named = "; ".join(f"{words.clean(row['label'])} {numbers.four(row['vimp'])}" for row in rows)
    alt = f"Bars of VIMP, most important first: {named}."
    with drawing(7.6, 0.75 + 0.36 * len(rows)) as figure:
        _draw(figure.subplots(), rows, found.get("vimp_text", "loss of out-of-bag C-index"))
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = (
        "Most important variables of the forest. Blue: in the final score; light blue: passed to"
        " stage 2 only; grey, hatched: dropped."
        f" {found.get('interval_text', 'Bars are intervals.').replace('Bars:', 'Lines:')}"
    )
    yield Figure("leading-variables", svg, width, height, alt, caption)


FIGURES.register("leading_variables", draw_leading_variables)
