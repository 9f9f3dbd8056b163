"""A score for a new site: judged there, updated as far as needed, with its line of descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.experiment.score_comparison import calibration_of
from scorebuilder.modelling.updating import RungTest, Update, censored_at, closed_test, fit_rung
from scorebuilder.score.apply import contributions, fill_missing, term_value
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.baseline_curve import baseline_points, make_baseline_curve
from scorebuilder.score.cohort_fit import ScoredCohort, score_cohort
from scorebuilder.score.lifecycle import derive_version
from scorebuilder.score.monitoring import development_aggregates
from scorebuilder.score.points import PointsScale, make_points
from scorebuilder.score.public_risk import public_risk_rows
from scorebuilder.score.vectors import make_test_vectors
from scorebuilder.score.version_rule import next_version
from scorebuilder.survival.absolute_risk import absolute_risk
from scorebuilder.survival.baseline_hazard import baseline_cumulative_hazard
from scorebuilder.validation.performance import evaluate_fixed
from scorebuilder.validation.resampling import stratified_folds

FOLDS = 10
MEASURES = ("auc", "brier")
REPLACED = ("terms", "baseline", "points", "risk_table", "reference")
"""Parts of the scoring part that an update replaces, and the lineage keeps."""
STEP = {"baseline": "minor", "slope_and_baseline": "minor", "refit": "major"}


@dataclass(frozen=True)
class SiteUpdate:
    """
    What became of a score at a site.

    Attributes
    ----------
    rung : str
        Chosen update.
    tests : list of RungTest
        Steps of the closed test.
    reason : str
        Why larger updates were not tried; empty when all were.
    before_after : list of dict
        By horizon and measure: the score as it was, and after the update; the latter from patients
        who were not used to fit it.
    artifact : ScoreArtifact or None
        The new version; None when no update is needed.
    n, events, refused : int
        Patients scored, their events by the last horizon, and patients without score.
    """

    rung: str
    tests: list[RungTest]
    reason: str
    before_after: list[dict[str, Any]]
    artifact: ScoreArtifact | None
    n: int
    events: int
    refused: int


def update_for_site(
    artifact: ScoreArtifact, cohort: Cohort, *, site: str, alpha: float = 0.05
) -> SiteUpdate:
    """
    Judge a score at a site, choose the update by closed test, and make the new version.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    cohort : Cohort
        Patients of the site, followed to the last horizon.
    site : str
        Lower-case words joined by hyphens; names the new version.
    alpha : float
        Level of each step of the closed test.

    Returns
    -------
    SiteUpdate
        With the version ``<name>/site-<site>``, unless the score can stay as it is.

    Raises
    ------
    CohortError
        If the cohort does not hold the score's inputs in its units.
    ModelError
        If the cohort has fewer than two events, or is not followed to the last horizon.
    """
    scored = score_cohort(artifact, cohort)
    y = censored_at(scored.y, artifact.horizons[-1])
    terms, coefficients = site_terms(artifact, scored.X)
    rung, tests, reason = _choose(artifact, terms, coefficients, scored.y, alpha)
    update = _fit(artifact, rung, terms, coefficients, scored.y)
    before_after = _before_after(artifact, scored, rung, terms, coefficients, alpha)
    new = None
    if rung != "none":
        new = _new_version(artifact, scored, update, terms, tests, before_after, site)
    return SiteUpdate(
        rung, tests, reason, before_after, new, len(y), int(y["event"].sum()), scored.n_refused
    )


def site_terms(artifact: ScoreArtifact, X: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """
    Compute the terms of a score, before their coefficients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Typed inputs of patients who have a score.

    Returns
    -------
    terms : ndarray of shape (n_patients, n_terms)
        Centred.
    coefficients : ndarray of shape (n_terms,)
        Log hazard.
    """
    filled, _, _ = fill_missing(artifact, X)
    stored = artifact.scoring["terms"]
    columns = [term_value(term, filled[term["predictor"]]) for term in stored]
    return np.column_stack(columns), np.array([term["coefficient"] for term in stored])


def _choose(
    artifact: ScoreArtifact, terms: FloatArray, coefficients: FloatArray, y: Outcome, alpha: float
) -> tuple[str, list[RungTest], str]:
    times, hazards = baseline_points(artifact)
    followed = censored_at(y, artifact.horizons[-1])
    return closed_test(terms, coefficients, followed, times=times, hazards=hazards, alpha=alpha)


def _hazards(artifact: ScoreArtifact) -> FloatArray:
    return np.array([-np.log(row["survival"]) for row in artifact.scoring["baseline"]])


def _fit(
    artifact: ScoreArtifact, rung: str, terms: FloatArray, coefficients: FloatArray, y: Outcome
) -> Update:
    return fit_rung(
        rung, terms, coefficients, y, horizons=artifact.horizons, hazards=_hazards(artifact)
    )


def _risks(update: Update, terms: FloatArray) -> FloatArray:
    predictor = terms @ update.coefficients
    return np.column_stack([absolute_risk(predictor, h) for h in update.cumulative_hazards])


def _before_after(
    artifact: ScoreArtifact,
    scored: ScoredCohort,
    rung: str,
    terms: FloatArray,
    coefficients: FloatArray,
    alpha: float,
) -> list[dict[str, Any]]:
    """Judge before and after; without the patients of a fold, rung and update are found anew."""
    y = scored.y
    after = np.full(scored.risk.shape, np.nan)
    if rung == "none":
        after = scored.risk
    else:
        seed = seed_of(0, f"site folds {artifact.content['core_id']}")
        events = int(y["event"].sum())
        n_folds = min(FOLDS, events, max(len(y) - events, 2))
        if n_folds < 2:
            message = "a site needs at least two patients with the event to judge an update"
            raise ModelError(message)
        folds = stratified_folds(y["event"], folds=n_folds, repeats=1, random_state=seed)[0]
        for fold in range(n_folds):
            out = folds == fold
            chosen, _, _ = _choose(artifact, terms[~out], coefficients, y[~out], alpha)
            if chosen == "none":
                after[out] = scored.risk[out]
                continue
            update = _fit(artifact, chosen, terms[~out], coefficients, y[~out])
            after[out] = _risks(update, terms[out])
    rows: list[dict[str, Any]] = []
    for k, horizon in enumerate(artifact.horizons):
        judged = [_judge(y, risk[:, k], horizon) for risk in (scored.risk, after)]
        rows += [
            {
                "measure": measure,
                "horizon": horizon,
                "before": judged[0][measure],
                "after": judged[1][measure],
            }
            for measure in judged[0]
        ]
    return rows


def _judge(y: Outcome, risk: FloatArray, horizon: float) -> dict[str, dict[str, Any]]:
    together: IntArray = np.zeros((1, len(y)), dtype=np.int64)
    found = calibration_of(y, risk, horizon=horizon)
    for name in MEASURES:
        judged = evaluate_fixed(y, risk, together, horizon=horizon, metric=name)
        found[name] = {
            "value": judged.value, "lower": judged.lower, "upper": judged.upper,
            "reason": judged.reason,
        }  # fmt: skip
    return found


def _new_version(
    artifact: ScoreArtifact,
    scored: ScoredCohort,
    update: Update,
    terms: FloatArray,
    tests: list[RungTest],
    before_after: list[dict[str, Any]],
    site: str,
) -> ScoreArtifact:
    predictor = terms @ update.coefficients
    curve = baseline_cumulative_hazard(predictor, scored.y, ties="efron")
    scoring = _scoring(artifact, scored, update, predictor)
    changes: dict[str, Any] = {
        "name": f"{artifact.content['name'].split('/')[0]}/site-{site}",
        "status": "research",
        "superseded_by": None,
        "scoring": scoring,
        "baseline_curve": make_baseline_curve(curve, artifact.horizons),
        "lineage": {
            "name": artifact.content["name"],
            "version": artifact.content["version"],
            "core_id": artifact.content["core_id"],
            "change": update.rung,
            "site": site,
            "parent": {part: artifact.scoring[part] for part in REPLACED},
            "cohort": {"n": len(scored.y), "events": int(scored.y["event"].sum())},
            "tests": [vars(test) for test in tests],
            "before_after": before_after,
        },
        "evidence": {**artifact.content["evidence"], "performance": [], "test_vectors": []},
    }
    # The points card holds risks of the development patients; a site makes its own.
    parent = ScoreArtifact({k: v for k, v in artifact.content.items() if k != "card"})
    draft = seal({**parent.content, **changes})
    filled, _, _ = fill_missing(draft, scored.X)
    means = contributions(draft, filled).mean()
    scoring["reference"] = [
        {"predictor": name, "contribution": float(means[name])} for name in draft.predictors
    ]
    changes["monitoring"] = development_aggregates(draft, scored.X)
    changes["evidence"]["test_vectors"] = make_test_vectors(seal({**parent.content, **changes}))
    return derive_version(
        parent,
        changes,
        version=next_version(artifact.content["version"], STEP[update.rung]),
        change=f"Updated to site {site}: {update.rung.replace('_', ' ')}.",
    )


def _scoring(
    artifact: ScoreArtifact, scored: ScoredCohort, update: Update, predictor: FloatArray
) -> dict[str, Any]:
    stored = artifact.scoring
    anchors = tuple(stored["points"]["anchors"])
    old = np.array([term["coefficient"] for term in stored["terms"]])
    if update.rung == "refit":
        scale = make_points(predictor, maximum=len(stored["points"]["thresholds"]), anchors=anchors)
    else:
        largest = int(np.argmax(np.abs(old)))
        slope = float(update.coefficients[largest] / old[largest])
        thresholds = [slope * value for value in stored["points"]["thresholds"]]
        scale = PointsScale(tuple(thresholds), anchors)
    table = public_risk_rows(
        scale.points(predictor),
        np.column_stack([absolute_risk(predictor, h) for h in update.cumulative_hazards]),
        scored.y,
        groups=[(group["points_from"], group["points_to"]) for group in stored["risk_groups"]],
        horizons=artifact.horizons,
    )
    return {
        **stored,
        "terms": [
            {**term, "coefficient": float(value)}
            for term, value in zip(stored["terms"], update.coefficients, strict=True)
        ],
        "baseline": [
            {"horizon": horizon, "survival": float(np.exp(-hazard))}
            for horizon, hazard in zip(artifact.horizons, update.cumulative_hazards, strict=True)
        ],
        "points": {"thresholds": list(scale.thresholds), "anchors": list(anchors)},
        "risk_table": table,
    }


def undo_update(artifact: ScoreArtifact) -> dict[str, Any]:
    """
    Restore the scoring part that an update replaced.

    Parameters
    ----------
    artifact : ScoreArtifact
        A version made by `update_for_site`.

    Returns
    -------
    dict
        The parent's scoring part; its fingerprint is the parent's `core_id`.

    Raises
    ------
    ModelError
        If the artifact was not made from another one.
    """
    lineage = artifact.content.get("lineage")
    if not lineage:
        message = "the artifact is no site's version, so there is no update to undo"
        raise ModelError(message)
    return {**artifact.scoring, **lineage["parent"]}
