"""What one finished study hands to its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.validation.baseline import Baseline
from scorebuilder.validation.resampling import ValidationResult

SCORE_LABEL = "This score"


@dataclass(frozen=True)
class BaselineResult:
    """
    An established score on the cohort's patients.

    Attributes
    ----------
    baseline : Baseline
        Which one.
    table : DataFrame of shape (n_patients, 2)
        ``risk`` (NaN where it cannot be computed) and ``reason``.
    assumed : tuple of str
        What the spec set for every patient, in words.
    """

    baseline: Baseline
    table: pd.DataFrame
    assumed: tuple[str, ...]


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
