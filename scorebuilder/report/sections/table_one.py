"""Table 1: the patients at time zero, by whether an event was seen."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import unit_text
from scorebuilder.report import numbers
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _variable(row: dict[str, Any]) -> dict[str, Any]:
    unit = unit_text(row["unit"])
    missing = "0"
    if row["missing_n"]:
        missing = (
            f"{numbers.count(row['missing_n'])} ({numbers.percent(row['missing_percent'] / 100)})"
        )
    single = row["rows"][0] if row["kind"] == "numeric" and row["rows"] else None
    return {
        "name": f"{row['label']}, {unit}" if unit else row["label"],
        "single": single,
        "rows": row["rows"],
        "smd": numbers.maybe(row["smd"], row.get("smd_reason"), style=numbers.two),
        "missing": missing,
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather Table 1.

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
    table, head = summary["cohort"]["table_one"], summary["headline"]
    names = list(dict.fromkeys(row["group"] or "" for row in table))
    groups = [
        {
            "name": name[:1].upper() + name[1:],
            "variables": [_variable(row) for row in table if (row["group"] or "") == name],
        }
        for name in names
    ]
    quartiles = any("[" in str(cell["all"]) for row in table for cell in row["rows"])
    how = "Numeric variables: mean (standard deviation)"
    return {
        "groups": groups,
        "how": f"{how}; median [quartiles]." if quartiles else f"{how}.",
        "n_all": numbers.count(head["n_patients"]),
        "n_event": numbers.count(head["n_events"]),
        "n_free": numbers.count(head["n_patients"] - head["n_events"]),
    }


SECTIONS.register("table_one", Section("Table 1", "Patients", 30, "table_one.html.j2", context))
