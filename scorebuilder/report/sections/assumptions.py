"""What the model takes for granted: proportional hazards, and that no few patients decide."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.brief import joined
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

GLOBAL = "GLOBAL"
ALL_TERMS = "All terms together"


def _ph_test(rows: list[dict[str, Any]]) -> tuple[DataTable | None, str]:
    if not rows:
        return None, "Proportional hazards were not tested."
    table = DataTable(
        "Test of proportional hazards by scaled Schoenfeld residuals",
        ("Term", "Chi-squared", "P"),
        tuple(
            (
                _term(row),
                numbers.maybe(row["chisq"], row.get("reason"), style=numbers.two),
                numbers.p_value(row["p"], row.get("reason")),
            )
            for row in rows
        ),
    )
    low = list(
        dict.fromkeys(
            _term(row).split(": ", 1)[0]
            for row in rows
            if row["p"] is not None and row["p"] < 0.05 and row["term"] != GLOBAL
        )
    )
    low = low or [ALL_TERMS for row in rows if row["p"] is not None and row["p"] < 0.05]
    if not low:
        return (
            table,
            "No test gives P below 0.05: there is no evidence against proportional hazards.",
        )
    return table, (
        f"P is below 0.05 for {joined(low, 'and')}: there the effect may change with time after"
        " inclusion, and the hazard ratio is an average over the follow-up. Calibration at each"
        " horizon shows whether that matters for the risk."
    )


def _term(row: dict[str, Any]) -> str:
    return ALL_TERMS if row["term"] == GLOBAL else str(row["term"])


def _influence(found: dict[str, Any]) -> tuple[DataTable | None, str]:
    if not found["rows"]:
        return None, f"Influence: {numbers.undefined(found['reason'])}."
    header = (
        "Variable", "Function", "Changed without one patient", "Changed without",
        "Straight once extremes are pulled in",
    )  # fmt: skip
    table = DataTable(
        "What leaving patients out does to the functions",
        header,
        tuple(_influence_row(row) for row in found["rows"]),
        text=(1, 3),
    )
    moved = [row["label"] for row in found["rows"] if _moves(row)]
    start = f"Stage 2 was repeated {words.plural(found['n_refits'], 'time')} without extreme values"
    if not moved:
        return table, f"{start} or single patients: no function changes."
    return table, (
        f"{start} or single patients. The function of {joined(moved, 'and')} hinges on few"
        " patients; at the ends of its range the curve should not be trusted."
    )


def _moves(row: dict[str, Any]) -> bool:
    return bool(row["n_single_changed"] or row["extremes_changed"] or row["linear_is_enough"])


def _influence_row(row: dict[str, Any]) -> tuple[str, ...]:
    straight = {True: "yes", False: "no", None: numbers.undefined(row["reason"])}
    failed = f"; {words.plural(row['n_failed'], 'refit')} failed" if row["n_failed"] else ""
    return (
        row["label"],
        row["function"],
        f"{row['n_single_changed']} of {row['n_single']} tried{failed}",
        joined(row["extremes_changed"], "and") or "no extremes",
        straight[row["linear_is_enough"]],
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the tests of proportional hazards and the check for influential patients.

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
    ph_test, ph_sentence = _ph_test(summary["model"]["ph_test"])
    influence, influence_sentence = None, ""
    if summary.get("influence"):
        influence, influence_sentence = _influence(summary["influence"])
    return {
        "ph_test": ph_test,
        "ph_sentence": ph_sentence,
        "influence": influence,
        "influence_sentence": influence_sentence,
    }


SECTIONS.register(
    "assumptions",
    Section("Assumptions and influence", "Model", 105, "assumptions.html.j2", context),
)
