"""The frozen score in other cohorts."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.external_tables import external_context
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather every cohort in which the score was judged.

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
    return {
        "cohorts": [
            {
                **external_context(cohort),
                "figures": [f for f in figures["external"] if f.model == cohort["name"]],
            }
            for cohort in summary["external"]
        ]
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the score was judged elsewhere.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is another cohort.
    """
    return bool(summary.get("external"))


SECTIONS.register(
    "external",
    Section("External validation", "Performance", 195, "external.html.j2", context, applies),
)
