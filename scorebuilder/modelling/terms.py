"""The terms of a fitted model: what a reader of the score needs to compute the linear predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import BelowRangeError
from scorebuilder.modelling.fractional_polynomial import Powers, fp_basis, fp_column, fp_factors


@dataclass(frozen=True)
class Term:
    """
    One column of the linear predictor.

    With x' = (x + shift) / scale the term is
    coefficient (x'^power (log x')^log_factor - center); for power 0 it is
    coefficient ((log x')^log_factor - center) with log_factor >= 1. The linear predictor is the sum
    of all terms.

    Attributes
    ----------
    variable : str
        Column of the data frame.
    column : str
        Name of the term: ``variable.1``, ``variable.2``, ...
    shift, scale : float
        Applied in this order: x + shift, / scale.
    power : float
        Exponent of x'; 0 stands for no power, only the log factor.
    log_factor : int
        How often log x' multiplies the power.
    center : float
        Mean of the column in the development data; its minimum for two distinct values.
    coefficient : float
        Log hazard ratio of one unit of the column.
    """

    variable: str
    column: str
    shift: float
    scale: float
    power: float
    log_factor: int
    center: float
    coefficient: float

    @property
    def needs_positive(self) -> bool:
        """Whether x + shift must be above 0."""
        return (self.power, self.log_factor) != (1.0, 0)

    def values(self, x: FloatArray) -> FloatArray:
        """
        Compute the centred column, without the coefficient.

        Parameters
        ----------
        x : ndarray of shape (n_patients,)
            Values as measured.

        Returns
        -------
        ndarray of shape (n_patients,)
            Transformed value minus center.

        Raises
        ------
        BelowRangeError
            If x + shift is not positive where the term needs it; names the variable.
        """
        shifted = (np.asarray(x, dtype=np.float64) + self.shift) / self.scale
        wrong = int(np.sum(~(shifted > 0.0))) if self.needs_positive else 0
        if wrong:
            message = (
                f"`{self.variable}` must be above {-self.shift:g} for its fractional polynomial; "
                f"{wrong} of {shifted.size} values are not. Such values lie below the development "
                "range: check the unit, keep the variable linear, or leave these patients out."
            )
            raise BelowRangeError(message)
        return fp_column(shifted, self.power, self.log_factor) - self.center

    def formula(self) -> str:
        """
        Write the term as text.

        Returns
        -------
        str
            Coefficient times (transformed value - center).
        """
        inner = self.variable if self.shift == 0.0 else f"{self.variable} + {self.shift:.10g}"
        scaled = inner if self.scale == 1.0 else f"({inner}) / {self.scale:.10g}"
        base = scaled if scaled == self.variable else f"({scaled})"
        parts = []
        if self.power == 1.0:
            parts.append(base)
        elif self.power != 0.0:
            parts.append(f"{base}^{self.power:g}")
        if self.log_factor:
            log = f"log({scaled})"
            parts.append(log if self.log_factor == 1 else f"{log}^{self.log_factor}")
        center = f" - {self.center:.10g}" if self.center >= 0 else f" + {-self.center:.10g}"
        return f"{self.coefficient:+.10g} * ({' * '.join(parts)}{center})"


def center_of(column: FloatArray) -> float:
    """
    Find the value at which a column is centred.

    Parameters
    ----------
    column : ndarray of shape (n_patients,)
        A column of the design.

    Returns
    -------
    float
        The mean; the minimum when there are at most two distinct values.
    """
    lowest, highest = float(column.min()), float(column.max())
    if np.all((column == lowest) | (column == highest)):
        return lowest
    return float(column.mean())


def column_names(powers: Mapping[str, Powers]) -> list[str]:
    """
    Name the columns of a model.

    Parameters
    ----------
    powers : mapping of str to tuple of float
        Powers by variable, in the order of the columns.

    Returns
    -------
    list of str
        ``variable.1``, ``variable.2``, ... for every variable in the model.
    """
    return [
        f"{variable}.{k}" for variable, chosen in powers.items() for k in range(1, len(chosen) + 1)
    ]


def model_design(
    x: Mapping[str, FloatArray],
    powers: Mapping[str, Powers],
    shift: Mapping[str, float],
    scale: Mapping[str, float],
    *,
    n_patients: int,
) -> FloatArray:
    """
    Compute all columns of a model, not centred.

    Parameters
    ----------
    x : mapping of str to ndarray of shape (n_patients,)
        Values as measured.
    powers : mapping of str to tuple of float
        Powers by variable, in the order of the columns.
    shift, scale : mapping of str to float
        Applied in this order.
    n_patients : int
        Rows of the design, also where no variable is in the model.

    Returns
    -------
    ndarray of shape (n_patients, n_columns)
        The design.
    """
    blocks = [np.empty((n_patients, 0))]
    blocks += [
        fp_basis((x[name] + shift[name]) / scale[name], chosen) for name, chosen in powers.items()
    ]
    return np.hstack(blocks)


def make_terms(
    powers: Mapping[str, Powers],
    shift: Mapping[str, float],
    scale: Mapping[str, float],
    centers: Sequence[float],
    coefficients: Sequence[float],
) -> tuple[Term, ...]:
    """
    Join functions and coefficients into terms.

    Parameters
    ----------
    powers : mapping of str to tuple of float
        Powers by variable, in the order of the columns.
    shift, scale : mapping of str to float
        Applied in this order.
    centers, coefficients : sequence of float
        One per column.

    Returns
    -------
    tuple of Term
        One per column.
    """
    factors = [(name, factor) for name, chosen in powers.items() for factor in fp_factors(chosen)]
    return tuple(
        Term(
            variable=name,
            column=column,
            shift=float(shift[name]),
            scale=float(scale[name]),
            power=power,
            log_factor=log_factor,
            center=float(center),
            coefficient=float(coefficient),
        )
        for column, (name, (power, log_factor)), center, coefficient in zip(
            column_names(powers), factors, centers, coefficients, strict=True
        )
    )
