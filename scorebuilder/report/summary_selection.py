"""Stage 1 in the summary: what the forest ranked and kept, and how often it would again."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.study import Study

RULES = {
    "vimp_ci": "kept if the lower limit of its permutation importance is above 0",
    "minimal_depth": "kept if its mean minimal depth lies below the mean under no effect",
    "top_k": "kept if among the most important",
    "all": "all kept",
}


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
    rule_text = RULES[settings["rule"]]
    if settings["rule"] == "top_k":
        rule_text = f"the {settings['top_k']} most important are kept"
    return {
        "engine": settings["engine"],
        "n_estimators": settings["n_estimators"],
        "min_samples_leaf": settings["min_samples_leaf"],
        "n_times": settings["n_times"],
        "rule": settings["rule"],
        "rule_text": rule_text,
        "oob_c_index": selector.oob_c_index_,
        "minimal_depth_threshold": selector.minimal_depth_threshold_,
        "ranking": ranking,
        "stability": _stability(study, [row["variable"] for row in ranking]),
    }


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
