"""Two scores on the same cohort: risk, groups, discrimination and calibration side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, hidden_levels
from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import CohortError, UndefinedMetricError, Violation
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.cohort_fit import ScoredCohort, score_cohort
from scorebuilder.validation.calibration import calibration_in_the_large, calibration_slope
from scorebuilder.validation.compare import paired_difference
from scorebuilder.validation.metric import METRICS
from scorebuilder.validation.performance import evaluate_fixed

MEASURES = ("auc", "brier", "c_index")


def compare_on_cohort(old: ScoreArtifact, new: ScoreArtifact, cohort: Cohort) -> dict[str, Any]:
    """
    Judge two scores on the patients whom both score.

    Parameters
    ----------
    old, new : ScoreArtifact
        The scores, with at least one horizon in common.
    cohort : Cohort
        Patients with outcome.

    Returns
    -------
    dict
        ``n``, ``events``, ``refused`` (by either score); by horizon ``risk`` (change) and
        ``performance`` (both, and new minus old with interval); ``reclassification`` (groups of the
        old score by groups of the new one; small cells hidden). What is undefined is None beside
        its ``reason``.

    Raises
    ------
    CohortError
        If the cohort lacks inputs or units of a score, or nobody is scored by both.
    """
    first, second = score_cohort(old, cohort), score_cohort(new, cohort)
    both = first.kept & second.kept
    if not both.any():
        raise CohortError([Violation("", "no patient is scored by both scores")])
    in_old, in_new = both[first.kept], both[second.kept]
    y = cohort.y[both]
    risk, performance = [], []
    for horizon in (h for h in old.horizons if h in new.horizons):
        a = first.risk[in_old, old.horizons.index(horizon)]
        b = second.risk[in_new, new.horizons.index(horizon)]
        risk.append({"horizon": horizon} | _moved(b - a))
        performance += _performance(y, a, b, horizon)
    return {
        "n": int(both.sum()),
        "events": int(y["event"].sum()),
        "refused": int(np.sum(~both)),
        "risk": risk,
        "performance": performance,
        "reclassification": _reclassification(old, new, first, second, in_old, in_new),
    }


def _moved(change: FloatArray) -> dict[str, float]:
    low, middle, high = (float(value) for value in np.quantile(change, (0.05, 0.5, 0.95)))
    return {
        "mean": float(change.mean()),
        "mean_absolute": float(np.abs(change).mean()),
        "q05": low,
        "median": middle,
        "q95": high,
    }


def _performance(
    y: Outcome, old: FloatArray, new: FloatArray, horizon: float
) -> list[dict[str, Any]]:
    folds: IntArray = np.zeros((1, y.shape[0]), dtype=np.int64)
    rows: list[dict[str, Any]] = []
    for name in MEASURES:
        judged = [
            evaluate_fixed(y, risk, folds, horizon=horizon, metric=name) for risk in (old, new)
        ]
        moved = paired_difference(judged[1], judged[0])
        rows.append(
            {
                "measure": name,
                "horizon": None if METRICS[name].whole_follow_up else horizon,
                "old": judged[0].value,
                "new": judged[1].value,
                "difference": moved.value,
                "lower": moved.lower,
                "upper": moved.upper,
                "reason": judged[0].reason or judged[1].reason or moved.reason,
            }
        )
    for name in ("observed_expected", "calibration_slope"):
        values = [calibration_of(y, risk, horizon=horizon)[name] for risk in (old, new)]
        reasons = [value["reason"] for value in values if value["reason"]]
        rows.append(
            {
                "measure": name,
                "horizon": horizon,
                "old": values[0]["value"],
                "new": values[1]["value"],
                **dict.fromkeys(("difference", "lower", "upper")),
                "reason": reasons[0] if reasons else None,
            }
        )
    return rows


def calibration_of(y: Outcome, risk: FloatArray, *, horizon: float) -> dict[str, dict[str, Any]]:
    """
    Calibration in the large and slope, or why they have no value.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted risk by the horizon.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    dict
        ``observed_expected`` and ``calibration_slope``, each with ``value``, ``lower``, ``upper``
        and ``reason``.
    """
    empty: dict[str, Any] = dict.fromkeys(("value", "lower", "upper", "reason"))
    found = {"observed_expected": dict(empty), "calibration_slope": dict(empty)}
    try:
        large = calibration_in_the_large(y, risk, horizon=horizon)
        found["observed_expected"] |= {
            "value": large.ratio, "lower": large.lower, "upper": large.upper
        }  # fmt: skip
    except UndefinedMetricError as error:
        found["observed_expected"]["reason"] = str(error)
    try:
        slope = calibration_slope(y, risk)
        found["calibration_slope"] |= {
            "value": slope.slope, "lower": slope.lower, "upper": slope.upper
        }  # fmt: skip
    except UndefinedMetricError as error:
        found["calibration_slope"]["reason"] = str(error)
    return found


def _reclassification(
    old: ScoreArtifact,
    new: ScoreArtifact,
    first: ScoredCohort,
    second: ScoredCohort,
    in_old: BoolArray,
    in_new: BoolArray,
) -> list[dict[str, Any]]:
    labels = [[band["label"] for band in score.scoring["risk_groups"]] for score in (old, new)]
    a, b = first.group[in_old], second.group[in_new]
    cells = [
        (before, after, int(np.sum((a == i) & (b == j))))
        for i, before in enumerate(labels[0])
        for j, after in enumerate(labels[1])
    ]
    counted = [n for _, _, n in cells if n]
    hidden = iter(hidden_levels(np.array([counted])))
    return [
        {
            "old": before,
            "new": after,
            "n": None if (hide := bool(n and next(hidden))) else n,
            "reason": HIDDEN_COMPLEMENT if hide else None,
        }
        for before, after, n in cells
    ]
