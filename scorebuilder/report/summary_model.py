"""Stage 2 in the summary: terms, shapes, equation, worked patients."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from scipy.stats import norm

from scorebuilder.core.units import unit_text
from scorebuilder.explanation.equation import equation_lines, term_text
from scorebuilder.explanation.partial_effect import coefficient_covariance, partial_effect
from scorebuilder.explanation.worked import work_out
from scorebuilder.modelling.assumptions import proportional_hazards_test
from scorebuilder.report.made_up_patients import typical_patients
from scorebuilder.report.study import Study
from scorebuilder.report.summary_sample_size import candidate_parameters
from scorebuilder.report.summary_shapes import level_codes_of, rounded_centile, summarise_shape

CENTILES = ((25, 75), (10, 90), (5, 95), (1, 99))
"""Contrasts of a number, the first preferred; the others where those centiles are equal."""


def summarise_model(study: Study) -> dict[str, Any]:
    """
    Summarise the fractional polynomial model.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        Coefficients, function selection, shapes, hazard ratios, equation, worked patients.
    """
    model, settings = study.builder.model_, study.settings["model"]
    events = int(study.cohort.y["event"].sum())
    return {
        **{
            key: settings[key]
            for key in ("ties", "criterion", "select_alpha", "fp_alpha", "max_df")
        },
        "joint_factors": [study.label(name) for name in model.groups],
        "spiked": [study.label(name) for name in model.spike_],
        "winsorised": _winsorised(study),
        "n_cycles": model.n_cycles_,
        "converged": bool(model.converged_),
        "log_likelihood": model.log_likelihood_,
        "null_log_likelihood": model.null_log_likelihood_,
        "events_per_parameter": events
        / candidate_parameters(study.cohort.schema, study.candidates, settings),
        "terms": _terms(study),
        "steps": _steps(study),
        "equation": equation_lines(study.sealed),
        "shapes": [summarise_shape(study, name) for name in study.builder.kept_],
        "hazard_ratios": [row for name in study.builder.kept_ for row in _ratios(study, name)],
        "ph_test": _ph_test(study),
        "worked_patients": _worked_patients(study),
    }


def _winsorised(study: Study) -> list[dict[str, Any]]:
    model = study.builder.model_
    shares = model.winsorise
    return [
        {
            "label": study.label(name),
            "share": shares[name] if isinstance(shares, dict) else shares,
        }
        for name in model.limits_
    ]


def _level_labels(study: Study) -> dict[str, dict[str, str]]:
    return {
        predictor["id"]: {level["code"]: level["label"] for level in predictor["levels"]}
        for predictor in study.sealed.scoring["predictors"]
    }


def _terms(study: Study) -> list[dict[str, Any]]:
    terms, labels = study.sealed.scoring["terms"], _level_labels(study)
    errors = np.sqrt(np.diag(coefficient_covariance(study.builder)))
    rows = []
    for term, error in zip(terms, errors, strict=True):
        estimate = term["coefficient"]
        rows.append(
            {
                "predictor": term["predictor"],
                "label": study.label(term["predictor"]),
                "term": term_text(term, labels),
                "coefficient": estimate,
                "standard_error": error,
                "lower": estimate - norm.ppf(0.975) * error,
                "upper": estimate + norm.ppf(0.975) * error,
                "p": 2.0 * norm.sf(abs(estimate / error)),
            }
        )
    return rows


def _column_label(study: Study, column: str) -> str:
    if column in study.builder.model_.groups:
        return study.label(column)
    design = study.builder.encoder_.columns_[column]
    label = study.label(design.predictor)
    if design.levels is None:
        return label
    field = study.cohort.schema.field(design.predictor)
    return f"{label}: {' or '.join(field.level_label(code) for code in design.levels)}"


def _steps(study: Study) -> list[dict[str, Any]]:
    joint = study.builder.model_.groups
    return [
        {
            "cycle": int(row.cycle),
            "variable": row.variable,
            "label": _column_label(study, row.variable),
            "test": row.test.replace("linear", "all levels") if row.variable in joint else row.test,
            "chisq": row.chisq,
            "df": row.df,
            "p": row.p,
            "decision": row.decision,
        }
        for row in study.builder.model_.selection_table_.itertuples()
    ]


def _ratios(study: Study, name: str) -> list[dict[str, Any]]:
    field = study.cohort.schema.field(name)
    if field.kind == "numeric":
        return [_ratio_of_centiles(study, name)]
    codes = level_codes_of(study, name)
    effect = partial_effect(study.builder, name, codes[1:], reference=codes[0])
    first = field.level_label(codes[0])
    return [
        _ratio(study, name, f"{field.level_label(row.value)} vs {first}", row)
        for row in effect.itertuples()
    ]


def _ratio_of_centiles(study: Study, name: str) -> dict[str, Any]:
    """Contrast the first pair of centiles that differ; they do not where most values are 0."""
    known = study.X[name].dropna().to_numpy(dtype=np.float64)
    unit = unit_text(study.cohort.schema.field(name).unit)
    for pair in CENTILES:
        low, high = (rounded_centile(known, centile) for centile in pair)
        if low < high:
            effect = partial_effect(study.builder, name, [high], reference=low)
            contrast = f"{high:.12g} vs {low:.12g} {unit}".strip() + f" ({_centiles(pair)})"
            return _ratio(study, name, contrast, next(effect.itertuples()))
    return {
        "predictor": name,
        "label": study.label(name),
        "contrast": _centiles(CENTILES[-1]),
        **dict.fromkeys(("hazard_ratio", "lower", "upper")),
        "reason": "the centiles are equal",
    }


def _centiles(pair: tuple[int, int]) -> str:
    low, high = (f"{k}{'st' if k == 1 else 'th'}" for k in pair)
    return f"{high} vs {low} centile"


def _ratio(study: Study, name: str, contrast: str, row: Any) -> dict[str, Any]:
    return {
        "predictor": name,
        "label": study.label(name),
        "contrast": contrast,
        "hazard_ratio": np.exp(row.log_hazard_ratio),
        "lower": np.exp(row.lower),
        "upper": np.exp(row.upper),
        "reason": None,
    }


def _ph_test(study: Study) -> list[dict[str, Any]]:
    design = study.builder.design(study.X)
    table = proportional_hazards_test(study.builder.model_, design, study.cohort.y)
    labels, terms = _level_labels(study), study.sealed.scoring["terms"]
    shown = {
        term.column: f"{study.label(entry['predictor'])}: {term_text(entry, labels)}"
        for term, entry in zip(study.builder.model_.terms_, terms, strict=True)
    }
    return [
        {"term": shown.get(row.term, row.term), "chisq": row.chisq, "p": row.p}
        for row in table.itertuples()
    ]


def _worked_patients(study: Study) -> list[dict[str, Any]]:
    """Work out made-up patients, who are no patients of the cohort."""
    X = study.X[study.sealed.predictors]
    patients = typical_patients(X, study.builder.predict(study.X))
    return [asdict(work_out(study.sealed, patient)) for patient in patients]
