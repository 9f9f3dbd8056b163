"""Who was studied: patients left after each exclusion, and how long they were followed."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted


def _quartiles(found: dict[str, Any]) -> str:
    years = (words.years(found[key]).removesuffix(" years") for key in ("q1", "q3"))
    return " to ".join(years)


def _status(row: dict[str, Any]) -> tuple[str, str]:
    known = (
        f"event {counted(row['event'])}, no event {counted(row['event_free'])}, followed for less"
        f" {counted(row['censored'])}"
    )
    return f"Known at {format_horizon(row['horizon'])}", known


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather attrition and follow-up.

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
    cohort, head = summary["cohort"], summary["headline"]
    found = cohort["follow_up"]
    why = found.get("reason")
    median = numbers.maybe(found["median"], why, style=words.years)
    if found["median"] is not None and found["q1"] is not None and found["q3"] is not None:
        median += f" (quartiles {_quartiles(found)})"
    rate = numbers.undefined("no follow-up")
    if found["person_years"]:
        rate = numbers.number(1000 * head["n_events"] / found["person_years"], 1)
    follow_up = [
        ("Median follow-up", median),
        ("Longest follow-up", numbers.maybe(found["max"], why, style=words.years)),
        ("Patient-years", numbers.maybe(found["person_years"], why, style=numbers.count)),
        ("Events", numbers.count(head["n_events"])),
        ("Events per 1,000 patient-years", rate),
    ]
    follow_up += [_status(row) for row in cohort.get("status", ())]
    return {
        "cohort": {key: str(cohort[key]).rstrip(".") for key in ("title", "source")},
        "figures": figures["flow"],
        "follow_up": follow_up,
    }


SECTIONS.register(
    "cohort", Section("Patients and follow-up", "Patients", 20, "cohort.html.j2", context)
)
