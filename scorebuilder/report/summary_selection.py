"""Stage 1 in the summary: what the forest ranked and kept, and how often it would again."""

from __future__ import annotations

from typing import Any

import pandas as pd

from scorebuilder.cohort.encode import level_codes
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.report.study import Study
from scorebuilder.selection.interaction import strongest_interactions
from scorebuilder.selection.stability_index import stability_index

N_INTERACTIONS = 5
VIMP_TEXTS = {
    "harrell": "loss of out-of-bag C-index",
    "uno": "loss of Uno's C-index out of bag",
    "auc": "loss of out-of-bag AUC(t)",
    "brier": "rise of the out-of-bag Brier score",
}
KIND_TEXTS = {"ensemble": "", "blocks": ", mean of blocks of ten trees"}
SETTINGS = (
    "engine", "n_estimators", "min_samples_leaf", "max_depth", "max_samples", "n_times", "n_bins",
    "split_rule", "rule", "vimp_measure", "vimp_kind", "vimp_error", "p_values",
)  # fmt: skip


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
        Settings, ranking, what the rule rests on, interactions, stability over the folds.
    """
    settings = study.settings["selection"]
    selector = study.builder.selector_
    kept = set(study.builder.kept_)
    ranking = [
        {
            "variable": row["variable"],
            "label": study.label(row["variable"]),
            "group": study.cohort.schema.field(row["variable"]).group,
            "selection_group": row["group"],
            "vimp": row["vimp"],
            "lower": row["vimp_lower"],
            "upper": row["vimp_upper"],
            "minimal_depth": row["minimal_depth"],
            **({"p_value": row["p_value"]} if "p_value" in row else {}),
            "selected": bool(row["selected"]),
            "reason": row["reason"],
            "kept_in_model": row["variable"] in kept,
        }
        for row in selector.ranking_.to_dict("records")
    ]
    return {
        **{name: settings[name] for name in SETTINGS},
        "rule_text": selector.rule_text_,
        "vimp_text": VIMP_TEXTS[settings["vimp_measure"]] + KIND_TEXTS[settings["vimp_kind"]],
        "interval_text": _interval_text(selector),
        "oob_c_index": selector.oob_c_index_,
        "minimal_depth_threshold": selector.minimal_depth_threshold_,
        "ranking": ranking,
        "parsimony": _parsimony(study) if settings["rule"] == "parsimony" else None,
        "interactions": _interactions(study),
        "stability": _stability(study, [row["variable"] for row in ranking]),
        "stability_index": _stability_index(study),
    }


def _interval_text(selector: Any) -> str:
    """Say what the interval of VIMP covers, which is less than a reader may expect."""
    bars = f"Bars: {100 * selector.confidence:g} % interval of the VIMP"
    if selector.vimp_error == "subsample":
        return f"{bars}, from forests on subsamples of the patients."
    if selector.vimp_error == "total":
        return f"{bars}, for the error of the trees and of the patients."
    return (
        f"{bars}, for the Monte Carlo error of a forest of {selector.n_estimators} trees only: "
        "whether another forest would agree, not whether another cohort would."
    )


def _label(study: Study, unit: str) -> str:
    """Label of a variable; a group is called by its name."""
    grouped = unit in (study.builder.selector_.groups or {})
    return f"{unit} (group)" if grouped else study.label(unit)


def _parsimony(study: Study) -> dict[str, Any]:
    curve: pd.DataFrame = study.builder.selector_.evidence_
    best = curve.loc[curve["mean"].idxmax()]
    return {
        "horizon": study.builder.selector_.horizon,
        "n_folds": int(curve["n_folds"].iloc[0]),
        "limit": best["mean"] - best["standard_error"],
        "grouped": bool(study.builder.selector_.groups),
        "curve": [
            {
                "n_variables": int(row["n_variables"]),
                "variable": row["variable"],
                "label": _label(study, row["variable"]) if row["variable"] else "",
                "mean": row["mean"],
                "standard_error": row["standard_error"],
                "chosen": bool(row["chosen"]),
            }
            for row in curve.to_dict("records")
        ],
    }


def _interactions(study: Study) -> list[dict[str, Any]]:
    """Pairs that are worth together what they are not one by one, in the forest of all patients."""
    builder, selector = study.builder, study.builder.selector_
    complete = study.X if builder.imputer_ is None else builder.imputer_.transform(study.X)
    pairs = strongest_interactions(
        selector.forest_,
        level_codes(complete),
        study.cohort.y,
        N_INTERACTIONS,
        random_state=selector.random_state,
        n_jobs=selector.n_jobs,
        measure=selector.vimp_measure,
        horizon=selector.horizon,
    )
    return [
        {
            "first": study.label(row["variable_1"]),
            "second": study.label(row["variable_2"]),
            "joint_vimp": row["joint_vimp"],
            "excess": row["excess"],
            "excess_error": row["excess_error"],
            "depth_rank": int(row["depth_rank"]),
        }
        for row in pairs.to_dict("records")
    ]


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


def _stability_index(study: Study) -> list[dict[str, Any]]:
    """Agreement of the refits, over the candidates that are free to go."""
    free = [name for name in study.candidates if name not in study.builder.keep]
    if not free:
        return []
    rows = []
    for what, key in (("Selected by the forest", "selected"), ("In the final model", "kept")):
        sets = [[name in record[key] for name in free] for record in study.validation.records]
        row: dict[str, Any] = {"label": what, "n_sets": len(sets), "n_variables": len(free)}
        try:
            index = stability_index(sets)
        except UndefinedMetricError as error:
            row |= {"value": None, "lower": None, "upper": None, "reason": str(error)}
        else:
            row |= {"value": index.value, "lower": index.lower, "upper": index.upper}
            row["reason"] = None
        rows.append(row)
    return rows
