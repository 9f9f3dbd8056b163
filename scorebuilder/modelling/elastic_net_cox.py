"""Cox regression with an elastic-net penalty, whose strength is chosen by cross-validation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import generator
from scorebuilder.modelling.baseline import BaselinePredictor
from scorebuilder.modelling.design_frame import check_frame
from scorebuilder.modelling.kernels.design import centred_predictor
from scorebuilder.modelling.partial_likelihood import CoxLikelihood
from scorebuilder.modelling.risk_sets import build_risk_sets
from scorebuilder.survival.outcome import check_outcome


class ElasticNetCox(BaselinePredictor, BaseEstimator):  # type: ignore[misc]
    r"""
    Elastic-net Cox regression on standardised columns, Breslow ties.

    Parameters
    ----------
    l1_ratio : float
        Share of the lasso in the penalty, in (0, 1]; 1 is the lasso.
    n_alphas : int
        Penalties on the path.
    inner_folds : int
        Folds by which the penalty is chosen, >= 2, dealt separately to events and others.
    random_state : int
        Seed of these folds.

    Attributes
    ----------
    alpha_ : float
        The chosen penalty.
    alphas_ : ndarray of shape (n_path,)
        The path, descending.
    gain_ : ndarray of shape (n_path,)
        Cross-validated log partial likelihood at each penalty.
    coef_, center_ : Series
        Log hazard ratios per unit of each column, and the column means.
    baseline_cumulative_hazard_ : StepFunction
        At linear predictor 0, Breslow.

    Notes
    -----
    The path is that of scikit-survival [1]_. The penalty maximises the cross-validated log partial
    likelihood [2]_ :math:`\sum_k \ell(\hat\beta_{(-k)}) - \ell_{(-k)}(\hat\beta_{(-k)})`, in which
    every patient of a left-out fold k counts within the risk sets of all. Columns are divided by
    their standard deviation before the penalty; constant ones have the coefficient 0.

    References
    ----------
    .. [1] Simon N, Friedman J, Hastie T, Tibshirani R. Regularization paths for Cox's proportional
       hazards model via coordinate descent. J Stat Softw 2011;39(5):1-13.
    .. [2] Verweij PJM, van Houwelingen HC. Cross-validation in survival analysis. Stat Med
       1993;12:2305-14.
    """

    def __init__(
        self,
        *,
        l1_ratio: float = 0.5,
        n_alphas: int = 50,
        inner_folds: int = 10,
        random_state: int = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.n_alphas = n_alphas
        self.inner_folds = inner_folds
        self.random_state = random_state

    def fit(self, X: Any, y: Outcome) -> ElasticNetCox:
        """
        Choose the penalty, then fit all patients with it.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Complete numeric columns.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.

        Returns
        -------
        ElasticNetCox
            Itself.

        Raises
        ------
        ModelError
            If no column varies, there are fewer events than inner folds, or the path cannot be
            fitted.
        """
        event, _ = check_outcome(y)
        names, values = check_frame(X)
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        center, spread = values.mean(axis=0), values.std(axis=0)
        varies = spread > 1e-12 * np.maximum(np.abs(center), 1e-300)
        if not varies.any():
            message = "no column varies, so there is nothing to fit"
            raise ModelError(message)
        if int(event.sum()) < self.inner_folds:
            message = (
                f"{int(event.sum())} events for {self.inner_folds} inner folds; choose fewer folds"
            )
            raise ModelError(message)
        standardised = (values[:, varies] - center[varies]) / spread[varies]
        self.alphas_, path = self._path(standardised, y, None)
        self.gain_ = self._gain(standardised, y, event)
        best = int(np.argmax(self.gain_))
        self.alpha_ = float(self.alphas_[best])
        coefficients = np.zeros(len(names))
        coefficients[varies] = path[:, best] / spread[varies]
        self.coef_ = pd.Series(coefficients, index=names, dtype=np.float64)
        self.center_ = pd.Series(center, index=names, dtype=np.float64)
        self._set_baseline(
            self._predictor(values), y, ties="breslow", sample_weight=None, offset=None, strata=None
        )
        return self

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
        return self._predictor(check_frame(X, list(self.feature_names_in_))[1])

    def _predictor(self, values: FloatArray) -> FloatArray:
        return centred_predictor(values, self.center_.to_numpy(), self.coef_.to_numpy())

    def _path(
        self, standardised: FloatArray, y: Outcome, alphas: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        path = CoxnetSurvivalAnalysis(n_alphas=self.n_alphas, alphas=alphas, l1_ratio=self.l1_ratio)
        with warnings.catch_warnings():
            # A path that ends early is a shorter path: its gains tell where it is best.
            warnings.filterwarnings("ignore", message="Optimization terminated early")
            try:
                path.fit(standardised, y)
            except (ArithmeticError, ValueError) as error:
                message = f"the elastic-net path could not be fitted: {error}"
                raise ModelError(message) from error
        return np.asarray(path.alphas_, dtype=np.float64), np.asarray(path.coef_, dtype=np.float64)

    def _gain(self, standardised: FloatArray, y: Outcome, event: Any) -> FloatArray:
        whole = CoxLikelihood(build_risk_sets(y, ties="breslow"))
        gain = np.zeros(self.alphas_.size)
        fold = self._folds(event)
        for k in range(self.inner_folds):
            kept = fold != k
            part = CoxLikelihood(build_risk_sets(y[kept], ties="breslow"))
            _, path = self._path(standardised[kept], y[kept], self.alphas_)
            for position in range(self.alphas_.size):
                if position >= path.shape[1]:
                    gain[position] = -np.inf
                    continue
                predictor = standardised @ path[:, position]
                inside = predictor[kept]
                gain[position] += (
                    whole.at_predictor(predictor[whole.rows]).value
                    - part.at_predictor(inside[part.rows]).value
                )
        return gain

    def _folds(self, event: Any) -> IntArray:
        random = generator(self.random_state, "inner folds")
        order = np.concatenate(
            [random.permutation(np.flatnonzero(event)), random.permutation(np.flatnonzero(~event))]
        )
        fold = np.empty(order.size, dtype=np.int64)
        fold[order] = np.arange(order.size) % self.inner_folds
        return fold
