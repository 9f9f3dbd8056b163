"""Stage 1: which variables the survival forest passed on, and why."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _ranking(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Candidate variables by VIMP",
        ("Variable", "VIMP (interval)", "Minimal depth", "Stage 1", "Final score", "Why"),
        tuple(
            (
                row["label"],
                numbers.estimate(
                    row["vimp"], row["lower"], row["upper"], row["reason"], style=numbers.four
                ),
                numbers.maybe(row["minimal_depth"], "never split on", style=numbers.two),
                "kept" if row["selected"] else "dropped",
                "in" if row["kept_in_model"] else "out",
                row["reason"],
            )
            for row in rows
        ),
        text=(3, 4, 5),
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the ranking and the settings of the forest.

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
    found = summary["selection"]
    rows = found["ranking"]
    selected = sum(bool(row["selected"]) for row in rows)
    sentence = (
        f"A random survival forest ranked {words.plural(len(rows), 'candidate variable')} by what"
        f" is lost when each is permuted (VIMP); {selected} passed. Rule: {found['rule_text']}."
    )
    why = found.get("reason")
    settings = [
        ("Engine", str(found["engine"])),
        ("Trees", numbers.count(found["n_estimators"])),
        ("Patients per leaf, at least", str(found["min_samples_leaf"])),
        ("Times on the grid, at most", str(found["n_times"])),
        ("Out-of-bag C-index", numbers.maybe(found["oob_c_index"], why)),
        (
            "Minimal depth of a variable without effect",
            numbers.maybe(found["minimal_depth_threshold"], why, style=numbers.two),
        ),
    ]
    return {
        "sentence": sentence,
        "figures": figures["vimp"],
        "ranking": _ranking(rows),
        "settings": settings,
    }


SECTIONS.register(
    "selection", Section("Stage 1: variables", "Model", 50, "selection.html.j2", context)
)
