"""Robust covariance of a model of the subdistribution hazard."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.outcome import check_outcome, ended_outcome
from scorebuilder.validation.cox_likelihood import CoxLikelihood


def subdistribution_covariance(
    design: FloatArray, y: Outcome, coefficient: FloatArray, *, competing: BoolArray
) -> FloatArray:
    r"""
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
        Sandwich estimate.

    Notes
    -----
    :math:`I^{-1} \sum_i (\eta_i + \psi_i)(\eta_i + \psi_i)^\top I^{-1}` with

    .. math:: \eta_i = \sum_v (x_i - \bar x(v))\, w_i(v)\, dM_i(v), \quad
       \psi_i = \sum_u \frac{q(u)}{Y(u)}\, dM^c_i(u)

    where q(u) gathers what the weights of all patients who linger at u contribute later. [1]_

    References
    ----------
    .. [1] Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing
       risk. J Am Stat Assoc 1999;94:496-509, section 3.
    """
    event, time = check_outcome(y)
    design = design - design.mean(axis=0)
    likelihood = CoxLikelihood(design, y, competing=competing)
    point = likelihood.at(coefficient)
    times, jumps, means = likelihood.times, point.jumps, point.means
    hazard_ratio = np.exp(design @ coefficient)
    ended = ended_outcome(y, competing)
    uncensored = CensoringDistribution().fit(ended).survival_
    at_events = uncensored.before(times)
    weight = np.where(competing, 1.0 / np.maximum(uncensored.before(time), 1e-300), 0.0)

    reached = np.searchsorted(times, time, side="right")
    plain, plain_mean = _total(jumps), _total(jumps[:, None] * means)
    late, late_mean = _total(jumps * at_events), _total((jumps * at_events)[:, None] * means)
    compensator = design * plain[reached][:, None] - plain_mean[reached]
    lingering = design * (late[-1] - late[reached])[:, None] - (late_mean[-1] - late_mean[reached])
    eta = -hazard_ratio[:, None] * (compensator + weight[:, None] * lingering)
    own = np.searchsorted(times, time[event])
    eta[event] += design[event] - means[own]

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
    influence = eta + psi
    inverse = np.linalg.inv(point.information)
    return np.asarray(inverse @ (influence.T @ influence) @ inverse, dtype=np.float64)


def _total(values: FloatArray) -> FloatArray:
    """Sum the values before each event time, and all of them."""
    zero = np.zeros((1, *values.shape[1:]))
    return np.concatenate([zero, np.cumsum(values, axis=0)])
