"""The frozen score in other cohorts: flow, calibration, decision curve, survival of the groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scorebuilder.report.figure import FIGURES, Figure, Summary
from scorebuilder.report.figures.calibration import draw_calibration
from scorebuilder.report.figures.decision_curve import draw_decision_curve
from scorebuilder.report.figures.flow import draw_flow
from scorebuilder.report.figures.risk_groups import draw_risk_groups


def draw_external(summary: Summary) -> Iterator[Figure]:
    """
    Draw every other cohort in which the score was judged.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Yields
    ------
    Figure
        Flow, calibration at the main horizon, decision curve and groups of each cohort, whom
        `model` names.
    """
    for cohort in summary.get("external", ()):
        yield from draw_cohort(cohort)


def draw_cohort(cohort: Mapping[str, Any]) -> Iterator[Figure]:
    """
    Draw one cohort.

    Parameters
    ----------
    cohort : mapping
        One entry of ``external`` of a summary.

    Yields
    ------
    Figure
        As `draw_external`.
    """
    main = cohort["main_horizon"]
    as_summary = {
        "score": {"main_horizon": main},
        "validation": {
            "calibration": [row for row in cohort["calibration"] if row["horizon"] == main],
            "decision_curve": cohort["decision_curve"],
        },
        "risk_groups": cohort["risk_groups"],
        "cohort": {"attrition": _attrition(cohort)},
    }
    kinds = [draw_flow, draw_calibration, draw_risk_groups]
    if cohort["decision_curve"]:
        kinds.insert(2, draw_decision_curve)
    for draw in kinds:
        for figure in draw(as_summary):
            name = f"external-{cohort['name']}-{figure.name}"
            yield replace(figure, name=name, model=cohort["name"])


def _attrition(cohort: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Gather the steps of the cohort, and those who are eligible but cannot be scored."""
    counts = cohort["counts"]
    step = {
        "label": "the score cannot be computed",
        "n_excluded": counts["n"] - counts["n_scored"],
        "n_left": counts["n_scored"],
        "events_left": counts["events"],
    }
    return [*cohort["attrition"], step]


FIGURES.register("external", draw_external)
