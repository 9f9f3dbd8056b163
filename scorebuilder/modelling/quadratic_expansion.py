"""One second-order expansion of the likelihood that serves every function of a variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.modelling.factor_kernels import (
    exceeds_leverage,
    factorise,
    residualise,
    solve_factored,
)
from scorebuilder.modelling.newton import PIVOT_TOLERANCE, maximise
from scorebuilder.modelling.partial_likelihood import LikelihoodPoint, likelihood_at
from scorebuilder.modelling.risk_sets import RiskSets

ENOUGH = 1e-8
MAX_STEPS = 12
MARGIN = 0.05
HIGHEST_LEVERAGE = 0.5
"""Without any one patient the information is then still half of what it is."""


@dataclass(frozen=True)
class SubsetMaximum:
    """
    Where an expansion is largest on some of its columns.

    Attributes
    ----------
    coef : ndarray of shape (n_columns,)
        Coefficients, 0 where aliased.
    lower, pivots : ndarray
        Factors of the information on these columns.
    chisq : float
        Twice the expansion's value there, apart from a constant common to all subsets.
    """

    coef: FloatArray
    lower: FloatArray
    pivots: FloatArray
    chisq: float


@dataclass(frozen=True)
class QuadraticExpansion:
    """
    Log partial likelihood to second order: right' b - b' information b / 2 + constant.

    Attributes
    ----------
    coef : ndarray of shape (n_columns,)
        Where it was expanded.
    information : ndarray of shape (n_columns, n_columns)
        Minus the second derivative.
    right : ndarray of shape (n_columns,)
        Information times `coef`, plus score.
    expected : ndarray of shape (n_rows,)
        Expected events of each row.
    """

    coef: FloatArray
    information: FloatArray
    right: FloatArray
    expected: FloatArray

    @property
    def chisq(self) -> float:
        """Twice the expansion's value at `coef`, apart from the constant."""
        curved = float(self.coef @ self.information @ self.coef)
        return 2.0 * float(self.right @ self.coef) - curved

    def maximum_on(self, columns: IntArray) -> SubsetMaximum:
        """
        Maximise the expansion on some columns, the other coefficients being 0.

        Parameters
        ----------
        columns : ndarray of int of shape (n_chosen,)
            Positions of the columns.

        Returns
        -------
        SubsetMaximum
            The maximum with its factors.
        """
        right = self.right[columns]
        lower, pivots = factorise(self.information[columns][:, columns], PIVOT_TOLERANCE)
        coef = solve_factored(lower, pivots, right)
        return SubsetMaximum(coef, lower, pivots, float(right @ coef))

    def split(self, design: FloatArray, n_others: int) -> SplitExpansion:
        """
        Make the later columns uncorrelated with the first ones, in the metric of the information.

        Parameters
        ----------
        design : ndarray of shape (n_rows, n_columns)
            The columns of the expansion.
        n_others : int
            Number of first columns, which every candidate contains.

        Returns
        -------
        SplitExpansion
            The same expansion on the new columns.
        """
        q, p = n_others, self.right.size
        lower, pivots = factorise(np.ascontiguousarray(self.information[:q, :q]), PIVOT_TOLERANCE)
        weights = np.zeros((q, p - q))
        for column in range(p - q):
            cross = np.ascontiguousarray(self.information[:q, q + column])
            weights[:, column] = solve_factored(lower, pivots, cross)
        information = np.zeros_like(self.information)
        information[:q, :q] = self.information[:q, :q]
        information[q:, q:] = self.information[q:, q:] - self.information[q:, :q] @ weights
        right = self.right.copy()
        right[q:] -= weights.T @ right[:q]
        coef = self.coef.copy()
        coef[:q] += weights @ coef[q:]
        columns = np.hstack((design[:, :q], residualise(design, q, weights)))
        return SplitExpansion(
            QuadraticExpansion(coef, information, right, self.expected), columns, weights
        )


@dataclass(frozen=True)
class SplitExpansion:
    """
    An expansion whose later columns are uncorrelated with the first ones.

    Attributes
    ----------
    expansion : QuadraticExpansion
        On the new columns; its information has two blocks.
    design : ndarray of shape (n_rows, n_columns)
        The new columns.
    weights : ndarray of shape (n_others, n_own)
        Coefficients of the later columns on the first ones.
    """

    expansion: QuadraticExpansion
    design: FloatArray
    weights: FloatArray

    def join(self, columns: IntArray, coef: FloatArray) -> FloatArray:
        """
        Convert coefficients to those of the original columns.

        Parameters
        ----------
        columns : ndarray of int of shape (n_chosen,)
            The first columns and those of a candidate.
        coef : ndarray of shape (n_chosen,)
            Coefficients on the new columns.

        Returns
        -------
        ndarray of shape (n_chosen,)
            Coefficients on the original columns.
        """
        q = self.weights.shape[0]
        original = coef.copy()
        original[:q] -= self.weights[:, columns[q:] - q] @ coef[q:]
        return original

    def assumed(self, columns: IntArray) -> FloatArray:
        """
        Take the information of a candidate's own columns from the expansion.

        Parameters
        ----------
        columns : ndarray of int of shape (n_chosen,)
            The first columns and those of a candidate.

        Returns
        -------
        ndarray of shape (n_own, n_own)
            A block of the information.
        """
        own = columns[self.weights.shape[0] :]
        return self.expansion.information[own][:, own]


def expand(design: FloatArray, coef: FloatArray, risk_sets: RiskSets) -> QuadraticExpansion:
    """
    Expand the log partial likelihood to second order.

    Parameters
    ----------
    design : ndarray of shape (n_rows, n_columns)
        Sorted columns.
    coef : ndarray of shape (n_columns,)
        Where to expand; if the hazard ratios there leave the floating-point range, 0 is taken.
    risk_sets : RiskSets
        The sorted outcome.

    Returns
    -------
    QuadraticExpansion
        On all columns.
    """
    point = likelihood_at(design, coef, risk_sets)
    if not np.isfinite(point.value):
        coef = np.zeros_like(coef)
        point = likelihood_at(design, coef, risk_sets)
    information = point.information(design)
    return QuadraticExpansion(
        coef, information, information @ coef + point.score(design), point.expected
    )


def out_of_reach(value: float, decrement: float, best: float) -> bool:
    """
    Judge whether a log likelihood can still be reached.

    Parameters
    ----------
    value : float
        Log likelihood now.
    decrement : float
        Newton decrement, twice the expected gain of the next step.
    best : float
        Log likelihood to be reached.

    Returns
    -------
    bool
        True when the expected gain is below a quarter of a unit, and four times that gain plus a
        margin does not suffice.
    """
    return decrement < 0.5 and value + 2.0 * decrement + MARGIN < best


def expansion_holds(
    point: LikelihoodPoint, own: FloatArray, split: SplitExpansion, columns: IntArray
) -> bool:
    """
    Check that the information of the expansion tells how much a candidate can gain elsewhere.

    Parameters
    ----------
    point : LikelihoodPoint
        Elsewhere.
    own : ndarray of shape (n_rows, n_own)
        Columns of the visited variable.
    split : SplitExpansion
        The expansion.
    columns : ndarray of int of shape (n_chosen,)
        Positions of the candidate's columns.

    Returns
    -------
    bool
        False when the true information of the own columns is below half the assumed, or when a
        single patient makes up much of it, here or there: once such a patient is fitted, the
        likelihood can rise far beyond the expansion.
    """
    assumed = split.assumed(columns)
    if not np.all(factorise(point.information(own) - 0.5 * assumed, 0.0)[1] > 0.0):
        return False
    expected = np.maximum(point.expected, split.expansion.expected)
    lower, pivots = factorise(assumed, PIVOT_TOLERANCE)
    return not exceeds_leverage(own, 0, expected, lower, pivots, HIGHEST_LEVERAGE)


def climb(
    split: SplitExpansion,
    design: FloatArray,
    columns: IntArray,
    guess: SubsetMaximum,
    risk_sets: RiskSets,
    best: float,
) -> tuple[FloatArray, float]:
    """
    Maximise the likelihood of one candidate as far as it matters.

    Parameters
    ----------
    split : SplitExpansion
        Its information serves for all steps; where it does not hold, Newton's method takes over.
    design : ndarray of shape (n_rows, n_chosen)
        The candidate's columns of `split`.
    columns : ndarray of int of shape (n_chosen,)
        Their positions.
    guess : SubsetMaximum
        Where to begin.
    risk_sets : RiskSets
        The sorted outcome.
    best : float
        Log likelihood reached by another candidate.

    Returns
    -------
    coef : ndarray of shape (n_chosen,)
        On the columns of `split`.
    value : float
        Log likelihood; for a candidate that cannot reach `best` an approximation.

    Notes
    -----
    A candidate is given up when `best` is out of reach, provided that its expected gain can be
    relied on.
    """
    n_others = split.weights.shape[0]
    own = np.ascontiguousarray(design[:, n_others:])
    coef, reached, previous = guess.coef, -np.inf, np.inf
    step = coef
    for _ in range(MAX_STEPS):
        point = likelihood_at(design, coef, risk_sets)
        if not (point.value >= reached - 1e-9 and np.isfinite(point.value)):
            coef = coef - step
            break
        score = point.score(design)
        step = solve_factored(guess.lower, guess.pivots, score)
        decrement = float(np.sum(score * step))
        if decrement < ENOUGH or out_of_reach(point.value, decrement, best):
            if expansion_holds(point, own, split, columns):
                return coef + step, point.value + 0.5 * decrement
            break
        if not decrement < 0.3 * previous:
            break
        reached, previous = point.value, decrement
        coef = coef + step

    def _give_up(
        at: LikelihoodPoint, decrement: float, lower: FloatArray, pivots: FloatArray
    ) -> bool:
        if not out_of_reach(at.value, decrement, best) or np.any(pivots[n_others:] == 0.0):
            return False
        block = factorise(at.information(own), PIVOT_TOLERANCE)
        if exceeds_leverage(own, 0, at.expected, *block, HIGHEST_LEVERAGE):
            return False
        return not exceeds_leverage(design, n_others, at.expected, lower, pivots, HIGHEST_LEVERAGE)

    maximum = maximise(design, risk_sets, begin=coef, tolerance=ENOUGH, give_up=_give_up)
    return maximum.coef, maximum.log_likelihood
