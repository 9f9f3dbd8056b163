"""Stage 1: which variables the survival forest passed on, and why."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

SPLIT_RULES = {
    "logrank": "log-rank statistic",
    "logrank_score": "log-rank scores",
    "extra": "log-rank statistic of random cuts",
}


def _ranking(rows: list[dict[str, Any]]) -> DataTable:
    grouped = any(row.get("selection_group") for row in rows)
    tested = any("p_value" in row for row in rows)
    header = ["Variable", "VIMP (interval)", "Minimal depth", "Stage 1", "Final score", "Why"]
    cells = [
        [
            row["label"],
            numbers.estimate(
                row["vimp"], row["lower"], row["upper"], row["reason"], style=numbers.four
            ),
            numbers.maybe(row["minimal_depth"], "never split on", style=numbers.two),
            "kept" if row["selected"] else "dropped",
            "in" if row["kept_in_model"] else "out",
            row["reason"],
        ]
        for row in rows
    ]
    if tested:
        header.insert(2, "P")
        for line, row in zip(cells, rows, strict=True):
            line.insert(2, numbers.p_value(row.get("p_value"), row["reason"]))
    if grouped:
        header.insert(1, "Group")
        for line, row in zip(cells, rows, strict=True):
            line.insert(1, row.get("selection_group", ""))
    words_ = {"Group", "Stage 1", "Final score", "Why"}
    return DataTable(
        "Candidate variables by VIMP",
        tuple(header),
        tuple(tuple(line) for line in cells),
        text=tuple(place for place, name in enumerate(header) if name in words_),
    )


def _settings(found: dict[str, Any]) -> list[tuple[str, str]]:
    why = found.get("reason")
    settings = [
        ("Engine", str(found["engine"])),
        ("Trees", numbers.count(found["n_estimators"])),
        ("Patients per leaf, at least", str(found["min_samples_leaf"])),
        ("Times on the grid, at most", str(found["n_times"])),
    ]
    if "split_rule" in found:
        settings += [
            ("Splits by", SPLIT_RULES[found["split_rule"]]),
            ("VIMP", found["vimp_text"]),
        ]
    if found.get("max_depth") is not None:
        settings.append(("Depth of the trees, at most", str(found["max_depth"])))
    if found.get("max_samples") is not None:
        drawn = found["max_samples"]
        share = isinstance(drawn, float)
        text = numbers.percent(drawn) if share else numbers.count(drawn)
        settings.append(("Patients drawn for a tree", text))
    return [
        *settings,
        ("Out-of-bag C-index", numbers.maybe(found["oob_c_index"], why)),
        (
            "Minimal depth of a variable without effect",
            numbers.maybe(found["minimal_depth_threshold"], why, style=numbers.two),
        ),
    ]


def _interactions(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Pairs of variables that act together in the forest",
        ("Pair", "VIMP of both", "Excess over the sum", "Its standard error", "Rank by depth"),
        tuple(
            (
                f"{row['first']} × {row['second']}",
                numbers.four(row["joint_vimp"]),
                numbers.signed(row["excess"], 4),
                numbers.four(row["excess_error"]),
                str(row["depth_rank"]),
            )
            for row in rows
        ),
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
    pairs = found.get("interactions") or []
    named = ", ".join(f"{row['first']} × {row['second']}" for row in pairs)
    return {
        "sentence": sentence,
        "figures": [*figures["leading_variables"], *figures["parsimony"]],
        "all": figures["vimp"],
        "ranking": _ranking(rows),
        "pairs": f"Strongest interactions the forest used: {named}." if pairs else "",
        "interactions": _interactions(pairs),
        "settings": _settings(found),
    }


SECTIONS.register(
    "selection", Section("Stage 1: variables", "Model", 50, "selection.html.j2", context)
)
