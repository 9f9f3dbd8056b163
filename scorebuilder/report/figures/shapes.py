"""Shape of the effect of each predictor of the score, one small drawing per predictor."""

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
    short,
    thin,
    to_svg,
    wrap,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary, slug

SIZE = (3.6, 3.0)


def _finite(values: Any) -> Any:
    values = np.asarray([np.nan if value is None else value for value in values], dtype=float)
    return values[np.isfinite(values)]


def _limits(shapes: list[dict[str, Any]]) -> tuple[float, float]:
    """Find common limits of the log hazard ratio: every line, and the bands where patients are."""
    seen = [0.0, np.log(2.0), -np.log(1.3)]
    for shape in shapes:
        if shape["kind"] == "curve":
            x, line, lower, upper = thin(
                *(shape[k] for k in ("x", "log_hazard_ratio", "lower", "upper"))
            )
            inside = (x >= shape["soft_range"][0]) & (x <= shape["soft_range"][1])
            seen += [*_finite(line), *_finite(lower[inside]), *_finite(upper[inside])]
        else:
            for level in shape["levels"]:
                values = (level["hazard_ratio"], level["lower"], level["upper"])
                seen += [
                    float(np.log(value)) for value in values if value is not None and value > 0
                ]
    lower_limit, upper_limit = max(min(seen), -6.0), min(max(seen), 6.0)
    margin = 0.06 * (upper_limit - lower_limit)
    return lower_limit - margin, upper_limit + margin


def _curve(figure: Any, shape: dict[str, Any], limits: tuple[float, float]) -> None:
    axes, support = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    x, line, lower, upper = thin(*(shape[k] for k in ("x", "log_hazard_ratio", "lower", "upper")))
    low, high = shape["soft_range"]
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.fill_between(x, lower, upper, color=TINT, linewidth=0, alpha=0.75)
    axes.plot(x, line, color=BLUE, linestyle=(0, (3, 2)), linewidth=1.3)
    axes.plot(x, np.where((x >= low) & (x <= high), line, np.nan), color=BLUE, linewidth=2.2)
    axes.plot(
        shape["reference"], 0, "o", color=INK, markerfacecolor="white", markersize=6, zorder=4
    )
    axes.set_ylim(*limits)
    ratio_axis(axes.yaxis, *limits)
    axes.set_ylabel("Hazard ratio")
    axes.set_title(wrap(shape["label"], 34))
    edges, counts = np.asarray(shape["density"]["edges"]), np.asarray(shape["density"]["counts"])
    if counts.size:
        support.bar(edges[:-1], counts, np.diff(edges), align="edge", color="#9aa5b1", linewidth=0)
    support.set_yticks([])
    support.grid(visible=False)
    support.spines["left"].set_visible(False)
    unit = unit_text(shape.get("unit") or "")
    support.set_xlabel(unit or "value")
    if x.size > 1:
        axes.set_xlim(float(x[0]), float(x[-1]))


def _levels(figure: Any, shape: dict[str, Any], limits: tuple[float, float]) -> None:
    axes = figure.subplots()
    levels = shape["levels"]
    axes.axhline(0, color=MUTED, linewidth=0.8)
    for place, level in enumerate(levels):
        ratio, lower, upper = level["hazard_ratio"], level["lower"], level["upper"]
        if lower and upper:
            axes.plot([place, place], np.log([lower, upper]), color=BLUE, linewidth=1.6)
        if ratio:
            reference = ratio == 1 and lower in (None, 1)
            colour, face = (INK, "white") if reference else (BLUE, BLUE)
            axes.plot(
                place,
                np.log(ratio),
                "o",
                color=colour,
                markerfacecolor=face,
                markersize=6,
                zorder=4,
            )
        else:
            axes.text(place, 0, "undefined", rotation=90, ha="center", va="bottom", color=MUTED)
    axes.set_xticks(
        range(len(levels)),
        [
            f"{wrap(level['label'], max(8, 36 // len(levels)))}\nn {_patients(level)}"
            for level in levels
        ],
    )
    axes.set_xlim(-0.6, len(levels) - 0.4)
    axes.set_ylim(*limits)
    axes.grid(visible=False, axis="x")
    ratio_axis(axes.yaxis, *limits)
    axes.set_ylabel("Hazard ratio")
    axes.set_title(wrap(shape["label"], 34))


def _curve_table(shape: dict[str, Any]) -> DataTable:
    x, line, lower, upper = thin(*(shape[k] for k in ("x", "log_hazard_ratio", "lower", "upper")))
    rows = []
    for index in np.unique(np.linspace(0, max(x.size - 1, 0), 9).round().astype(int))[: x.size]:
        value, low, high = (
            float(np.exp(column[index])) if np.isfinite(column[index]) else None
            for column in (line, lower, upper)
        )
        ratio = numbers.estimate(value, low, high, "not estimated", style=numbers.two)
        inside = shape["soft_range"][0] <= x[index] <= shape["soft_range"][1]
        rows.append((numbers.quantity(float(x[index])), ratio, "yes" if inside else "no"))
    unit = unit_text(shape.get("unit") or "")
    header = (
        f"{shape['label']}{f' ({unit})' if unit else ''}",
        "Hazard ratio (95 % CI)",
        "In range",
    )
    return DataTable(f"Hazard ratio along {shape['label']}", header, tuple(rows))


def _patients(level: dict[str, Any]) -> str:
    return "hidden" if level["n"] is None else numbers.count(level["n"])


def _level_words(shape: dict[str, Any]) -> tuple[str, str, DataTable]:
    """Write alternative text, caption and table of a predictor with levels."""
    rows = []
    for level in shape["levels"]:
        why = level.get("reason")
        value, lower, upper = level["hazard_ratio"], level["lower"], level["upper"]
        ratio = numbers.estimate(value, lower, upper, why, style=numbers.two)
        rows.append((level["label"], ratio, _patients(level)))
    label = shape["label"]
    header = ("Level", "Hazard ratio (95 % CI)", "Patients")
    table = DataTable(f"Hazard ratio by {label}", header, tuple(rows))
    parts = "; ".join(f"{name} {ratio}" for name, ratio, _ in rows)
    return f"Hazard ratio by {label}: {parts}.", "Hollow: reference level.", table


def _curve_words(shape: dict[str, Any]) -> tuple[str, str, DataTable]:
    """Write alternative text, caption and table of a numeric predictor."""
    unit = unit_text(shape.get("unit") or "")
    low, high = shape["soft_range"]
    x, line = thin(shape["x"], shape["log_hazard_ratio"])
    ends = " not estimated"
    if x.size:
        ends = ",".join(
            f" {numbers.two(float(np.exp(np.interp(value, x, line))))} at {numbers.quantity(value)}"
            for value in (low, high)
        )
    reference = f"{numbers.quantity(shape['reference'])} {unit}".strip()
    alt = f"Hazard ratio along {shape['label']} against {reference}:{ends}."
    span = f"{numbers.quantity(low)} to {numbers.quantity(high)} {unit}".strip()
    powers = shape["powers_text"]
    caption = f"{powers[:1].upper()}{powers[1:]}. Reference {reference}; dashed outside {span}."
    return alt, caption, _curve_table(shape)


def draw_shapes(summary: Summary) -> Iterator[Figure]:
    """
    Draw the shape of each effect on a common scale.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One per predictor of the final model.
    """
    shapes = summary["model"]["shapes"]
    limits = _limits(shapes)
    for index, shape in enumerate(shapes, start=1):
        curve = shape["kind"] == "curve"
        alt, caption, table = (_curve_words if curve else _level_words)(shape)
        with drawing(*SIZE) as figure:
            (_curve if curve else _levels)(figure, shape, limits)
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        name = f"shape-{index:02d}-{slug(short(shape['predictor'], 40))}"
        yield Figure(name, svg, width, height, alt, caption, table)


FIGURES.register("shapes", draw_shapes)
