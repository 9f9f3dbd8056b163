"""Net benefit by threshold probability, one drawing per horizon."""

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

TREAT_ALL = ("all", "treat_all")
TREAT_NONE = ("none", "treat_none")
GRID_OF_TABLE = (0.05, 0.1, 0.15, 0.2, 0.3)


def _at(curve: dict[str, Any], threshold: float) -> str:
    x, y = thin(curve["threshold"], curve["net_benefit"])
    if not x.size or not x[0] <= threshold <= x[-1]:
        return "not drawn"
    value = float(np.interp(threshold, x, y))
    return numbers.four(value) if np.isfinite(value) else numbers.undefined(curve.get("reason"))


def _draw(figure: Any, curves: list[dict[str, Any]]) -> None:
    axes = figure.add_axes((0.1, 0.135, 0.56, 0.83))
    axes.axhline(0, color=MUTED, linewidth=1)
    styles = iter(LINES * (1 + len(curves) // len(LINES)))
    highest, row, last = 0.0, 0, 0.01
    for curve in curves:
        x, y = thin(curve["threshold"], curve["net_benefit"])
        if curve["model"] in TREAT_NONE or not x.size:
            continue
        own, everyone = curve["model"] == "score", curve["model"] in TREAT_ALL
        colour, dashes = (BLUE, "solid") if own else (MUTED, "solid") if everyone else next(styles)
        width = 2.4 if own else 1.2 if everyone else 1.7
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=width)
        top = 0.95 - 0.085 * row
        axes.plot(
            [1.04, 1.11],
            [top, top],
            color=colour,
            linestyle=dashes,
            linewidth=width,
            clip_on=False,
            transform=axes.transAxes,
        )
        axes.text(
            1.13,
            top,
            short(curve["label"], 30),
            va="center",
            fontsize=8.8,
            transform=axes.transAxes,
            fontweight="bold" if own else "normal",
        )
        row += 1
        finite = y[np.isfinite(y)]
        highest = max(highest, float(finite.max(initial=0.0)))
        last = max(last, float(x[-1]))
    axes.set_xlim(0, last)
    top = max(1.08 * highest, 0.01)
    axes.set_ylim(-0.18 * top, top)
    at = axes.get_yaxis_transform()
    axes.text(
        0.99,
        -0.015 * top,
        "Treat none",
        ha="right",
        va="top",
        fontsize=8,
        color=MUTED,
        transform=at,
    )
    percent_axis(axes.xaxis)
    axes.set_xlabel("Threshold probability")
    axes.set_ylabel("Net benefit")


def _curves(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order the curves: the score first, treating everybody last, however it is given."""
    curves = sorted(found, key=lambda c: (c["model"] != "score", c["model"] in TREAT_ALL))
    everybody = [curve for curve in curves if curve.get("net_benefit_all")]
    if everybody and not any(curve["model"] in TREAT_ALL for curve in curves):
        extra = {"model": TREAT_ALL[0], "label": "Treat all"}
        curves.append(everybody[0] | extra | {"net_benefit": everybody[0]["net_benefit_all"]})
    return curves


def draw_decision_curve(summary: Summary) -> Iterator[Figure]:
    """
    Draw the decision curves, the main horizon first.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One per horizon.
    """
    found = summary["validation"]["decision_curve"]
    main = summary["score"]["main_horizon"]
    for horizon in sorted({curve["horizon"] for curve in found}, key=lambda h: (h != main, h)):
        curves = _curves([curve for curve in found if curve["horizon"] == horizon])
        when = words.adjective(horizon)
        parts = [f"{words.clean(curve['label'])} {_at(curve, 0.1)}" for curve in curves]
        alt = f"Net benefit at the {when} horizon. At a threshold of 10 %: {'; '.join(parts)}."
        with drawing(7.6, 3.7, layout=None) as figure:
            _draw(figure, curves)
            width, height = pixels(figure)
            svg = to_svg(figure, title=alt)
        table = DataTable(
            f"Net benefit at the {when} horizon by threshold probability",
            ("Model", *(f"{100 * value:.0f} %" for value in GRID_OF_TABLE)),
            tuple((curve["label"], *(_at(curve, t) for t in GRID_OF_TABLE)) for curve in curves),
        )
        caption = (
            "Net benefit is the share of true positives less the share of false positives, weighed"
            " by the odds of the threshold. A model helps where its line is the highest."
        )
        yield Figure(f"decision-curve-{when}", svg, width, height, alt, caption, table)


FIGURES.register("decision_curve", draw_decision_curve)
