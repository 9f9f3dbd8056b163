"""Compiled linear algebra: factors with aliased columns set aside, projections, leverage."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.kernels import kernel


@kernel
def factorise(information: FloatArray, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """
    Factor into L D L' in column order; D is 0 for aliased columns.

    Parameters
    ----------
    information : ndarray of shape (n_columns, n_columns)
        Symmetric matrix.
    tolerance : float
        Pivots up to this share of the largest diagonal element count as 0.

    Returns
    -------
    lower : ndarray of shape (n_columns, n_columns)
        L below the diagonal.
    pivots : ndarray of shape (n_columns,)
        D; 0 for aliased columns.
    """
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
    """
    Solve L D L' x = right; aliased coefficients are 0.

    Parameters
    ----------
    lower : ndarray of shape (n_columns, n_columns)
        L below the diagonal; what stands on and above it is not used.
    pivots : ndarray of shape (n_columns,)
        D; 0 for aliased columns.
    right : ndarray of shape (n_columns,)
        Right-hand side.

    Returns
    -------
    ndarray of shape (n_columns,)
        Solution; 0 where aliased.
    """
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
    """
    Subtract from the columns after the first `n_others` their projection on those.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Sorted design, in C order.
    n_others : int
        Number of first columns.
    weights : ndarray of shape (n_others, n_columns - n_others)
        Coefficients of the later columns on the first ones.

    Returns
    -------
    ndarray of shape (n_rows, n_columns - n_others)
        The later columns without their projection.
    """
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
    Say whether one row makes up more than `limit` of the information.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Sorted design, in C order.
    n_first : int
        Number of first columns, whose own share is not counted.
    expected : ndarray of shape (n_rows,)
        Expected events: `risk` times the cumulative hazard at the end of follow-up.
    lower : ndarray of shape (n_columns, n_columns)
        L below the diagonal; what stands on and above it is not used.
    pivots : ndarray of shape (n_columns,)
        D; 0 for aliased columns.
    limit : float
        Share in question, in (0, 1).

    Returns
    -------
    bool
        True as soon as one row is found.

    Notes
    -----
    The share is expected x' (L D L')^-1 x, here without what the first columns explain.
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
