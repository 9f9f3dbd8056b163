"""The frozen score in other cohorts: calibration, decision curve and survival of the groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scorebuilder.report.figure import FIGURES, Figure, Summary
from scorebuilder.report.figures.calibration import draw_calibration
from scorebuilder.report.figures.decision_curve import draw_decision_curve
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
        Calibration at the main horizon, decision curve and groups of each cohort; `model` names
        the cohort.
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
    }
    kinds = [draw_calibration, draw_risk_groups]
    if cohort["decision_curve"]:
        kinds.insert(1, draw_decision_curve)
    for draw in kinds:
        for figure in draw(as_summary):
            name = f"external-{cohort['name']}-{figure.name}"
            yield replace(figure, name=name, model=cohort["name"])


FIGURES.register("external", draw_external)
