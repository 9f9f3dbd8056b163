"""The nomogram: score and risk by the formula, with a ruler."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.figure import Summary
from scorebuilder.report.figures.nomogram import read_nomogram, reading_table
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the nomogram and its example.

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
        "figures": figures["nomogram"],
        "example": reading_table(read_nomogram(summary["nomogram"])),
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the summary has a nomogram.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        False for summaries written before there was one.
    """
    found = summary.get("nomogram")
    return bool(found and found["inputs"])


SECTIONS.register(
    "nomogram", Section("Nomogram", "Score", 117, "nomogram.html.j2", context, applies)
)
