"""What each simplification of the score costs."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

FORMS = {
    "forest": "Survival forest",
    "formula": "Formula (exact risk)",
    "points": "Points (whole numbers)",
    "groups": "Risk groups",
}

UNFOLDED = 2
"""How many tables are seen at once: ranking and accuracy."""


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather what each simpler form of the score costs.

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
    models = summary["validation"].get("models")
    if not models:
        return {"tables": [_ranking(summary["points"]["price"])], "folded": []}
    rows = {
        (row["model"], row["against"], row["measure"], row["threshold"]): row
        for row in models["price"]["rows"]
        if not row["part"]
    }
    steps, when = models["price"]["steps"], words.adjective(models["horizon"])
    measures = [("auc", None, "AUC"), ("brier", None, "Brier score")]
    measures += [
        ("net_benefit", threshold, f"net benefit at {numbers.percent(threshold, 0)}")
        for threshold in models["thresholds"]
    ]
    tables = [_costs(rows, steps, *measure, when) for measure in measures]
    return {"tables": tables[:UNFOLDED], "folded": tables[UNFOLDED:]}


def _costs(
    rows: dict[tuple[Any, ...], dict[str, Any]],
    steps: list[str],
    measure: str,
    threshold: float | None,
    label: str,
    when: str,
) -> DataTable:
    cells = []
    for place, form in enumerate(steps):
        own = rows.get((form, "", measure, threshold)) or rows[form, "", "auc", None]
        known = own["measure"] == measure
        value = numbers.estimate(own["value"], own["lower"], own["upper"], own["reason"])
        change, p = "–", "–"
        if place:
            key = (form, steps[place - 1], measure, threshold)
            step = rows.get(key) or rows[form, steps[place - 1], "auc", None]
            change = numbers.difference(step["value"], step["lower"], step["upper"], step["reason"])
            p = numbers.p_value(step["p"], step["reason"])
        shown = value if known else numbers.undefined(own["reason"])
        cells.append((FORMS.get(form, form), shown, change, p))
    header = ("Form", f"{label[0].upper()}{label[1:]} (95 % CI)", "Change (95 % CI)", "P")
    return DataTable(f"Price of each step in {label}, {when} risk", header, tuple(cells))


def _ranking(found: list[dict[str, Any]]) -> DataTable:
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
    return DataTable(
        "AUC of the score as formula, points and groups", header, tuple(rows), text=(1,)
    )


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
