"""Time-dependent ROC curves of the score and the baselines, one drawing per horizon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import (
    BLUE,
    LINES,
    MUTED,
    drawing,
    percent_axis,
    pixels,
    short,
    thin,
    to_svg,
)
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

GRID_OF_TABLE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)


def _sensitivity(curve: dict[str, Any], false_positive: float) -> str:
    x, y = thin(curve["false_positive"], curve["true_positive"])
    if not x.size:
        return numbers.undefined(curve.get("reason"))
    return numbers.percent(float(np.interp(false_positive, x, y)), 0)


def _table(curves: list[dict[str, Any]], when: str) -> DataTable:
    header = ("Model", *(f"{100 * value:.0f} %" for value in GRID_OF_TABLE))
    rows = tuple(
        (curve["label"], *(_sensitivity(curve, value) for value in GRID_OF_TABLE))
        for curve in curves
    )
    return DataTable(
        f"Sensitivity at the {when} horizon for given false-positive fractions", header, rows
    )


def _name(axes: Any, curve: dict[str, Any], top: float, *, bold: bool) -> None:
    weight = "bold" if bold else "normal"
    axes.text(1.17, top, short(curve["label"], 36), va="center", fontsize=8.8, fontweight=weight)
    auc = numbers.estimate(curve["auc"], curve["lower"], curve["upper"], curve.get("reason"))
    detail = f"AUC {short(auc, 30)} · n {numbers.count(curve['n'])}"
    axes.text(1.17, top - 0.05, detail, va="center", fontsize=7.8, color=MUTED)


def _draw(figure: Any, curves: list[dict[str, Any]]) -> None:
    axes = figure.add_axes((0.09, 0.125, 0.83 * 4.3 / 7.6, 0.83))
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8)
    styles = iter(LINES * (1 + len(curves) // len(LINES)))
    for place, curve in enumerate(curves):
        own = curve["model"] == "score"
        colour, dashes = (BLUE, "solid") if own else next(styles)
        line = {"color": colour, "linestyle": dashes, "linewidth": 2.4 if own else 1.7}
        x, y = thin(curve["false_positive"], curve["true_positive"])
        axes.plot(x, y, **line)
        top = 0.96 - min(0.12, 0.92 / len(curves)) * place
        axes.plot([1.06, 1.14], [top, top], clip_on=False, **line)
        _name(axes, curve, top, bold=own)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    axes.set_xlabel("False-positive fraction (1 − specificity)")
    axes.set_ylabel("Sensitivity")


def draw_roc(summary: Summary) -> Iterator[Figure]:
    """
    Draw the ROC curves, the main horizon first.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One per horizon.
    """
    found = summary["validation"]["roc"]
    main = summary["score"]["main_horizon"]
    for horizon in sorted({curve["horizon"] for curve in found}, key=lambda h: (h != main, h)):
        curves = sorted(
            (curve for curve in found if curve["horizon"] == horizon),
            key=lambda curve: curve["model"] != "score",
        )
        when = words.adjective(horizon)
        parts = [
            f"{curve['label']} AUC {numbers.maybe(curve['auc'], curve.get('reason'))}"
            for curve in curves
        ]
        alt = f"ROC curves at the {when} horizon: {'; '.join(parts)}."
        with drawing(7.6, 4.3, layout=None) as figure:
            _draw(figure, curves)
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        caption = (
            f"Cumulative/dynamic ROC at the {when} horizon, weighted for censoring. Each baseline"
            " is drawn on the patients it can score; the comparison judges the score on the same."
        )
        yield Figure(f"roc-{when}", svg, width, height, alt, caption, _table(curves, when))


FIGURES.register("roc", draw_roc)
