"""What further columns add to a Cox model: likelihood ratio test, adequacy, hazard ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.normal import Z_95
from scorebuilder.modelling.cox import CoxRegression


@dataclass(frozen=True)
class NestedModels:
    """
    A Cox model and a larger one that holds all of its columns, fitted to the same patients.

    Attributes
    ----------
    chi2_old, chi2_new : float
        Likelihood ratio chi-squared of each against no column at all.
    df_old, df_new : int
        Their columns.
    delta : float
        Likelihood ratio chi-squared of the added columns.
    p : float or None
        Its P with ``df_new - df_old`` degrees of freedom; None if nothing was added.
    adequacy : float or None
        Share of the larger model's chi-squared that the smaller one has, in [0, 1].
    reason : str or None
        Why `p` or `adequacy` is None.
    """

    chi2_old: float
    chi2_new: float
    df_old: int
    df_new: int
    delta: float
    p: float | None
    adequacy: float | None
    reason: str | None


def compare_nested(old: CoxRegression | None, new: CoxRegression) -> NestedModels:
    r"""
    Likelihood ratio test of the columns that `new` has and `old` has not.

    Parameters
    ----------
    old : CoxRegression or None
        Fitted; None is the model without columns.
    new : CoxRegression
        Fitted to the same patients, with all columns of `old`.

    Returns
    -------
    NestedModels
        Apparent: both models are judged on the patients that they were fitted to.

    Raises
    ------
    ValueError
        If `new` lacks a column of `old`, or their null likelihoods differ, so that they were not
        fitted to the same patients.

    Notes
    -----
    .. math:: \Delta\chi^2 = 2(\ell_1 - \ell_0), \qquad
       A = \frac{\ell_{0} - \ell_{\varnothing}}{\ell_{1} - \ell_{\varnothing}}

    The adequacy index A [1]_ is the share of the prognostic information of the larger model that
    the smaller one holds: 1 - A is what only the added columns know.

    References
    ----------
    .. [1] Califf RM, Phillips HR, Hindman MC, Mark DB, Lee KL, Behar VS, et al. Prognostic value of
       a coronary artery jeopardy score. J Am Coll Cardiol 1985;5:1055-63.
    """
    null = float(new.null_log_likelihood_)
    chi2_new = 2.0 * (float(new.log_likelihood_) - null)
    chi2_old, df_old = 0.0, 0
    if old is not None:
        lacking = sorted(set(old.coef_.index) - set(new.coef_.index))
        if lacking:
            message = f"`new` must hold all columns of `old`; it lacks {', '.join(lacking)}"
            raise ValueError(message)
        if not np.isclose(old.null_log_likelihood_, null, rtol=1e-9):
            message = "`old` and `new` must be fitted to the same patients"
            raise ValueError(message)
        chi2_old, df_old = 2.0 * (float(old.log_likelihood_) - null), len(old.coef_)
    delta, df = chi2_new - chi2_old, len(new.coef_) - df_old
    reasons = []
    p = float(chi2.sf(max(delta, 0.0), df)) if df else None
    if p is None:
        reasons.append("no column was added")
    adequacy = min(chi2_old / chi2_new, 1.0) if chi2_new > 0.0 else None
    if adequacy is None:
        reasons.append("the larger model holds no information")
    return NestedModels(
        chi2_old, chi2_new, df_old, len(new.coef_), delta, p, adequacy, "; ".join(reasons) or None
    )


@dataclass(frozen=True)
class HazardRatio:
    """
    Adjusted hazard ratio of one column.

    Attributes
    ----------
    column : str
        The column.
    per : {"unit", "SD"}
        For which difference.
    step : float
        That difference in the unit of the column.
    value, lower, upper : float
        Estimate and 95 % limits (Wald).
    p : float
        Two-sided P (Wald); the same for any step.
    """

    column: str
    per: str
    step: float
    value: float
    lower: float
    upper: float
    p: float


def hazard_ratios(model: CoxRegression, column: str, values: FloatArray) -> list[HazardRatio]:
    r"""
    Hazard ratio of a column beside the others, per unit and per standard deviation.

    Parameters
    ----------
    model : CoxRegression
        Fitted.
    column : str
        One of its columns.
    values : ndarray of shape (n_patients,)
        The column in the fitted patients.

    Returns
    -------
    list of HazardRatio
        Per unit; and per standard deviation (divisor n - 1), unless the column is an indicator.

    Notes
    -----
    .. math:: \mathrm{HR}(d) = \exp\{d (\hat\beta \pm 1.96\, \mathrm{se})\}
    """
    coef = float(model.coef_[column])
    error = float(np.sqrt(model.covariance_.loc[column, column]))
    p = float(2.0 * norm.sf(abs(coef) / error))
    steps = {"unit": 1.0}
    if np.unique(values).size > 2:
        steps["SD"] = float(np.std(values, ddof=1))
    return [
        HazardRatio(column, per, step, *_limits(coef, error, step), p)
        for per, step in steps.items()
    ]


def _limits(coef: float, error: float, step: float) -> tuple[float, float, float]:
    low, high = coef - Z_95 * error, coef + Z_95 * error
    with np.errstate(over="ignore"):
        found = np.exp(step * np.array([coef, low, high]))
    return float(found[0]), float(found[1]), float(found[2])
