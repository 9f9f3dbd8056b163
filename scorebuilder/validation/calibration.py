"""Does the predicted risk come true: the curve in groups, and all measures by their old names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.calibration_slope import (
    CalibrationSlope,
    calibration_slope,
    complementary_log_log,
)
from scorebuilder.validation.in_the_large import CalibrationInTheLarge, calibration_in_the_large
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.smooth_calibration import (
    SmoothCalibration,
    calibration_smooth,
    restricted_cubic_spline,
)

__all__ = [
    "CalibrationInTheLarge",
    "CalibrationSlope",
    "SmoothCalibration",
    "calibration_curve",
    "calibration_in_the_large",
    "calibration_slope",
    "calibration_smooth",
    "complementary_log_log",
    "quantile_groups",
    "restricted_cubic_spline",
]


def calibration_curve(
    y: Outcome, risk: FloatArray, *, horizon: float, groups: int = 10
) -> pd.DataFrame:
    """
    Predicted and observed risk in groups of similar prediction.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    groups : int
        Groups by quantiles of the risk, right-closed. Equal risks stay together, so that few
        distinct risks give fewer groups.

    Returns
    -------
    DataFrame
        Per group ``n``, ``events`` (by the horizon), ``predicted`` (mean risk), ``observed``
        (1 - Kaplan-Meier) with log-log limits ``lower`` and ``upper``, and ``reason`` (None, or
        why the observed risk is NaN).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    index = quantile_groups(prediction, groups)
    rows = []
    for group in np.unique(index):
        members = index == group
        row: dict[str, Any] = {
            "n": int(members.sum()),
            "events": int(np.sum(y["event"][members] & (y["time"][members] <= horizon))),
            "predicted": float(prediction[members].mean()),
            "observed": np.nan,
            "lower": np.nan,
            "upper": np.nan,
            "reason": None,
        }
        try:
            estimate = survival_at(y[members], horizon)
        except UndefinedMetricError as error:
            row["reason"] = str(error)
        else:
            row["observed"] = 1.0 - estimate.survival
            row["lower"], row["upper"] = 1.0 - estimate.upper, 1.0 - estimate.lower
        rows.append(row)
    return pd.DataFrame(rows)


def quantile_groups(values: FloatArray, groups: int) -> IntArray:
    """
    Assign each value to its quantile group, equal values to the same group.

    Parameters
    ----------
    values : ndarray of shape (n_patients,)
        What is grouped.
    groups : int
        Wanted number of groups.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        0 for the lowest; breaks are linearly interpolated quantiles, right-closed.
    """
    breaks = np.unique(np.quantile(values, np.linspace(0.0, 1.0, groups + 1)))
    if breaks.size < 3:
        return np.zeros(values.size, dtype=np.int64)
    return np.asarray(np.searchsorted(breaks[1:-1], values, side="left"), dtype=np.int64)
