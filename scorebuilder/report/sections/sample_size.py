"""Whether there are enough patients for what was tried."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

CRITERIA = {
    "shrinkage": "Coefficients shrink by 10 % at most",
    "optimism": "Nagelkerke's R\N{SUPERSCRIPT TWO} falls by 0.05 at most",
    "overall_risk": "Overall risk is known to within 5 points per cent",
}
EXPECTED = {
    "usual": "nothing known beforehand",
    "score": "the score itself, corrected for all that was tried",
}


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather numbers at hand and numbers needed.

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
    found = summary["sample_size"]
    facts = [
        ("Patients", numbers.count(found["n_patients"])),
        ("Events", numbers.count(found["n_events"])),
        ("Candidate parameters", numbers.count(found["n_parameters"])),
        ("Events per candidate parameter", _per_parameter(found)),
        ("Events per 1,000 patient-years", numbers.number(1000 * found["rate_per_year"], 1)),
        ("Mean follow-up", f"{numbers.number(found['mean_follow_up_years'], 1)} years"),
    ]
    return {
        "facts_shown": facts,
        "tables": [_table(found, scenario) for scenario in found["scenarios"]],
        "horizon": words.adjective(found["horizon"]),
        "share": numbers.percent(found["scenarios"][0]["share"], 0),
    }


def _table(found: dict[str, Any], scenario: dict[str, Any]) -> dict[str, Any]:
    expected = EXPECTED[scenario["r2_from"]]
    if scenario["reason"]:
        why = numbers.undefined(scenario["reason"])
        return {"table": None, "text": f"Expected from {expected}: {why}."}
    caption = (
        f"Patients needed, R\N{SUPERSCRIPT TWO} {numbers.three(scenario['r2'])} of at most"
        f" {numbers.three(scenario['max_r2'])} ({expected})"
    )
    rows = tuple(
        (
            CRITERIA[row["criterion"]],
            numbers.count(row["n_patients"]),
            numbers.count(row["n_events"]),
            _per_parameter(row),
            "yes" if row["fulfilled"] else f"no, {numbers.count(found['n_patients'])} at hand",
        )
        for row in scenario["criteria"]
    )
    header = ("Criterion", "Patients", "Events", "Events per parameter", "Fulfilled")
    return {"table": DataTable(caption, header, rows, text=(4,))}


def _per_parameter(row: dict[str, Any]) -> str:
    why = "nothing is estimated"
    return numbers.maybe(row["events_per_parameter"], why, style=_one_digit)


def _one_digit(value: float) -> str:
    return numbers.number(value, 1)


def applies(summary: Summary) -> bool:
    """
    Tell whether the criteria were computed.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        False for summaries of older runs.
    """
    return bool(summary.get("sample_size"))


SECTIONS.register(
    "sample_size",
    Section("Sample size", "Patients", 45, "sample_size.html.j2", context, applies),
)
