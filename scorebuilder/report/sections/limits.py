"""Limits that hold for every score made this way, and the warnings of this run."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import words
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather warnings and limits.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; this section has none.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    design = summary["validation"]["design"]
    internal = (
        f"Validation is internal: {words.plural(design['n_fits'], 'refit')} on the same cohort."
    )
    if summary.get("external"):
        internal += " Other cohorts were tried and stand under external validation; in any further"
        internal += " hospital or decade the score has to be tried again."
    else:
        internal += " How the score does in another hospital or another decade is unknown until it"
        internal += " is tried."
    limits = [
        f"Status: {summary['score']['status']}.",
        internal,
        "Risks are associations at time zero. They do not say what treatment would change.",
        "Censoring is taken as independent of the predictors.",
    ]
    if summary["score"].get("not_for"):
        limits.insert(1, f"Not for: {summary['score']['not_for']}.")
    limits = [f"{text.rstrip('.')}." for text in limits]
    return {"warnings": summary["warnings"], "limits": limits}


SECTIONS.register(
    "limits", Section("Limits and warnings", "Use and limits", 180, "limits.html.j2", context)
)
