"""Stage 2 in the summary: terms, shapes, equation, a worked example."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm

from scorebuilder.core.units import unit_text
from scorebuilder.explanation.equation import equation_lines, term_text
from scorebuilder.explanation.partial_effect import coefficient_covariance, partial_effect
from scorebuilder.explanation.patient import explain_patient
from scorebuilder.modelling.assumptions import proportional_hazards_test
from scorebuilder.report.study import Study

N_GRID = 101
N_BINS = 24
SMALL_CELL = 5


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
        Coefficients, function selection, shapes, hazard ratios, equation, worked example.
    """
    model, settings = study.builder.model_, study.settings["model"]
    events = int(study.cohort.y["event"].sum())
    return {
        **{
            key: settings[key]
            for key in ("ties", "criterion", "select_alpha", "fp_alpha", "max_df")
        },
        "n_cycles": model.n_cycles_,
        "converged": bool(model.converged_),
        "log_likelihood": model.log_likelihood_,
        "null_log_likelihood": model.null_log_likelihood_,
        "events_per_parameter": events / _candidate_parameters(study),
        "terms": _terms(study),
        "steps": _steps(study),
        "equation": equation_lines(study.sealed),
        "shapes": [_shape(study, name) for name in study.builder.kept_],
        "hazard_ratios": [row for name in study.builder.kept_ for row in _ratios(study, name)],
        "ph_test": _ph_test(study),
        "worked_example": _worked_example(study),
    }


def _candidate_parameters(study: Study) -> int:
    """Degrees of freedom that all candidates might have used, not only the kept ones."""
    most, by_name = study.settings["model"]["max_df"], study.settings["model"]["max_df_by"]
    total = 0
    for name in study.candidates:
        field = study.cohort.schema.field(name)
        total += by_name.get(name, most) if field.kind == "numeric" else len(field.levels) - 1
    return total


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
    design = study.builder.encoder_.columns_[column]
    label = study.label(design.predictor)
    if design.levels is None:
        return label
    field = study.cohort.schema.field(design.predictor)
    return f"{label}: {' or '.join(field.level_label(code) for code in design.levels)}"


def _steps(study: Study) -> list[dict[str, Any]]:
    return [
        {
            "cycle": int(row.cycle),
            "variable": row.variable,
            "label": _column_label(study, row.variable),
            "test": row.test,
            "chisq": row.chisq,
            "df": row.df,
            "p": row.p,
            "decision": row.decision,
        }
        for row in study.builder.model_.selection_table_.itertuples()
    ]


def _shape(study: Study, name: str) -> dict[str, Any]:
    if study.cohort.schema.field(name).kind == "numeric":
        return _curve(study, name)
    codes = study.X[name].cat.categories
    effect = partial_effect(study.builder, name, list(codes), reference=codes[0])
    counts = study.X[name].value_counts()
    field = study.cohort.schema.field(name)
    return {
        "predictor": name,
        "label": study.label(name),
        "kind": "levels",
        "levels": [
            {
                "label": field.level_label(row.value),
                "hazard_ratio": np.exp(row.log_hazard_ratio),
                "lower": np.exp(row.lower),
                "upper": np.exp(row.upper),
                "n": int(counts[row.value]) if counts[row.value] >= SMALL_CELL else None,
            }
            for row in effect.itertuples()
        ],
    }


def _curve(study: Study, name: str) -> dict[str, Any]:
    known = study.X[name].dropna().to_numpy(dtype=np.float64)
    low, high = np.quantile(known, [0.005, 0.995])
    # Rounded, so that no single patient's value is printed.
    grid = np.array([float(f"{value:.3g}") for value in np.linspace(low, high, N_GRID)])
    grid = np.unique(np.clip(grid, known.min(), known.max()))
    reference = float(f"{np.median(known):.3g}")
    effect = partial_effect(study.builder, name, list(grid), reference=reference)
    counts, edges = np.histogram(known, bins=np.linspace(grid[0], grid[-1], N_BINS + 1))
    soft = next(p for p in study.sealed.scoring["predictors"] if p["id"] == name)["soft_range"]
    powers = study.builder.model_.powers_[name]
    return {
        "predictor": name,
        "label": study.label(name),
        "unit": study.cohort.schema.field(name).unit,
        "kind": "curve",
        "powers_text": _powers_text(tuple(powers)),
        "reference": reference,
        "x": grid,
        "log_hazard_ratio": effect["log_hazard_ratio"].to_numpy(),
        "lower": effect["lower"].to_numpy(),
        "upper": effect["upper"].to_numpy(),
        # Bins with few patients are shown at the smallest count that may be shown.
        "density": {
            "edges": edges,
            "counts": [0 if count < SMALL_CELL else int(count) for count in counts],
        },
        "soft_range": soft,
    }


def _powers_text(powers: tuple[float, ...]) -> str:
    if powers == (1.0,):
        return "linear"
    names = ["ln" if power == 0 else f"{power:g}" for power in powers]
    return f"FP{len(powers)}, power{'s' if len(powers) > 1 else ''} {', '.join(names)}"


def _ratios(study: Study, name: str) -> list[dict[str, Any]]:
    field = study.cohort.schema.field(name)
    if field.kind == "numeric":
        low, high = (float(f"{v:.3g}") for v in study.X[name].dropna().quantile([0.25, 0.75]))
        effect = partial_effect(study.builder, name, [high], reference=low)
        unit = unit_text(field.unit)
        contrasts = [f"{high:g} vs {low:g} {unit}".strip() + " (75th vs 25th centile)"]
    else:
        codes = list(study.X[name].cat.categories)
        effect = partial_effect(study.builder, name, codes[1:], reference=codes[0])
        first = field.level_label(codes[0])
        contrasts = [f"{field.level_label(code)} vs {first}" for code in codes[1:]]
    return [
        {
            "predictor": name,
            "label": study.label(name),
            "contrast": contrast,
            "hazard_ratio": np.exp(row.log_hazard_ratio),
            "lower": np.exp(row.lower),
            "upper": np.exp(row.upper),
        }
        for contrast, row in zip(contrasts, effect.itertuples(), strict=True)
    ]


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


def _worked_example(study: Study) -> dict[str, Any]:
    """Explain a made-up patient: a test vector, which is no patient of the cohort."""
    # The first two vectors are the edges of all ranges; the third is the first ordinary one.
    vector = study.sealed.content["evidence"]["test_vectors"][2]
    explained = explain_patient(study.sealed, vector["inputs"])
    return {
        "text": (
            "A made-up patient, computed step by step; contributions are relative to the average "
            "patient of the development cohort."
        ),
        "items": [
            {"label": item.label, "value": item.value, "contribution": item.contribution}
            for item in explained.items
        ],
        "reference": explained.reference,
        "linear_predictor": explained.linear_predictor,
        "points": explained.points,
        "risks": [
            {"horizon": horizon, "risk": risk}
            for horizon, risk in zip(study.sealed.horizons, explained.risk.values(), strict=True)
        ],
    }
