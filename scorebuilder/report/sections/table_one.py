"""Table 1: the patients at time zero, by whether an event was seen."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import unit_text
from scorebuilder.report import numbers
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

MOST, LEADING = 15, 10
"""With more variables than `MOST`, the `LEADING` ones and those of the score are shown first."""


def _variable(row: dict[str, Any]) -> dict[str, Any]:
    unit = unit_text(row["unit"])
    missing = "0"
    if row["missing_n"]:
        missing = (
            f"{numbers.count(row['missing_n'])} ({numbers.percent(row['missing_percent'] / 100)})"
        )
    name = f"{row['label']}, {unit}" if unit else row["label"]
    single = row["rows"][0] if row["kind"] == "numeric" and row["rows"] else None
    if len(row["rows"]) == 2 and single is None:
        single = row["rows"][1]  # of two levels, one says it all
    return {
        "name": name,
        "level": single["level_label"] if single else None,
        "single": single,
        "rows": row["rows"],
        "smd": numbers.maybe(row["smd"], row.get("smd_reason"), style=numbers.two),
        "missing": missing,
    }


def _shown_first(summary: Summary) -> set[str]:
    """Choose the variables of the score and the most important ones, where there are many."""
    table, ranking = summary["cohort"]["table_one"], summary["selection"]["ranking"]
    every = {row["variable"] for row in table}
    if numbers.for_journal() or len(table) <= MOST or not ranking:
        return every
    leading = {row["variable"] for row in ranking[:LEADING]}
    return every & (leading | {row["variable"] for row in ranking if row["kept_in_model"]})


def _groups(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(row["group"] or "" for row in table))
    return [
        {
            "name": name[:1].upper() + name[1:],
            "variables": [_variable(row) for row in table if (row["group"] or "") == name],
        }
        for name in names
    ]


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
    first = _shown_first(summary)
    quartiles = any("[" in str(cell["all"]) for row in table for cell in row["rows"])
    how = "Numeric variables: mean (standard deviation)"
    return {
        "groups": _groups([row for row in table if row["variable"] in first]),
        "others": _groups([row for row in table if row["variable"] not in first]),
        "n_others": len(table) - len(first),
        "how": f"{how}; median [quartiles]." if quartiles else f"{how}.",
        "n_all": numbers.count(head["n_patients"]),
        "n_event": numbers.count(head["n_events"]),
        "n_free": numbers.count(head["n_patients"] - head["n_events"]),
    }


SECTIONS.register("table_one", Section("Table 1", "Patients", 30, "table_one.html.j2", context))
