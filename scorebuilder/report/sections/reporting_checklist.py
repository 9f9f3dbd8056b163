"""TRIPOD+AI item by item: what is reported, by whom, and what is not."""

from __future__ import annotations

from collections import Counter
from typing import Any

from scorebuilder.report.checklist import NOT_REPORTED, STATUSES, answer_items
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the answers to the checklist.

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
    answers = answer_items(summary)
    counts = Counter(answer.status for answer in answers)
    return {
        "n_items": len(answers),
        "counts": [(status, counts[status]) for status in STATUSES if counts[status]],
        "answers": answers,
        "blank": NOT_REPORTED,
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the summary is that of a whole study.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        False for summaries of earlier versions, which say nothing of the study.
    """
    return "study" in summary


SECTIONS.register(
    "reporting_checklist",
    Section(
        "Reporting checklist",
        "Use and limits",
        200,
        "reporting_checklist.html.j2",
        context,
        applies,
    ),
)
