"""Two made-up patients who are plausible: typical of many at a lower and at a higher risk."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import FloatArray

BANDS = ((15, 35), (65, 85))
"""Centiles of the linear predictor between which the typical patients lie."""


def typical_patients(X: pd.DataFrame, linear_predictor: FloatArray) -> list[dict[str, Any]]:
    """
    Make up patients out of many: values drawn one by one may contradict one another.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Predictors of the score; factors as categories.
    linear_predictor : ndarray of shape (n_patients,)
        NaN for patients without one.

    Returns
    -------
    list of dict
        For each of `BANDS` the median of every number, rounded to the decimals of the cohort, and
        the most frequent level of every factor among its patients. A band with fewer than
        `SMALLEST_CELL` known values of a predictor has no patient; the same patient comes once.
    """
    found: list[dict[str, Any]] = []
    known = ~np.isnan(linear_predictor)
    for band in BANDS:
        low, high = np.percentile(linear_predictor[known], band)
        inside = known & (linear_predictor >= low) & (linear_predictor <= high)
        patient = {name: _typical(X[name], X.loc[inside, name].dropna()) for name in X}
        if None not in patient.values() and patient not in found:
            found.append(patient)
    return found


def _typical(column: pd.Series, values: pd.Series) -> Any:
    if len(values) < SMALLEST_CELL:
        return None
    if column.dtype.kind == "f":
        return rounded(column, float(values.median()))
    return str(values.value_counts(sort=True).index[0])


def rounded(column: pd.Series, value: float) -> float:
    """
    Round a made-up number to the decimals of the cohort: nobody has 8.5 lymph nodes.

    Parameters
    ----------
    column : Series of shape (n_patients,)
        Measured values.
    value : float
        The number.

    Returns
    -------
    float
        With as many decimals as the values have, if they have at most three.
    """
    known = column.dropna().to_numpy()
    digits = next((d for d in range(4) if np.allclose(known, known.round(d), atol=1e-9)), None)
    return value if digits is None else round(value, digits)
