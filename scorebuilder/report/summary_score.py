"""Points and risk groups in the summary, and what each simplification costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.study import Study
from scorebuilder.report.summary_models import score_forms
from scorebuilder.report.summary_rates import rates_by_points
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.performance import evaluate_fixed

MINIMUM_AT_RISK = 20
"""A survival curve ends where fewer patients than this are followed."""


def summarise_points(study: Study) -> dict[str, Any]:
    """
    Summarise the points scale.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        Thresholds, risk table, rates, and AUC of formula, points and groups out of fold.
    """
    scoring = study.sealed.scoring
    return {
        "thresholds": scoring["points"]["thresholds"],
        "anchors": scoring["points"]["anchors"],
        "risk_table": [{**row, "reason": row["reason"] or None} for row in scoring["risk_table"]],
        "rates": _rates(study)["bands"],
        "price": _price(study),
    }


def _rates(study: Study) -> dict[str, list[dict[str, Any]]]:
    builder = study.builder
    assert builder.groups_ is not None  # an artifact exists only with groups
    groups = [(first, last) for _, first, last in builder.groups_.bands(builder.points)]
    points, table = builder.predict_points(study.X), study.sealed.scoring["risk_table"]
    return rates_by_points(study.cohort.y, points, table, groups)


def _price(study: Study) -> list[dict[str, Any]]:
    """AUC of the three forms, on the patients who have all of them."""
    result, horizon = study.validation, study.main_horizon
    forms = {
        form.name: form.risk if form.name == "formula" and form.risk is not None else form.marker
        for form in score_forms(study)
    }
    together = np.all([np.isfinite(values).all(axis=0) for values in forms.values()], axis=0)
    rows = []
    for form, values in forms.items():
        judged = evaluate_fixed(
            study.cohort.y, values, result.folds, horizon=horizon, metric="auc", subset=together
        )
        rows.append(
            {"form": form, "horizon": horizon, "auc": judged.value, "reason": judged.reason}
        )
    return rows


def summarise_risk_groups(study: Study) -> dict[str, Any]:
    """
    Summarise the risk groups: Kaplan-Meier curves, numbers at risk, predicted and observed risk.

    Parameters
    ----------
    study : Study
        With its artifact.

    Returns
    -------
    dict
        Of the development patients; few events are hidden, and those that would tell them.
    """
    builder, y = study.builder, study.cohort.y
    assert builder.groups_ is not None  # an artifact exists only with groups
    group = builder.predict_group(study.X)
    bands = builder.groups_.bands(builder.points)
    curves, rates = (
        group_curves(y, group, bands, horizons=builder.horizons),
        _rates(study)["groups"],
    )
    for found, rate in zip(curves["groups"], rates, strict=True):
        found["events"] = rate["events"]
    return {
        "rule": study.settings["score"]["risk_groups"],
        **curves,
        "rates": rates,
        "observed": [
            {
                "label": builder.groups_.labels[row.band],
                "horizon": row.horizon,
                "predicted": row.predicted,
                "observed": row.observed,
                "lower": row.lower,
                "upper": row.upper,
                "reason": row.reason or None,
            }
            for row in builder.group_table_
        ],
    }


def group_curves(
    y: Outcome, group: IntArray, bands: Sequence[tuple[str, int, int]], *, horizons: Sequence[float]
) -> dict[str, Any]:
    """
    Describe the survival of risk groups.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    group : ndarray of int of shape (n_patients,)
        Group of each patient, a position in `bands`.
    bands : sequence of (str, int, int)
        Label, lowest and highest points of each group.
    horizons : sequence of float
        Days; curves end a fifth past the last one.

    Returns
    -------
    dict
        ``at_risk_times``, ``groups`` (counts, Kaplan-Meier curve, numbers at risk) and ``logrank``.
    """
    from lifelines.statistics import multivariate_logrank_test

    longest = min(float(y["time"].max()), 1.2 * max(horizons))
    step = DAYS_PER_YEAR if longest > 2 * DAYS_PER_YEAR else DAYS_PER_YEAR / 4
    times = np.arange(0.0, longest + 1e-9, step)
    present = np.unique(group).size
    test = multivariate_logrank_test(y["time"], group, y["event"]) if present > 1 else None
    return {
        "at_risk_times": times,
        "groups": [
            {
                "label": label,
                "points_from": first,
                "points_to": last,
                "n": int(np.sum(group == number)),
                "events": int(np.sum(y["event"][group == number])),
                "at_risk": [_at_risk(y["time"][group == number], time) for time in times],
                **_curve(y[group == number], longest),
            }
            for number, (label, first, last) in enumerate(bands)
        ],
        "logrank": {
            "chisq": None if test is None else float(test.test_statistic),
            "df": present - 1,
            "p": None if test is None else float(test.p_value),
            "reason": "all patients are in one group" if test is None else None,
        },
    }


def _at_risk(time: FloatArray, at: float) -> int | None:
    """Patients still followed; None for a few, who might be recognised."""
    number = int(np.sum(time >= at))
    return None if 0 < number < SMALLEST_CELL else number


def _curve(y: Any, longest: float) -> dict[str, list[float]]:
    times, survival, lower, upper = [0.0], [1.0], [1.0], [1.0]
    grid = np.unique(np.concatenate((np.linspace(0.0, longest, 241)[1:], [longest])))
    for time in grid:
        if int(np.sum(y["time"] >= time)) < MINIMUM_AT_RISK:
            break
        try:
            estimate = survival_at(y, float(time))
        except UndefinedMetricError:
            break
        times.append(float(time))
        survival.append(estimate.survival)
        lower.append(estimate.lower)
        upper.append(estimate.upper)
    return {"times": times, "survival": survival, "lower": lower, "upper": upper}
