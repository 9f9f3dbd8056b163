"""What an established score is: inputs with units and limits, equation, publication."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.core.registry import Registry
from scorebuilder.validation.baseline_input import BaselineInput, check_input

Equation: TypeAlias = Callable[[pd.DataFrame], FloatArray]
"""Takes validated inputs (numbers as float, categories as text), returns risks or points."""

ABSENT = "absent_inputs"
"""Key of ``frame.attrs``: input name -> why the whole cohort lacks it."""


@dataclass(frozen=True)
class Baseline:
    """
    An established prognostic score, as published.

    Attributes
    ----------
    name : str
        Key in `BASELINES`.
    label : str
        For tables and figures.
    outcome : str
        The event it predicts.
    horizon : float
        Days.
    population : str
        For whom it was derived.
    inputs : tuple of BaselineInput
        What it needs, with units and limits.
    equation : callable
        From validated inputs to risk.
    publication, doi : str
        Where it is published.
    licence_notice : str
        What must be shown with it.
    misuse : str
        Known ways in which it goes wrong.
    variants : mapping of str to callable
        Other published ways to compute it, by name.
    """

    name: str
    label: str
    outcome: str
    horizon: float
    population: str
    inputs: tuple[BaselineInput, ...]
    equation: Equation
    publication: str
    doi: str
    licence_notice: str
    misuse: str
    variants: Mapping[str, Equation] = field(default_factory=dict)

    @property
    def age_range(self) -> tuple[float, float] | None:
        """Youngest and oldest completed year of age, if age is an input."""
        return next((i.hard_range for i in self.inputs if i.concept == "age"), None)

    def compute(self, frame: pd.DataFrame, *, variant: str | None = None) -> pd.DataFrame:
        """
        Risk of each patient, or the reason why there is none.

        Parameters
        ----------
        frame : DataFrame of shape (n_patients, n_columns)
            One column per input, named as the input and in its unit. Optional inputs may be left
            out; other columns are ignored.
        variant : str, optional
            Name in `variants`; the equation as published if None.

        Returns
        -------
        DataFrame of shape (n_patients, 2)
            ``risk`` (fraction; NaN where undefined) and ``reason`` (None where defined; several
            reasons are joined by "; "), with the index of `frame`.

        Raises
        ------
        CohortError
            If columns are missing or appear twice; names all of them.
        ValueError
            If there is no such variant.
        """
        equation = self.equation
        if variant is not None:
            if variant not in self.variants:
                known = ", ".join(sorted(self.variants)) or "none"
                message = f"`{self.name}` has no variant `{variant}`; it has: {known}"
                raise ValueError(message)
            equation = self.variants[variant]
        self._check_columns(frame)
        absent: Mapping[str, str] = frame.attrs.get(ABSENT, {})
        values: dict[str, Any] = {}
        reasons = np.full(len(frame), "", dtype=object)
        for item in self.inputs:
            if item.name in absent:
                wrong = np.full(len(frame), absent[item.name], dtype=object)
            elif item.name in frame.columns:
                values[item.name], wrong = check_input(item, frame[item.name])
            else:
                continue
            joined = np.where(reasons == "", wrong, reasons + "; " + wrong)
            reasons = np.where(wrong == "", reasons, joined)
        valid = reasons == ""
        risk = np.full(len(frame), np.nan)
        if valid.any():
            checked = pd.DataFrame({name: column[valid] for name, column in values.items()})
            risk[valid] = equation(checked)
        out = pd.DataFrame({"risk": risk}, index=frame.index)
        reasons[valid] = None
        out["reason"] = reasons
        return out

    def _check_columns(self, frame: pd.DataFrame) -> None:
        names = list(frame.columns)
        violations = [
            Violation(item.name, f"missing, but needed by `{self.name}`", remedy=item.need)
            for item in self.inputs
            if item.name not in names and not item.optional
        ]
        violations += [
            Violation(item.name, "appears more than once")
            for item in self.inputs
            if names.count(item.name) > 1
        ]
        if violations:
            raise CohortError(violations, source=f"inputs of `{self.name}`")


BASELINES: Registry[Baseline] = Registry("baseline", "scorebuilder.validation.baselines")
"""All established scores by name."""


def count_reasons(result: pd.DataFrame) -> list[dict[str, Any]]:
    """
    Count why a baseline could not be computed.

    Parameters
    ----------
    result : DataFrame
        As returned by `Baseline.compute`.

    Returns
    -------
    list of dict
        ``{"reason", "count"}``, most frequent first; a patient with several reasons counts under
        each.
    """
    counts: Counter[str] = Counter()
    for reason in result["reason"]:
        if isinstance(reason, str):
            counts.update(reason.split("; "))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"reason": reason, "count": count} for reason, count in ordered]
