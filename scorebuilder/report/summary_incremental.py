"""Added value of groups of variables and of single markers in the summary."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scorebuilder.core.units import unit_text
from scorebuilder.report.small_counts import withhold
from scorebuilder.report.study import Study
from scorebuilder.report.study_incremental import MarkerAnswer, Rung
from scorebuilder.validation.added_value import added_value
from scorebuilder.validation.performance import evaluate


def summarise_incremental(study: Study) -> dict[str, Any] | None:
    """
    Judge every step of the ladder and every marker question at the main horizon.

    Parameters
    ----------
    study : Study
        With what was refitted.

    Returns
    -------
    dict or None
        ``ladder`` and ``markers``, aggregates only; None if the spec asks nothing.
    """
    rungs, markers = study.incremental.rungs, study.incremental.markers
    if not rungs and not markers:
        return None
    settings = study.settings["incremental"]
    thresholds = tuple(study.settings["thresholds"])
    return {
        "horizon": study.main_horizon,
        "build": settings["build"],
        "n_patients": len(study.cohort.y),
        "ladder": [
            _step(study, rung, rungs[place - 1] if place else None, rungs[-1], thresholds)
            for place, rung in enumerate(rungs)
        ],
        "markers": [_marker(study, answer, thresholds) for answer in markers],
    }


def _step(
    study: Study, rung: Rung, before: Rung | None, last: Rung, thresholds: tuple[float, ...]
) -> dict[str, Any]:
    horizon, y = study.main_horizon, study.cohort.y
    known = () if before is None else before.variables
    full = last.nested.chi2_new
    row: dict[str, Any] = {
        "group": rung.group,
        "n_variables": len(rung.variables),
        "added": [study.label(name) for name in rung.variables if name not in known],
        **asdict(rung.nested),
        "adequacy": rung.nested.chi2_new / full if full > 0.0 else None,
        "adequacy_reason": None if full > 0.0 else "the whole ladder holds no information",
        "measures": [],
    }
    for metric in ("auc", "c_index"):
        found = evaluate(rung.result, y, horizon=horizon, metric=metric)
        row[metric] = {key: getattr(found, key) for key in ("value", "lower", "upper", "reason")}
    if before is not None:
        found_all = added_value(
            y, rung.result, before.result, horizon=horizon, thresholds=thresholds
        )
        row["measures"] = [asdict(measure) for measure in found_all]
    return row


def _marker(study: Study, answer: MarkerAnswer, thresholds: tuple[float, ...]) -> dict[str, Any]:
    names = (
        "label", "marker", "on_top_of", "subgroup", "reason",
    )  # fmt: skip
    row: dict[str, Any] = {name: getattr(answer, name) for name in names}
    others = len(study.cohort.y) - answer.n_subgroup - answer.n_unknown
    for name in ("n_subgroup", "n_unknown", "n", "n_events"):
        follows = name in ("n_subgroup", "n") and withhold(others) is None
        row[name] = None if follows else withhold(getattr(answer, name))
    row |= {"hazard_ratios": [], "nested": None, "measures": []}
    if answer.y is None or answer.old is None or answer.new is None or answer.nested is None:
        return row
    measures = added_value(
        answer.y, answer.new, answer.old, horizon=study.main_horizon, thresholds=thresholds
    )
    return row | {
        "hazard_ratios": [
            asdict(ratio) | {"what": _what(study, ratio.column)} for ratio in answer.hazard_ratios
        ],
        "nested": asdict(answer.nested),
        "measures": [asdict(measure) for measure in measures],
    }


def _what(study: Study, column: str) -> str:
    """Say in words what a column counts: a unit of the marker, or one of its levels."""
    name, _, code = column.removesuffix("]").partition("[")
    field = study.cohort.schema.field(name)
    return field.level_label(code) or code if code else unit_text(field.unit or "") or "unit"


def incremental_tables(found: dict[str, Any] | None) -> dict[str, list[dict[str, Any]]]:
    """
    Return the tables of added value as long rows.

    Parameters
    ----------
    found : dict or None
        What `summarise_incremental` returned.

    Returns
    -------
    dict of str to list of dict
        ``incremental_ladder``, ``incremental_markers`` and ``incremental_measures``; empty lists
        where nothing was asked.
    """
    if found is None:
        return {}
    ladder = [
        {
            **{key: value for key, value in row.items() if not isinstance(value, dict | list)},
            **{
                f"{metric}_{key}": row[metric][key]
                for metric in ("auc", "c_index")
                for key in row[metric]
            },
        }
        for row in found["ladder"]
    ]
    markers = [
        {
            **{key: value for key, value in row.items() if not isinstance(value, dict | list)},
            **(row["nested"] or {}),
            **{f"hr_{key}": value for key, value in ratio.items()},
            "reason": row["reason"],
        }
        for row in found["markers"]
        for ratio in row["hazard_ratios"] or [{}]
    ]
    asked = [(f"ladder: {row['group']}", row) for row in found["ladder"]]
    asked += [(row["label"], row) for row in found["markers"]]
    measures = [
        {"question": question, **measure} for question, row in asked for measure in row["measures"]
    ]
    return {
        "incremental_ladder": ladder,
        "incremental_markers": markers,
        "incremental_measures": measures,
    }
