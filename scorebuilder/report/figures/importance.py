"""What moves the score: mean size of each contribution, and its spread over binned patients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.core.units import unit_text
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
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

MOST_ROWS = 30
ROW = 0.46
"""Inches of one predictor."""
DOT = 260.0
"""Area of a dot that stands for all patients, in square points; a bin has its share of it."""
LARGEST = 78.0


def _area(share: float | None) -> float:
    return min(max(DOT * share * 3.0, 14.0), LARGEST) if share else 14.0


def swarm(x: Any, area: Any, *, per_point: float) -> Any:
    """
    Move dots of one row apart, the way bees sit: each as near to the line as its neighbours allow.

    Parameters
    ----------
    x : array-like of shape (n_dots,)
        Where they lie along the row, in points of the page.
    area : array-like of shape (n_dots,)
        Square points.
    per_point : float
        Rows in one point of height.

    Returns
    -------
    ndarray of shape (n_dots,)
        Height of each above the line, in rows; the same for the same dots.
    """
    x, radius = np.asarray(x, dtype=float), np.sqrt(np.asarray(area, dtype=float) / np.pi)
    height = np.zeros(x.size)
    placed: list[int] = []
    for k in np.argsort(x, kind="stable"):
        candidates = [0.0]
        for other in placed:
            apart, reach = abs(x[k] - x[other]), (radius[k] + radius[other]) * 1.04
            if apart < reach:
                rise = float(np.sqrt(reach**2 - apart**2))
                candidates += [height[other] + rise, height[other] - rise]
        free = [
            c
            for c in candidates
            if all(
                (x[k] - x[o]) ** 2 + (c - height[o]) ** 2 >= ((radius[k] + radius[o]) * 1.039) ** 2
                for o in placed
            )
        ]
        height[k] = min(free, key=lambda c: (abs(c), c))
        placed.append(int(k))
    return height * per_point


def _draw(figure: Any, rows: list[dict[str, Any]]) -> None:
    bars, dots = figure.subplots(1, 2, sharey=True, width_ratios=(2, 3))
    place = np.arange(len(rows))[::-1]
    bars.barh(place, [row["size"] for row in rows], height=0.5, color=BLUE)
    for y, row in zip(place, rows, strict=True):
        bars.annotate(
            numbers.percent(row["share"], 0), (row["size"], y), (4, 0),
            textcoords="offset points", va="center", fontsize=8, color=MUTED,
        )  # fmt: skip
    bars.set_xlim(0, 1.2 * max(row["size"] for row in rows))
    bars.set_yticks(place, [short(row["label"], 32) for row in rows])
    bars.set_ylim(-0.6, len(rows) - 0.4)
    bars.set_xlabel("Mean size of the contribution\n(log hazard)")
    bars.grid(visible=False, axis="y")
    _dots(dots, rows, place)


def _dots(axes: Any, rows: list[dict[str, Any]], place: Any) -> None:
    seen = [0.0, *(item["contribution"] for row in rows for item in row["bins"])]
    margin = 0.06 * max(max(seen) - min(seen), 0.1)
    low, high = min(seen) - margin, max(seen) + margin
    axes.set_xlim(low, high)
    axes.axvline(0, color=MUTED, linewidth=0.9)
    per_inch = 3.1 / (high - low)  # the panel is about 3.1 inches wide
    for y, row in zip(place, rows, strict=True):
        x = np.array([item["contribution"] for item in row["bins"]])
        area = np.array([_area(item["share"]) for item in row["bins"]])
        height = swarm(72.0 * per_inch * x, area, per_point=1.0 / (72.0 * ROW))
        height = np.clip(height, -0.42, 0.42)
        shade = np.array([item["rank"] for item in row["bins"]])
        axes.scatter(x, y + height, s=area, c=shade, cmap=_shades(), vmin=0.0, vmax=1.0,
                     edgecolors=INK, linewidths=0.5, zorder=3)  # fmt: skip
    ratio_axis(axes.xaxis, low, high)
    axes.set_xlabel(
        "Hazard against the average patient (ratio)\nlight: low value   dark: high value"
    )
    axes.tick_params(axis="y", left=False)
    axes.grid(visible=False, axis="y")


def _shades() -> Any:
    """From nearly white to dark blue: told apart by lightness alone, also in grey print."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("low_to_high", ["#f7fbff", "#7fb8da", "#08304f"])


def _effect(row: dict[str, Any]) -> str:
    """Say in one phrase how the contribution runs along the values."""
    first, last = row["bins"][0], row["bins"][-1]
    unit = unit_text(row["unit"])
    ends = [
        f"{numbers.quantity(item['value'])} {unit}".strip()
        + f" {numbers.two(float(np.exp(item['contribution'])))}"
        for item in (first, last)
    ]
    return f"{row['label']}: hazard ratio against the average patient {ends[0]}, {ends[1]}"


def _numbers(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Contributions of each predictor in groups of patients with neighbouring values",
        ("Predictor", "Values (mean)", "Share of patients", "Contribution", "Hazard ratio"),
        tuple(
            (
                row["label"],
                f"{numbers.quantity(item['value'])} {unit_text(row['unit'])}".strip(),
                numbers.percent(item["share"], 0) if item["share"] else "hidden",
                numbers.signed(item["contribution"]),
                numbers.two(float(np.exp(item["contribution"]))),
            )
            for row in rows
            for item in row["bins"]
        ),
        text=(1,),
    )


def draw_importance(summary: Summary) -> Iterator[Figure]:
    """
    Draw the importance of the predictors, and their contributions by value.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if the score moves.
    """
    found = summary.get("importance")
    if not found or not found["rows"]:
        return
    rows = found["rows"][:MOST_ROWS]
    first = ", ".join(f"{row['label']} {numbers.percent(row['share'], 0)}" for row in rows[:3])
    alt = (
        f"Mean size of the contributions of {words.plural(len(found['rows']), 'predictor')} to the"
        f" score. Largest share: {first}. {_effect(rows[0])}."
    )
    with drawing(8.0, 0.95 + ROW * len(rows)) as figure:
        _draw(figure, rows)
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    caption = (
        "Left: mean absolute contribution, with its share of the sum. Right: each dot is a group of"
        " at least five patients with neighbouring values, or a level; its area grows with the"
        " number of patients, and the darker it is the higher their value. No dot is one patient."
    )
    yield Figure("importance", svg, width, height, alt, caption, _numbers(rows))


FIGURES.register("importance", draw_importance)
