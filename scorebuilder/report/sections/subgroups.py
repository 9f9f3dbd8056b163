"""Whether the score serves every kind of patient."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted

FIRST = ("Subgroup", "Patients", "Events", "AUC", "C-index", "Difference of AUC", "P")
SECOND = (
    "Subgroup", "Predicted", "Observed", "Observed / expected", "Slope", "ICI", "Sensitivity",
    "PPV",
)  # fmt: skip
STYLES: dict[str, numbers.NumberStyle] = {
    "predicted": numbers.percent,
    "observed": numbers.percent,
    "observed_expected": numbers.two,
    "slope": numbers.two,
    "ici": numbers.percent,
    "sensitivity": numbers.percent,
    "ppv": numbers.percent,
}
REFERENCE = "reference"


def _estimate(row: dict[str, Any], style: numbers.NumberStyle = numbers.three) -> str:
    return numbers.estimate(row["value"], row["lower"], row["upper"], row["reason"], style=style)


def _discrimination(group: dict[str, Any]) -> tuple[str, ...]:
    found = {row["measure"]: row for row in group["measures"]}
    change = next(row for row in group["differences"] if row["measure"] == "auc")
    p = "–" if change["p"] is None else numbers.p_value(change["p"])
    text = numbers.difference(change["value"], change["lower"], change["upper"], change["reason"])
    if change["value"] == 0.0 and change["p"] is None:
        text = REFERENCE
    return (
        group["label"],
        counted(group["n"]),
        counted(group["n_events"]),
        _estimate(found["auc"]),
        _estimate(found["c_index"]),
        text,
        p,
    )


def _calibration(group: dict[str, Any]) -> tuple[str, ...]:
    found = {row["measure"]: row for row in group["measures"]}
    return (group["label"], *(_estimate(found[name], style) for name, style in STYLES.items()))


def _division(row: dict[str, Any]) -> dict[str, Any]:
    when = format_horizon(row["horizon"])
    groups, label = row["groups"], row["label"]
    threshold = numbers.percent(row["threshold"])
    tests = {test["measure"]: test for test in row["tests"]}
    unknown = row["n_unknown"]
    return {
        "label": label,
        "tables": [
            DataTable(
                f"{label}: discrimination by {when}",
                FIRST,
                tuple(_discrimination(group) for group in groups),
            ),
            DataTable(
                f"{label}: risk by {when}; sensitivity and PPV at a risk of {threshold}",
                SECOND,
                tuple(_calibration(group) for group in groups),
            ),
        ],
        "facts": [
            (
                "Same AUC in all",
                f"P {numbers.p_value(tests['auc']['p'], tests['auc']['reason'])}",
            ),
            (
                "Same observed / expected in all",
                "P "
                + numbers.p_value(
                    tests["observed_expected"]["p"], tests["observed_expected"]["reason"]
                ),
            ),
            *([("Not known of", counted(unknown))] if unknown != 0 else []),
        ],
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather figure and tables of every division of the patients.

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
        "figures": figures["subgroups"],
        "divisions": [_division(row) for row in summary["subgroups"]],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the patients were divided.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if the spec asks for it.
    """
    return bool(summary.get("subgroups"))


SECTIONS.register(
    "subgroups",
    Section("Subgroups", "Performance", 176, "subgroups.html.j2", context, applies),
)
