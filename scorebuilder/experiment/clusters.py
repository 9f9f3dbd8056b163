"""The clusters of an internal-external validation, as the spec names them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.spec_resampling import CALENDAR_TIME, InternalExternalSpec

_KEY = "`validation.internal_external`"


def read_clusters(settings: InternalExternalSpec | None, cohort: Cohort) -> pd.Series | None:
    """
    Label each patient's cluster.

    Parameters
    ----------
    settings : InternalExternalSpec or None
        Column and cuts.
    cohort : Cohort
        The patients.

    Returns
    -------
    Series of shape (n_patients,) or None
        Categorical in the order of the levels or periods; missing where the column is. None without
        settings.

    Raises
    ------
    SpecError
        If there is no such column, or its cuts do not fit it.
    """
    if settings is None:
        return None
    values = _column(settings.by, cohort)
    name = str(values.name)
    if isinstance(values.dtype, pd.CategoricalDtype):
        if settings.cuts:
            message = f"{_KEY}: `{name}` is a factor and has no `cuts`; leave them out"
            raise SpecError(message)
        field = cohort.schema.field(name)
        labels = {code: field.level_label(code) for code in values.cat.categories}
        if len(set(labels.values())) < len(labels):
            return values
        return values.cat.rename_categories(labels)
    if not settings.cuts:
        message = (
            f"{_KEY}: `{name}` is a {'date' if _is_date(values) else 'number'}; say with `cuts` "
            "where it is divided"
        )
        raise SpecError(message)
    return _cut(values, settings.cuts)


def _column(by: str, cohort: Cohort) -> pd.Series:
    name = by
    if by == CALENDAR_TIME:
        date = cohort.schema.with_role("time_zero_date")
        if date is None:
            message = f"{_KEY}: the schema has no column with `sb:role: time_zero_date`"
            raise SpecError(message)
        name = date.name
    try:
        return cohort.column(name)
    except KeyError as error:
        message = f"{_KEY}: {error.args[0]}"
        raise SpecError(message) from None


def _is_date(values: pd.Series) -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values.dtype))


def _cut(values: pd.Series, cuts: Sequence[int | float | str]) -> pd.Series:
    """Divide a number or a date; each cut begins a period."""
    places = [_place(cut, values) for cut in cuts]
    if any(first >= second for first, second in itertools.pairwise(places)):
        message = f"{_KEY}: `cuts` must ascend"
        raise SpecError(message)
    shown = [str(cut) for cut in cuts]
    earlier = "before" if _is_date(values) else "below"
    labels = [
        f"{earlier} {shown[0]}",
        *(f"{low} to {earlier} {high}" for low, high in itertools.pairwise(shown)),
        f"from {shown[-1]}" if _is_date(values) else f"{shown[-1]} or more",
    ]
    known = values.notna().to_numpy()
    codes = np.searchsorted(np.array(places), values.to_numpy(), side="right")
    codes = np.where(known, codes, -1)
    return pd.Series(pd.Categorical.from_codes(codes, categories=labels), name=values.name)


def _place(cut: int | float | str, values: pd.Series) -> Any:
    date = _is_date(values)
    if date == isinstance(cut, str):
        if not date:
            return float(cut)
        found = pd.to_datetime(str(cut), format="%Y-%m-%d", errors="coerce")
        if not pd.isna(found):
            return found.to_datetime64()
    kind = 'dates such as "2003-07-01"' if date else "numbers"
    message = f"{_KEY}: `cuts` of `{values.name}` must be {kind}"
    raise SpecError(message)
