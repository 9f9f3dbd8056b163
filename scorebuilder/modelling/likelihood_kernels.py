"""Compiled passes over sorted rows: linear predictor, likelihood, score, information."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.core.kernels import kernel


@kernel
def predictor_of(X: FloatArray, coef: FloatArray, offset: FloatArray) -> FloatArray:
    """
    Compute offset plus design times coefficients, four rows at a time.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Sorted design, in C order.
    coef : ndarray of shape (n_columns,)
        Coefficients.
    offset : ndarray of shape (n_rows,)
        Known part of the linear predictor.

    Returns
    -------
    ndarray of shape (n_rows,)
        Linear predictor.
    """
    n_rows, p = X.shape
    eta = offset.copy()
    blocked = n_rows - n_rows % 4
    for i in range(0, blocked, 4):
        e0 = e1 = e2 = e3 = 0.0
        for j in range(p):
            e0 += X[i, j] * coef[j]
            e1 += X[i + 1, j] * coef[j]
            e2 += X[i + 2, j] * coef[j]
            e3 += X[i + 3, j] * coef[j]
        eta[i] += e0
        eta[i + 1] += e1
        eta[i + 2] += e2
        eta[i + 3] += e3
    for i in range(blocked, n_rows):
        for j in range(p):
            eta[i] += X[i, j] * coef[j]
    return eta


@kernel
def hazard_pass(
    eta: FloatArray,
    weight: FloatArray,
    start: IntArray,
    n_events: IntArray,
    stratum_end: BoolArray,
    efron: bool,
    risk: FloatArray,
    expected: FloatArray,
    moments: FloatArray,
) -> float:
    """
    Compute the log partial likelihood, and fill `risk`, `expected` and `moments`.

    Parameters
    ----------
    eta : ndarray of shape (n_rows,)
        Linear predictor.
    weight : ndarray of shape (n_rows,)
        Case weights.
    start : ndarray of int of shape (n_groups + 1,)
        First row of each group.
    n_events : ndarray of int of shape (n_groups,)
        Events of each group, which are its first rows.
    stratum_end : ndarray of bool of shape (n_groups,)
        True for the last group of a stratum.
    efron : bool
        Efron's handling of ties; otherwise Breslow's.
    risk : ndarray of shape (n_rows,)
        Case weight times hazard ratio.
    expected : ndarray of shape (n_rows,)
        Expected events: `risk` times the cumulative hazard at the end of follow-up.
    moments : ndarray of shape (n_groups, 3)
        Sums of w f^k / (S0 - f E0)^2 for k = 0, 1, 2 over the tied events, f = l/d (Efron) or 0.

    Returns
    -------
    float
        Log partial likelihood; minus infinity when hazard ratios leave the floating-point range.
    """
    n_groups = n_events.shape[0]
    hazard = np.zeros(n_groups)
    relief = np.zeros(n_groups)
    top = -np.inf
    for i in range(eta.shape[0]):
        top = max(top, eta[i])
    value = 0.0
    total = 0.0
    for g in range(n_groups - 1, -1, -1):
        if stratum_end[g]:
            total = 0.0
        tied = 0.0
        event_weight = 0.0
        d = n_events[g]
        middle = start[g] + d
        for i in range(start[g], middle):
            risk[i] = weight[i] * np.exp(eta[i] - top)
            tied += risk[i]
            event_weight += weight[i]
            value += weight[i] * (eta[i] - top)
        rest = 0.0
        for i in range(middle, start[g + 1]):
            risk[i] = weight[i] * np.exp(eta[i] - top)
            rest += risk[i]
        total += tied + rest
        moments[g, 0] = 0.0
        moments[g, 1] = 0.0
        moments[g, 2] = 0.0
        steps = d if efron else 1
        share = event_weight / steps
        for step in range(steps):
            f = step / d
            denominator = total - f * tied
            if not (denominator > 0.0):
                return -np.inf
            value -= share * np.log(denominator)
            part = share / denominator
            hazard[g] += part
            relief[g] += part * f
            square = part / denominator
            moments[g, 0] += square
            moments[g, 1] += square * f
            moments[g, 2] += square * f * f
    cumulative = 0.0
    for g in range(n_groups):
        cumulative += hazard[g]
        middle = start[g] + n_events[g]
        for i in range(start[g], middle):
            expected[i] = risk[i] * (cumulative - relief[g])
        for i in range(middle, start[g + 1]):
            expected[i] = risk[i] * cumulative
        if stratum_end[g]:
            cumulative = 0.0
    return value


@kernel
def score_vector(
    X: FloatArray, expected: FloatArray, weight: FloatArray, start: IntArray, n_events: IntArray
) -> FloatArray:
    """
    Compute the gradient: design times (observed minus expected events).

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Sorted design, in C order.
    expected : ndarray of shape (n_rows,)
        Expected events: `risk` times the cumulative hazard at the end of follow-up.
    weight : ndarray of shape (n_rows,)
        Case weights.
    start : ndarray of int of shape (n_groups + 1,)
        First row of each group.
    n_events : ndarray of int of shape (n_groups,)
        Events of each group, which are its first rows.

    Returns
    -------
    ndarray of shape (n_columns,)
        Gradient.
    """
    n_columns = X.shape[1]
    score = np.zeros(n_columns)
    for g in range(n_events.shape[0]):
        middle = start[g] + n_events[g]
        for i in range(start[g], start[g + 1]):
            residual = weight[i] - expected[i] if i < middle else -expected[i]
            for j in range(n_columns):
                score[j] += residual * X[i, j]
    return score


@kernel
def information_matrix(
    X: FloatArray,
    risk: FloatArray,
    expected: FloatArray,
    moments: FloatArray,
    start: IntArray,
    n_events: IntArray,
    stratum_end: BoolArray,
) -> FloatArray:
    """
    Compute minus the second derivative: weighted cross products minus those of the means.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Sorted design, in C order.
    risk : ndarray of shape (n_rows,)
        Case weight times hazard ratio.
    expected : ndarray of shape (n_rows,)
        Expected events: `risk` times the cumulative hazard at the end of follow-up.
    moments : ndarray of shape (n_groups, 3)
        Sums of w f^k / (S0 - f E0)^2 for k = 0, 1, 2 over the tied events, f = l/d (Efron) or 0.
    start : ndarray of int of shape (n_groups + 1,)
        First row of each group.
    n_events : ndarray of int of shape (n_groups,)
        Events of each group, which are its first rows.
    stratum_end : ndarray of bool of shape (n_groups,)
        True for the last group of a stratum.

    Returns
    -------
    ndarray of shape (n_columns, n_columns)
        Symmetric, positive semidefinite.

    Notes
    -----
    Cross products weighted by `expected`, minus those of the risk-set means.
    """
    n_rows, p = X.shape
    information = np.zeros((p, p))
    blocked = n_rows - n_rows % 4
    for i in range(0, blocked, 4):
        for j in range(p):
            v0 = expected[i] * X[i, j]
            v1 = expected[i + 1] * X[i + 1, j]
            v2 = expected[i + 2] * X[i + 2, j]
            v3 = expected[i + 3] * X[i + 3, j]
            for k in range(j + 1):
                information[j, k] += (v0 * X[i, k] + v1 * X[i + 1, k]) + (
                    v2 * X[i + 2, k] + v3 * X[i + 3, k]
                )
    for i in range(blocked, n_rows):
        for j in range(p):
            v0 = expected[i] * X[i, j]
            for k in range(j + 1):
                information[j, k] += v0 * X[i, k]
    total = np.zeros(p)
    tied = np.zeros(p)
    for g in range(n_events.shape[0] - 1, -1, -1):
        if stratum_end[g]:
            total[:] = 0.0
        tied[:] = 0.0
        middle = start[g] + n_events[g]
        for i in range(start[g], middle):
            for k in range(p):
                tied[k] += risk[i] * X[i, k]
        for i in range(middle, start[g + 1]):
            for k in range(p):
                total[k] += risk[i] * X[i, k]
        for k in range(p):
            total[k] += tied[k]
        c0, c1, c2 = moments[g]
        for j in range(p):
            by_total = c0 * total[j] - c1 * tied[j]
            for k in range(j + 1):
                information[j, k] -= by_total * total[k]
            if c1 != 0.0:
                by_tied = c2 * tied[j] - c1 * total[j]
                for k in range(j + 1):
                    information[j, k] -= by_tied * tied[k]
    for j in range(p):
        for k in range(j):
            information[k, j] = information[j, k]
    return information
