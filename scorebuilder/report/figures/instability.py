"""Risks of rebuilt models against the risk of the score, and their calibration."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.drawing import BLUE, MUTED, drawing, percent_axis, pixels, to_svg
from scorebuilder.report.figure import FIGURES, DataTable, Figure, Summary

LIMITS = ("lower", "median", "upper")
NO_LIMITS = "no rebuilt model predicts these patients"


def draw_instability(summary: Summary) -> Iterator[Figure]:
    """
    Draw the spread of risks, and the calibration curve of each rebuilt model.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        One for each of the two that has numbers.
    """
    found = summary.get("instability")
    if not found:
        return
    horizon = words.adjective(found["horizon"])
    bins = found["risk"]["bins"]
    known = [row for row in bins if all(row[key] is not None for key in ("risk", *LIMITS))]
    if known:
        yield _spread(bins, known, horizon)
    curves = [row for row in found["calibration"]["curves"] if row["observed"] is not None]
    if curves:
        yield _calibration(curves, horizon)


def _axes(figure: Any, highest: float) -> Any:
    axes = figure.add_subplot()
    axes.plot([0, highest], [0, highest], color=MUTED, linewidth=1, linestyle="dashed")
    axes.set_xlim(0, highest)
    axes.set_ylim(0, highest)
    axes.set_aspect("equal")
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)
    return axes


def _spread(bins: list[dict[str, Any]], known: list[dict[str, Any]], horizon: str) -> Figure:
    last = known[-1]
    alt = (
        f"Risk by rebuilt models against the {horizon} risk of the score. In the highest of"
        f" {len(known)} bins the score says {numbers.percent(last['risk'])}, and 95 % of rebuilt"
        f" risks lie between {numbers.percent(last['lower'])} and {numbers.percent(last['upper'])}."
    )
    with drawing(4.6, 4.4) as figure:
        axes = _axes(figure, min(1.0, 1.05 * max(row["upper"] for row in known)))
        risk, lower, median, upper = ([row[key] for row in known] for key in ("risk", *LIMITS))
        axes.fill_between(risk, lower, upper, color=BLUE, alpha=0.18, linewidth=0)
        axes.plot(risk, median, color=BLUE, linewidth=2, marker="o", ms=3)
        axes.set_xlabel(f"{horizon} risk of the score")
        axes.set_ylabel("Risk by rebuilt models")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    table = DataTable(
        "Risk by rebuilt models in bins of the score's risk",
        (
            "Risk of the score",
            "Patients",
            "2.5th centile",
            "Median",
            "97.5th centile",
            "Mean error",
        ),
        tuple(
            (
                numbers.maybe(row["risk"], NO_LIMITS, style=numbers.percent),
                numbers.count(row["n"]),
                *(
                    numbers.maybe(row[key], NO_LIMITS, style=numbers.percent)
                    for key in (*LIMITS, "error")
                ),
            )
            for row in bins
        ),
    )
    caption = (
        "Line: median of the rebuilt models in bins of patients with similar risk. Band: 95 % of"
        " their predictions; it also holds the width of the bin."
    )
    return Figure("prediction-instability", svg, width, height, alt, caption, table)


def _calibration(curves: list[dict[str, Any]], horizon: str) -> Figure:
    models = [list(rows) for _, rows in groupby(curves, key=lambda row: row["replicate"])]
    alt = (
        f"Calibration of {words.plural(len(models), 'rebuilt model')} at the {horizon} horizon, one"
        " line each, against the diagonal."
    )
    highest = min(1.0, 1.05 * max(max(row["predicted"], row["observed"]) for row in curves))
    with drawing(4.6, 4.4) as figure:
        axes = _axes(figure, highest)
        for rows in models:
            axes.plot(
                [row["predicted"] for row in rows],
                [row["observed"] for row in rows],
                color=BLUE,
                alpha=max(0.15, min(0.8, 4 / len(models))),
                linewidth=1.2,
            )
        axes.set_xlabel(f"{horizon} risk by a rebuilt model")
        axes.set_ylabel("Observed risk")
        width, height = pixels(figure)
        svg = to_svg(figure, title=alt)
    table = DataTable(
        "Calibration of the rebuilt models",
        ("Model and group", "Patients", "Predicted", "Observed"),
        tuple(
            (
                f"{row['replicate'] + 1}, {row['group'] + 1}",
                numbers.count(row["n"]),
                numbers.percent(row["predicted"]),
                numbers.percent(row["observed"]),
            )
            for row in curves
        ),
    )
    caption = (
        "One line for each rebuilt model, on the patients of the cohort in tenths of its risk."
    )
    return Figure("calibration-instability", svg, width, height, alt, caption, table)


FIGURES.register("instability", draw_instability)
