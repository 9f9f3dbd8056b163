"""Calibration and net benefit in the summary: judged in every repeat, then averaged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.report.study import SCORE_LABEL, Study
from scorebuilder.validation.calibration import (
    calibration_curve,
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
)
from scorebuilder.validation.calibration_distance import DISTANCES, calibration_distances
from scorebuilder.validation.decision_curve import decision_curve

THRESHOLDS = np.round(np.arange(0.01, 0.405, 0.01), 2)
MOST_GROUPS = 10
PATIENTS_PER_GROUP = 50

Numbers = tuple[float | None, ...]
Measure = Callable[[Outcome, FloatArray, float], Numbers]


def summarise_calibration(study: Study, horizon: float) -> dict[str, Any]:
    """
    Summarise how true the out-of-fold risks by one horizon are.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.
    horizon : float
        One of its horizons.

    Returns
    -------
    dict
        Numbers and their limits are means over the repeats, each of which judges the predictions
        of one division into folds; averaging the risks first would judge an ensemble of models
        that nobody will use. Groups and curve are those of the first repeat.
    """
    y, risks = predicted_patients(study, horizon)
    return {"model": "score", "label": SCORE_LABEL, **judged_calibration(y, risks, horizon)}


def judged_calibration(y: Outcome, risks: FloatArray, horizon: float) -> dict[str, Any]:
    """
    Judge the calibration of given risks.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risks : ndarray of shape (n_repeats, n_patients)
        Risks by the horizon, complete.
    horizon : float
        Days.

    Returns
    -------
    dict
        Groups and curve of the first repeat; numbers as means over the repeats.
    """
    n_groups = int(np.clip(len(y) // PATIENTS_PER_GROUP, 2, MOST_GROUPS))
    groups = calibration_curve(y, risks[0], horizon=horizon, groups=n_groups)
    row: dict[str, Any] = {
        "horizon": horizon,
        "groups": [_without_nan(item) for item in groups.drop(columns="events").to_dict("records")],
        "smooth": _curve(y, risks[0], horizon),
    }
    reasons = []
    for what, names, measure in MEASURES:
        values, reason = over_repeats(measure, y, risks, horizon, n_numbers=len(names))
        row |= dict(zip(names, values, strict=True))
        if reason:
            reasons.append(f"{what}: {reason}")
    return row | {"reason": "; ".join(reasons) or None}


def predicted_patients(study: Study, horizon: float) -> tuple[Outcome, FloatArray]:
    """
    Keep the patients who have an out-of-fold risk in every repeat.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.
    horizon : float
        One of its horizons.

    Returns
    -------
    y : structured ndarray of shape (n_predicted,)
        Their outcome.
    risks : ndarray of shape (n_repeats, n_predicted)
        Their risks.
    """
    risks = study.validation.risk_at(horizon)
    predicted = np.isfinite(risks).all(axis=0)
    return study.cohort.y[predicted], risks[:, predicted]


def _in_the_large(y: Outcome, risk: FloatArray, horizon: float) -> Numbers:
    found = calibration_in_the_large(y, risk, horizon=horizon)
    return found.ratio, found.lower, found.upper


def _slope(y: Outcome, risk: FloatArray, horizon: float) -> Numbers:
    del horizon  # the slope uses the whole follow-up
    found = calibration_slope(y, risk)
    return found.slope, found.lower, found.upper


def _smooth(y: Outcome, risk: FloatArray, horizon: float) -> Numbers:
    found = calibration_distances(y, risk, horizon=horizon)
    return tuple(
        number
        for name in DISTANCES
        for number in (found[name].value, found[name].lower, found[name].upper)
    )


MEASURES: tuple[tuple[str, tuple[str, ...], Measure], ...] = (
    (
        "observed / expected",
        ("in_the_large", "in_the_large_lower", "in_the_large_upper"),
        _in_the_large,
    ),
    ("slope", ("slope", "slope_lower", "slope_upper"), _slope),
    (
        "smooth curve",
        tuple(name + end for name in DISTANCES for end in ("", "_lower", "_upper")),
        _smooth,
    ),
)


def over_repeats(
    measure: Measure, y: Outcome, risks: FloatArray, horizon: float, *, n_numbers: int = 3
) -> tuple[Numbers, str]:
    """
    Judge every repeat, and average.

    Parameters
    ----------
    measure : callable
        One of `MEASURES`.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risks : ndarray of shape (n_repeats, n_patients)
        One risk per repeat.
    horizon : float
        Days.
    n_numbers : int
        How many numbers `measure` gives.

    Returns
    -------
    values : tuple of float or None
        Mean of each number over the repeats; None if a repeat has none.
    reason : str
        Why the numbers are None.
    """
    try:
        found = [measure(y, risk, horizon) for risk in risks]
    except UndefinedMetricError as error:
        return (None,) * n_numbers, str(error)
    columns = zip(*found, strict=True)
    return tuple(float(np.mean(values)) if None not in values else None for values in columns), ""


def _curve(y: Outcome, risk: FloatArray, horizon: float) -> dict[str, FloatArray] | None:
    try:
        found = calibration_smooth(y, risk, horizon=horizon)
    except UndefinedMetricError:
        return None  # the reason stands beside ICI, which comes from the same curve
    return {"predicted": found.predicted, "observed": found.observed}


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and np.isnan(value) else value
        for key, value in row.items()
    }


def summarise_net_benefit(study: Study) -> list[dict[str, Any]]:
    """
    Summarise the decision curve at the main horizon.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    list of dict
        The score (mean over the repeats) and treating everybody.
    """
    y, risks = predicted_patients(study, study.main_horizon)
    return judged_net_benefit(y, risks, study.main_horizon)


def judged_net_benefit(y: Outcome, risks: FloatArray, horizon: float) -> list[dict[str, Any]]:
    """
    Judge the net benefit of given risks over `THRESHOLDS`.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risks : ndarray of shape (n_repeats, n_patients)
        Risks by the horizon, complete.
    horizon : float
        Days.

    Returns
    -------
    list of dict
        The score (mean over the repeats) and treating everybody.
    """
    curves = [decision_curve(y, risk, horizon=horizon, thresholds=THRESHOLDS) for risk in risks]
    unfollowed = [curve.loc[~curve["followed"], "threshold"].min() for curve in curves]
    models = (("score", SCORE_LABEL, "net_benefit"), ("all", "Treat all", "net_benefit_all"))
    return [
        {
            "model": model,
            "label": label,
            "horizon": horizon,
            "threshold": THRESHOLDS,
            "net_benefit": np.mean([curve[column].to_numpy() for curve in curves], axis=0),
            "reason": _carried_forward(unfollowed) if model == "score" else None,
        }
        for model, label, column in models
    ]


def _carried_forward(unfollowed: list[float]) -> str | None:
    """Say from which threshold on the risk of the positives rests on shorter follow-up."""
    lowest = np.nanmin([*unfollowed, np.inf])
    if not np.isfinite(lowest):
        return None
    return (
        f"from a threshold of {100 * lowest:.3g} % on, no patient with a risk that high is "
        "followed to the horizon: the last known risk of these patients is carried forward"
    )
