"""The points card: points that are added by hand, and the risk of the total."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon, unit_text
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

MEASURES = {
    "c_index": "C-index",
    "auc": "AUC",
    "brier": "Brier score",
    "ici": "ICI",
    "other_points": "Patients at other points",
    "other_group": "Patients in another risk group",
}
PERCENT = ("ici", "other_points", "other_group")


def _points(value: float) -> str:
    return f"{value:g}"


def _values(row: dict[str, Any], unit: str) -> str:
    """Say which values a row of the card is for."""
    if row["levels"]:
        return " or ".join(row["levels"])
    first, last = (None if row[key] is None else f"{row[key]:g}" for key in ("from", "to"))
    if first is None and last is None:
        return "any value"
    if first is None:
        return f"below {last} {unit}".rstrip()
    measured = f"{first} {unit}".rstrip()
    return f"{measured} or more" if last is None else f"{first} to below {last} {unit}".rstrip()


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    unit = unit_text(entry["unit"])
    return {
        "label": entry["label"],
        "rows": [(_values(row, unit), _points(row["points"])) for row in entry["rows"]],
    }


def _totals(card: dict[str, Any], horizons: list[float]) -> DataTable | None:
    if not card.get("totals"):
        return None
    return DataTable(
        "Risk of every total",
        ("Total", *(f"{words.adjective(horizon)} risk" for horizon in horizons)),
        tuple(
            (_points(row["total"]), *(numbers.percent(risk) for risk in row["risk"]))
            for row in card["totals"]
        ),
    )


def _bands(rows: list[dict[str, Any]], horizon: float) -> DataTable:
    cells = []
    for row in rows:
        if row["horizon"] != horizon:
            continue
        first, last = _points(row["from"]), _points(row["to"])
        seen = numbers.estimate(
            row["observed"], row["lower"], row["upper"], row["reason"], style=numbers.percent
        )
        cells.append(
            (
                first if first == last else f"{first} to {last}",
                "hidden" if row["n"] is None else numbers.count(row["n"]),
                numbers.maybe(row["predicted"], row["reason"], style=numbers.percent),
                seen,
            )
        )
    caption = f"Totals of the development patients, risk by {format_horizon(horizon)}"
    header = ("Total", "Patients", "Risk by the formula", "Observed (95 % CI)")
    return DataTable(caption, header, tuple(cells))


def _loss(rows: list[dict[str, Any]]) -> DataTable:
    cells = []
    for row in rows:
        style = numbers.percent if row["measure"] in PERCENT else numbers.three
        when = "all follow-up" if row["horizon"] is None else words.adjective(row["horizon"])
        shown = [
            numbers.maybe(row[form], row["reason"], style=style) for form in ("formula", "card")
        ]
        cells.append((MEASURES.get(row["measure"], row["measure"]), when, *shown))
    header = ("Measure", "Horizon", "Formula", "Card")
    return DataTable("What the card costs, in the development patients", header, tuple(cells), (1,))


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the card.

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
    card, score = summary["card"], summary["score"]
    lowest, highest = (_points(value) for value in card["total"])
    return {
        "entries": [_entry(entry) for entry in card["predictors"]],
        "range": f"{lowest} to {highest}",
        "scale": f"0 to {len(summary['points']['thresholds'])}",
        "totals": _totals(card, score["horizons"]),
        "bands": _bands(card["risk"], score["main_horizon"]),
        "loss": _loss(card["loss"]) if card["loss"] else None,
        "fitted": card["fitted"],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the score has a card.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is one.
    """
    return bool(summary.get("card"))


SECTIONS.register("card", Section("Points card", "Score", 115, "card.html.j2", context, applies))
