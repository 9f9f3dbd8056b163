"""What each simplification of the score costs."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

FORMS = {
    "formula": "Formula (exact risk)",
    "points": "Points (whole numbers)",
    "groups": "Risk groups",
}


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the AUC of formula, points and groups.

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
    found = summary["points"]["price"]
    full = {row["horizon"]: row["auc"] for row in found if row["form"] == "formula"}
    rows = []
    for row in found:
        change, before = numbers.undefined(row["reason"]), full.get(row["horizon"])
        if row["auc"] is not None and before is not None:
            change = "–" if row["form"] == "formula" else numbers.signed(row["auc"] - before)
        auc = numbers.maybe(row["auc"], row["reason"])
        form = FORMS.get(row["form"], row["form"])
        rows.append((form, words.adjective(row["horizon"]), auc, change))
    header = ("Form of the score", "Horizon", "AUC", "Change")
    table = DataTable(
        "AUC of the score as formula, points and groups", header, tuple(rows), text=(1,)
    )
    return {"price": table}


def applies(summary: Summary) -> bool:
    """
    Tell whether the forms were compared.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a row.
    """
    return bool(summary["points"]["price"])


SECTIONS.register(
    "price", Section("Price of simplification", "Score", 120, "price.html.j2", context, applies)
)
