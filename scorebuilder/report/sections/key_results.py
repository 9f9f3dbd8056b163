"""Key results: headline numbers, risk by points, established scores, limits, findings."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.external_tables import external_context
from scorebuilder.report.figure import DataTable, Summary, slug
from scorebuilder.report.section import SECTIONS, Figures, Section

DIFFERENCE = ("difference", "lower", "upper", "reason")
MOST_SCORES = 8
MOST_WARNINGS = 4


def _main_rows(summary: Summary, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    horizon = summary["score"]["main_horizon"]
    return [row for row in rows if row["horizon"] == horizon]


def _cards(summary: Summary) -> list[dict[str, str]]:
    head, when = summary["headline"], words.adjective(summary["headline"]["horizon"])
    person_years = summary["cohort"]["follow_up"]["person_years"]
    exposure = words.plural(head["n_events"], "event")
    if person_years is not None:
        exposure += f" in {numbers.count(person_years)} patient-years"
    limits = numbers.interval(head["auc_lower"], head["auc_upper"])
    cards = [
        {
            "name": "Patients",
            "value": numbers.count(head["n_patients"]),
            "note": exposure,
        },
        {
            "name": "Variables",
            "value": f"{head['n_candidates']} → {head['n_selected']} → {head['n_kept']}",
            "note": "candidates, after the forest, in the score",
        },
        {
            "name": f"AUC, {when}",
            "value": numbers.maybe(head["auc"], head.get("reason")),
            "note": f"{f'95 % CI {limits}; ' if limits else ''}patients not used for fitting",
        },
    ]
    known = [
        row
        for row in _main_rows(summary, summary["points"]["risk_table"])
        if row["predicted"] is not None
    ]
    if known:
        first, last = known[0], known[-1]
        span = numbers.interval(
            first["predicted"], last["predicted"], style=lambda value: numbers.percent(value, 0)
        )
        note = f"predicted, from {first['points']} to {last['points']} points"
        cards.append({"name": f"{when.capitalize()} risk", "value": span, "note": note})
    return cards


def _strip(summary: Summary) -> dict[str, Any] | None:
    """Lay out the scale: risk group, points, risk, and how many patients have them."""
    rows = _main_rows(summary, summary["points"]["risk_table"])
    if not rows:
        return None
    most = max((row["predicted"] or 0.0 for row in rows), default=0.0) or 1.0
    cells = [
        {
            "points": row["points"],
            "text": numbers.maybe(row["predicted"], row["reason"], style=numbers.percent),
            "heat": f"h{round(6 * (row['predicted'] or 0.0) / most)}",
            "n": "hidden" if row["n"] is None else numbers.count(row["n"]),
        }
        for row in rows
    ]
    when = words.adjective(summary["score"]["main_horizon"])
    return {
        "caption": f"Predicted {when} risk by points",
        "cells": cells,
        "groups": _bands(summary, [row["points"] for row in rows]),
    }


def _bands(summary: Summary, points: list[int]) -> list[tuple[str, int]]:
    """Count the columns of each risk group; none if the groups do not cover the scale."""
    groups = (summary["risk_groups"] or {}).get("groups", ())
    spans = [
        (
            group["label"],
            sum(group["points_from"] <= value <= group["points_to"] for value in points),
        )
        for group in groups
    ]
    shown = [(label, span) for label, span in spans if span]
    return shown if sum(span for _, span in shown) == len(points) else []


def _examples(summary: Summary) -> list[dict[str, Any]]:
    """Say what made-up patients would get."""
    horizon, rows = summary["score"]["main_horizon"], []
    for found in summary["model"].get("worked_patients", ()):
        at = next(row for row in found["risks"] if row["horizon"] == horizon)
        values = {step["label"]: step["value"] for step in found["steps"]}
        rows.append(
            {
                "values": [f"{label}: {value}" for label, value in values.items()],
                "points": str(found["points"]),
                "group": found["group"],
                "risk": numbers.maybe(at["risk"], at.get("reason"), style=numbers.percent),
            }
        )
    return rows


def _established(summary: Summary) -> DataTable | None:
    rows = _main_rows(summary, summary["validation"]["comparison"])
    if not rows:
        return None
    cells = []
    for row in rows[:MOST_SCORES]:
        why = row["reason"]
        cells.append(
            (
                row["label"],
                numbers.count(row["n_scorable"]),
                numbers.maybe(row["auc_baseline"], why),
                numbers.maybe(row["auc_score"], why),
                numbers.difference(*(row[key] for key in DIFFERENCE)),
                numbers.p_value(row["p"], why),
                _verdict(row),
            )
        )
    when = format_horizon(summary["score"]["main_horizon"])
    header = (
        "Established score", "Patients", "Its AUC", "This score", "Difference (95 % CI)", "P",
        "This score ranks",
    )  # fmt: skip
    return DataTable(f"AUC at {when} on the same patients", header, tuple(cells), text=(6,))


def _verdict(row: dict[str, Any]) -> str:
    """Say what the limits of the difference allow to say."""
    if row["lower"] is None or row["upper"] is None:
        return "not comparable"
    if row["lower"] > 0:
        return "better"
    return "worse" if row["upper"] < 0 else "no clear difference"


def _limits(summary: Summary) -> list[str]:
    """Say where the score was tried, and what the numbers themselves call into doubt."""
    cohorts = summary.get("external") or ()
    if cohorts:
        names = ", ".join(str(cohort["label"]) for cohort in cohorts)
        tried = f"Tried outside its own cohort in: {names}."
    else:
        tried = "Never tried outside the cohort that it was made from."
    return [tried, *summary["warnings"][:MOST_WARNINGS]]


def _calibration(row: dict[str, Any], when: str) -> str:
    large = (row["in_the_large"], row["in_the_large_lower"], row["in_the_large_upper"])
    slope = (row["slope"], row["slope_lower"], row["slope_upper"])
    level = _place(large, ("too high on average", "right on average", "too low on average"))
    spread = _place(slope, ("too extreme", "spread as they should be", "not spread enough"))
    ratio, steep = (
        numbers.estimate(*found, row["reason"], style=numbers.two) for found in (large, slope)
    )
    told = " and ".join(part for part in (level, spread) if part)
    start = f"Risks by {when} are {told}" if told else f"Calibration at {when}"
    return f"{start}: observed / expected {ratio}; slope {steep}."


def _place(
    found: tuple[float | None, float | None, float | None], verdicts: tuple[str, str, str]
) -> str:
    """Tell whether an interval lies below 1, holds it, or lies above."""
    _, lower, upper = found
    if lower is None or upper is None:
        return ""
    below, holds, above = verdicts
    return below if upper < 1 else above if lower > 1 else holds


def _findings(summary: Summary) -> list[str]:
    when = format_horizon(summary["score"]["main_horizon"])
    lines = [
        f"{cohort['label']}: {external_context(cohort)['sentence']}"
        for cohort in summary.get("external") or ()
    ]
    lines += [
        _calibration(row, when)
        for row in _main_rows(summary, summary["validation"]["calibration"])
        if row["model"] == "score"
    ]
    forms = {row["form"]: row["auc"] for row in _main_rows(summary, summary["points"]["price"])}
    if forms.get("formula") is not None and forms.get("points") is not None:
        lines.append(
            f"Whole points in place of the formula change the AUC by"
            f" {numbers.signed(forms['points'] - forms['formula'])}."
        )
    return lines


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the key results.

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
    use = summary["score"].get("intended_use")
    return {
        "cards": _cards(summary),
        "strip": _strip(summary),
        "examples": _examples(summary),
        "examples_id": slug("Equation and examples"),
        "risk_name": f"{words.adjective(summary['score']['main_horizon']).capitalize()} risk",
        "established": _established(summary),
        "limits": _limits(summary),
        "limits_id": slug("Limits and warnings"),
        "findings": _findings(summary),
        "use": [("Intended use", use)] if use else [],
    }


SECTIONS.register(
    "key_results", Section("Key results", "Summary", 10, "key_results.html.j2", context)
)
