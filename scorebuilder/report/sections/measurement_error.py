"""What errors of measurement do to the score."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather what changes, by variable and method.

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
    found = summary["measurement_error"]
    rows, horizon = found["rows"], words.adjective(found["horizon"])
    return {
        "n_draws": numbers.count(found["n_draws"]),
        "n_patients": numbers.count(found["n_patients"]),
        "changes": _changes(rows),
        "spread": _spread(rows, horizon),
        "discrimination": _discrimination(rows, horizon),
        "drivers": [text for row in rows if (text := _driver(row))],
        "without_error": found["without_error"],
        "factors": found["factors"],
    }


def _name(row: dict[str, Any]) -> str:
    if row["jointly"]:
        return f"{words.plural(len(row['variables']), 'variable')} together, {row['method']}"
    only = row["variables"][0]
    sd = f"{numbers.quantity(only['sd'])} {only['unit']}".rstrip()
    return f"{only['label']}, {row['method']} (SD {sd})"


def _cells(row: dict[str, Any], keys: tuple[str, ...], style: Any) -> tuple[str, ...]:
    return tuple(numbers.maybe(row[key], row["reason"], style=style) for key in keys)


def _changes(rows: list[dict[str, Any]]) -> DataTable:
    keys = (
        "points_changed",
        "points_changed_by_two",
        "group_changed",
        "retest_points_changed",
        "retest_group_changed",
    )
    return DataTable(
        "Patients whose points or group change by error of measurement alone",
        (
            "Measured",
            "Other points",
            "Other by two or more",
            "Other group",
            "Two measurements differ in points",
            "Two measurements differ in group",
        ),
        tuple((_name(row), *_cells(row, keys, numbers.percent)) for row in rows),
    )


def _spread(rows: list[dict[str, Any]], horizon: str) -> DataTable:
    linear = ("linear_predictor_sd", "linear_predictor_sd_first_order")
    shares = ("points_changed_first_order", "risk_sd", "risk_sd_95")
    return DataTable(
        "Spread within a patient",
        (
            "Measured",
            "SD of the linear predictor",
            "by expansion",
            "Other points by expansion",
            f"SD of the {horizon} risk",
            "95th centile of it",
        ),
        tuple(
            (
                _name(row),
                *_cells(row, linear, numbers.three),
                *_cells(row, shares, numbers.percent),
            )
            for row in rows
        ),
    )


def _discrimination(rows: list[dict[str, Any]], horizon: str) -> DataTable:
    keys = ("reliability", "auc", "auc_with_error", "auc_expected")
    return DataTable(
        f"Reliability, and {horizon} AUC that is left in the same patients",
        ("Measured", "Reliability", "AUC as recorded", "AUC with error added", "expected"),
        tuple((_name(row), *_cells(row, keys, numbers.three)) for row in rows),
    )


def _driver(row: dict[str, Any]) -> str:
    """Say which variable brings most of a method's error."""
    shares = [entry for entry in row["variables"] if entry["share"] is not None]
    if not row["jointly"] or not shares:
        return ""
    first = max(shares, key=lambda entry: entry["share"])
    return (
        f"{row['method']}: {first['label']} brings {numbers.percent(first['share'], 0)} of the"
        " error variance of the linear predictor"
    )


def applies(summary: Summary) -> bool:
    """
    Tell whether the schema states an error of a variable in the score.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a row.
    """
    return bool(summary.get("measurement_error"))


SECTIONS.register(
    "measurement_error",
    Section(
        "Errors of measurement",
        "Performance",
        175,
        "measurement_error.html.j2",
        context,
        applies,
    ),
)
