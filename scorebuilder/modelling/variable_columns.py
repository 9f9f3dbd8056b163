"""The columns that the functions of one variable can need, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.modelling.fractional_polynomial import Powers, fp_column, fp_factors
from scorebuilder.modelling.newton import standardise
from scorebuilder.modelling.risk_sets import RiskSets

LINEAR: Powers = (1.0,)


@dataclass(frozen=True)
class VariableColumns:
    """
    Every column that any function of one variable can need, standardised and sorted once.

    Attributes
    ----------
    columns : ndarray of shape (n_rows, n_factors)
        In the order of the risk sets; each centred and of scale 1.
    index : dict of (float, int) to int
        Column of each pair of power and log factor.
    """

    columns: FloatArray
    index: dict[tuple[float, int], int]

    def of(self, powers: Sequence[float]) -> list[int]:
        """
        Find the columns of a function.

        Parameters
        ----------
        powers : sequence of float
            Its powers.

        Returns
        -------
        list of int
            Positions in `columns`.
        """
        return [self.index[factor] for factor in fp_factors(powers)]


def variable_columns(
    x: FloatArray, risk_sets: RiskSets, *, powers: Sequence[float], max_degree: int
) -> VariableColumns:
    """
    Compute the columns of all functions of a variable up to a degree.

    Parameters
    ----------
    x : ndarray of shape (n_patients,)
        Shifted and scaled values of all patients; > 0 if `max_degree` is at least 1.
    risk_sets : RiskSets
        The sorted outcome.
    powers : sequence of float
        Powers allowed.
    max_degree : int
        0 linear only, 1 FP1, 2 FP2, ...

    Returns
    -------
    VariableColumns
        The straight line is always the first column.
    """
    factors = [(1.0, 0)]
    for power in sorted(set(powers)) if max_degree else []:
        factors += [f for f in fp_factors((power,) * max_degree) if f not in factors]
    raw = np.empty((x.shape[0], len(factors)))
    for position, (power, log_factor) in enumerate(factors):
        raw[:, position] = fp_column(x, power, log_factor)
    standardised = standardise(raw)[0][risk_sets.rows]
    return VariableColumns(
        np.ascontiguousarray(standardised), {f: position for position, f in enumerate(factors)}
    )
