"""Adjusted hazard ratios for contrasts a clinician can picture."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the hazard ratios.

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
    table = DataTable(
        "Adjusted hazard ratios",
        ("Predictor", "Contrast", "Hazard ratio (95 % CI)"),
        tuple(
            (
                row["label"],
                row["contrast"],
                numbers.estimate(
                    row["hazard_ratio"],
                    row["lower"],
                    row["upper"],
                    row.get("reason"),
                    style=numbers.two,
                ),
            )
            for row in summary["model"]["hazard_ratios"]
        ),
        text=(1,),
    )
    return {"figures": figures["hazard_ratios"], "ratios": table}


def applies(summary: Summary) -> bool:
    """
    Tell whether there are contrasts.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a hazard ratio.
    """
    return bool(summary["model"]["hazard_ratios"])


SECTIONS.register(
    "hazard_ratios",
    Section("Hazard ratios", "Model", 80, "hazard_ratios.html.j2", context, applies),
)
