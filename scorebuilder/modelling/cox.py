"""Cox regression with given columns."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ConvergenceError, StatisticalWarning
from scorebuilder.modelling.baseline import BaselinePredictor
from scorebuilder.modelling.design_frame import check_events, check_frame
from scorebuilder.modelling.newton import FINAL_TOLERANCE, CoxMaximum, maximise, standardise
from scorebuilder.modelling.risk_sets import RiskSets, build_risk_sets


@dataclass(frozen=True)
class CoxFit:
    """
    A maximum on the columns as given.

    Attributes
    ----------
    coef : ndarray of shape (n_columns,)
        Log hazard ratios.
    covariance : ndarray of shape (n_columns, n_columns)
        Inverse information.
    log_likelihood : float
        At the maximum.
    n_iter : int
        Evaluations of the likelihood.
    """

    coef: FloatArray
    covariance: FloatArray
    log_likelihood: float
    n_iter: int


def final_fit(design: FloatArray, risk_sets: RiskSets, labels: Sequence[str]) -> CoxFit:
    """
    Fit all columns to the last digit.

    Parameters
    ----------
    design : ndarray of shape (n_patients, n_columns)
        Finite columns of all patients.
    risk_sets : RiskSets
        The sorted outcome.
    labels : sequence of str
        Names of the columns, for messages.

    Returns
    -------
    CoxFit
        On the columns as given.

    Raises
    ------
    ConvergenceError
        If a column is constant or determined by others, or a coefficient has no finite maximum;
        names the columns.
    """
    columns, _, spread = standardise(design)
    maximum = maximise(
        np.ascontiguousarray(columns[risk_sets.rows]), risk_sets, tolerance=FINAL_TOLERANCE
    )
    _check_maximum(maximum, labels)
    covariance = np.linalg.inv(maximum.information) / np.outer(spread, spread)
    return CoxFit(
        maximum.coef / spread,
        (covariance + covariance.T) / 2.0,
        maximum.log_likelihood,
        maximum.n_iter,
    )


def _check_maximum(maximum: CoxMaximum, labels: Sequence[str]) -> None:
    if maximum.moving.any():
        named = ", ".join(np.asarray(labels, dtype=object)[maximum.moving])
        message = (
            f"the likelihood has no finite maximum: the coefficients of {named} grow without "
            "bound, as when all events lie on one side of a column. Leave these columns out, or "
            "merge their levels."
        )
        raise ConvergenceError(message)
    if maximum.aliased.any():
        named = ", ".join(np.asarray(labels, dtype=object)[maximum.aliased])
        message = (
            f"coefficients are not defined for {named}: these columns are constant among the "
            "patients at risk, or determined by the columns before them. Leave them out."
        )
        raise ConvergenceError(message)
    if not maximum.converged:
        message = f"the maximum was not reached in {maximum.n_iter} iterations"
        raise ConvergenceError(message)


class CoxRegression(BaselinePredictor, BaseEstimator):  # type: ignore[misc]
    r"""
    Proportional hazards regression.

    Parameters
    ----------
    ties : {"efron", "breslow"}
        Handling of tied event times, the same for coefficients and baseline.

    Attributes
    ----------
    coef_ : Series
        Log hazard ratios.
    covariance_ : DataFrame
        Inverse information, model-based also with weights.
    center_ : Series
        Column means; the linear predictor is 0 there.
    log_likelihood_, null_log_likelihood_ : float
        Partial likelihood of the model and without columns.
    n_iter_ : int
        Evaluations of the likelihood.
    baseline_cumulative_hazard_ : StepFunction
        At linear predictor 0 and offset 0; not defined with strata.
    baseline_by_stratum_ : dict of str to StepFunction
        With strata.
    feature_names_in_ : ndarray of str
        Columns of `X`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    .. math:: \lambda(t \mid x) = \lambda_0(t) \exp(\beta^\top (x - \bar x))

    References
    ----------
    .. [1] Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187-220.

    Examples
    --------
    >>> import pandas as pd
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> X = pd.DataFrame({"age": [50.0, 60.0, 55.0, 70.0]})
    >>> model = CoxRegression().fit(X, make_outcome([1, 1, 1, 0], [4, 1, 3, 5]))
    >>> model.coef_.index.tolist(), model.predict(X).shape
    (['age'], (4,))
    """

    def __init__(self, ties: str = "efron") -> None:
        self.ties = ties

    def fit(
        self,
        X: Any,
        y: Outcome,
        *,
        sample_weight: Any = None,
        strata: Any = None,
        offset: Any = None,
    ) -> CoxRegression:
        """
        Maximise the partial likelihood.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Complete numeric columns.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.
        sample_weight, strata, offset : array-like of shape (n_patients,), optional
            Case weights, labels of strata, known part of the linear predictor.

        Returns
        -------
        CoxRegression
            Itself.

        Raises
        ------
        ConvergenceError
            If a coefficient has no finite or no unique estimate; names the columns.
        ModelError
            If there is no event.
        ValueError
            If values are not finite; names the columns.
        """
        names, values = check_frame(X)
        if values.shape[0] != y.shape[0]:
            message = f"`X` has {values.shape[0]} rows for {y.shape[0]} patients in `y`"
            raise ValueError(message)
        risk_sets = build_risk_sets(
            y, ties=self.ties, sample_weight=sample_weight, offset=offset, strata=strata
        )
        check_events(risk_sets.total_events)
        if risk_sets.total_events <= len(names):
            message = f"{risk_sets.total_events} events for {len(names)} columns"
            warnings.warn(message, StatisticalWarning, stacklevel=2)
        fit = final_fit(values, risk_sets, names)
        null = maximise(np.empty((risk_sets.rows.size, 0)), risk_sets)
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        self.coef_ = pd.Series(fit.coef, index=names, dtype=np.float64)
        self.covariance_ = pd.DataFrame(fit.covariance, index=names, columns=names)
        self.center_ = pd.Series(values.mean(axis=0), index=names)
        self.log_likelihood_ = fit.log_likelihood
        self.null_log_likelihood_ = null.log_likelihood
        self.n_iter_ = fit.n_iter
        self._set_baseline(
            self._predict_values(values),
            y,
            ties=self.ties,
            sample_weight=sample_weight,
            offset=offset,
            strata=strata,
        )
        return self

    def _predict_values(self, values: FloatArray) -> FloatArray:
        predictor = (values - self.center_.to_numpy()) @ self.coef_.to_numpy()
        return np.asarray(predictor, dtype=np.float64)

    def predict(self, X: Any) -> FloatArray:
        """
        Compute the linear predictor, 0 at the column means of the fitted patients.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            At least the columns of the fit.

        Returns
        -------
        ndarray of shape (n_patients,)
            Log hazard relative to the baseline.
        """
        check_is_fitted(self, "coef_")
        return self._predict_values(check_frame(X, list(self.feature_names_in_))[1])
