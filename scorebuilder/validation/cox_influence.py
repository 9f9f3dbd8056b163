"""What each patient contributes to a Cox model, also of the subdistribution hazard."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.outcome import check_outcome, ended_outcome
from scorebuilder.validation.cox_likelihood import CoxLikelihood


def subdistribution_covariance(
    design: FloatArray, y: Outcome, coefficient: FloatArray, *, competing: BoolArray
) -> FloatArray:
    """
    Covariance of the coefficients with the estimation of the censoring distribution.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Covariates.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    coefficient : ndarray of shape (n_columns,)
        At the maximum.
    competing : ndarray of bool of shape (n_patients,)
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
        Sandwich estimate: sum of the products of `cox_influence`.
    """
    influence = cox_influence(design, y, coefficient, competing=competing)
    return np.asarray(influence.T @ influence, dtype=np.float64)


def cox_influence(
    design: FloatArray,
    y: Outcome,
    coefficient: FloatArray,
    *,
    competing: BoolArray | None = None,
    horizon: float | None = None,
) -> FloatArray:
    r"""
    Derive the coefficients, and the baseline hazard, by the weight of each patient.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Covariates.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    coefficient : ndarray of shape (n_columns,)
        At the maximum.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.
    horizon : float, optional
        Adds a column for the logarithm of the cumulative hazard by then, of a patient with the
        mean covariates; an event must be seen by then.

    Returns
    -------
    ndarray of shape (n_patients, n_columns) or (n_patients, n_columns + 1)
        The sum of the products of its columns is their covariance, which holds also where hazards
        are not proportional.

    Notes
    -----
    :math:`I^{-1} (\eta_i + \psi_i)` with

    .. math:: \eta_i = \sum_v (x_i - \bar x(v))\, w_i(v)\, dM_i(v), \quad
       \psi_i = \sum_u \frac{q(u)}{Y(u)}\, dM^c_i(u)

    where q(u) gathers what the weights of all patients who linger at u contribute later. [1]_ The
    cumulative hazard has :math:`1 / S_0(v)` up to the horizon in the place of
    :math:`x_i - \bar x(v)`, and :math:`-\int \bar x\, d\Lambda_0` times the derivatives of the
    coefficients.

    References
    ----------
    .. [1] Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing
       risk. J Am Stat Assoc 1999;94:496-509, section 3.
    """
    check_outcome(y)
    center, scale = design.mean(axis=0), design.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    design, coefficient = (design - center) / scale, coefficient * scale
    likelihood = CoxLikelihood(design, y, competing=competing)
    point = likelihood.at(coefficient)
    times, means = likelihood.times, point.means
    hazard_ratio = np.exp(design @ coefficient)
    inverse = np.linalg.inv(point.information)
    if horizon is None:
        scores = _scores(design, means, times, point.jumps, hazard_ratio, y, competing)
        return np.asarray(scores @ inverse / scale, dtype=np.float64)
    early = times <= horizon
    n_events = np.bincount(np.searchsorted(times, y["time"][y["event"]]), minlength=times.size)
    per_event = np.where(early, point.jumps / n_events, 0.0)
    wider = np.column_stack([design, np.zeros(len(design))])
    scores = _scores(
        wider, np.column_stack([means, -per_event]), times, point.jumps, hazard_ratio, y, competing
    )
    coefficients = scores[:, :-1] @ inverse
    shift = (point.jumps[early, None] * means[early]).sum(axis=0)
    hazard = scores[:, -1] - coefficients @ shift
    return np.column_stack([coefficients / scale, hazard / point.jumps[early].sum()])


def _scores(
    design: FloatArray,
    means: FloatArray,
    times: FloatArray,
    jumps: FloatArray,
    hazard_ratio: FloatArray,
    y: Outcome,
    competing: BoolArray | None,
) -> FloatArray:
    """Sum `design` minus `means` over each patient's martingale; shape (n_patients, n_columns)."""
    event, time = y["event"], y["time"]
    reached = np.searchsorted(times, time, side="right")
    plain, plain_mean = _total(jumps), _total(jumps[:, None] * means)
    compensator = design * plain[reached][:, None] - plain_mean[reached]
    eta = -hazard_ratio[:, None] * compensator
    own = np.searchsorted(times, time[event])
    eta[event] += design[event] - means[own]
    if competing is None:
        return np.asarray(eta, dtype=np.float64)

    uncensored = CensoringDistribution().fit(ended_outcome(y, competing)).survival_
    at_events = uncensored.before(times)
    weight = np.where(competing, 1.0 / np.maximum(uncensored.before(time), 1e-300), 0.0)
    late, late_mean = _total(jumps * at_events), _total((jumps * at_events)[:, None] * means)
    lingering = design * (late[-1] - late[reached])[:, None] - (late_mean[-1] - late_mean[reached])
    eta -= (hazard_ratio * weight)[:, None] * lingering

    distinct, index = np.unique(time, return_inverse=True)
    at_risk = np.cumsum(np.bincount(index, minlength=distinct.size)[::-1])[::-1]
    censored = ~(event | competing)
    n_censored = np.bincount(index[censored], minlength=distinct.size)
    # lingering patients before u, and the hazard from u on
    linger = np.zeros((distinct.size, design.shape[1] + 1))
    np.add.at(
        linger,
        index,
        (hazard_ratio * weight)[:, None] * np.column_stack([np.ones(time.size), design]),
    )
    before = _total(linger)[:-1]
    first = np.searchsorted(times, distinct, side="right")
    remaining, remaining_mean = late[-1] - late[first], late_mean[-1] - late_mean[first]
    q = before[:, 1:] * remaining[:, None] - before[:, :1] * remaining_mean
    share = q / at_risk[:, None]
    psi = -np.cumsum(share * (n_censored / at_risk)[:, None], axis=0)[index]
    psi[censored] += share[index[censored]]
    return np.asarray(eta + psi, dtype=np.float64)


def _total(values: FloatArray) -> FloatArray:
    """Sum the values before each event time, and all of them."""
    zero = np.zeros((1, *values.shape[1:]))
    return np.concatenate([zero, np.cumsum(values, axis=0)])
