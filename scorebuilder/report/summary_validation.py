"""How true the score is, in the summary: out-of-fold performance and comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.report.study import SCORE_LABEL, BaselineResult, Study
from scorebuilder.report.summary_calibration import summarise_calibration, summarise_net_benefit
from scorebuilder.report.summary_comparison import compare, comparison_row, scorable
from scorebuilder.report.summary_models import summarise_models
from scorebuilder.validation.compare import Comparison
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.performance import (
    Performance,
    evaluate,
    evaluate_apparent,
    evaluate_fixed,
)
from scorebuilder.validation.roc import roc_curve

SCORE_METRICS = ("auc", "c_index", "brier", "scaled_brier")
BASELINE_METRICS = ("auc", "c_index")


def summarise_validation(study: Study) -> dict[str, Any]:
    """
    Summarise the judgement of a score.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions; the artifact is not needed.

    Returns
    -------
    dict
        Design, performance, ROC, calibration, comparison, decision curve, all models.
    """
    comparisons = [(item, compare(study, item)) for item in study.baselines]
    return {
        "design": _design(study),
        "performance": summarise_performance(study),
        "roc": _roc(study, comparisons),
        "calibration": [summarise_calibration(study, h) for h in study.builder.horizons],
        "comparison": [comparison_row(study, item, found) for item, found in comparisons],
        "decision_curve": summarise_net_benefit(study),
        "models": summarise_models(study),
    }


def summarise_performance(study: Study) -> list[dict[str, Any]]:
    """
    List every metric of the score, and of each baseline on the patients it can score.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    list of dict
        One row per model, metric and horizon, with its interval or the reason why undefined.
    """
    y, rows = study.cohort.y, []
    for horizon in study.builder.horizons:
        risk = study.builder.predict_risk(study.X, horizon=horizon)
        for metric in SCORE_METRICS:
            found = evaluate(study.validation, y, horizon=horizon, metric=metric)
            apparent = evaluate_apparent(y, risk, horizon=horizon, metric=metric)
            rows.append(_performance_row("score", SCORE_LABEL, metric, horizon, found, apparent))
        for item in study.baselines:
            values = item.predictions
            for metric in BASELINE_METRICS:
                found = evaluate_fixed(
                    y,
                    values,
                    study.validation.folds,
                    horizon=horizon,
                    metric=metric,
                    subset=np.isfinite(values),
                )
                names = (item.key, item.label)
                rows.append(_performance_row(*names, metric, horizon, found, None))
    return rows


def _performance_row(
    model: str,
    label: str,
    metric: str,
    horizon: float,
    found: Performance,
    apparent: Performance | None,
) -> dict[str, Any]:
    return {
        "model": model,
        "label": label,
        "metric": metric,
        "metric_label": METRICS[metric].label,
        "horizon": horizon,
        "value": found.value,
        "lower": found.lower,
        "upper": found.upper,
        "apparent": apparent.value if apparent else None,
        "n": found.n,
        "events": found.n_events,
        "reason": found.reason,
    }


def _design(study: Study) -> dict[str, Any]:
    settings = study.settings["validation"]
    folds, repeats = settings["folds"], settings["repeats"]
    return {
        "folds": folds,
        "repeats": repeats,
        "stratified_on": "event",
        "seed": study.settings["seed"],
        "n_fits": folds * repeats,
        "text": (
            f"{repeats} x {folds}-fold cross-validation, stratified on the event. Imputation, "
            "selection by the survival forest, choice of fractional polynomials, points and risk "
            f"were all refitted in each of the {folds * repeats} training sets; every patient was "
            "judged by models that had not seen that patient. AUC and C-index compare patients "
            "within a fold only; all numbers are averaged over the repeats, and drawn curves are "
            "those of the first repeat. Intervals describe the patients' sampling error for these "
            "fitted models."
        ),
    }


def _roc(
    study: Study, comparisons: list[tuple[BaselineResult, Comparison]]
) -> list[dict[str, Any]]:
    horizon = study.main_horizon
    risk = study.validation.risk_at(horizon)[0]
    everyone = np.isfinite(risk)
    whole = evaluate(study.validation, study.cohort.y, horizon=horizon, metric="auc")
    auc = (whole.value, whole.lower, whole.upper)
    curves = [_roc_row(study, "score", f"{SCORE_LABEL}, all patients", risk, everyone, auc)]
    for item, found in comparisons:
        values = item.predictions
        auc = (found.auc_baseline, found.auc_baseline_lower, found.auc_baseline_upper)
        curves.append(_roc_row(study, item.key, item.label, values, scorable(study, item), auc))
    return [curve for curve in curves if curve is not None]


def _roc_row(
    study: Study,
    model: str,
    label: str,
    risk: FloatArray,
    subset: BoolArray,
    auc: tuple[float | None, float | None, float | None],
) -> dict[str, Any] | None:
    if auc[0] is None:
        return None
    curve = roc_curve(study.cohort.y[subset], risk[subset], horizon=study.main_horizon)
    return {
        "model": model,
        "label": label,
        "horizon": study.main_horizon,
        "false_positive": curve["false_positive"].to_numpy(),
        "true_positive": curve["true_positive"].to_numpy(),
        "auc": auc[0],
        "lower": auc[1],
        "upper": auc[2],
        "n": int(subset.sum()),
    }
