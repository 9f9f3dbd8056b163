"""Missing values: how many, in the same patients or not, and whether they go with the event."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted


def _sentence(table: list[dict[str, Any]], n_lacking: int) -> str:
    if not n_lacking:
        return f"None of the {words.plural(len(table), 'candidate variable')} has a missing value."
    return (
        f"{n_lacking} of {words.plural(len(table), 'candidate variable')} have missing"
        f" values; {len(table) - n_lacking} are complete. What was filled in was learnt inside each"
        " training set."
    )


def _patterns(found: dict[str, Any]) -> DataTable | None:
    if not found["patterns"]:
        return None
    total = found["n_patients"]

    def row(label: str, n: int) -> tuple[str, str, str]:
        return label, numbers.count(n), numbers.percent(n / total)

    rows = [row(", ".join(item["labels"]), item["n"]) for item in found["patterns"]]
    if found["n_complete"] is not None:
        rows.insert(0, row("Nothing", found["n_complete"]))
    if found["n_other"]:
        complete = "" if found["n_complete"] is not None else ", complete patients among them"
        rows.append(row(f"Other patterns, together{complete}", found["n_other"]))
    header = ("Missing in the same patients", "Patients", "Share")
    return DataTable("Patterns of missing values", header, tuple(rows))


def _against_event(rows: list[dict[str, Any]]) -> DataTable | None:
    if not rows:
        return None

    def rate(value: float | None, reason: str | None) -> str:
        return numbers.maybe(value, reason, style=lambda found: numbers.number(found, 1))

    header = (
        "Variable", "Events where missing", "Rate where missing", "Rate where known", "P, log-rank",
    )  # fmt: skip
    cells = tuple(
        (
            row["label"],
            counted(row["events"]),
            rate(row["rate_missing"], row["reason"]),
            rate(row["rate_known"], row["reason"]),
            numbers.p_value(row["p"], row["reason"]),
        )
        for row in rows
    )
    return DataTable("Missing values and the event (events per 1,000 patient-years)", header, cells)


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the counts of missing values, the largest first, their patterns, and the event.

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
    table, found = summary["cohort"]["table_one"], summary["cohort"].get("missing")
    lacking = sorted(
        (row for row in table if row["missing_n"]),
        key=lambda row: (-row["missing_n"], row["label"]),
    )
    rows = [
        {
            "label": row["label"],
            "count": numbers.count(row["missing_n"]),
            "share": numbers.percent(row["missing_percent"] / 100),
            "width": min(100, max(1, round(row["missing_percent"]))),
        }
        for row in lacking
    ]
    order = {row["variable"]: place for place, row in enumerate(lacking)}
    judged = [] if found is None else found["against_event"]
    judged = sorted(judged, key=lambda row: order.get(row["variable"], len(order)))
    low = [row["label"] for row in judged if row["p"] is not None and row["p"] < 0.05]
    return {
        "sentence": _sentence(table, len(lacking)),
        "rows": rows,
        "patterns": None if found is None else _patterns(found),
        "against_event": _against_event(judged),
        "low": ", ".join(low),
    }


SECTIONS.register("missing", Section("Missing values", "Patients", 40, "missing.html.j2", context))
