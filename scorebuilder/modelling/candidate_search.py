"""All functions of one variable, given the others: null, linear and the best of a degree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.modelling.fractional_polynomial import Powers, power_combinations
from scorebuilder.modelling.newton import CoxMaximum, maximise
from scorebuilder.modelling.quadratic_expansion import climb, expand
from scorebuilder.modelling.risk_sets import RiskSets
from scorebuilder.modelling.variable_columns import LINEAR, VariableColumns

EQUALLY_GOOD = 1e-7
"""Log likelihoods that differ by less are ties; the first function in order of search is taken."""
WORTH_A_MOVE = 1.0
"""Expected gain (chi-square units) above which a new expansion pays."""


@dataclass(frozen=True)
class Candidate:
    """
    One function of the variable, fitted with all the others.

    Attributes
    ----------
    label : str
        ``null``, ``linear`` or ``FP1``, ``FP2``, ...
    powers : tuple of float
        The best powers of this degree.
    maximum : CoxMaximum
        Coefficients of the other variables first.
    """

    label: str
    powers: Powers
    maximum: CoxMaximum

    @property
    def deviance(self) -> float:
        """Minus twice the log partial likelihood."""
        return self.maximum.deviance


class CandidateModels:
    """
    The models of one visit; each is fitted when first asked for.

    Parameters
    ----------
    risk_sets : RiskSets
        The sorted outcome.
    others : ndarray of shape (n_rows, n_others)
        Columns of the other variables' current functions, standardised and sorted.
    variable : VariableColumns
        Columns of the visited variable.
    powers : sequence of float
        Powers allowed for it.
    current : tuple of float
        Its function at the point where the search begins.
    begin : ndarray of shape (n_others + n_current,), optional
        Coefficients of the others and of that function, the point where the search begins.
    """

    def __init__(
        self,
        risk_sets: RiskSets,
        others: FloatArray,
        variable: VariableColumns,
        *,
        powers: Sequence[float],
        current: Powers = (),
        begin: FloatArray | None = None,
    ) -> None:
        self.risk_sets = risk_sets
        self.n_others = others.shape[1]
        self.variable = variable
        self.powers = tuple(powers)
        self._design = np.ascontiguousarray(np.hstack((others, variable.columns)))
        self._expand(self._positions(current), begin)
        self._fitted: dict[str, Candidate] = {}

    @property
    def best_powers(self) -> dict[str, Powers]:
        """Powers of every function fitted so far."""
        return {label: candidate.powers for label, candidate in self._fitted.items()}

    def null(self) -> Candidate:
        """
        Fit the model without the variable.

        Returns
        -------
        Candidate
            With empty powers.
        """
        return self._single("null", ())

    def linear(self) -> Candidate:
        """
        Fit the model with the straight line.

        Returns
        -------
        Candidate
            With power 1.
        """
        return self._single("linear", LINEAR)

    def best(self, degree: int, *, with_linear: bool = False) -> Candidate:
        """
        Find the best function of a degree.

        Parameters
        ----------
        degree : int
            1 for FP1, 2 for FP2, ...
        with_linear : bool
            Whether the straight line takes part in the search for the best FP1.

        Returns
        -------
        Candidate
            Of equally good functions the first in order of search.
        """
        label = f"FP{degree}"
        if label not in self._fitted:
            functions = power_combinations(self.powers, degree)
            if degree == 1 and not with_linear:
                functions = [powers for powers in functions if powers != LINEAR]
            self._fitted[label] = self._search(label, functions)
        return self._fitted[label]

    def _positions(self, powers: Powers) -> IntArray:
        added = [self.n_others + position for position in self.variable.of(powers)]
        return np.array([*range(self.n_others), *added], dtype=np.int64)

    def _expand(self, columns: IntArray, values: FloatArray | None) -> None:
        coef = np.zeros(self._design.shape[1])
        if values is not None:
            coef[columns] = values
        self._expansion = expand(self._design, coef, self.risk_sets)

    def _single(self, label: str, powers: Powers) -> Candidate:
        if label not in self._fitted:
            columns = self._positions(powers)
            begin = self._expansion.maximum_on(columns).coef
            self._fitted[label] = Candidate(label, powers, self._maximise(columns, begin))
        return self._fitted[label]

    def _maximise(self, columns: IntArray, begin: FloatArray) -> CoxMaximum:
        return maximise(self._design[:, columns], self.risk_sets, begin=begin)

    def _search(self, label: str, functions: Sequence[Powers]) -> Candidate:
        q = self.n_others
        columns = [self._positions(powers) for powers in functions]
        self._move_to_most_promising(columns)
        split = self._expansion.split(self._design, q)
        guesses = [split.expansion.maximum_on(chosen) for chosen in columns]
        values = np.empty(len(functions))
        coefs: dict[int, FloatArray] = {}
        best = -np.inf
        design = np.ascontiguousarray(split.design[:, columns[0]])
        for c in np.argsort([-guess.chisq for guess in guesses], kind="stable"):
            for place, position in enumerate(columns[c][q:]):
                design[:, q + place] = split.design[:, position]
            coefs[c], values[c] = climb(split, design, columns[c], guesses[c], self.risk_sets, best)
            best = max(best, float(values[c]))
        first = int(np.argmax(values >= best - EQUALLY_GOOD))
        begin = split.join(columns[first], coefs[first])
        return Candidate(label, functions[first], self._maximise(columns[first], begin))

    def _move_to_most_promising(self, columns: Sequence[IntArray]) -> None:
        """Expand anew at the candidate that looks best, when it looks much better than here."""
        guesses = [self._expansion.maximum_on(chosen) for chosen in columns]
        top = int(np.argmax([guess.chisq for guess in guesses]))
        if guesses[top].chisq - self._expansion.chisq > WORTH_A_MOVE:
            maximum = self._maximise(columns[top], guesses[top].coef)
            self._expand(columns[top], maximum.coef)
