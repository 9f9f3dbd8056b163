"""How much the risk of one patient depends on the sample."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

WHAT = {"points": "Points", "group": "Risk group"}
SOURCES = {
    "cross-validation": (
        "Rebuilt models come from the repeats of the cross-validation: each patient is predicted by"
        " models built without them. With many folds these models share most of their patients with"
        " the score, so that it differs more between new samples of patients than shown; with few"
        " folds they are built from fewer patients."
    ),
    "bootstrap": (
        "Rebuilt models come from bootstrap samples of the patients: the whole pipeline is fitted"
        " to each sample, and predicts every patient of the cohort."
    ),
}


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the spread of risks and the shares of patients placed elsewhere.

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
    found = summary["instability"]
    risk = found["risk"]
    spread = [
        (label, numbers.maybe(risk[key], risk["reason"], style=numbers.percent))
        for label, key in (
            ("Mean error of the risk", "mean"),
            ("Error for the median patient", "median"),
            ("95th centile of the error", "upper"),
            ("Mean error in the worst bin", "largest_bin"),
        )
    ]
    return {
        "n_replicates": words.times(found["n_replicates"]),
        "horizon": words.adjective(found["horizon"]),
        "undefined": numbers.undefined(risk["reason"]) if risk["mean"] is None else "",
        "spread": spread,
        "classes": _classes(found["classes"]),
        "thresholds": _thresholds(found.get("thresholds", [])),
        "figures": figures["instability"],
        "source": SOURCES[found["source"]],
        "no_calibration": found["calibration"]["reason"],
    }


def _classes(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Patients whom rebuilt models place elsewhere",
        ("Form", "Other", "Other by two or more", "Other at least once"),
        tuple(
            (
                WHAT[row["what"]],
                *(
                    numbers.maybe(row[key], row["reason"], style=numbers.percent)
                    for key in ("changed", "changed_by_two", "ever_changed")
                ),
            )
            for row in rows
        ),
    )


def _thresholds(rows: list[dict[str, Any]]) -> DataTable | None:
    if not rows:
        return None
    return DataTable(
        "Patients whom rebuilt models place on the other side of a threshold of risk",
        ("Threshold", "Other side", "Other side at least once"),
        tuple(
            (
                numbers.percent(row["threshold"], 0),
                *(
                    numbers.maybe(row[key], row["reason"], style=numbers.percent)
                    for key in ("changed", "ever_changed")
                ),
            )
            for row in rows
        ),
    )


def applies(summary: Summary) -> bool:
    """
    Tell whether models were rebuilt.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        False for summaries of older runs.
    """
    return bool(summary.get("instability"))


SECTIONS.register(
    "instability",
    Section(
        "Stability of predictions", "Performance", 165, "instability.html.j2", context, applies
    ),
)
