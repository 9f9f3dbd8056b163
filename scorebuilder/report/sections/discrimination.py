"""Discrimination and overall performance in patients not used for fitting."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _apparent(row: dict[str, Any]) -> str:
    return "–" if row["apparent"] is None else numbers.three(row["apparent"])


def _table(label: str, rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        f"Performance: {label}",
        ("Measure", "Horizon", "Validated (95 % CI)", "Apparent", "Patients", "Events"),
        tuple(
            (
                row["metric_label"],
                "all follow-up" if row["horizon"] is None else words.adjective(row["horizon"]),
                numbers.estimate(row["value"], row["lower"], row["upper"], row["reason"]),
                _apparent(row),
                "–" if row["n"] is None else numbers.count(row["n"]),
                "–" if row["events"] is None else numbers.count(row["events"]),
            )
            for row in rows
        ),
        text=(1,),
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the performance of every model.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures.

    Returns
    -------
    dict
        What the template names; one table per model, the score first.
    """
    found = summary["validation"]
    rows = found["performance"]
    models = list(dict.fromkeys((row["model"], row["label"]) for row in rows))
    models.sort(key=lambda model: model[0] != "score")
    tables = [
        _table(label, [row for row in rows if (row["model"], row["label"]) == (model, label)])
        for model, label in models
    ]
    return {"design": found["design"]["text"], "figures": figures["roc"], "tables": tables}


SECTIONS.register(
    "discrimination",
    Section("Discrimination", "Performance", 140, "discrimination.html.j2", context),
)
