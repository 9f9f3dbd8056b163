"""What was refitted to see how much groups of variables and single markers add."""

from __future__ import annotations

from dataclasses import dataclass

from scorebuilder.core.arrays import Outcome
from scorebuilder.modelling.nested_models import HazardRatio, NestedModels
from scorebuilder.validation.resampling import ValidationResult


@dataclass(frozen=True)
class Rung:
    """
    A step of a ladder of variable groups.

    Attributes
    ----------
    group : str
        The group that it adds.
    variables : tuple of str
        All variables up to this step.
    result : ValidationResult
        Out-of-fold predictions of what was refitted.
    nested : NestedModels
        Linear Cox model of all these variables against that of the step before, in all patients.
    """

    group: str
    variables: tuple[str, ...]
    result: ValidationResult
    nested: NestedModels


@dataclass(frozen=True)
class MarkerAnswer:
    """
    What a marker adds to what is known already.

    Attributes
    ----------
    label, marker, on_top_of : str
        The question, the marker, and what is known, in words.
    subgroup : str
        Condition of the patients; empty for all.
    n_subgroup, n_unknown, n, n_events : int
        Patients in the subgroup; those whose membership is not known; those studied, with all
        inputs known; events among these by the main horizon.
    y : structured ndarray or None
        Outcome of the patients studied.
    old, new : ValidationResult or None
        Out-of-fold predictions without and with the marker.
    nested : NestedModels or None
        Both models in all patients studied.
    hazard_ratios : tuple of HazardRatio
        Of the marker, adjusted.
    reason : str or None
        Why there is no answer.
    """

    label: str
    marker: str
    on_top_of: str
    subgroup: str
    n_subgroup: int
    n_unknown: int
    n: int
    n_events: int
    y: Outcome | None = None
    old: ValidationResult | None = None
    new: ValidationResult | None = None
    nested: NestedModels | None = None
    hazard_ratios: tuple[HazardRatio, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class IncrementalStudy:
    """
    All answers of one study.

    Attributes
    ----------
    rungs : tuple of Rung
        Steps of the ladder.
    markers : tuple of MarkerAnswer
        Answers about single markers.
    """

    rungs: tuple[Rung, ...] = ()
    markers: tuple[MarkerAnswer, ...] = ()
