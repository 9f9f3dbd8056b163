"""Points from 0 to 10 and the risk that goes with each."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import Summary
from scorebuilder.report.risk_bands import RATE, observed, patients, rate
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.score.risk_rows import extent


def _cell(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        reason = numbers.undefined("not in the risk table")
        return {"predicted": reason, "observed": reason, "width": None}
    predicted = row["predicted"]
    return {
        "predicted": numbers.maybe(predicted, row["reason"], style=numbers.percent),
        "observed": observed(row),
        "width": None if predicted is None else min(100, max(0, round(100 * predicted))),
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the risk table: one row per points value, two columns per horizon.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures.

    Returns
    -------
    dict
        What the template names.
    """
    found = summary["points"]
    table = {(row["points"], row["horizon"]): row for row in found["risk_table"]}
    horizons = sorted({horizon for _, horizon in table})
    rates = {(row["first"], row["last"]): rate(row) for row in found.get("rates", ())}
    rows = []
    for value in sorted({points for points, _ in table}):
        cells = [table.get((value, horizon)) for horizon in horizons]
        first = next(cell for cell in cells if cell is not None)
        rows.append(
            {
                "points": str(value),
                "n": patients(first, "hidden"),
                "rate": rates.get(extent(first, "band"), ""),
                "cells": [_cell(cell) for cell in cells],
            }
        )
    low, high = (f"{100 * anchor:g}" for anchor in found["anchors"])
    number = len(found["thresholds"])
    return {
        "sentence": (
            f"The linear predictor is cut at {number} thresholds into 0 to {number} points. The"
            " risk that is shown to a patient comes from the formula, never from rounded points."
            " Neighbouring points with few patients are counted together; where observed risk would"
            " fall, neighbours are pooled. Such rows name their points."
        ),
        "figures": figures["points"],
        "horizons": [words.adjective(horizon) for horizon in horizons],
        "rows": rows,
        "rate_header": RATE if rates else "",
        "thresholds": [numbers.four(value) for value in found["thresholds"]],
        "anchors": f"centiles {low} and {high}",
    }


SECTIONS.register("points", Section("Points and risk", "Score", 110, "points.html.j2", context))
