"""A frozen score in another cohort, as tables of ready texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable
from scorebuilder.report.risk_bands import observed, patients
from scorebuilder.report.small_counts import counted

PERCENTAGES = ("scaled_brier", "ici", "e50", "e90", "e_max")


def external_context(cohort: Mapping[str, Any]) -> dict[str, Any]:
    """
    Write everything that a page shows of one cohort.

    Parameters
    ----------
    cohort : mapping
        One entry of ``external`` of a summary.

    Returns
    -------
    dict
        ``label``, ``sentence``, ``facts``, ``note``, and tables of performance (the main horizon
        first) and of all else.
    """
    groups, prognostic = cohort["risk_groups"], cohort["prognostic_groups"]
    horizons = sorted(cohort["horizons"], key=lambda horizon: horizon != cohort["main_horizon"])
    performance = [
        *(_at_horizon(cohort["measures"], horizon) for horizon in horizons),
        _whole(cohort["measures"]),
    ]
    tables = [
        _groups("Risk groups of the score: predicted and observed risk", groups),
        _case_mix(cohort["case_mix"]),
        _points(cohort["risk_table"], cohort["main_horizon"]),
    ]
    if prognostic is not None:
        shares = ", ".join(f"{100 * share:g}" for share in prognostic["shares"])
        caption = f"Prognostic groups, cut at the {shares} % quantiles of the development patients"
        tables.insert(-2, _groups(caption, prognostic))
    return {
        "label": cohort["label"],
        "sentence": _sentence(cohort),
        "facts": _facts(cohort),
        "note": _note(cohort.get("baseline_known_until")),
        "performance": performance,
        "tables": tables,
    }


def _note(last: float | None) -> str:
    if last is None:
        return ""
    return (
        "Observed / expected over follow-up and the slope of the Poisson model end at "
        f"{format_horizon(last)}, the last time at which the artifact tells the baseline hazard: "
        "later events, and later expected events, are not counted."
    )


def _of(measures: Sequence[Mapping[str, Any]], name: str, horizon: float | None) -> Any:
    return next(r for r in measures if (r["measure"], r["horizon"]) == (name, horizon))


def _sentence(cohort: Mapping[str, Any]) -> str:
    counts, main = cohort["counts"], cohort["main_horizon"]
    measures, when = cohort["measures"], format_horizon(main)
    auc, level = _of(measures, "auc", main), _of(measures, "observed_expected", main)
    slope = _of(measures, "slope", None)
    return (
        f"The score was frozen and applied to {numbers.count(counts['n_scored'])} of "
        f"{numbers.count(counts['n'])} patients, with {words.plural(counts['events'], 'event')}. "
        f"AUC at {when} {_estimate(auc)}, observed / expected {_estimate(level, numbers.two)}, "
        f"slope of the linear predictor {_estimate(slope, numbers.two)}."
    )


def _estimate(row: Mapping[str, Any], style: numbers.NumberStyle = numbers.three) -> str:
    return numbers.estimate(row["value"], row["lower"], row["upper"], row["reason"], style=style)


def _facts(cohort: Mapping[str, Any]) -> list[tuple[str, str]]:
    counts = cohort["counts"]

    def listed(rows: Sequence[Mapping[str, Any]], key: str) -> str:
        return "; ".join(f"{row[key]} ({numbers.count(row['count'])})" for row in rows)

    steps = [
        f"{step['label']}: {numbers.count(step['n_excluded'])}"
        for step in cohort["attrition"]
        if step["n_excluded"]
    ]
    pairs = [
        ("Patients", cohort["population"]),
        ("Outcome", cohort["outcome"]),
        ("Time zero", cohort["time_zero"]),
        ("Excluded", "; ".join(steps) or "nobody"),
        ("Not scorable", listed(counts["not_scored"], "reason") or "nobody"),
        ("Filled in", listed(counts["imputed"], "label") or "nothing"),
        ("Beyond the development range", listed(counts["outside"], "label") or "nobody"),
    ]
    return [(name, text) for name, text in pairs if text]


def _whole(measures: Sequence[Mapping[str, Any]]) -> DataTable:
    cells = []
    for row in measures:
        if row["horizon"] is not None:
            continue
        test = "–"
        if row["chi2"] is not None:
            test = numbers.undefined(row["reason"])
        if None not in (row["chi2"], row["df"], row["p"]):
            test = f"{numbers.two(row['chi2'])} ({row['df']:g} df), P {numbers.p_value(row['p'])}"
        shown = _estimate(row)
        if row["measure"] == "misspecification":
            shown = numbers.undefined(row["reason"]) if row["value"] is None else "–"
        cells.append((row["label"], shown, test))
    header = ("Measure", "Value (95 % CI)", "Likelihood-ratio test")
    return DataTable("Over the whole follow-up", header, tuple(cells))


def _at_horizon(measures: Sequence[Mapping[str, Any]], horizon: float) -> DataTable:
    cells = []
    for row in measures:
        if row["horizon"] != horizon:
            continue
        label = row["label"]
        if row["threshold"] is not None:
            label = f"{label} at {numbers.percent(row['threshold'], 0)}"
        style = numbers.percent if row["measure"] in PERCENTAGES else numbers.three
        cells.append((label, _estimate(row, style), counted(row["events"])))
    caption = f"By {format_horizon(horizon)}"
    return DataTable(caption, ("Measure", "Value (95 % CI)", "Events"), tuple(cells))


def _shown_count(value: int | None) -> str:
    return "–" if value is None else numbers.count(value)


def _groups(caption: str, found: Mapping[str, Any]) -> DataTable:
    sizes = {row["label"]: row for row in found["groups"]}
    ratios = {row["label"]: row for row in found["hazard_ratios"]}
    cells = []
    for row in found["observed"]:
        ratio = ratios[row["label"]]
        hazard = numbers.estimate(
            ratio["hazard_ratio"], ratio["lower"], ratio["upper"], ratio["reason"],
            style=numbers.two,
        )  # fmt: skip
        cells.append(
            (
                row["label"],
                words.adjective(row["horizon"]),
                _shown_count(row["n"]),
                _shown_count(sizes[row["label"]]["events"]),
                numbers.maybe(row["predicted"], row["reason"], style=numbers.percent),
                numbers.estimate(
                    row["observed"], row["lower"], row["upper"], row["reason"],
                    style=numbers.percent,
                ),
                hazard,
            )
        )  # fmt: skip
    header = (
        "Group", "Horizon", "Patients", "Events", "Predicted", "Observed (95 % CI)",
        "Hazard ratio (95 % CI)",
    )  # fmt: skip
    return DataTable(caption, header, tuple(cells), text=(1,))


def _case_mix(rows: Sequence[Mapping[str, Any]]) -> DataTable:
    cells = tuple(
        (
            row["quantity"][0].upper() + row["quantity"][1:],
            "–" if row["development"] is None else numbers.three(row["development"]),
            "–" if row["validation"] is None else numbers.three(row["validation"]),
            numbers.estimate(row["difference"], row["lower"], row["upper"], row["reason"]),
        )
        for row in rows
    )
    header = ("Case mix", "Development", "Here", "Difference, ratio or C (95 % CI)")
    return DataTable("How the patients differ from those of the development", header, cells)


def _points(rows: Sequence[Mapping[str, Any]], horizon: float) -> DataTable:
    cells = tuple(
        (
            str(row["points"]),
            patients(row, "–"),
            numbers.maybe(row["predicted"], row["reason"], style=numbers.percent),
            observed(row),
        )
        for row in rows
        if row["horizon"] == horizon
    )
    caption = f"Risk by points at {format_horizon(horizon)}"
    return DataTable(caption, ("Points", "Patients", "Predicted", "Observed (95 % CI)"), cells)
