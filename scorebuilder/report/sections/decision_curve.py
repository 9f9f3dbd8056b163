"""Decision curve: whether acting on the score is worth it."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the decision curves.

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
    del summary
    return {"figures": figures["decision_curve"]}


def applies(summary: Summary) -> bool:
    """
    Tell whether there are decision curves.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a curve.
    """
    return bool(summary["validation"]["decision_curve"])


SECTIONS.register(
    "decision_curve",
    Section("Decision curve", "Performance", 160, "decision_curve.html.j2", context, applies),
)
