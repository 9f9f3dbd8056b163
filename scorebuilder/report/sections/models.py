"""The score, models of other kinds and established scores in one table, on the same folds."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

OWN = (
    ("auc", "AUC (95 % CI)", numbers.three),
    ("c_index", "C-index (95 % CI)", numbers.three),
    ("brier", "Brier score", numbers.three),
    ("scaled_brier", "Scaled Brier score", numbers.percent),
    ("observed_expected", "Observed / expected", numbers.two),
    ("slope", "Slope", numbers.two),
    ("ici", "ICI", numbers.percent),
)
DIFFERENCES = (("auc", "AUC"), ("c_index", "C-index"), ("brier", "Brier score"))
RECLASSIFIED = (
    ("nri_continuous", "events", "Continuous NRI, events"),
    ("nri_continuous", "nonevents", "non-events"),
    ("nri_categorical", "events", "Categorical NRI, events"),
    ("nri_categorical", "nonevents", "non-events"),
    ("idi", "", "IDI"),
)
WITH_LIMITS = ("auc", "c_index")
ABSENT = "not stated"


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather all models, and the differences of the score from each of them.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures.

    Returns
    -------
    dict
        What the template names.
    """
    found = summary["validation"]["models"]
    rows = {_key(row): row for row in found["rows"]}
    fitted = [model for model in found["models"] if not model["reason"]]
    others = [model for model in fitted if model["name"] != "formula"]
    tables = [_own(fitted, rows, found), _ranking(others, rows), _moved(others, rows)]
    if found["thresholds"]:
        tables.append(_net_benefit(others, rows, found["thresholds"]))
    return {
        "when": format_horizon(found["horizon"]),
        "figures": figures["models"],
        "tables": tables,
        "unfitted": [model for model in found["models"] if model["reason"]],
    }


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["model"], row["against"], row["measure"], row["part"], row["threshold"]


def _cell(
    rows: dict[tuple[Any, ...], dict[str, Any]],
    key: tuple[Any, ...],
    style: numbers.NumberStyle = numbers.three,
    *,
    limits: bool = True,
) -> str:
    row = rows.get(key)
    if row is None:  # the reason stands beside the whole of it, or beside the AUC
        row = rows.get((*key[:3], "", key[4])) or rows.get((*key[:2], "auc", "", None))
        return numbers.undefined(ABSENT if row is None else row["reason"] or ABSENT)
    lower, upper = (row["lower"], row["upper"]) if limits else (None, None)
    return numbers.estimate(row["value"], lower, upper, row["reason"], style=style)


def _own(
    models: list[dict[str, Any]], rows: dict[tuple[Any, ...], dict[str, Any]], found: dict[str, Any]
) -> DataTable:
    cells = []
    for model in models:
        name = model["name"]
        first = rows.get((name, "", "auc", "", None))
        shown = [
            _cell(rows, (name, "", measure, "", None), style, limits=measure in WITH_LIMITS)
            for measure, _, style in OWN
        ]
        patients = "–" if first is None else numbers.count(first["n"])
        cells.append((model["label"], patients, *shown))
    header = ("Model", "Patients", *(label for _, label, _ in OWN))
    caption = f"Out-of-fold performance by {format_horizon(found['horizon'])}"
    return DataTable(caption, header, tuple(cells))


def _ranking(
    models: list[dict[str, Any]], rows: dict[tuple[Any, ...], dict[str, Any]]
) -> DataTable:
    cells = []
    for model in models:
        shown: list[str] = []
        for measure, _ in DIFFERENCES:
            row = rows.get(("formula", model["name"], measure, "", None))
            if row is None:
                shown += [numbers.undefined(ABSENT)] * 2
                continue
            reason = row["reason"]
            shown.append(numbers.difference(row["value"], row["lower"], row["upper"], reason))
            shown.append(numbers.p_value(row["p_holm"], reason))
        cells.append((model["label"], *shown))
    header = ("This score minus", *(h for _, label in DIFFERENCES for h in (label, "P (Holm)")))
    return DataTable("Differences with 95 % CI", header, tuple(cells))


def _moved(models: list[dict[str, Any]], rows: dict[tuple[Any, ...], dict[str, Any]]) -> DataTable:
    cells = []
    for model in models:
        keys = [("formula", model["name"], name, part, None) for name, part, _ in RECLASSIFIED]
        known = [(key, label) for key, (*_, label) in zip(keys, RECLASSIFIED, strict=True)]
        cells.append((model["label"], *(_cell(rows, key) for key, _ in known)))
    header = ("This score against", *(label for *_, label in RECLASSIFIED))
    return DataTable("Reclassification (95 % CI)", header, tuple(cells))


def _net_benefit(
    models: list[dict[str, Any]],
    rows: dict[tuple[Any, ...], dict[str, Any]],
    thresholds: list[float],
) -> DataTable:
    cells = [
        (
            model["label"],
            *(_cell(rows, ("formula", model["name"], "net_benefit", "", t)) for t in thresholds),
        )
        for model in models
    ]
    header = ("This score minus", *(f"at {numbers.percent(t, 0)}" for t in thresholds))
    return DataTable("Difference of net benefit (95 % CI)", header, tuple(cells))


def applies(summary: Summary) -> bool:
    """
    Tell whether the score was compared with other models.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is one beside its own forms.
    """
    found = summary["validation"].get("models") or {"models": []}
    return any(model["kind"] != "form" for model in found["models"])


SECTIONS.register(
    "models",
    Section("All models on the same folds", "Performance", 175, "models.html.j2", context, applies),
)
