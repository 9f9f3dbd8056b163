"""From a fitted builder to its artifact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.modelling.terms import Term
from scorebuilder.score.apply import contributions, fill_missing
from scorebuilder.score.artifact import OUTPUT_LICENCE, SCHEMA_VERSION, ScoreArtifact, seal
from scorebuilder.score.baseline_curve import make_baseline_curve
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.monitoring import development_aggregates
from scorebuilder.score.vectors import make_test_vectors


def compose_artifact(
    builder: ScoreBuilder,
    X: pd.DataFrame,
    schema: CohortSchema,
    *,
    identity: Mapping[str, Any],
    meaning: Mapping[str, str],
    performance: Sequence[Mapping[str, Any]] = (),
    provenance: Mapping[str, Any] | None = None,
) -> ScoreArtifact:
    """
    Write a fitted score as an artifact.

    Parameters
    ----------
    builder : ScoreBuilder
        Fitted, with at least one variable kept.
    X : DataFrame
        The development patients; only quantiles and means of them enter the artifact.
    schema : CohortSchema
        Labels, units, levels and hard ranges.
    identity : mapping
        ``name``, ``version``, ``status``, ``title``, ``derived_from``, ``changelog``; if there,
        ``review_by``, ``superseded_by``, ``citation``, ``contact``.
    meaning : mapping
        ``intended_use``, ``not_for``, ``population``, ``outcome``, ``time_zero``.
    performance : sequence of mapping
        Rows of the performance table.
    provenance : mapping, optional
        Hashes, counts, versions and seeds.

    Returns
    -------
    ScoreArtifact
        Sealed with both hashes.
    """
    scoring: dict[str, Any] = {
        "predictors": [_predictor(builder, X, schema, name) for name in builder.kept_],
        "terms": model_terms(builder),
        "baseline": [
            {
                "horizon": float(horizon),
                "survival": float(np.exp(-builder.model_.baseline_cumulative_hazard_(horizon))),
            }
            for horizon in builder.horizons
        ],
        "points": _points(builder),
        "risk_table": builder.risk_rows_,
        "risk_groups": _risk_groups(builder),
        "reference": [],
    }
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        **identity,
        "meaning": dict(meaning),
        "scoring": scoring,
        "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
        "licence": OUTPUT_LICENCE,
    }
    draft = seal(content)
    filled, _, _ = fill_missing(draft, X)
    means = contributions(draft, filled).mean()
    scoring["reference"] = [
        {"predictor": name, "contribution": float(means[name])} for name in draft.predictors
    ]
    content["baseline_curve"] = make_baseline_curve(
        builder.model_.baseline_cumulative_hazard_, builder.horizons
    )
    content["monitoring"] = development_aggregates(draft, X)
    content["evidence"] = {
        "performance": [dict(row) for row in performance],
        "provenance": dict(provenance or {}),
        "ties": str(builder.model_.ties),
        "test_vectors": make_test_vectors(draft),
    }
    return seal(content)


def _predictor(
    builder: ScoreBuilder, X: pd.DataFrame, schema: CohortSchema, name: str
) -> dict[str, Any]:
    field = schema.field(name)
    numeric = field.kind == "numeric"
    # A level that no development patient has is no level of the score: nothing is known of it.
    observed = set() if numeric else set(X[name].dropna().unique())
    if builder.imputer_ is None:
        missing: dict[str, Any] = {"policy": "refuse"}
    else:
        missing = {"policy": "impute", "value": builder.imputer_.fill_values_[name]}
    soft: list[float | None] = [None, None]
    if numeric:
        soft = [float(f"{value:.6g}") for value in X[name].quantile([0.01, 0.99])]
    return {
        "id": name,
        "label": field.label,
        "unit": field.unit or "",
        **({"analyte": field.analyte} if field.analyte else {}),
        "type": field.kind,
        "levels": [
            {"code": level.code, "label": level.label}
            for level in field.levels
            if level.code in observed
        ],
        "hard_range": list(field.hard_range) if field.hard_range else [None, None],
        "soft_range": soft,
        "missing": missing,
        **({"modifiable": True} if field.modifiable else {}),
    }


def model_terms(builder: ScoreBuilder) -> list[dict[str, Any]]:
    """
    List the terms of a fitted model in the form of the artifact.

    Parameters
    ----------
    builder : ScoreBuilder
        Fitted.

    Returns
    -------
    list of dict
        In the order of ``builder.model_.terms_`` and of its covariance.
    """
    terms: list[dict[str, Any]] = []
    for term in builder.model_.terms_:
        column = builder.encoder_.columns_[term.variable]
        if column.levels is not None:
            # An indicator: value and centre are those of the 0/1 column itself.
            terms.append(
                {
                    "kind": "indicator",
                    "predictor": column.predictor,
                    "levels": list(column.levels),
                    "center": float(term.center * term.scale - term.shift),
                    "coefficient": float(term.coefficient / term.scale),
                }
            )
            continue
        terms.append(_numeric_term(term, column.predictor))
    return terms


def _numeric_term(term: Term, predictor: str) -> dict[str, Any]:
    """Write a term of a number; what only some terms have is a key of theirs alone."""
    ends = {"center": float(term.center), "coefficient": float(term.coefficient)}
    if term.zero == "indicator":
        return {"kind": "positive", "predictor": predictor, **ends}
    special: dict[str, Any] = {}
    if term.limits is not None:
        special["limits"] = [float(limit) for limit in term.limits]
    if term.zero:
        special["positive_only"] = True
    return {
        "kind": "power",
        "predictor": predictor,
        "shift": float(term.shift),
        "scale": float(term.scale),
        "power": float(term.power),
        "log_factor": int(term.log_factor),
        **special,
        **ends,
    }


def _points(builder: ScoreBuilder) -> dict[str, Any]:
    assert builder.scale_ is not None  # a score with a kept variable has its scale
    return {
        "thresholds": list(builder.scale_.thresholds),
        "anchors": [float(anchor) for anchor in builder.scale_.anchors],
    }


def _risk_groups(builder: ScoreBuilder) -> list[dict[str, Any]]:
    assert builder.groups_ is not None  # formed together with the points
    return [
        {"label": label, "points_from": first, "points_to": last}
        for label, first, last in builder.groups_.bands(builder.points)
    ]
