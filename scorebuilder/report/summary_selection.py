"""Stage 1 in the summary: what the forest ranked and kept, and how often it would again."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.study import Study


def summarise_selection(study: Study) -> dict[str, Any]:
    """
    Summarise the selection by the survival forest.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        Settings, ranking and stability over the folds.
    """
    settings = study.settings["selection"]
    selector = study.builder.selector_
    kept = set(study.builder.kept_)
    ranking = [
        {
            "variable": row.variable,
            "label": study.label(row.variable),
            "group": study.cohort.schema.field(row.variable).group,
            "vimp": row.vimp,
            "lower": row.vimp_lower,
            "upper": row.vimp_upper,
            "minimal_depth": row.minimal_depth,
            "selected": bool(row.selected),
            "reason": row.reason,
            "kept_in_model": row.variable in kept,
        }
        for row in selector.ranking_.itertuples()
    ]
    return {
        "engine": settings["engine"],
        "n_estimators": settings["n_estimators"],
        "min_samples_leaf": settings["min_samples_leaf"],
        "n_times": settings["n_times"],
        "rule": settings["rule"],
        "rule_text": selector.rule_text_,
        "interval_text": _interval_text(selector),
        "oob_c_index": selector.oob_c_index_,
        "minimal_depth_threshold": selector.minimal_depth_threshold_,
        "ranking": ranking,
        "stability": _stability(study, [row["variable"] for row in ranking]),
    }


def _interval_text(selector: Any) -> str:
    """Say what the interval of VIMP covers, which is less than a reader may expect."""
    bars = f"Bars: {100 * selector.confidence:g} % interval of the VIMP"
    if selector.vimp_error == "total":
        return f"{bars}, for the error of the trees and of the patients."
    return (
        f"{bars}, for the Monte Carlo error of a forest of {selector.n_estimators} trees only: "
        "whether another forest would agree, not whether another cohort would."
    )


def _stability(study: Study, variables: list[str]) -> list[dict[str, Any]]:
    records = study.validation.records
    rows = []
    for variable in variables:
        selected = sum(variable in record["selected"] for record in records)
        modelled = sum(variable in record["kept"] for record in records)
        rows.append(
            {
                "variable": variable,
                "label": study.label(variable),
                "selected_share": selected / len(records),
                "model_share": modelled / len(records),
                "n_folds": len(records),
            }
        )
    return rows
