"""Compiled passes over sorted rows: linear predictor, likelihood, score, information, factors."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray
from scorebuilder.core.kernels import kernel


@kernel
def predictor_of(X: FloatArray, coef: FloatArray, offset: FloatArray) -> FloatArray:
    """Compute offset plus design times coefficients, four rows at a time."""
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
    Compute the log partial likelihood and each row's expected events.

    Fills `risk` (weight times hazard ratio), `expected` (risk times the cumulative hazard at the
    end of follow-up) and `moments` (n_groups, 3): sums of w f^k / (S0 - f E0)^2 for k = 0, 1, 2,
    where f = l/d runs over the tied events (f = 0 for Breslow). Minus infinity when the hazard
    ratios are too far apart for floating point.
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
    """Compute the gradient: design times (observed minus expected events)."""
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
    """Compute minus the second derivative: weighted cross products minus those of the means."""
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


@kernel
def factorise(information: FloatArray, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Factor into L D L' in column order; D is 0 for aliased columns."""
    p = information.shape[0]
    lower = information.copy()
    pivots = np.zeros(p)
    largest = 0.0
    for i in range(p):
        largest = max(largest, lower[i, i])
    for i in range(p):
        pivot = lower[i, i]
        if not (pivot > tolerance * largest):
            for j in range(i, p):
                lower[j, i] = 0.0
            continue
        pivots[i] = pivot
        for j in range(i + 1, p):
            ratio = lower[j, i] / pivot
            for k in range(j, p):
                lower[k, j] -= ratio * lower[k, i]
        for j in range(i + 1, p):
            lower[j, i] /= pivot
    return lower, pivots


@kernel
def solve_factored(lower: FloatArray, pivots: FloatArray, right: FloatArray) -> FloatArray:
    """Solve L D L' x = right; aliased coefficients are 0."""
    p = pivots.shape[0]
    x = right.copy()
    for i in range(p):
        if pivots[i] == 0.0:
            x[i] = 0.0
            continue
        for k in range(i):
            x[i] -= lower[i, k] * x[k]
    for i in range(p - 1, -1, -1):
        if pivots[i] == 0.0:
            continue
        x[i] /= pivots[i]
        for k in range(i + 1, p):
            x[i] -= lower[k, i] * x[k]
    return x


@kernel
def residualise(X: FloatArray, n_others: int, weights: FloatArray) -> FloatArray:
    """Subtract from the columns after the first `n_others` their projection on those."""
    n_rows, p = X.shape
    rest = np.empty((n_rows, p - n_others))
    for i in range(n_rows):
        for k in range(p - n_others):
            rest[i, k] = X[i, n_others + k]
        for j in range(n_others):
            for k in range(p - n_others):
                rest[i, k] -= X[i, j] * weights[j, k]
    return rest


@kernel
def exceeds_leverage(
    X: FloatArray,
    n_first: int,
    expected: FloatArray,
    lower: FloatArray,
    pivots: FloatArray,
    limit: float,
) -> bool:
    """
    Say whether one row's share of the information, expected x' (L D L')^-1 x, exceeds a limit.

    Counts only what the columns after the first `n_first` add.
    """
    n_rows, p = X.shape
    half = np.zeros(p)
    for i in range(n_rows):
        leverage = 0.0
        for j in range(p):
            if pivots[j] == 0.0:
                continue
            half[j] = X[i, j]
            for k in range(j):
                half[j] -= lower[j, k] * half[k]
            if j >= n_first:
                leverage += half[j] * half[j] / pivots[j]
        if expected[i] * leverage > limit:
            return True
    return False
