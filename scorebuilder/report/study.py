"""What one finished study hands to its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.arrays import FloatArray
from scorebuilder.report.study_incremental import IncrementalStudy
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.validation.baseline import Baseline
from scorebuilder.validation.bootstrap_optimism import BootstrapOptimism
from scorebuilder.validation.internal_external import InternalExternal
from scorebuilder.validation.recalibration import Method
from scorebuilder.validation.resampling import ValidationResult

SCORE_LABEL = "This score"
EVERYBODY = " for every patient"
"""Ending of what the spec assumes."""


@dataclass(frozen=True)
class BaselineResult:
    """
    An established score on the cohort's patients.

    Attributes
    ----------
    baseline : Baseline
        Which one.
    table : DataFrame of shape (n_patients, n_results)
        ``risk`` or ``points`` (NaN where it cannot be computed) and ``reason``.
    assumed : tuple of str
        What the spec says of it in words; what it assumes for every patient ends in `EVERYBODY`.
    variant : str or None
        In which of its published forms it was computed.
    recalibrate : tuple of str
        Which recalibrations are shown beside it, of `METHODS`.
    n_assumed : int
        How many of its inputs that describe a patient are the same for every patient.
    derived : tuple of str
        Which of its inputs come from more than one column, in words.
    note : str or None
        What the spec says of the comparison.
    rule : str or None
        The condition, if it is a rule of yes or no.
    """

    baseline: Baseline
    table: pd.DataFrame
    assumed: tuple[str, ...]
    variant: str | None = None
    recalibrate: tuple[Method, ...] = ()
    n_assumed: int = 0
    derived: tuple[str, ...] = ()
    note: str | None = None
    rule: str | None = None

    @property
    def key(self) -> str:
        """Name by which tables tell it from others."""
        return f"{self.baseline.name}_{self.variant}" if self.variant else self.baseline.name

    @property
    def label(self) -> str:
        """Name by which readers tell it from others."""
        words = f" ({self.variant.replace('_', ' ')})" if self.variant else ""
        return f"{self.baseline.label}{words}"

    @property
    def predictions(self) -> FloatArray:
        """Risk or points of each patient; NaN where it cannot be computed."""
        return np.asarray(self.table[self.baseline.quantity], dtype=np.float64)


@dataclass(frozen=True)
class ComparatorResult:
    """
    A model of another kind, refitted on the folds of the score.

    Attributes
    ----------
    name, label : str
        Key, and words for readers.
    validation : ValidationResult or None
        Out-of-fold predictions; None if the model cannot be fitted in a fold.
    reason : str
        Why there are none.
    """

    name: str
    label: str
    validation: ValidationResult | None
    reason: str = ""


@dataclass(frozen=True)
class Study:
    """
    A cohort, the score built from it, and how it was judged.

    Attributes
    ----------
    cohort : Cohort
        The development patients.
    candidates : tuple of str
        Variables that might enter.
    builder : ScoreBuilder
        Fitted to all patients.
    artifact : ScoreArtifact or None
        The score; None while its own evidence is still being written.
    validation : ValidationResult
        Out-of-fold predictions.
    baselines : tuple of BaselineResult
        Established scores on the same patients.
    settings : mapping
        The spec as plain data.
    main_horizon : float
        Days; where one number has to stand for all.
    warnings : tuple of str
        What the fits warned of.
    reproduce : mapping
        Command, seed, hashes and versions.
    incremental : IncrementalStudy
        What groups of variables and single markers were tried for.
    comparators : tuple of ComparatorResult
        Models of other kinds on the same candidates and folds.
    external : tuple of dict
        Summaries of the frozen score in other cohorts.
    optimism : BootstrapOptimism or None
        Bootstrap of the whole pipeline, if there was one.
    internal_external : InternalExternal or None
        Centres or periods left out in turn, if there were any.
    """

    cohort: Cohort
    candidates: tuple[str, ...]
    builder: ScoreBuilder
    artifact: ScoreArtifact | None
    validation: ValidationResult
    baselines: tuple[BaselineResult, ...]
    settings: Mapping[str, Any]
    main_horizon: float
    warnings: tuple[str, ...]
    reproduce: Mapping[str, Any]
    incremental: IncrementalStudy = field(default_factory=IncrementalStudy)
    comparators: tuple[ComparatorResult, ...] = ()
    external: tuple[Mapping[str, Any], ...] = ()
    optimism: BootstrapOptimism | None = None
    internal_external: InternalExternal | None = None

    @property
    def sealed(self) -> ScoreArtifact:
        """The artifact, once it is there."""
        if self.artifact is None:
            message = "the study has no artifact yet"
            raise ValueError(message)
        return self.artifact

    @property
    def X(self) -> pd.DataFrame:
        """The candidates of all patients."""
        return self.cohort.X[list(self.candidates)]

    def label(self, name: str) -> str:
        """
        Return a variable's label.

        Parameters
        ----------
        name : str
            The variable.

        Returns
        -------
        str
            Its label in the schema.
        """
        return self.cohort.schema.field(name).label or name
