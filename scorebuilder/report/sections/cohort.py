"""Who was studied: patients left after each exclusion, and how long they were followed."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _steps(attrition: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Write the flow as boxes; what leaves and what stays must add up."""
    steps: list[dict[str, str]] = []
    before: int | None = None
    for row in attrition:
        if before is not None and before - row["n_excluded"] != row["n_left"]:
            message = (
                f"`attrition` must add up: step `{row['label']}` leaves {row['n_left']} of"
                f" {before} patients but excludes {row['n_excluded']}"
            )
            raise ValueError(message)
        first, before = before is None, row["n_left"]
        if not first and not row["n_excluded"]:
            continue
        events = row["events_left"]
        left = words.plural(row["n_left"], "patient")
        if events is not None:
            left += f", {words.plural(events, 'event')}"
        excluded = f"{numbers.count(row['n_excluded'])} excluded: {row['label']}"
        out = "" if first and not row["n_excluded"] else excluded
        steps.append({"left": left, "label": row["label"] if not out else "", "out": out})
    if len(steps) == 1:
        steps[0]["label"] += "; none excluded"
    return steps


def _quartiles(found: dict[str, Any]) -> str:
    years = (words.years(found[key]).removesuffix(" years") for key in ("q1", "q3"))
    return " to ".join(years)


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather attrition and follow-up.

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
        ("Median follow-up", f"{median}, reverse Kaplan-Meier"),
        ("Longest follow-up", numbers.maybe(found["max"], why, style=words.years)),
        ("Patient-years", numbers.maybe(found["person_years"], why, style=numbers.count)),
        ("Events", numbers.count(head["n_events"])),
        ("Events per 1,000 patient-years", rate),
    ]
    return {
        "cohort": {key: str(cohort[key]).rstrip(".") for key in ("title", "source")},
        "steps": _steps(cohort["attrition"]),
        "follow_up": follow_up,
    }


SECTIONS.register(
    "cohort", Section("Patients and follow-up", "Patients", 20, "cohort.html.j2", context)
)
