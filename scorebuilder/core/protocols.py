"""What rooms ask of one another without knowing one another."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from scorebuilder.core.arrays import FloatArray, Outcome


@runtime_checkable
class RiskModel(Protocol):
    """Anything that gives each patient an absolute risk at a horizon."""

    def predict_risk(self, X: Any, *, horizon: float) -> FloatArray:
        """Risk of the event by `horizon`, shape (n_patients,), in [0, 1]."""
        ...


@runtime_checkable
class FittableRiskModel(RiskModel, Protocol):
    """A risk model that can be fitted to patients and their outcome."""

    def fit(self, X: Any, y: Outcome) -> Any:
        """Fit to the patients in `X` with outcome `y`; returns self."""
        ...
