"""What rooms ask of one another without knowing one another."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from scorebuilder.core.arrays import FloatArray, Outcome


@runtime_checkable
class RiskModel(Protocol):
    """Anything that gives each patient an absolute risk at a horizon."""

    def predict_risk(self, X: Any, *, horizon: float) -> FloatArray:
        """
        Predict the risk of the event by a horizon, in [0, 1].

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The patients.
        horizon : float
            In the unit of the fitted outcome.
        """
        ...


@runtime_checkable
class FittableRiskModel(RiskModel, Protocol):
    """A risk model that can be fitted to patients and their outcome."""

    def fit(self, X: Any, y: Outcome) -> Any:
        """
        Fit to patients and return self.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_features)
            The patients.
        y : structured ndarray of shape (n_patients,)
            Their outcome.
        """
        ...
