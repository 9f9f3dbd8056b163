"""Contribution of each predictor along its values: the exact curve, and where patients are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.core.units import unit_text
from scorebuilder.report import numbers
from scorebuilder.report.drawing import (
    BLUE,
    INK,
    MUTED,
    TINT,
    drawing,
    pixels,
    ratio_axis,
    thin,
    to_svg,
    wrap,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary, slug

SIZE = (3.6, 2.7)


def _limits(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """Find common limits, so that the height of a curve can be compared between predictors."""
    seen = [-0.2, 0.2, *(item["contribution"] for row in rows for item in row["bins"])]
    for row in rows:
        if row["curve"]:
            seen += [value for value in row["curve"]["contribution"] if value is not None]
    margin = 0.06 * (max(seen) - min(seen))
    return min(seen) - margin, max(seen) + margin


def _dots(axes: Any, x: Any, row: dict[str, Any]) -> None:
    height = [item["contribution"] for item in row["bins"]]
    area = [12.0 + 160.0 * (item["share"] or 0.0) for item in row["bins"]]
    axes.scatter(x, height, s=area, color=TINT, edgecolors=INK, linewidths=0.6, zorder=3)


def _draw(figure: Any, row: dict[str, Any], limits: tuple[float, float]) -> None:
    axes = figure.subplots()
    axes.axhline(0, color=MUTED, linewidth=0.9)
    if row["curve"]:
        x, line = thin(row["curve"]["x"], row["curve"]["contribution"])
        axes.plot(x, line, color=BLUE, linewidth=2.0)
        _dots(axes, [item["value"] for item in row["bins"]], row)
        axes.set_xlabel(unit_text(row["unit"]) or "value")
    else:
        place = np.arange(len(row["bins"]))
        _dots(axes, place, row)
        width = max(8, 36 // len(place))
        axes.set_xticks(place, [wrap(item["value"], width) for item in row["bins"]])
        axes.set_xlim(-0.6, len(place) - 0.4)
        axes.grid(visible=False, axis="x")
    axes.set_ylim(*limits)
    ratio_axis(axes.yaxis, *limits)
    axes.set_ylabel("Hazard ratio")
    axes.set_title(wrap(row["label"], 34))


def _numbers(row: dict[str, Any]) -> DataTable:
    if row["curve"]:
        pairs = [
            pair
            for pair in zip(row["curve"]["x"], row["curve"]["contribution"], strict=True)
            if pair[1] is not None
        ]
        keep = np.unique(np.linspace(0, len(pairs) - 1, 9).round().astype(int))
        shown = [pairs[k] for k in keep]
    else:
        shown = [(item["value"], item["contribution"]) for item in row["bins"]]
    unit = unit_text(row["unit"])
    return DataTable(
        f"Contribution of {row['label']}",
        (f"{row['label']}{f' ({unit})' if unit else ''}", "Contribution", "Hazard ratio"),
        tuple(
            (
                numbers.quantity(value),
                numbers.signed(effect),
                numbers.two(float(np.exp(effect))),
            )
            for value, effect in shown
        ),
    )


def draw_dependence(summary: Summary) -> Iterator[Figure]:
    """
    Draw the contribution of each predictor against its values.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One for each predictor, the most important first.
    """
    found = summary.get("importance")
    if not found or not found["rows"]:
        return
    limits = _limits(found["rows"])
    for row in found["rows"]:
        table = _numbers(row)
        ends = [f"{cells[0]}: {cells[2]}" for cells in (table.rows[0], table.rows[-1])]
        alt = (
            f"{row['label']}: hazard ratio against the average patient, from {ends[0]} to {ends[1]}"
        )
        with drawing(*SIZE) as figure:
            _draw(figure, row, limits)
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        caption = "Ratio 1: the average patient. Dots: groups of at least five patients."
        name = f"dependence-{slug(row['predictor'])}"
        yield Figure(name, svg, width, height, alt, caption, table)


FIGURES.register("dependence", draw_dependence)
