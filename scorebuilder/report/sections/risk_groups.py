"""Risk groups: Kaplan-Meier curves, and predicted beside observed risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.risk_bands import RATE, rate
from scorebuilder.report.section import SECTIONS, Figures, Section
from scorebuilder.report.small_counts import counted


def _rule(rule: Any) -> str:
    if isinstance(rule, list | tuple):
        return f"cut points {', '.join(str(cut) for cut in rule)}"
    if isinstance(rule, Mapping):
        risks = ", ".join(f"{100 * risk:.6g}%" for risk in rule["risk"])
        return f"absolute risk {risks} at {rule['horizon']}, as nearly as whole points allow"
    return str(rule)


def _groups(rows: list[dict[str, Any]], rates: list[dict[str, Any]]) -> DataTable:
    cells = [
        [
            row["label"],
            f"{row['points_from']} to {row['points_to']}",
            numbers.count(row["n"]),
            counted(row["events"]),
        ]
        for row in rows
    ]
    header = ["Group", "Points", "Patients", "Events"]
    if rates:
        header += ["Patient-years", RATE]
        for line, row in zip(cells, rates, strict=True):
            years = row["patient_years"]
            line += [numbers.maybe(years, row["reason"], style=numbers.count), rate(row)]
    return DataTable("Risk groups", tuple(header), tuple(tuple(line) for line in cells))


def _observed(rows: list[dict[str, Any]]) -> DataTable:
    return DataTable(
        "Predicted and observed risk by group",
        ("Group", "Horizon", "Predicted", "Observed (95 % CI)"),
        tuple(
            (
                row["label"],
                words.adjective(row["horizon"]),
                numbers.maybe(row["predicted"], row["reason"], style=numbers.percent),
                numbers.estimate(
                    row["observed"],
                    row["lower"],
                    row["upper"],
                    row["reason"],
                    style=numbers.percent,
                ),
            )
            for row in rows
        ),
        text=(1,),
    )


def _logrank(test: dict[str, Any] | None) -> str:
    if not test:
        return "Log-rank test: not made."
    if test["chisq"] is None or test["p"] is None:
        return f"Log-rank test: {numbers.undefined(test.get('reason'))}."
    return (
        f"Log-rank test: chi-squared {numbers.two(test['chisq'])} with {test['df']} df,"
        f" P {numbers.p_value(test['p'])}. The groups were made from these same patients, so a"
        " small P is expected."
    )


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the risk groups.

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
    found = summary["risk_groups"]
    number = words.plural(len(found["groups"]), "group")
    return {
        "sentence": f"The points form {number} ({_rule(found['rule'])}).",
        "figures": figures["risk_groups"],
        "groups": _groups(found["groups"], found.get("rates", [])),
        "observed": _observed(found["observed"]),
        "logrank": _logrank(found["logrank"]),
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether the score has risk groups.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if there is a group.
    """
    return bool(summary["risk_groups"] and summary["risk_groups"]["groups"])


SECTIONS.register(
    "risk_groups", Section("Risk groups", "Score", 130, "risk_groups.html.j2", context, applies)
)
