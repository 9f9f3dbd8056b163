"""Cumulative risk by risk group, with the numbers at risk under the ticks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.core.units import DAYS_PER_YEAR, format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    GREEN,
    LINES,
    MUTED,
    VERMILION,
    drawing,
    percent_axis,
    pixels,
    short,
    thin,
    to_svg,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

FEW_AT_RISK = 0.10
_STYLES: tuple[tuple[str, Any], ...] = (
    (BLUE, "solid"),
    (GREEN, (0, (9, 1.5))),
    (VERMILION, (0, (4, 1.2))),
    *LINES[2:],
)


def _scale(ticks: list[float]) -> tuple[float, str]:
    if ticks[-1] >= 2 * DAYS_PER_YEAR:
        return DAYS_PER_YEAR, "Years"
    return (DAYS_PER_YEAR / 12, "Months") if ticks[-1] >= 120 else (1.0, "Days")


def _steady_until(group: dict[str, Any], ticks: list[float]) -> float:
    """Return the first tick at which fewer than a tenth of the group is still at risk."""
    for tick, at_risk in zip(ticks, group["at_risk"], strict=True):
        if at_risk is not None and at_risk < FEW_AT_RISK * group["n"]:
            return tick
    return float("inf")


def _draw_group(
    axes: Any, group: dict[str, Any], style: tuple[str, Any], ticks: list[float], unit: float
) -> None:
    colour, dashes = style
    times, survival, lower, upper = thin(
        *(group[k] for k in ("times", "survival", "lower", "upper"))
    )
    if not times.size:
        return
    last = _steady_until(group, ticks)
    x, risk = times / unit, 1 - survival
    axes.fill_between(x, 1 - upper, 1 - lower, step="post", color=colour, alpha=0.13, linewidth=0)
    steady = times <= last
    axes.step(x[steady], risk[steady], where="post", color=colour, linestyle=dashes, linewidth=2)
    late = np.flatnonzero(~steady)
    if late.size:
        late = np.r_[max(late[0] - 1, 0), late]
        axes.step(x[late], risk[late], where="post", color=colour, linestyle=":", linewidth=1)
    axes.annotate(
        short(group["label"], 18),
        (x[-1], risk[-1]),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        color="#1d2733",
        fontweight="bold",
        fontsize=8.5,
        annotation_clip=False,
    )


def _alt(summary: Summary) -> str:
    horizon = summary["score"]["main_horizon"]
    seen = [row for row in summary["risk_groups"]["observed"] if row["horizon"] == horizon]
    parts = [
        f"{numbers.maybe(row['observed'], row['reason'], style=numbers.percent)} in the"
        f" {words.clean(row['label'])} group"
        for row in seen
    ]
    return f"{words.adjective(horizon).capitalize()} risk {', '.join(parts) or 'not stated'}."


def _at_risk(figure: Any, axes: Any, groups: list[dict[str, Any]], ticks: list[float]) -> None:
    """Write the numbers at risk in rows under the ticks, 0.2 inch apart."""
    inch = 1 / float(figure.get_size_inches()[1])
    box = axes.get_position()
    figure.text(0.012, box.y0 - 0.52 * inch, "At risk", fontsize=8, color=MUTED)
    for index, group in enumerate(groups):
        y = box.y0 - (0.74 + 0.2 * index) * inch
        figure.text(0.012, y, short(group["label"], 14), fontsize=8, fontweight="bold")
        for tick, value in zip(ticks, group["at_risk"], strict=True):
            x = box.x0 + box.width * tick / ticks[-1]
            figure.text(x, y, "–" if value is None else f"{value:,}", ha="center", fontsize=8)


def draw_risk_groups(summary: Summary) -> Iterator[Figure]:
    """
    Draw one minus Kaplan-Meier for each risk group.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One, if there are risk groups.
    """
    found = summary["risk_groups"]
    groups, ticks = found["groups"], found["at_risk_times"]
    if not groups or not ticks:
        return
    unit, word = _scale(ticks)
    alt = _alt(summary)
    rows = 0.2 * len(groups)
    with drawing(7.6, 4.2 + rows, layout=None) as figure:
        total = 4.2 + rows
        bottom = (0.7 + rows) / total
        axes = figure.add_axes((0.155, bottom, 0.705, 0.98 - bottom))
        for group, style in zip(groups, _STYLES * (1 + len(groups) // len(_STYLES)), strict=False):
            _draw_group(axes, group, style, ticks, unit)
        for row in found["observed"]:
            if row["predicted"] is not None:
                axes.plot(
                    row["horizon"] / unit,
                    row["predicted"],
                    "D",
                    color="#1d2733",
                    markerfacecolor="white",
                    markersize=5,
                    zorder=5,
                )
        axes.set_xlim(0, ticks[-1] / unit)
        axes.set_ylim(0, None)
        axes.set_xticks([tick / unit for tick in ticks], [f"{tick / unit:.3g}" for tick in ticks])
        axes.set_xlabel(word, labelpad=2)
        axes.set_ylabel("Cumulative risk")
        percent_axis(axes.yaxis)
        _at_risk(figure, axes, groups, ticks)
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    table = DataTable(
        "Patients at risk",
        ("Group", *(format_horizon(tick) if tick else "Start" for tick in ticks)),
        tuple(
            (group["label"], *("–" if v is None else numbers.count(v) for v in group["at_risk"]))
            for group in groups
        ),
    )
    caption = (
        "One minus Kaplan-Meier with 95 % band, drawn upwards because most patients stay free of"
        " the event. Dotted: fewer than 10 % of the group still at risk. Diamonds:"
        " mean predicted risk."
    )
    yield Figure("risk-groups", svg, width, height, alt, caption, table)


FIGURES.register("risk_groups", draw_risk_groups)
