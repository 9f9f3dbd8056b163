"""Missing values of each candidate variable."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the counts of missing values, the largest first.

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
    table = summary["cohort"]["table_one"]
    lacking = sorted(
        (row for row in table if row["missing_n"]),
        key=lambda row: (-row["missing_n"], row["label"]),
    )
    complete = len(table) - len(lacking)
    sentence = f"None of the {words.plural(len(table), 'candidate variable')} has a missing value."
    if lacking:
        sentence = (
            f"{len(lacking)} of {words.plural(len(table), 'candidate variable')} have missing"
            f" values; {complete} are complete. What was filled in was learnt inside each"
            " training set."
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
    return {"sentence": sentence, "rows": rows}


SECTIONS.register("missing", Section("Missing values", "Patients", 40, "missing.html.j2", context))
