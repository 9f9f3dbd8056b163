"""What groups of variables and single markers add."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.measure_row import measure_row, shown
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted

BUILDS = {"pipeline": "the whole pipeline of the score", "cox": "a linear Cox model"}
LADDER = (
    "Variables", "Number", "Δχ² (df)", "P", "Adequacy", "AUC, out of fold", "C-index, out of fold",
)  # fmt: skip
MEASURES = ("Out of fold, with less without", "Estimate", "P")


def _step(row: dict[str, Any], first: bool) -> tuple[str, ...]:
    found = [
        numbers.estimate(*(row[metric][key] for key in ("value", "lower", "upper", "reason")))
        for metric in ("auc", "c_index")
    ]
    return (
        row["group"] if first else f"+ {row['group']}",
        numbers.count(row["n_variables"]),
        f"{numbers.number(row['delta'], 1)} ({row['df_new'] - row['df_old']})",
        numbers.p_value(row["p"], row["reason"]),
        numbers.maybe(row["adequacy"], row["adequacy_reason"], style=numbers.percent),
        *found,
    )


def _measures(caption: str, rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(caption, MEASURES, tuple(measure_row(row) for row in shown(rows)))


def _ladder(found: dict[str, Any], when: str) -> list[DataTable]:
    rows = found["ladder"]
    if not rows:
        return []
    caption = f"Groups of variables, each added to those before it, by {when}"
    steps = tuple(_step(row, place == 0) for place, row in enumerate(rows))
    tables = [DataTable(caption, LADDER, steps)]
    for before, row in pairwise(rows):
        what = f"{row['group']} on top of {before['group']}"
        tables.append(_measures(f"What {what} adds, by {when}", row["measures"]))
    return tables


def _ratio(row: dict[str, Any]) -> str:
    text = numbers.estimate(row["value"], row["lower"], row["upper"], style=numbers.two)
    return f"{text}, P {numbers.p_value(row['p'])}"


def _per(row: dict[str, Any]) -> str:
    if row["per"] == "SD":
        return f"Hazard ratio per SD ({numbers.quantity(row['step'])})"
    what = row.get("what", row["column"])
    return f"Hazard ratio, {what}" if "[" in row["column"] else f"Hazard ratio per {what}"


def _marker(row: dict[str, Any], when: str) -> dict[str, Any]:
    facts = [("Patients", row["subgroup"] or "all")]
    if row["subgroup"]:
        unknown = row["n_unknown"]
        text = "" if unknown == 0 else f"; not known of: {counted(unknown)}"
        facts.append(("In the subgroup", counted(row["n_subgroup"]) + text))
    facts += [
        ("Known already", row["on_top_of"]),
        ("All inputs known", counted(row["n"])),
        (f"Events by {when}", counted(row["n_events"])),
    ]
    facts += [(_per(ratio), _ratio(ratio)) for ratio in row["hazard_ratios"]]
    nested = row["nested"]
    if nested is not None:
        df = nested["df_new"] - nested["df_old"]
        p = numbers.p_value(nested["p"], nested["reason"])
        facts.append(("Δχ² (df)", f"{numbers.number(nested['delta'], 1)} ({df}), P {p}"))
        facts.append(
            (
                "Adequacy without it",
                numbers.maybe(nested["adequacy"], nested["reason"], style=numbers.percent),
            )
        )
    caption = f"{row['label']}, by {when}"
    return {
        "label": row["label"],
        "facts": facts,
        "undefined": "" if row["reason"] is None else numbers.undefined(row["reason"]),
        "tables": [_measures(caption, row["measures"])] if row["measures"] else [],
    }


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the ladder and the answers about markers.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; none is used.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    found = summary["incremental"]
    when = format_horizon(found["horizon"])
    return {
        "build": BUILDS[found["build"]],
        "ladder": _ladder(found, when),
        "markers": [_marker(row, when) for row in found["markers"]],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the spec asks about added value.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if it does.
    """
    return bool(summary.get("incremental"))


SECTIONS.register(
    "incremental",
    Section("Added value", "Performance", 174, "incremental.html.j2", context, applies),
)
