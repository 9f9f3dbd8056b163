"""Who of a cohort is analysed: criteria on predictors, counted one by one in the attrition."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.cohort.attrition import Attrition, AttritionStep
from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.arrays import BoolArray
from scorebuilder.core.errors import CohortError, SpecError, Violation


@dataclass(frozen=True)
class Criterion:
    """
    One criterion of eligibility.

    Attributes
    ----------
    column : str
        A predictor.
    label : str
        Why those who do not meet it leave.
    min, max : float or None
        Range of a number; both ends are allowed.
    levels : tuple of str
        Allowed codes of a factor.
    """

    column: str
    label: str
    min: float | None = None
    max: float | None = None
    levels: tuple[str, ...] = ()


def restrict(cohort: Cohort, criteria: Sequence[Criterion]) -> Cohort:
    """
    Keep the patients who meet all criteria.

    Parameters
    ----------
    cohort : Cohort
        All patients with known outcome.
    criteria : sequence of Criterion
        Applied in order; a patient in whom the column is missing does not meet it.

    Returns
    -------
    Cohort
        With one more step of the attrition for each criterion, before the last one; the hash is
        that of the whole table.

    Raises
    ------
    SpecError
        If a criterion names no predictor, asks for nothing, or does not fit the kind of its column.
    CohortError
        If nobody, or nobody with an event, is left.
    """
    if not criteria:
        return cohort
    event = cohort.y["event"]
    kept = np.ones(event.size, dtype=np.bool_)
    steps = list(cohort.attrition.steps)
    last = steps.pop()
    for criterion in criteria:
        before = int(kept.sum())
        kept &= _meets(cohort, criterion)
        left = int(kept.sum())
        steps.append(AttritionStep(criterion.label, before - left, left, int(event[kept].sum())))
    steps.append(AttritionStep(last.label, 0, int(kept.sum()), int(event[kept].sum())))
    if not event[kept].any():
        rule = "nobody with an event meets the criteria of eligibility"
        raise CohortError([Violation("", rule, 0, "Check the criteria")], source=cohort.schema.name)
    return _rows(cohort, kept, Attrition(tuple(steps)))


def _rows(cohort: Cohort, kept: BoolArray, attrition: Attrition) -> Cohort:
    def those(table: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
        return table[kept].reset_index(drop=True)

    tables = {
        field.name: those(value)
        for field in dataclasses.fields(cohort)
        if isinstance(value := getattr(cohort, field.name), pd.DataFrame | pd.Series)
    }
    return dataclasses.replace(cohort, y=cohort.y[kept], attrition=attrition, **tables)


def _meets(cohort: Cohort, criterion: Criterion) -> BoolArray:
    name = criterion.column
    if name not in cohort.X.columns:
        known = ", ".join(cohort.X.columns)
        message = f"`eligibility`: no predictor of the schema: {name}; it has {known}"
        raise SpecError(message)
    values = cohort.X[name]
    factor = isinstance(values.dtype, pd.CategoricalDtype)
    ranged = criterion.min is not None or criterion.max is not None
    if factor == ranged or factor != bool(criterion.levels):
        wanted = "`levels`" if factor else "`min` or `max`, and no `levels`"
        message = f"`eligibility`: `{name}` needs {wanted}"
        raise SpecError(message)
    if factor:
        unknown = sorted(set(criterion.levels) - set(values.cat.categories))
        if unknown:
            message = f"`eligibility`: `{name}` has no level {', '.join(unknown)}"
            raise SpecError(message)
        return np.asarray(values.isin(criterion.levels).to_numpy(), dtype=np.bool_)
    numbers = values.to_numpy(dtype=np.float64)
    low = -np.inf if criterion.min is None else criterion.min
    high = np.inf if criterion.max is None else criterion.max
    with np.errstate(invalid="ignore"):
        return np.asarray((numbers >= low) & (numbers <= high), dtype=np.bool_)
