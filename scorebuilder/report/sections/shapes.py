"""Stage 2: the shape of each effect as small multiples."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the drawings of the shapes.

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
    return {"figures": figures["shapes"]}


def applies(summary: Summary) -> bool:
    """
    Tell whether the final model has predictors.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a shape.
    """
    return bool(summary["model"]["shapes"])


SECTIONS.register(
    "shapes", Section("Stage 2: shapes of effect", "Model", 70, "shapes.html.j2", context, applies)
)
