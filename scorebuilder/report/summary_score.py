"""Points and risk groups in the summary, and what each simplification costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.study import Study
from scorebuilder.score.risk_groups import RiskGroups
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
        Thresholds, risk table, and AUC of formula, points and groups out of fold.
    """
    scoring = study.sealed.scoring
    return {
        "thresholds": scoring["points"]["thresholds"],
        "anchors": scoring["points"]["anchors"],
        "risk_table": [{**row, "reason": row["reason"] or None} for row in scoring["risk_table"]],
        "price": _price(study),
    }


def _price(study: Study) -> list[dict[str, Any]]:
    """AUC of the three forms, on the patients who have all of them."""
    result, horizon = study.validation, study.main_horizon
    forms = {
        "formula": result.risk_at(horizon),
        "points": result.points,
        "groups": _fold_groups(study),
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


def _fold_groups(study: Study) -> FloatArray:
    """Group of each patient by the cut points of the fold that did not see the patient."""
    result = study.validation
    groups = np.full(result.points.shape, np.nan)
    for record in result.records:
        rows = result.folds[record["repeat"]] == record["fold"]
        cuts = record["cut_points"]
        if cuts:
            bands = RiskGroups(tuple(cuts), tuple(str(k) for k in range(len(cuts) + 1)))
            groups[record["repeat"], rows] = bands.group(result.points[record["repeat"], rows])
    return groups


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
        Of the development patients.
    """
    from lifelines.statistics import multivariate_logrank_test

    builder, y = study.builder, study.cohort.y
    assert builder.groups_ is not None  # an artifact exists only with groups
    group = builder.predict_group(study.X)
    longest = min(float(y["time"].max()), 1.2 * max(builder.horizons))
    step = DAYS_PER_YEAR if longest > 2 * DAYS_PER_YEAR else DAYS_PER_YEAR / 4
    times = np.arange(0.0, longest + 1e-9, step)
    bands = builder.groups_.bands(builder.points)
    test = multivariate_logrank_test(y["time"], group, y["event"])
    return {
        "rule": study.settings["score"]["risk_groups"],
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
        "logrank": {
            "chisq": float(test.test_statistic),
            "df": len(bands) - 1,
            "p": float(test.p_value),
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
