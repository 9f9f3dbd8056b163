"""A fitted model with another function of one variable, the functions of all others kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.design_frame import check_frame
from scorebuilder.modelling.fractional_polynomial import Powers, fp_basis
from scorebuilder.modelling.refit import Refitter

STRAIGHT: Powers = (1.0,)


@dataclass(frozen=True)
class OtherFunctions:
    """
    A fitted model with the values of its variables, and ways to fit it with other functions.

    Attributes
    ----------
    model : MFPCox
        Fitted.
    refitter : Refitter
        Its data and outcome.
    x : dict of str to ndarray of shape (n_patients,)
        Values of each variable in the model.
    columns : dict of str to ndarray of shape (n_patients, n_terms_of_variable)
        Terms of each variable.
    """

    model: Any
    refitter: Refitter
    x: dict[str, FloatArray]
    columns: dict[str, FloatArray]

    @classmethod
    def of(cls, model: Any, refitter: Refitter) -> Self:
        """
        Take the variables and terms of a fitted model.

        Parameters
        ----------
        model : MFPCox
            Fitted.
        refitter : Refitter
            Its data and outcome.

        Returns
        -------
        OtherFunctions
            Ready to be fitted.
        """
        names, values = check_frame(refitter.X, list(model.selected_))
        x = dict(zip(names, values.T, strict=True))
        columns = {
            name: np.column_stack(
                [term.values(x[name]) for term in model.terms_ if term.variable == name]
            )
            for name in names
        }
        return cls(model, refitter, x, columns)

    def design(self, name: str, powers: Powers) -> FloatArray:
        """
        Compute the columns of the model, with this function of one variable.

        Parameters
        ----------
        name : str
            Variable in the model.
        powers : tuple of float
            Of its function; none leaves it out.

        Returns
        -------
        ndarray of shape (n_patients, n_columns)
            Variables in the order of the model.
        """
        own = self.columns[name]
        if powers != self.model.powers_[name]:
            own = fp_basis(self.scaled(name), powers)
        return np.hstack([own if each == name else c for each, c in self.columns.items()])

    def scaled(self, name: str) -> FloatArray:
        """
        Shift and scale the values of a variable as the model does, within its limits.

        Parameters
        ----------
        name : str
            Variable in the model.

        Returns
        -------
        ndarray of shape (n_patients,)
            Above 0.
        """
        x = np.clip(self.x[name], *self.model.limits_.get(name, (-np.inf, np.inf)))
        return np.asarray((x + self.model.shift_[name]) / self.model.scale_[name])

    def fit(self, design: FloatArray, rows: Any = slice(None)) -> CoxRegression:
        """
        Fit given columns to some patients.

        Parameters
        ----------
        design : ndarray of shape (n_patients, n_columns)
            From `design`.
        rows : slice or ndarray of int
            The patients.

        Returns
        -------
        CoxRegression
            Fitted.
        """
        frame = pd.DataFrame(design[rows]).rename(columns=str)
        own = {option: values[rows] for option, values in self.refitter.options.items()}
        return CoxRegression(self.model.ties).fit(frame, self.refitter.y[rows], **own)


def linear_alternative(model: Any, X: pd.DataFrame, y: Outcome, name: str) -> float:
    """
    Fit a straight line in place of the chosen function of one variable.

    Parameters
    ----------
    model : MFPCox
        Fitted to `X` and `y`.
    X : DataFrame of shape (n_patients, n_features)
        The data.
    y : structured ndarray of shape (n_patients,)
        The outcome.
    name : str
        Variable in the model with a function of one or two powers, without a spike.

    Returns
    -------
    float
        Log hazard ratio per unit of the variable, between its limits where it has any; the
        functions of all other variables are the chosen ones, with coefficients of their own.

    Raises
    ------
    ConvergenceError
        If that model has no maximum.
    """
    others = OtherFunctions.of(model, Refitter.like(model, X, y))
    place = sum(others.columns[each].shape[1] for each in _before(others, name))
    coefficient = others.fit(others.design(name, STRAIGHT)).coef_.iloc[place]
    return float(coefficient) / float(model.scale_[name])


def _before(others: OtherFunctions, name: str) -> list[str]:
    names = list(others.columns)
    return names[: names.index(name)]
