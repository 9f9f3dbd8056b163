"""How much the prediction for one patient depends on which patients the model was built from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.calibration import quantile_groups
from scorebuilder.validation.ipcw import censoring_weights

FEWEST_IN_BIN = 5


@dataclass(frozen=True)
class RiskInstability:
    """
    Spread of the risk that rebuilt models give to the same patients.

    Attributes
    ----------
    n_patients, n_replicates : int
        Patients, and rebuilt models.
    mean, median, upper, largest_bin : float
        Mean, median and 95th centile over patients of the mean absolute prediction error,
        and its mean in the bin where it is largest.
    bins : DataFrame
        By ascending risk: ``n``, ``risk`` (mean, of the model itself), ``lower``, ``median``,
        ``upper`` (2.5th, 50th and 97.5th centile of the rebuilt models' risks),
        ``error`` (mean over its patients).
    """

    n_patients: int
    n_replicates: int
    mean: float
    median: float
    upper: float
    largest_bin: float
    bins: pd.DataFrame


@dataclass(frozen=True)
class ClassInstability:
    """
    How often rebuilt models place patients elsewhere.

    Attributes
    ----------
    changed, changed_by_two : float
        Share of predictions in another class, and two or more classes away.
    ever_changed : float
        Share of patients whom at least one rebuilt model places elsewhere.
    n_compared : int
        Predictions compared; those that are undefined are left out.
    """

    changed: float
    changed_by_two: float
    ever_changed: float
    n_compared: int


def risk_instability(
    risk: FloatArray, replicates: FloatArray, *, bins: int = 20, fewest: int = FEWEST_IN_BIN
) -> RiskInstability:
    r"""
    Compare the risk of each patient with what rebuilt models say.

    Parameters
    ----------
    risk : ndarray of shape (n_patients,)
        From the model itself, in [0, 1].
    replicates : ndarray of shape (n_replicates, n_patients)
        From models rebuilt on resampled patients; NaN where there is none.
    bins : int
        Bins of equal size by `risk`, fewer if they would hold less than `fewest` patients.
    fewest : int
        Patients in the smallest bin, so that no row tells of a single patient.

    Returns
    -------
    RiskInstability
        Aggregates only.

    Raises
    ------
    UndefinedMetricError
        With fewer than two models, too few patients, or patients without a rebuilt prediction.
    ValueError
        If shapes differ.

    Notes
    -----
    :math:`e_i = \frac{1}{B} \sum_b |\hat p_{bi} - \hat p_i|` [1]_. It holds the
    instability of everything that was rebuilt, selection and shapes included.

    References
    ----------
    .. [1] Riley RD, Collins GS. Stability of clinical prediction models developed using statistical
       or machine learning methods. Biom J 2023;65:2200302.
    """
    risk, replicates = _checked(risk, replicates)
    if risk.size < fewest:
        message = f"{risk.size} patients are too few to be shown without showing one of them"
        raise UndefinedMetricError(message)
    if not np.isfinite(risk).all() or np.isnan(replicates).all(axis=0).any():
        message = "some patients have no prediction"
        raise UndefinedMetricError(message)
    error = np.nanmean(np.abs(replicates - risk), axis=0)
    group = quantile_groups(risk, max(1, min(bins, risk.size // fewest)))
    rows = []
    for members in _large_enough(group, fewest):
        again = replicates[:, members]
        low, middle, high = np.nanquantile(again, [0.025, 0.5, 0.975])
        rows.append(
            {
                "n": int(members.sum()),
                "risk": float(risk[members].mean()),
                "lower": float(low),
                "median": float(middle),
                "upper": float(high),
                "error": float(error[members].mean()),
            }
        )
    table = pd.DataFrame(rows)
    return RiskInstability(
        n_patients=risk.size,
        n_replicates=len(replicates),
        mean=float(error.mean()),
        median=float(np.median(error)),
        upper=float(np.quantile(error, 0.95)),
        largest_bin=float(table["error"].max()),
        bins=table,
    )


def class_instability(classes: FloatArray, replicates: FloatArray) -> ClassInstability:
    """
    Count patients whom rebuilt models give other points, another group or another side.

    Parameters
    ----------
    classes : ndarray of shape (n_patients,)
        Points, number of the group, or 0 and 1 for either side of a threshold.
    replicates : ndarray of shape (n_replicates, n_patients)
        The same from rebuilt models; NaN where there is none.

    Returns
    -------
    ClassInstability
        Shares.

    Raises
    ------
    UndefinedMetricError
        If nothing can be compared.
    """
    classes, replicates = _checked(classes, replicates)
    known = ~np.isnan(replicates) & ~np.isnan(classes)
    if not known.any():
        message = "no patient was placed by both the model and a rebuilt one"
        raise UndefinedMetricError(message)
    moved = np.abs(np.where(known, replicates - classes, 0.0))
    compared = known.any(axis=0)
    return ClassInstability(
        changed=float((moved >= 1).sum() / known.sum()),
        changed_by_two=float((moved >= 2).sum() / known.sum()),
        ever_changed=float((moved.max(axis=0) >= 1)[compared].mean()),
        n_compared=int(known.sum()),
    )


def calibration_instability(
    y: Outcome, replicates: FloatArray, *, horizon: float, groups: int = 10
) -> pd.DataFrame:
    r"""
    Observed risk of the original patients in groups by each rebuilt model's risk.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the original patients.
    replicates : ndarray of shape (n_replicates, n_patients)
        Risks by `horizon` from rebuilt models; patients with NaN are left out of that model's
        curve.
    horizon : float
        In the unit of `y`.
    groups : int
        Groups of equal size.

    Returns
    -------
    DataFrame
        ``replicate`` (from 0), ``group`` (from 0), ``n``, ``predicted`` (mean risk), ``observed``.

    Notes
    -----
    Observed risk is :math:`\sum_i a_i / \sum_i (a_i + b_i)` over the group, with the weights
    :math:`a_i = 1 / G(T_i-)` of those with the event by the horizon and :math:`b_i = 1/G(t)` of
    those followed beyond it; censoring is taken as independent of the risk. G is estimated once,
    from all patients.
    """
    replicates = np.atleast_2d(np.asarray(replicates, dtype=np.float64))
    weights = censoring_weights(None, y, horizon=horizon)
    rows = []
    for number, risk in enumerate(replicates):
        known = np.flatnonzero(~np.isnan(risk))
        if known.size == 0:
            continue
        group = quantile_groups(risk[known], groups)
        for place, members in enumerate(_large_enough(group, FEWEST_IN_BIN)):
            patients = known[members]
            cases = float(weights.case[patients].sum())
            total = cases + float(weights.control[patients].sum())
            rows.append(
                {
                    "replicate": number,
                    "group": place,
                    "n": patients.size,
                    "predicted": float(risk[patients].mean()),
                    "observed": cases / total if total > 0 else np.nan,
                }
            )
    return pd.DataFrame(rows, columns=["replicate", "group", "n", "predicted", "observed"])


def _checked(one: FloatArray, replicates: FloatArray) -> tuple[FloatArray, FloatArray]:
    one = np.asarray(one, dtype=np.float64)
    replicates = np.asarray(replicates, dtype=np.float64)
    if one.ndim != 1 or replicates.ndim != 2 or replicates.shape[1] != one.size:
        message = f"`replicates` must have shape (n_replicates, {one.size}); got {replicates.shape}"
        raise ValueError(message)
    if len(replicates) < 2:
        message = "one rebuilt model says nothing of instability; at least two are needed"
        raise UndefinedMetricError(message)
    return one, replicates


def _large_enough(group: IntArray, fewest: int) -> list[BoolArray]:
    """Mask groups in ascending order, a small one with the next; the last with the one before."""
    masks: list[BoolArray] = []
    waiting = np.zeros(group.size, dtype=np.bool_)
    for number in np.unique(group):
        waiting = waiting | (group == number)
        if waiting.sum() >= fewest:
            masks.append(waiting)
            waiting = np.zeros(group.size, dtype=np.bool_)
    if waiting.any():
        if masks:
            masks[-1] = masks[-1] | waiting
        else:
            masks.append(waiting)
    return masks
