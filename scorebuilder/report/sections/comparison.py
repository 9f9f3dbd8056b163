"""The score against established baselines on the same patients."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def _table(rows: list[dict[str, Any]], horizon: float) -> DataTable:
    header = (
        "Baseline", "Scorable", "Events", "AUC, score (95 % CI)", "AUC, baseline (95 % CI)",
        "Difference (95 % CI)", "P",
    )  # fmt: skip
    cells = []
    for row in rows:
        if row["horizon"] != horizon:
            continue
        why = row["reason"]
        score = (row["auc_score"], row["auc_score_lower"], row["auc_score_upper"])
        baseline = (row["auc_baseline"], row["auc_baseline_lower"], row["auc_baseline_upper"])
        difference = (row["difference"], row["lower"], row["upper"])
        cells.append(
            (
                row["label"],
                f"{numbers.count(row['n_scorable'])} of {numbers.count(row['n_total'])}",
                numbers.count(row["n_events"]),
                numbers.estimate(*score, why),
                numbers.estimate(*baseline, why),
                numbers.difference(*difference, why),
                numbers.p_value(row["p"], why),
            )
        )
    caption = f"AUC of score and baselines at {format_horizon(horizon)}"
    return DataTable(caption, header, tuple(cells))


def _facts(row: dict[str, Any], about: dict[str, Any]) -> list[tuple[str, str]]:
    """Write what must be known before the comparison is believed."""
    reasons = "; ".join(
        f"{item['reason']} ({numbers.count(item['count'])})" for item in row["reasons"]
    )
    unlike = row["baseline_horizon"] not in (None, row["horizon"])
    stated = "" if row["baseline_horizon"] is None else format_horizon(row["baseline_horizon"])
    pairs = [
        ("Population", about.get("population")),
        ("Outcome", row["outcome"]),
        (
            "Horizon",
            f"{stated}; judged here at {format_horizon(row['horizon'])}" if unlike else stated,
        ),
        ("Not scorable", reasons or "nobody"),
        ("Assumed", "; ".join(row["assumed"]) or "nothing"),
        ("Mind", " ".join(row["notes"])),
        ("Not meant for", about.get("misuse") if about.get("misuse") not in row["notes"] else ""),
        ("Publication", about.get("publication")),
        ("DOI", about.get("doi")),
        ("Licence", about.get("licence_notice")),
    ]
    return [(name, text) for name, text in pairs if text]


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the comparisons, and what limits each of them.

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
    rows = summary["validation"]["comparison"]
    about = {item["name"]: item for item in summary["baselines"]}
    seen = {row["baseline"]: row for row in rows}
    baselines = [
        {"label": row["label"], "facts": _facts(row, about.get(name, {}))}
        for name, row in seen.items()
    ]
    main = summary["score"]["main_horizon"]
    horizons = sorted(
        {row["horizon"] for row in rows}, key=lambda horizon: (horizon != main, horizon)
    )
    tables = [_table(rows, horizon) for horizon in horizons]
    return {"figures": figures["comparison"], "tables": tables, "baselines": baselines}


def applies(summary: Summary) -> bool:
    """
    Tell whether there are baselines.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if the score was compared.
    """
    return bool(summary["validation"]["comparison"])


SECTIONS.register(
    "comparison",
    Section(
        "Comparison with baselines", "Performance", 170, "comparison.html.j2", context, applies
    ),
)
