"""Predicted against observed risk, one drawing per model and horizon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    INK,
    MUTED,
    VERMILION,
    drawing,
    percent_axis,
    pixels,
    thin,
    to_svg,
    wrap,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary, slug


def _top(groups: list[dict[str, Any]]) -> float:
    """End both axes above the points, and above the intervals where these are not too long."""
    points = [g[k] for g in groups for k in ("predicted", "observed") if g[k] is not None]
    upper = [g["upper"] for g in groups if g["upper"] is not None]
    highest = max(points, default=1.0)
    return min(max(1.1 * highest, min(1.03 * max(upper, default=0.0), 1.5 * highest), 0.02), 1.0)


def _draw(figure: Any, curve: dict[str, Any], title: str) -> None:
    axes = figure.add_axes((0.2, 0.135, 0.74, 0.7104))
    groups = [group for group in curve["groups"] if group["predicted"] is not None]
    top = _top(groups)
    axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    if curve["smooth"] is not None:
        x, y = thin(curve["smooth"]["predicted"], curve["smooth"]["observed"])
        axes.plot(x, y, color=VERMILION, linewidth=1.8)
    for group in groups:
        x = group["predicted"]
        axes.plot([x, x], [0, 0.02 * top], color=INK, linewidth=1)
        if group["observed"] is None:
            axes.plot(x, 0, "x", color=MUTED, markersize=6, clip_on=False, zorder=4)
            continue
        if group["lower"] is not None and group["upper"] is not None:
            axes.plot([x, x], [group["lower"], group["upper"]], color=BLUE, linewidth=1.2)
        axes.plot(x, group["observed"], "o", color=BLUE, markersize=5.5, zorder=3)
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_aspect("equal")
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.locator_params(nbins=6)
    axes.set_xlabel("Predicted risk")
    axes.set_ylabel("Observed risk")
    axes.set_title(title)


def _table(curve: dict[str, Any], when: str) -> DataTable:
    rows = tuple(
        (
            str(index),
            numbers.count(group["n"]),
            numbers.maybe(group["predicted"], group["reason"], style=numbers.percent),
            numbers.estimate(
                group["observed"],
                group["lower"],
                group["upper"],
                group["reason"],
                style=numbers.percent,
            ),
        )
        for index, group in enumerate(curve["groups"], start=1)
    )
    header = ("Group", "Patients", "Mean predicted", "Observed (95 % CI)")
    return DataTable(f"{curve['label']}: {when} risk by group of predicted risk", header, rows)


def draw_calibration(summary: Summary) -> Iterator[Figure]:
    """
    Draw the calibration of each model: the score first, the main horizon first.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One per model and horizon that has groups.
    """
    main = summary["score"]["main_horizon"]
    found = sorted(
        (curve for curve in summary["validation"]["calibration"] if curve["groups"]),
        key=lambda curve: (curve["model"] != "score", curve["horizon"] != main, curve["horizon"]),
    )
    for curve in found:
        when = words.adjective(curve["horizon"])
        known = [group for group in curve["groups"] if group["observed"] is not None]
        ends = "no group has an observed risk"
        if known:
            ends = " and ".join(
                f"predicted {numbers.percent(group['predicted'])}, observed"
                f" {numbers.percent(group['observed'])}"
                for group in (known[0], known[-1])
            )
        alt = f"{when} calibration of {curve['label']}; lowest and highest group: {ends}."
        with drawing(3.6, 3.75, layout=None) as figure:
            _draw(figure, curve, wrap(f"{curve['label']}, {when}", 36))
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        crosses = " Crosses: observed risk undefined." if len(known) < len(curve["groups"]) else ""
        caption = (
            f"{words.plural(len(curve['groups']), 'group')} of predicted risk with 95 % interval"
            f"{', smooth curve' if curve['smooth'] else ''}; dashed: perfect agreement.{crosses}"
        )
        name = f"calibration-{slug(curve['model'])}-{when}"
        table = _table(curve, when)
        yield Figure(name, svg, width, height, alt, caption, table, model=curve["model"])


FIGURES.register("calibration", draw_calibration)
