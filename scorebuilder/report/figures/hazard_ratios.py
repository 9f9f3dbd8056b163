"""Forest plot of adjusted hazard ratios for contrasts a clinician can picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    INK,
    MUTED,
    drawing,
    pixels,
    ratio_axis,
    short,
    to_svg,
    wrap,
)
from scorebuilder.report.figure import FIGURES, Figure, Summary


def draw_hazard_ratios(summary: Summary) -> Iterator[Figure]:
    """
    Draw the forest plot.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if the model has terms.
    """
    rows = summary["model"]["hazard_ratios"]
    known = [row for row in rows if row["hazard_ratio"] is not None]
    if not known:
        return
    far = max(known, key=lambda row: abs(np.log(row["hazard_ratio"])))
    alt = (
        f"Forest plot of {words.plural(len(rows), 'adjusted hazard ratio')}. Furthest from 1:"
        f" {words.clean(far['label'])}, {words.clean(far['contrast'])},"
        f" {numbers.estimate(far['hazard_ratio'], far['lower'], far['upper'], style=numbers.two)}."
    )
    ends = [
        float(np.clip(np.log(row[key]), -4.5, 4.5))
        for row in known
        for key in ("hazard_ratio", "lower", "upper")
        if row[key]
    ]
    lower, upper = min(*ends, -0.1), max(*ends, 0.1)
    margin = 0.06 * (upper - lower)
    with drawing(7.6, 0.7 + 0.36 * len(rows)) as figure:
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=1)
        for index, row in enumerate(rows):
            y = len(rows) - 1 - index
            text = numbers.estimate(
                row["hazard_ratio"], row["lower"], row["upper"], row.get("reason"),
                style=numbers.two,
            )  # fmt: skip
            axes.text(
                1.02,
                y,
                wrap(text, 24),
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8.5,
            )
            if row["lower"] and row["upper"]:
                axes.plot(np.log([row["lower"], row["upper"]]), [y, y], color=BLUE, linewidth=1.6)
            if row["hazard_ratio"]:
                axes.plot(np.log(row["hazard_ratio"]), y, "s", color=BLUE, markersize=6)
        labels = [f"{short(row['label'])}\n{short(row['contrast'], 40)}" for row in rows]
        axes.set_yticks(range(len(rows) - 1, -1, -1), labels, color=INK, fontsize=8.2)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlim(lower - margin, upper + margin)
        axes.grid(visible=False, axis="y")
        ratio_axis(axes.xaxis, lower - margin, upper + margin)
        axes.set_xlabel("Hazard ratio (95 % CI), logarithmic scale")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = "Each ratio holds the other predictors of the score fixed. A ratio of 1 is no effect."
    yield Figure("hazard-ratios", svg, width, height, alt, caption)


FIGURES.register("hazard_ratios", draw_hazard_ratios)
