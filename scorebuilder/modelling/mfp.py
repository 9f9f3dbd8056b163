"""Multivariable fractional polynomials for the Cox model."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import block_diag
from scipy.special import ndtri
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import StatisticalWarning
from scorebuilder.modelling.baseline import BaselinePredictor
from scorebuilder.modelling.cox import final_fit
from scorebuilder.modelling.design_frame import check_events, check_frame
from scorebuilder.modelling.fractional_polynomial import unscaling_matrix
from scorebuilder.modelling.mfp_cycles import CycleResult, MFPCycles, linear_order
from scorebuilder.modelling.mfp_settings import candidate_variables, check_settings
from scorebuilder.modelling.newton import maximise
from scorebuilder.modelling.risk_sets import RiskSets, build_risk_sets
from scorebuilder.modelling.selection_table import selection_table
from scorebuilder.modelling.terms import Term, center_of, column_names, make_terms, model_design


class MFPCox(BaselinePredictor, BaseEstimator):  # type: ignore[misc]
    r"""
    Cox model whose variables and functions are chosen by multivariable fractional polynomials.

    Parameters
    ----------
    max_df : int
        Most complex function: 1 linear, 2 FP1, 4 FP2, 6 FP3, 8 FP4. Variables with at most three
        distinct values stay linear, with four or five they get FP1 at most.
    select_alpha, fp_alpha : float or mapping of str to float
        Level at which a variable stays, and at which a more complex function is taken; a mapping
        sets single variables, the others have 0.05.
    criterion : {"pvalue", "aic", "bic"}
        Closed test, or smallest information criterion (the levels are then not used).
    keep : sequence of str
        Variables that stay whatever the tests say.
    max_df_by : mapping of str to int, optional
        `max_df` of single variables; only the rule of three distinct values limits it.
    ties : {"efron", "breslow"}
        Handling of tied event times.
    max_cycles : int
        Most cycles; then the last state is used with a StatisticalWarning.
    xorder : {"ascending", "descending", "original"}
        Variables are visited by their P value in the full linear model, or as given.
    powers : sequence of float, or mapping of str to sequence of float, optional
        Powers allowed instead of all eight, for all or for single variables.
    shift, scale : float or mapping of str to float, optional
        Fixed instead of found from the values, for all or for single variables.
    convention : {"mfp2", "mfp"}
        Details of the published programs: ``"mfp2"`` looks for the best FP1 among the non-linear
        powers and confirms convergence by a cycle; ``"mfp"`` is the older one.

    Attributes
    ----------
    powers_ : dict of str to tuple of float
        Chosen powers; ``()`` when the variable is left out.
    selected_ : list of str
        Variables in the model, in visiting order.
    shift_, scale_ : dict of str to float
        Of every candidate.
    terms_ : tuple of Term
        The linear predictor on the scaled basis.
    terms_covariance_ : DataFrame
        Covariance of the coefficients of `terms_`.
    center_ : dict of str to float
        Means of the columns on x + shift (minimum for two distinct values).
    coef_ : Series
        Coefficients on the columns of x + shift, in visiting order.
    covariance_ : DataFrame
        Inverse information of `coef_`; the search for powers is not part of it.
    log_likelihood_, null_log_likelihood_ : float
        Partial likelihood of the model and without any variable.
    selection_table_ : DataFrame
        Every comparison of every visit.
    visiting_order_ : list of str
        Order of the visits.
    order_p_values_ : dict of str to float
        P values that gave the order.
    n_cycles_ : int
        Cycles run.
    converged_ : bool
        Whether the functions settled.
    baseline_cumulative_hazard_ : StepFunction
        At linear predictor 0, with the same ties; not defined with strata.
    baseline_by_stratum_ : dict of str to StepFunction
        With strata.
    feature_names_in_ : ndarray of str
        Columns of `X`.
    n_features_in_ : int
        Their number.

    Notes
    -----
    Start: all variables linear. Each variable in turn gets the function that the closed test of
    `select_fp` chooses given the current functions of all others; the cycle is repeated until
    nothing changes [1]_. Binary and indicator columns are used as they are.

    References
    ----------
    .. [1] Sauerbrei W, Royston P. Building multivariable prognostic and diagnostic models:
       transformation of the predictors by using fractional polynomials. J R Stat Soc A
       1999;162:71-94.
    """

    def __init__(
        self,
        max_df: int = 4,
        select_alpha: float | Mapping[str, float] = 0.05,
        fp_alpha: float | Mapping[str, float] = 0.05,
        criterion: str = "pvalue",
        keep: Sequence[str] = (),
        max_df_by: Mapping[str, int] | None = None,
        ties: str = "efron",
        max_cycles: int = 20,
        xorder: str = "ascending",
        powers: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
        shift: float | Mapping[str, float] | None = None,
        scale: float | Mapping[str, float] | None = None,
        convention: str = "mfp2",
    ) -> None:
        self.max_df = max_df
        self.select_alpha = select_alpha
        self.fp_alpha = fp_alpha
        self.criterion = criterion
        self.keep = keep
        self.max_df_by = max_df_by
        self.ties = ties
        self.max_cycles = max_cycles
        self.xorder = xorder
        self.powers = powers
        self.shift = shift
        self.scale = scale
        self.convention = convention

    def fit(
        self,
        X: Any,
        y: Outcome,
        *,
        sample_weight: Any = None,
        strata: Any = None,
        offset: Any = None,
    ) -> MFPCox:
        """
        Choose variables and functions, and fit the final model.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            Complete numeric candidates.
        y : structured ndarray of shape (n_patients,)
            Fields ``event`` and ``time``.
        sample_weight, strata, offset : array-like of shape (n_patients,), optional
            Case weights, labels of strata, known part of the linear predictor.

        Returns
        -------
        MFPCox
            Itself.

        Raises
        ------
        ConvergenceError
            If a coefficient of the final model has no finite or no unique estimate.
        ModelError
            If there is no event.
        ValueError
            If values are not finite, or a setting cannot be used; names columns and settings.
        """
        names, values = check_frame(X)
        check_settings(self, names, y, values)
        risk_sets = build_risk_sets(
            y, ties=self.ties, sample_weight=sample_weight, offset=offset, strata=strata
        )
        check_events(risk_sets.total_events)
        candidates = candidate_variables(self, names, values, risk_sets)
        order, p_values, state = linear_order(candidates, risk_sets, self.xorder)
        by_name = {variable.name: variable for variable in candidates}
        cycles = MFPCycles([by_name[name] for name in order], risk_sets, state)
        result = cycles.run(max_cycles=self.max_cycles, convention=self.convention)
        if not result.converged:
            message = (
                f"the functions did not settle in {self.max_cycles} cycles; the last state is used"
            )
            warnings.warn(message, StatisticalWarning, stacklevel=2)
        self.feature_names_in_ = np.asarray(names, dtype=object)
        self.n_features_in_ = len(names)
        self.shift_ = {variable.name: variable.shift for variable in candidates}
        self.scale_ = {variable.name: variable.scale for variable in candidates}
        self.visiting_order_ = order
        self.order_p_values_ = p_values
        self._store_selection(result)
        columns = dict(zip(names, values.T, strict=True))
        self._fit_final(columns, risk_sets, y.shape[0])
        self._set_baseline(
            self._predict_columns(columns, y.shape[0]),
            y,
            ties=self.ties,
            sample_weight=sample_weight,
            offset=offset,
            strata=strata,
        )
        return self

    def _store_selection(self, result: CycleResult) -> None:
        self.powers_ = {str(name): result.powers[str(name)] for name in self.feature_names_in_}
        self.selected_ = [name for name in self.visiting_order_ if self.powers_[name]]
        self.n_cycles_ = result.n_cycles
        self.converged_ = result.converged
        self.selection_table_ = selection_table(result.visits)

    def _fit_final(self, x: Mapping[str, FloatArray], risk_sets: RiskSets, n_patients: int) -> None:
        powers = {name: self.powers_[name] for name in self.selected_}
        labels = column_names(powers)
        design = model_design(x, powers, self.shift_, self.scale_, n_patients=n_patients)
        fit = final_fit(design, risk_sets, labels)
        self.log_likelihood_ = fit.log_likelihood
        self.null_log_likelihood_ = maximise(
            np.empty((risk_sets.rows.size, 0)), risk_sets
        ).log_likelihood
        centers = [center_of(column) for column in design.T]
        self.terms_: tuple[Term, ...] = make_terms(
            powers, self.shift_, self.scale_, centers, list(fit.coef)
        )
        self.terms_covariance_ = pd.DataFrame(fit.covariance, index=labels, columns=labels)
        blocks = [unscaling_matrix(chosen, self.scale_[name]) for name, chosen in powers.items()]
        unscale = block_diag(*blocks) if blocks else np.empty((0, 0))
        self.coef_ = pd.Series(unscale @ fit.coef, index=labels, dtype=np.float64)
        self.covariance_ = pd.DataFrame(
            unscale @ fit.covariance @ unscale.T, index=labels, columns=labels
        )
        unit = dict.fromkeys(powers, 1.0)
        unscaled = model_design(x, powers, self.shift_, unit, n_patients=n_patients)
        self.center_ = {
            label: center_of(column) for label, column in zip(labels, unscaled.T, strict=True)
        }

    def _predict_columns(self, x: Mapping[str, FloatArray], n_patients: int) -> FloatArray:
        predictor = np.zeros(n_patients)
        for term in self.terms_:
            predictor += term.coefficient * term.values(x[term.variable])
        return predictor

    def linear_predictor(self, X: Any) -> FloatArray:
        """
        Compute the linear predictor, 0 where every term is at its center.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            At least the variables in the model.

        Returns
        -------
        ndarray of shape (n_patients,)
            Log hazard relative to the baseline.

        Raises
        ------
        ValueError
            If a variable is missing, not finite, or below what its function can take.
        """
        check_is_fitted(self, "terms_")
        names, values = check_frame(X, self.selected_)
        return self._predict_columns(dict(zip(names, values.T, strict=True)), values.shape[0])

    def predict(self, X: Any) -> FloatArray:
        """
        Compute the linear predictor.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            At least the variables in the model.

        Returns
        -------
        ndarray of shape (n_patients,)
            Same as `linear_predictor`.
        """
        return self.linear_predictor(X)

    def equation(self) -> str:
        """
        Write the linear predictor as text.

        Returns
        -------
        str
            One line per term; ``0`` for a model without terms.
        """
        check_is_fitted(self, "terms_")
        return "\n".join(term.formula() for term in self.terms_) or "0"

    def partial_effect(
        self, variable: str, x: Any, *, reference: float, level: float = 0.95
    ) -> pd.DataFrame:
        r"""
        Log hazard ratio of values of one variable against a reference value.

        Parameters
        ----------
        variable : str
            A variable in the model.
        x : array-like of shape (n_values,)
            Values as measured.
        reference : float
            Value at which the log hazard ratio is 0.
        level : float
            Coverage of the pointwise interval, in (0, 1).

        Returns
        -------
        DataFrame
            Columns ``x``, ``log_hazard_ratio``, ``lower``, ``upper``. The interval takes the
            powers as known in advance and is therefore too narrow.

        Raises
        ------
        ValueError
            If the variable is not in the model.

        Notes
        -----
        .. math:: (h(x) - h(x_0))^\top \beta \pm z \sqrt{(h(x) - h(x_0))^\top V (h(x) - h(x_0))}
        """
        check_is_fitted(self, "terms_")
        terms = [term for term in self.terms_ if term.variable == variable]
        if not terms:
            kept = ", ".join(self.selected_) or "none"
            message = f"`{variable}` is not in the model; variables in the model: {kept}"
            raise ValueError(message)
        values = np.atleast_1d(np.asarray(x, dtype=np.float64))
        at = np.array([reference], dtype=np.float64)
        difference = np.column_stack([term.values(values) - term.values(at) for term in terms])
        labels = [term.column for term in terms]
        covariance = self.terms_covariance_.loc[labels, labels].to_numpy()
        effect = difference @ np.array([term.coefficient for term in terms])
        spread = np.sqrt(np.einsum("ij,jk,ik->i", difference, covariance, difference))
        half = float(ndtri(0.5 + level / 2.0)) * spread
        return pd.DataFrame(
            {
                "x": values,
                "log_hazard_ratio": effect,
                "lower": effect - half,
                "upper": effect + half,
            }
        )
