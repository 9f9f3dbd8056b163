"""How much of the likelihood a prediction explains, alone and beside another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.cox_likelihood import CoxLikelihood, Ties, null_log_likelihood
from scorebuilder.validation.explained_variation import gini_mean_difference
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.recalibration_fit import fit_cox

_RANK_LIMIT = 1e-10


@dataclass(frozen=True)
class LikelihoodIndexes:
    """
    Indexes of a Cox model on a prediction.

    Attributes
    ----------
    log_likelihood, null_log_likelihood : float
        At the maximum, and without covariates.
    lr_chi2, lr_p : float
        Likelihood ratio test; P is 1 if nothing is fitted.
    df : int
        Columns that count: constant or linearly dependent ones do not.
    r2_cox_snell, r2_nagelkerke, r2_oquigley : float
        1 - exp(-LR / n); that divided by its largest value; 1 - exp(-LR / events).
    aic, bic : float
        With 2, and with log(events), for each column.
    """

    log_likelihood: float
    null_log_likelihood: float
    lr_chi2: float
    lr_p: float
    df: int
    r2_cox_snell: float
    r2_nagelkerke: float
    r2_oquigley: float
    aic: float
    bic: float


@dataclass(frozen=True)
class NestedLikelihood:
    """
    Two nested sets of covariates.

    Attributes
    ----------
    small, large : LikelihoodIndexes
        Without and with the added columns.
    delta_chi2, p : float
        Likelihood ratio test of the added columns; P is 1 if they add no dimension.
    df : int
        Dimensions that they add.
    adequacy : float or None
        LR of the small over LR of the large model; None if the large one explains nothing.
    """

    small: LikelihoodIndexes
    large: LikelihoodIndexes
    delta_chi2: float
    p: float
    df: int
    adequacy: float | None


@dataclass(frozen=True)
class RecalibrationIndexes:
    """
    Discrimination and unreliability of a linear predictor.

    Attributes
    ----------
    d_index : float
        (LR - 1) / (-2 log likelihood without covariates): discrimination.
    u_index : float
        2 (l(slope) - l(1)) over the same: what recalibration of the slope would gain.
    q_index : float
        d_index - u_index.
    g_index : float
        Gini's mean difference of the recalibrated linear predictor.
    """

    d_index: float
    u_index: float
    q_index: float
    g_index: float


def likelihood_indexes(
    y: Outcome, covariates: FloatArray, *, ties: Ties = "efron"
) -> LikelihoodIndexes:
    """
    Likelihood ratio, R2 and information criteria of a Cox model.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    covariates : ndarray of shape (n_patients,) or (n_patients, n_columns)
        A linear predictor, several, or covariates.
    ties : {"efron", "breslow"}
        Handling of tied events.

    Returns
    -------
    LikelihoodIndexes
        Constant covariates give a likelihood ratio of 0.

    Raises
    ------
    UndefinedMetricError
        Without an event, or without a finite maximum.

    References
    ----------
    .. [1] Nagelkerke NJD. A note on a general definition of the coefficient of determination.
       Biometrika 1991;78:691-2.
    .. [2] O'Quigley J, Xu R, Stare J. Explained randomness in proportional hazards models. Stat Med
       2005;24:479-89.
    """
    design = independent_columns(_columns(y, covariates))
    n, n_events = len(y), int(y["event"].sum())
    if n_events == 0:
        message = "no patient has the event"
        raise UndefinedMetricError(message)
    null = null_log_likelihood(y, ties=ties)
    df = design.shape[1]
    value = fit_cox(design, y, ties=ties)[2] if df else null
    ratio = max(2.0 * (value - null), 0.0)
    explained = -float(np.expm1(-ratio / n))
    largest = -float(np.expm1(2.0 * null / n))
    return LikelihoodIndexes(
        value,
        null,
        ratio,
        float(chi2.sf(ratio, df)) if df else 1.0,
        df,
        explained,
        explained / largest if largest > 0.0 else 0.0,
        -float(np.expm1(-ratio / n_events)),
        2.0 * df - 2.0 * value,
        float(np.log(n_events)) * df - 2.0 * value,
    )


def nested_likelihood(
    y: Outcome, small: FloatArray, added: FloatArray, *, ties: Ties = "efron"
) -> NestedLikelihood:
    """
    Tell what covariates add to others.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    small, added : ndarray of shape (n_patients,) or (n_patients, n_columns)
        What is there, and what is added to it.
    ties : {"efron", "breslow"}
        Handling of tied events.

    Returns
    -------
    NestedLikelihood
        Columns that depend linearly on the others add nothing.

    Raises
    ------
    UndefinedMetricError
        Without an event, or without a finite maximum.

    References
    ----------
    .. [1] Harrell FE. Regression modeling strategies. 2nd ed. Springer; 2015, section 9.8.
    """
    before, after = _columns(y, small), _columns(y, added)
    first = likelihood_indexes(y, before, ties=ties)
    second = likelihood_indexes(y, np.column_stack([before, after]), ties=ties)
    df = second.df - first.df
    gain = max(2.0 * (second.log_likelihood - first.log_likelihood), 0.0) if df else 0.0
    p = float(chi2.sf(gain, df)) if df else 1.0
    adequacy = first.lr_chi2 / second.lr_chi2 if second.lr_chi2 > 0.0 else None
    return NestedLikelihood(first, second, gain, p, df, adequacy)


def recalibration_indexes(y: Outcome, linear_predictor: FloatArray) -> RecalibrationIndexes:
    """
    Indexes of discrimination, unreliability and quality.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    linear_predictor : ndarray of shape (n_patients,)
        Log hazard ratio of the model judged.

    Returns
    -------
    RecalibrationIndexes
        Larger is better, but for unreliability.

    Raises
    ------
    UndefinedMetricError
        Without an event, with constant predictions, without a finite maximum, or if the likelihood
        cannot be improved.

    References
    ----------
    .. [1] Harrell FE. Regression modeling strategies. 2nd ed. Springer; 2015, section 20.11.
    """
    predictor = check_predictions(y, linear_predictor)
    coefficient, _, value = fit_cox(predictor[:, None], y)
    likelihood = CoxLikelihood(predictor[:, None], y)
    null, at_one = null_log_likelihood(y), likelihood.at(np.ones(1)).value
    if null == 0.0:
        message = "only one patient is at risk at every event: the likelihood is 1"
        raise UndefinedMetricError(message)
    d_index = (2.0 * (value - null) - 1.0) / (-2.0 * null)
    u_index = 2.0 * (value - at_one) / (-2.0 * null)
    g_index = gini_mean_difference(predictor * coefficient[0])
    return RecalibrationIndexes(d_index, u_index, d_index - u_index, g_index)


def independent_columns(design: FloatArray) -> FloatArray:
    """
    Keep the columns that are not constant nor depend linearly on those before.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Covariates.

    Returns
    -------
    ndarray of shape (n_patients, n_kept)
        In the same order.
    """
    kept: list[int] = []
    basis = np.empty((design.shape[0], 0))
    for column in range(design.shape[1]):
        values = design[:, column] - design[:, column].mean()
        length = float(np.linalg.norm(values))
        if length <= 1e-12 * float(np.abs(design[:, column]).max(initial=0.0)) * len(design) ** 0.5:
            continue
        rest = values / length
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        left = float(np.linalg.norm(rest))
        if left > _RANK_LIMIT:
            kept.append(column)
            basis = np.column_stack([basis, rest / left])
    return design[:, kept]


def _columns(y: Outcome, covariates: FloatArray) -> FloatArray:
    values = np.asarray(covariates, dtype=np.float64)
    if values.ndim == 1:
        values = values[:, None]
    return np.column_stack([check_predictions(y, column) for column in values.T])
