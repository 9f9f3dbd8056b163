"""How the pipeline does in centres or periods it has not seen."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _cluster(row: dict[str, Any]) -> tuple[str, ...]:
    hidden = row["n"] is None
    return (
        row["cluster"],
        words.adjective(row["horizon"]),
        "–" if hidden else numbers.count(row["n"]),
        "–" if hidden else numbers.count(row["n_events"]),
        row["label"],
        numbers.estimate(row["value"], row["lower"], row["upper"], row["reason"]),
    )


def _pooled(row: dict[str, Any]) -> tuple[str, ...]:
    reason = row["predicted_reason"] or row["reason"]
    limits = numbers.undefined(reason)
    if row["predicted_lower"] is not None:
        limits = numbers.interval(row["predicted_lower"], row["predicted_upper"])
    return (
        row["label"],
        words.adjective(row["horizon"]),
        numbers.count(row["n_clusters"]),
        numbers.estimate(row["value"], row["lower"], row["upper"], row["reason"]),
        limits,
        "–" if row["i_squared"] is None else numbers.percent(row["i_squared"], 0),
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the clusters, and the summary over them.

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
    found = summary["internal_external"]
    clusters = tuple(_cluster(row) for row in found["clusters"])
    pooled = tuple(_pooled(row) for row in found["pooled"])
    by_cluster = (found["by"], "Horizon", "Patients", "Events", "Measure", "Value (95 % interval)")
    over_all = (
        "Measure", "Horizon", "Clusters", "Mean (95 % interval)", "In a new cluster (95 %)",
        "I squared",
    )  # fmt: skip
    forward = found.get("forward", False)
    caption = "Each period, by a build of the earlier ones" if forward else "Each cluster, left out"
    return {
        "forward": forward,
        "clusters": DataTable(caption, by_cluster, clusters, text=(1, 4)),
        "pooled": DataTable("Over all clusters", over_all, pooled, text=(1,)),
        "unknown": numbers.count(found["n_unknown"]) if found["n_unknown"] else "",
        "minimum": found["minimum_events"],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether clusters were left out.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there are rows.
    """
    return bool(summary.get("internal_external"))


SECTIONS.register(
    "internal_external",
    Section(
        "Centres and periods not seen", "Performance", 147, "internal_external.html.j2", context,
        applies,
    ),
)  # fmt: skip
