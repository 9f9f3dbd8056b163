"""A frozen score in the patients of another cohort, in the summary: aggregates only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import horizon_code
from scorebuilder.report.small_counts import withhold
from scorebuilder.report.small_groups import without_small_groups
from scorebuilder.report.study import SCORE_LABEL
from scorebuilder.report.summary_calibration import judged_calibration, judged_net_benefit
from scorebuilder.report.summary_models import records
from scorebuilder.report.summary_score import group_curves
from scorebuilder.score.apply import fill_missing, score_table, term_value
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.baseline_curve import baseline_points
from scorebuilder.score.public_risk import public_risk_rows
from scorebuilder.score.risk_rows import flat_row
from scorebuilder.score.risk_table import ObservedRisk, risk_by_band
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.compare import MIN_EVENTS
from scorebuilder.validation.cox_likelihood import Ties
from scorebuilder.validation.external import (
    Development,
    FrozenPredictions,
    case_mix,
    group_hazard_ratios,
    validate_externally,
)
from scorebuilder.validation.performance import evaluate_apparent

PROGNOSTIC_SHARES = (0.16, 0.5, 0.84)
"""Quantiles of the development linear predictor between prognostic groups."""
REFERENCE_GROUP = 1
"""The second prognostic group, to which the hazards of the others are compared."""
DECIMALS = 10
"""Linear predictors that agree to so many decimals are equal but for rounding."""


def summarise_external(
    artifact: ScoreArtifact,
    cohort: Cohort,
    X: pd.DataFrame,
    *,
    name: str,
    label: str,
    main_horizon: float,
    thresholds: Sequence[float] = (),
    development_X: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """
    Judge a frozen score in another cohort.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score; nothing of it is fitted again.
    cohort : Cohort
        The validation patients.
    X : DataFrame of shape (n_patients, n_predictors)
        Their predictors, in names, units and codes of the score.
    name, label : str
        Of the cohort.
    main_horizon : float
        Days; one of the horizons of the score.
    thresholds : sequence of float
        Threshold probabilities at which the net benefit is stated.
    development_X : DataFrame, optional
        Predictors of the development patients, where they are at hand, for the membership model.

    Returns
    -------
    dict
        Counts, measures, calibration, decision curve, groups, risk table and case mix.

    Raises
    ------
    UndefinedMetricError
        If no patient can be scored, or fewer than `MIN_EVENTS` of them have the event.
    """
    scored = score_table(artifact, X)
    usable = (scored["reason"] == "").to_numpy(dtype=np.bool_)
    y, kept = cohort.y[usable], scored[usable].reset_index(drop=True)
    events = int(y["event"].sum())
    if events < MIN_EVENTS:
        message = (
            f"{events} events among the {len(kept)} patients who can be scored; at least "
            f"{MIN_EVENTS} are needed"
        )
        raise UndefinedMetricError(message)
    development = remembered_development(artifact)
    risks = {h: kept[f"risk_{horizon_code(h)}"].to_numpy(np.float64) for h in artifact.horizons}
    index = kept["linear_predictor"].to_numpy(dtype=np.float64)
    bands = artifact.scoring["risk_groups"]
    places = {band["label"]: place for place, band in enumerate(bands)}
    group = kept["risk_group"].map(places).to_numpy(dtype=np.int64)
    terms = term_columns(artifact, X[usable])
    coefficients = np.array([term["coefficient"] for term in artifact.scoring["terms"]])
    measures = validate_externally(
        y,
        FrozenPredictions(index, risks, terms.to_numpy(dtype=np.float64), coefficients),
        development=development,
        thresholds=thresholds,
    )
    points = kept["points"].to_numpy(dtype=np.int64)
    return {
        "name": name,
        "label": label,
        "source": {"cohort": cohort.schema.name, "data_sha256": cohort.data_sha256},
        "population": cohort.schema.population or cohort.schema.title,
        "outcome": cohort.schema.outcome or cohort.schema.event_label,
        "time_zero": cohort.schema.time_zero,
        "attrition": cohort.attrition.to_records(),
        "counts": _counts(artifact, scored, y),
        "baseline_known_until": None if development is None else development.last,
        "horizons": artifact.horizons,
        "main_horizon": main_horizon,
        "measures": [{**row, "events": withhold(row["events"])} for row in records(measures)],
        "calibration": [_calibration(y, risk, horizon) for horizon, risk in risks.items()],
        "decision_curve": _net_benefit(y, risks[main_horizon], main_horizon),
        "risk_groups": _risk_groups(artifact, y, group, risks, development),
        "prognostic_groups": _prognostic_groups(y, index, risks, development),
        "risk_table": public_risk_rows(
            points,
            np.column_stack(list(risks.values())),
            y,
            groups=[(band["points_from"], band["points_to"]) for band in bands],
            horizons=list(risks),
        ),
        "case_mix": [
            *case_mix(index, development),
            _membership(terms, artifact, development_X),
        ],
    }


def remembered_development(artifact: ScoreArtifact) -> Development | None:
    """
    Read what an artifact remembers of its development patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    Development or None
        None for an artifact that tells nothing of them.
    """
    found = artifact.content.get("monitoring")
    if found is None or "baseline_curve" not in artifact.content:
        return None
    predictor = found["linear_predictor"]
    quantiles = {row["quantile"]: row["value"] for row in predictor["quantiles"]}
    if not set(PROGNOSTIC_SHARES) <= set(quantiles):
        return None
    times, hazards = (np.concatenate(([0.0], part)) for part in baseline_points(artifact))
    return Development(
        n=found["n"],
        mean=predictor["mean"],
        sd=predictor["sd"],
        quantiles=quantiles,
        baseline_hazard=lambda at: np.interp(at, times, hazards),
        last=float(times[-1]),
        ties="breslow" if artifact.content["evidence"].get("ties") == "breslow" else "efron",
    )


def term_columns(artifact: ScoreArtifact, X: pd.DataFrame) -> pd.DataFrame:
    """
    Write the columns of the model behind a score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Patients who can be scored.

    Returns
    -------
    DataFrame of shape (n_patients, n_terms)
        One column for each term, in the order of the artifact.
    """
    filled, _, _ = fill_missing(artifact, X)
    columns = {
        f"{term['predictor']}.{place}": term_value(term, filled[term["predictor"]])
        for place, term in enumerate(artifact.scoring["terms"], start=1)
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _counts(artifact: ScoreArtifact, scored: pd.DataFrame, y: Outcome) -> dict[str, Any]:
    labels = {item["id"]: item["label"] for item in artifact.scoring["predictors"]}

    def listed(column: str) -> list[dict[str, Any]]:
        names = Counter(n for text in scored[column] for n in str(text).split("; ") if n)
        return [{"label": labels.get(n, n), "count": count} for n, count in names.most_common()]

    reasons = Counter(str(text) for text in scored["reason"] if text)
    return {
        "n": len(scored),
        "n_scored": int(y.size),
        "events": int(y["event"].sum()),
        "not_scored": [{"reason": text, "count": count} for text, count in sorted(reasons.items())],
        "imputed": listed("imputed"),
        "outside": listed("outside"),
    }


def _calibration(y: Outcome, risk: FloatArray, horizon: float) -> dict[str, Any]:
    own = {"model": "score", "label": SCORE_LABEL}
    try:
        return own | judged_calibration(y, risk[None, :], horizon)
    except UndefinedMetricError as error:
        empty: dict[str, Any] = {"groups": [], "smooth": None, "reason": str(error)}
        return own | {"horizon": horizon, **empty}


def _net_benefit(y: Outcome, risk: FloatArray, horizon: float) -> list[dict[str, Any]]:
    try:
        return judged_net_benefit(y, risk[None, :], horizon)
    except UndefinedMetricError:
        return []  # nobody is followed to the horizon, which the measures say


def _banded(
    bands: IntArray, risks: Mapping[float, FloatArray], y: Outcome, n_bands: int
) -> list[ObservedRisk]:
    table = np.column_stack(list(risks.values()))
    return risk_by_band(bands, table, y, n_bands=n_bands, horizons=list(risks))


def _observed(rows: Sequence[ObservedRisk], labels: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "label": labels[row.band],
            "horizon": row.horizon,
            "n": row.n,
            "predicted": row.predicted,
            "observed": row.observed,
            "lower": row.lower,
            "upper": row.upper,
            "reason": row.reason or None,
        }
        for row in rows
    ]


def _risk_groups(
    artifact: ScoreArtifact,
    y: Outcome,
    group: IntArray,
    risks: Mapping[float, FloatArray],
    development: Development | None,
) -> dict[str, Any]:
    bands = [
        (band["label"], band["points_from"], band["points_to"])
        for band in artifact.scoring["risk_groups"]
    ]
    labels = [label for label, _, _ in bands]
    ties: Ties = "efron" if development is None else development.ties
    found = {
        "rule": "those of the artifact",
        **group_curves(y, group, bands, horizons=list(risks)),
        "observed": _observed(_banded(group, risks, y, len(bands)), labels),
        "hazard_ratios": group_hazard_ratios(y, group, labels, ties=ties),
    }
    return without_small_groups(found)


def _prognostic_groups(
    y: Outcome,
    index: FloatArray,
    risks: Mapping[float, FloatArray],
    development: Development | None,
) -> dict[str, Any] | None:
    """Group by quantiles of the development patients, which no score needs to have as groups."""
    if development is None:
        return None
    cuts = [development.quantiles[share] for share in PROGNOSTIC_SHARES]
    group = np.searchsorted(np.round(cuts, DECIMALS), np.round(index, DECIMALS), side="left")
    labels = [f"group {place}" for place in range(1, len(cuts) + 2)]
    found = {
        "shares": list(PROGNOSTIC_SHARES),
        "groups": [
            {"label": label, "n": int(np.sum(group == place)),
             "events": int(y["event"][group == place].sum())}
            for place, label in enumerate(labels)
        ],
        "observed": _observed(_banded(group, risks, y, len(labels)), labels),
        "hazard_ratios": group_hazard_ratios(
            y, group, labels, reference=REFERENCE_GROUP, ties=development.ties
        ),
    }  # fmt: skip
    return without_small_groups(found)


def _membership(
    terms: pd.DataFrame, artifact: ScoreArtifact, development_X: pd.DataFrame | None
) -> dict[str, Any]:
    """Tell how well the terms of the score tell the two cohorts apart; 0.5 is not at all."""
    row: dict[str, Any] = {
        "quantity": "C of a logistic model of membership",
        "development": None, "validation": None, "difference": None, "lower": None, "upper": None,
        "reason": None,
    }  # fmt: skip
    if development_X is None:
        return row | {"reason": "the development patients are not at hand"}
    from sklearn.linear_model import LogisticRegression

    both = pd.concat([term_columns(artifact, development_X), terms]).to_numpy(dtype=np.float64)
    member = np.repeat([0, 1], [len(development_X), len(terms)])
    known = np.isfinite(both).all(axis=1)
    both, member = both[known], member[known]
    spread = both.std(axis=0)
    standardised = (both - both.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1e6, max_iter=1000).fit(standardised, member)
    # Membership is known of everybody: AUC(t) without censoring is the area of a yes or no.
    found = evaluate_apparent(
        make_outcome(member, np.where(member == 1, 1.0, 3.0)),
        model.decision_function(standardised),
        horizon=2.0,
        metric="auc",
    )
    return row | {
        "difference": found.value, "lower": found.lower, "upper": found.upper,
        "reason": found.reason,
    }  # fmt: skip


def external_tables(external: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """
    Return the tables of one cohort.

    Parameters
    ----------
    external : mapping
        From `summarise_external`, in plain values.

    Returns
    -------
    dict of DataFrame
        By file name without ending; aggregates only.
    """
    groups, prognostic = external["risk_groups"], external["prognostic_groups"]
    tables = {
        "measures": external["measures"],
        "attrition": external["attrition"],
        "not_scored": external["counts"]["not_scored"],
        "risk_groups": groups["observed"],
        "group_hazard_ratios": groups["hazard_ratios"],
        "prognostic_groups": prognostic["observed"] if prognostic else [],
        "prognostic_hazard_ratios": prognostic["hazard_ratios"] if prognostic else [],
        "risk_table": [flat_row(row) for row in external["risk_table"]],
        "case_mix": external["case_mix"],
        "calibration": [
            {"horizon": row["horizon"], **group}
            for row in external["calibration"]
            for group in row["groups"]
        ],
        "decision_curve": [
            {"model": curve["model"], "threshold": threshold, "net_benefit": benefit}
            for curve in external["decision_curve"]
            for threshold, benefit in zip(curve["threshold"], curve["net_benefit"], strict=True)
        ],
    }
    return {name: pd.DataFrame(rows) for name, rows in tables.items() if rows}
