"""How stable the choice of variables is over the refits."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the stability figure.

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
    return {"figures": figures["stability"]}


def applies(summary: Summary) -> bool:
    """
    Tell whether the pipeline was refitted.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there are shares to show.
    """
    return bool(summary["selection"]["stability"])


SECTIONS.register(
    "stability",
    Section("Stability of the selection", "Model", 60, "stability.html.j2", context, applies),
)
