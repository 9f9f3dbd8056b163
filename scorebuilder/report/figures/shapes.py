"""Shape of the effect of each predictor of the score, one small drawing per predictor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


def _finite(values: Iterable[Any]) -> Any:
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
            if "spike" in shape:
                seen += [
                    *_finite(shape["spike"][k] for k in ("log_hazard_ratio", "lower", "upper"))
                ]
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
    if "spike" in shape:
        _curve_beside_zero(figure, shape, limits)
        return
    axes, support = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1))
    _line(axes, shape, limits)
    axes.plot(
        shape["reference"], 0, "o", color=INK, markerfacecolor="white", markersize=6, zorder=4
    )
    axes.set_ylabel("Hazard ratio")
    axes.set_title(wrap(shape["label"], 34))
    _density(support, shape)


def _curve_beside_zero(figure: Any, shape: dict[str, Any], limits: tuple[float, float]) -> None:
    """Draw values up to 0 as a point in a panel of its own, and the curve of those above."""
    panels = figure.subplots(2, 2, sharex="col", height_ratios=(5, 1), width_ratios=(1, 5))
    (zero, axes), (below, support) = panels
    _line(axes, shape, limits)
    spike, at_zero = shape["spike"], shape["reference"] == 0
    zero.axhline(0, color=MUTED, linewidth=0.8)
    value, lower, upper = (spike[key] for key in ("log_hazard_ratio", "lower", "upper"))
    if not at_zero:
        zero.plot([0, 0], [lower, upper], color=BLUE, linewidth=1.6)
        axes.plot(
            shape["reference"], 0, "o", color=INK, markerfacecolor="white", markersize=6, zorder=4
        )
    colour, face = (INK, "white") if at_zero else (BLUE, BLUE)
    zero.plot(0, value, "o", color=colour, markerfacecolor=face, markersize=6, zorder=4)
    zero.set_ylim(*limits)
    ratio_axis(zero.yaxis, *limits)
    zero.set_ylabel("Hazard ratio")
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.spines["left"].set_visible(False)
    title = wrap(shape["label"], 34)
    # Wider than its panel, so no title of it; the other panel keeps the height that it needs.
    words = zero.annotate(
        title, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
        fontsize=9.5, fontweight="bold",
    )  # fmt: skip
    words.set_in_layout(False)
    axes.set_title("\n".join(" " for _ in title.splitlines()))
    _density(support, shape)
    below.set_xlim(-1, 1)
    below.set_xticks([0], ["0"])
    below.set_yticks([])
    below.grid(visible=False)
    zero.grid(visible=False, axis="x")
    below.spines["left"].set_visible(False)
    below.text(0, 0.4, f"n {_patients(spike)}", transform=below.get_xaxis_transform(),
               ha="center", va="center", fontsize=7, color=MUTED)  # fmt: skip


def _line(axes: Any, shape: dict[str, Any], limits: tuple[float, float]) -> None:
    x, line, lower, upper = thin(*(shape[k] for k in ("x", "log_hazard_ratio", "lower", "upper")))
    low, high = shape["soft_range"]
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.fill_between(x, lower, upper, color=TINT, linewidth=0, alpha=0.75)
    if shape.get("straight") is not None:
        straight = thin(shape["x"], shape["straight"])[1]
        axes.plot(x, straight, color=MUTED, linestyle=":", linewidth=1.5)
    axes.plot(x, line, color=BLUE, linestyle=(0, (3, 2)), linewidth=1.3)
    axes.plot(x, np.where((x >= low) & (x <= high), line, np.nan), color=BLUE, linewidth=2.2)
    axes.set_ylim(*limits)
    ratio_axis(axes.yaxis, *limits)
    if x.size > 1:
        axes.set_xlim(float(x[0]), float(x[-1]))


def _density(support: Any, shape: dict[str, Any]) -> None:
    edges, counts = np.asarray(shape["density"]["edges"]), np.asarray(shape["density"]["counts"])
    if counts.size:
        support.bar(edges[:-1], counts, np.diff(edges), align="edge", color="#9aa5b1", linewidth=0)
    support.set_yticks([])
    support.grid(visible=False)
    support.spines["left"].set_visible(False)
    support.set_xlabel(unit_text(shape.get("unit") or "") or "value")


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
    straight = None if shape.get("straight") is None else thin(shape["x"], shape["straight"])[1]
    rows: list[tuple[str, ...]] = [_zero_row(shape)] if "spike" in shape else []
    for index in np.unique(np.linspace(0, max(x.size - 1, 0), 9).round().astype(int))[: x.size]:
        value, low, high = (
            float(np.exp(column[index])) if np.isfinite(column[index]) else None
            for column in (line, lower, upper)
        )
        ratio = numbers.estimate(value, low, high, "not estimated", style=numbers.two)
        inside = shape["soft_range"][0] <= x[index] <= shape["soft_range"][1]
        other = () if straight is None else (numbers.two(float(np.exp(straight[index]))),)
        rows.append((numbers.quantity(float(x[index])), ratio, *other, "yes" if inside else "no"))
    unit = unit_text(shape.get("unit") or "")
    header = (
        f"{shape['label']}{f' ({unit})' if unit else ''}",
        "Hazard ratio (95 % CI)",
        *(() if straight is None else ("Straight line",)),
        "In range",
    )
    return DataTable(f"Hazard ratio along {shape['label']}", header, tuple(rows))


def _zero_row(shape: dict[str, Any]) -> tuple[str, str, str]:
    spike = shape["spike"]
    value, low, high = (float(np.exp(spike[k])) for k in ("log_hazard_ratio", "lower", "upper"))
    inside = shape["soft_range"][0] <= 0 <= shape["soft_range"][1]
    ratio = numbers.estimate(value, low, high, "not estimated", style=numbers.two)
    return numbers.quantity(0.0), ratio, "yes" if inside else "no"


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
    ends = " not estimated"
    if len(shape["x"]):
        places = dict.fromkeys([0.0, shape["x"][0], high] if "spike" in shape else [low, high])
        ends = ",".join(
            f" {numbers.two(_ratio_at(shape, value))} at {numbers.quantity(value)}"
            for value in places
        )
    reference = f"{numbers.quantity(shape['reference'])} {unit}".strip()
    alt = f"Hazard ratio along {shape['label']} against {reference}:{ends}."
    span = f"{numbers.quantity(low)} to {numbers.quantity(high)} {unit}".strip()
    powers = shape["powers_text"]
    caption = f"{powers[:1].upper()}{powers[1:]}. Reference {reference}; dashed outside {span}."
    return alt, f"{caption}{_notes(shape)}", _curve_table(shape)


def _ratio_at(shape: dict[str, Any], value: float) -> float:
    if "spike" in shape and value <= 0:
        return float(np.exp(shape["spike"]["log_hazard_ratio"]))
    x, line = thin(shape["x"], shape["log_hazard_ratio"])
    return float(np.exp(np.interp(value, x, line)))


def _notes(shape: dict[str, Any]) -> str:
    """Say what stands apart, and where the curve ends to change."""
    apart = " Left: patients at 0." if "spike" in shape else ""
    if "limits" not in shape:
        return apart
    low, high = (numbers.quantity(limit) for limit in shape["limits"])
    if "spike" in shape:
        return f"{apart} Flat above {high}: values beyond count as this limit."
    return f" Flat below {low} and above {high}: values beyond count as the limit."


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
