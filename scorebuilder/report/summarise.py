"""Everything a report shows, as one plain dictionary of aggregates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scorebuilder.core.units import format_horizon
from scorebuilder.report.doubts import doubts
from scorebuilder.report.study import BaselineResult, Study
from scorebuilder.report.summary_card import summarise_card
from scorebuilder.report.summary_cohort import summarise_cohort
from scorebuilder.report.summary_importance import summarise_importance
from scorebuilder.report.summary_incremental import summarise_incremental
from scorebuilder.report.summary_influence import summarise_influence
from scorebuilder.report.summary_instability import summarise_instability
from scorebuilder.report.summary_internal_external import summarise_internal_external
from scorebuilder.report.summary_measurement_error import summarise_measurement_error
from scorebuilder.report.summary_model import summarise_model
from scorebuilder.report.summary_nomogram import summarise_nomogram
from scorebuilder.report.summary_optimism import summarise_optimism
from scorebuilder.report.summary_rules import summarise_rules
from scorebuilder.report.summary_sample_size import summarise_sample_size
from scorebuilder.report.summary_score import summarise_points, summarise_risk_groups
from scorebuilder.report.summary_selection import summarise_selection
from scorebuilder.report.summary_shape_stability import summarise_shape_stability
from scorebuilder.report.summary_stage_agreement import summarise_stage_agreement
from scorebuilder.report.summary_subgroups import summarise_subgroups
from scorebuilder.report.summary_validation import summarise_validation

SUMMARY_VERSION = 1


def summarise(study: Study) -> dict[str, Any]:
    """
    Turn a finished study into the dictionary that `render_html` shows.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        Plain JSON values: no NaN (an undefined number is None, with a reason beside it), no
        patient rows, no dates.
    """
    content = study.sealed.content
    validation = summarise_validation(study)
    summarised_model = summarise_model(study)
    summary = {
        "schema_version": SUMMARY_VERSION,
        "score": {
            **{key: content[key] for key in ("name", "title", "version", "status", "core_id")},
            **content["meaning"],
            "horizons": [float(horizon) for horizon in study.builder.horizons],
            "main_horizon": study.main_horizon,
        },
        "headline": _headline(study, validation),
        "study": dict(study.settings.get("study", {})),
        "cohort": summarise_cohort(study),
        "selection": summarise_selection(study),
        "model": summarised_model,
        "importance": summarise_importance(study),
        "influence": summarise_influence(study),
        "stage_agreement": summarise_stage_agreement(study),
        "points": summarise_points(study),
        "card": summarise_card(study),
        "nomogram": summarise_nomogram(study),
        "risk_groups": summarise_risk_groups(study),
        "validation": validation,
        "rules": summarise_rules(study),
        "incremental": summarise_incremental(study),
        "subgroups": summarise_subgroups(study),
        "external": list(study.external),
        "optimism": summarise_optimism(study),
        "internal_external": summarise_internal_external(study),
        "sample_size": summarise_sample_size(study),
        "shape_stability": summarise_shape_stability(study),
        "instability": summarise_instability(study),
        "measurement_error": summarise_measurement_error(study),
        "baselines": [_baseline(result) for result in study.baselines],
        "warnings": [*study.warnings, *doubts(study, summarised_model)],
        "reproduce": dict(study.reproduce),
    }
    plain: dict[str, Any] = as_plain(summary)
    return plain


def as_plain(value: Any) -> Any:
    """
    Make a value JSON can hold: NumPy numbers become plain, NaN and infinity become None.

    Parameters
    ----------
    value : object
        Nested dictionaries and sequences.

    Returns
    -------
    object
        The same, in plain Python types.
    """
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return [as_plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _headline(study: Study, validation: dict[str, Any]) -> dict[str, Any]:
    auc = next(
        row
        for row in validation["performance"]
        if (row["model"], row["metric"], row["horizon"]) == ("score", "auc", study.main_horizon)
    )
    kept, selected = len(study.builder.kept_), len(study.builder.selected_)
    events = int(study.cohort.y["event"].sum())
    sentence = (
        f"From {len(study.candidates)} candidates {selected} passed stage 1, and the "
        f"fractional polynomial model kept {kept}, in {len(study.cohort.y):,} patients with "
        f"{events:,} events."
    )
    if auc["value"] is not None:
        sentence += (
            " In patients it had not seen, the score's AUC at "
            f"{format_horizon(study.main_horizon)} was {auc['value']:.3f} "
            f"(95 % interval {auc['lower']:.3f} to {auc['upper']:.3f})."
        )
    return {
        "n_patients": len(study.cohort.y),
        "n_events": events,
        "n_candidates": len(study.candidates),
        "n_selected": selected,
        "n_kept": kept,
        "auc": auc["value"],
        "auc_lower": auc["lower"],
        "auc_upper": auc["upper"],
        "horizon": study.main_horizon,
        "sentence": sentence,
    }


def _baseline(result: BaselineResult) -> dict[str, Any]:
    names = (
        "outcome", "horizon", "population", "publication", "doi", "licence_notice", "misuse",
    )  # fmt: skip
    shown = {name: getattr(result.baseline, name) for name in names}
    return {"name": result.key, "label": result.label, **shown}
