"""Survival and risk from a linear predictor and its baseline hazard, shared by the models."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.kernels.residual import group_hazards
from scorebuilder.modelling.risk_sets import RiskSets, build_risk_sets, stratum_codes
from scorebuilder.survival.concordance_score import ConcordanceScore
from scorebuilder.survival.step_function import StepFunction


class BaselinePredictor(ConcordanceScore):
    """A model with a linear predictor, and one baseline hazard or one per stratum."""

    baseline_cumulative_hazard_: StepFunction
    baseline_by_stratum_: dict[str, StepFunction]

    @abstractmethod
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
            Log hazard relative to the baseline.
        """

    def _set_baseline(
        self,
        predictor: FloatArray,
        y: Outcome,
        *,
        ties: str,
        sample_weight: Any,
        offset: Any,
        strata: Any,
        entry: Any = None,
        risk_sets: RiskSets | None = None,
    ) -> None:
        """Store H0 of all patients or of each stratum; `risk_sets` saves sorting them again."""
        for name in ("baseline_cumulative_hazard_", "baseline_by_stratum_"):
            if hasattr(self, name):
                delattr(self, name)
        sets = risk_sets or build_risk_sets(
            y, ties=ties, sample_weight=sample_weight, offset=offset, strata=strata, entry=entry
        )
        first = sets.rows[sets.start[:-1]]
        times, jumps = y["time"][first], _baseline_jumps(predictor, sets)
        if strata is None:
            self.baseline_cumulative_hazard_ = StepFunction(times, np.cumsum(jumps), 0.0)
            return
        labels = np.unique(np.asarray(strata))
        codes = stratum_codes(strata, y.shape[0])[first]
        bounds = np.searchsorted(codes, np.arange(labels.size + 1))
        self.baseline_by_stratum_ = {
            label: StepFunction(times[begin:end], np.cumsum(jumps[begin:end]), 0.0)
            for label, begin, end in zip(
                _stratum_names(labels), bounds[:-1], bounds[1:], strict=True
            )
        }

    def predict_survival_function(self, X: Any, times: Any, *, strata: Any = None) -> FloatArray:
        r"""
        Predict survival at several times.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            At least the variables in the model.
        times : array-like of shape (n_times,)
            In the unit of the outcome; survival stays constant after the last event.
        strata : array-like of shape (n_patients,), optional
            Labels, needed after a stratified fit.

        Returns
        -------
        ndarray of shape (n_patients, n_times)
            Probability of no event up to each time.

        Raises
        ------
        ModelError
            If the fit was stratified and `strata` is not given, or a stratum is unknown.
        ValueError
            If a time is negative or not finite, or `strata` has not one label per patient.

        Notes
        -----
        .. math:: S(t \mid x) = \exp(-H_0(t) e^{\eta(x)})

        Labels are compared as text, whole numbers without decimals: 1.0 is the stratum 1.
        """
        at = _checked_times(times, "times")
        hazard_ratio = np.exp(self.predict(X))
        if hasattr(self, "baseline_cumulative_hazard_"):
            return _survival(np.outer(hazard_ratio, self.baseline_cumulative_hazard_(at)))
        if strata is None:
            message = "the fit was stratified; give `strata`, or use `baseline_by_stratum_`"
            raise ModelError(message)
        given = np.asarray(strata)
        if given.shape != hazard_ratio.shape:
            message = (
                f"`strata` must have one label per patient, shape {hazard_ratio.shape}; got "
                f"{given.shape}"
            )
            raise ValueError(message)
        labels = _stratum_names(given)
        unknown = sorted(set(labels) - set(self.baseline_by_stratum_))
        if unknown:
            message = f"`strata` holds {len(unknown)} labels without a baseline hazard"
            raise ModelError(message)
        hazards = np.array([self.baseline_by_stratum_[label](at) for label in labels])
        return _survival(hazard_ratio[:, np.newaxis] * hazards.reshape(-1, at.size))

    def predict_risk(self, X: Any, *, horizon: float, strata: Any = None) -> FloatArray:
        """
        Predict the probability of the event by a horizon.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            At least the variables in the model.
        horizon : float
            In the unit of the outcome (days).
        strata : array-like of shape (n_patients,), optional
            Labels, needed after a stratified fit.

        Returns
        -------
        ndarray of shape (n_patients,)
            In [0, 1].

        Raises
        ------
        ModelError
            If the fit was stratified and `strata` is not given, or a stratum is unknown.
        ValueError
            If `horizon` is negative or not finite, or `strata` has not one label per patient.
        """
        _checked_times(horizon, "horizon")
        return 1.0 - self.predict_survival_function(X, [horizon], strata=strata)[:, 0]


def check_cox_model(model: Any, purpose: str) -> None:
    """
    Refuse models without hazards.

    Parameters
    ----------
    model : object
        CoxRegression or MFPCox.
    purpose : str
        What needs a Cox model, for the message.

    Raises
    ------
    TypeError
        If `model` is another one; names its class.
    """
    if not isinstance(model, BaselinePredictor):
        message = (
            f"{purpose} needs a Cox model (MFPCox or CoxRegression); got {type(model).__name__}"
        )
        raise TypeError(message)


def _stratum_names(labels: Any) -> list[str]:
    """Write labels as text, whole numbers the same whether they come as int or float."""
    whole = [isinstance(label, (float, np.floating)) and label.is_integer() for label in labels]
    return [str(int(k) if is_whole else k) for k, is_whole in zip(labels, whole, strict=True)]


def _checked_times(times: Any, name: str) -> FloatArray:
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    wrong = int(np.sum(~(np.isfinite(at) & (at >= 0.0))))
    if wrong:
        message = f"`{name}` must be finite and >= 0; {wrong} of {at.size} values are not"
        raise ValueError(message)
    return at


def _survival(cumulative_hazard: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-cumulative_hazard), dtype=np.float64)


def _baseline_jumps(predictor: FloatArray, sets: RiskSets) -> FloatArray:
    known = predictor[sets.rows] + sets.offset
    top = known.max(initial=-np.inf)
    jumps = group_hazards(
        sets.weight * np.exp(known - top),
        sets.weight,
        sets.start,
        sets.n_events,
        sets.stratum_end,
        sets.efron,
    )[:, 0]
    return np.asarray(jumps * np.exp(-top), dtype=np.float64)
