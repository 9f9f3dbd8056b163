"""Evidence for whoever judges the risk of bias; the judgement itself is left to them."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.checklist import locate
from scorebuilder.report.checklist_evidence import EVIDENCE
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

NOTHING = "nothing in this run; to be answered by the authors"

QUESTIONS: tuple[tuple[str, str, str | None, str], ...] = (
    ("Participants", "Who was studied, and does this fit the intended use?", "flow", "cohort"),
    ("Participants", "Who was left out, and why?", "eligibility", "cohort"),
    ("Predictors", "Are predictors defined alike for everybody?", "predictors", "table_one"),
    ("Predictors", "Are predictors known when the score is used?", None, "key_results"),
    ("Outcome", "Is the outcome defined, and the horizon sensible?", "outcome", "key_results"),
    ("Outcome", "Was the outcome judged without knowledge of the predictors?", None, "key_results"),
    ("Analysis", "Are there enough events for what was tried?", "sample_size", "sample_size"),
    ("Analysis", "Were numbers kept as numbers?", "functional_form", "functions"),
    ("Analysis", "How were missing values handled?", "missing", "missing"),
    ("Analysis", "Was every step of selection part of the validation?", "data_use", "optimism"),
    ("Analysis", "Are discrimination and calibration both given?", "measures", "calibration"),
    ("Analysis", "Does the score hold in subgroups?", "subgroups", "subgroups"),
    ("Analysis", "Do the points cost accuracy?", "output", "price"),
    ("Analysis", "Was it tried in other patients?", "external_differences", "external"),
)
"""Domain, question, key of `EVIDENCE`, and section that shows it."""


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the evidence.

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
    rows = []
    for domain, question, key, section in QUESTIONS:
        text = EVIDENCE[key](summary) if key else None
        anchor, where = locate(summary, section) if text else ("", "")
        rows.append(
            {
                "domain": domain,
                "question": question,
                "text": text or NOTHING,
                "anchor": anchor,
                "where": where,
            }
        )
    return {"rows": rows}


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
        False for summaries of earlier versions.
    """
    return "study" in summary


SECTIONS.register(
    "risk_of_bias",
    Section(
        "Evidence on the risk of bias", "Use and limits", 205, "risk_of_bias.html.j2", context,
        applies,
    ),
)  # fmt: skip
