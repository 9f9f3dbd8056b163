"""From the settings of MFPCox to one rule per candidate variable."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import StatisticalWarning
from scorebuilder.modelling.fractional_polynomial import POWERS, default_max_df
from scorebuilder.modelling.function_selection import shift_and_scale
from scorebuilder.modelling.mfp_cycles import ORDERS, CandidateVariable
from scorebuilder.modelling.risk_sets import RiskSets
from scorebuilder.modelling.selection_rule import CONVENTIONS, CRITERIA, SelectionRule
from scorebuilder.modelling.variable_columns import variable_columns

DEFAULT_ALPHA = 0.05
MAX_DF = (1, 2, 4, 6, 8)


def check_settings(settings: Any, names: Sequence[str], y: Outcome, values: FloatArray) -> None:
    """
    Refuse settings that cannot be used.

    Parameters
    ----------
    settings : MFPCox
        Its public parameters.
    names : sequence of str
        Columns of the data.
    y : structured ndarray of shape (n_patients,)
        The outcome.
    values : ndarray of shape (n_patients, n_features)
        The data.

    Raises
    ------
    ValueError
        Naming the setting and what it may be.
    """
    if values.shape[0] != y.shape[0]:
        message = (
            f"`X` must have one row per patient; got shape {values.shape} for {y.shape[0]} patients"
        )
        raise ValueError(message)
    for setting, allowed in (
        ("criterion", CRITERIA),
        ("convention", CONVENTIONS),
        ("xorder", ORDERS),
    ):
        if getattr(settings, setting) not in allowed:
            message = f"`{setting}` must be one of {allowed}; got {getattr(settings, setting)!r}"
            raise ValueError(message)
    if settings.convention == "mfp" and settings.criterion != "pvalue":
        message = '`convention="mfp"` knows only `criterion="pvalue"`'
        raise ValueError(message)
    if settings.max_cycles < 1:
        message = f"`max_cycles` must be at least 1; got {settings.max_cycles}"
        raise ValueError(message)
    for df in (settings.max_df, *(settings.max_df_by or {}).values()):
        if df not in MAX_DF:
            message = f"`max_df` and `max_df_by` must be one of {MAX_DF}; got {df}"
            raise ValueError(message)
    by_variable = ("select_alpha", "fp_alpha", "max_df_by", "powers", "shift", "scale")
    named = {s: getattr(settings, s) for s in by_variable}
    named = {s: v for s, v in named.items() if isinstance(v, Mapping)} | {"keep": settings.keep}
    for setting, mentioned in named.items():
        unknown = [name for name in mentioned if name not in names]
        if unknown:
            message = f"`{setting}` names columns that `X` does not have: {', '.join(unknown)}"
            raise ValueError(message)


def _for_variable(setting: Any, name: str, default: Any) -> Any:
    if isinstance(setting, Mapping):
        return setting.get(name, default)
    return default if setting is None else setting


def _max_df(settings: Any, name: str, x: FloatArray) -> int:
    by = settings.max_df_by or {}
    if name not in by:
        return default_max_df(x, int(settings.max_df))
    if by[name] > 1 and np.unique(x).size <= 3:
        message = f"`{name}` has at most three distinct values and stays linear"
        warnings.warn(message, StatisticalWarning, stacklevel=4)
        return 1
    return int(by[name])


def candidate_variables(
    settings: Any, names: Sequence[str], values: FloatArray, risk_sets: RiskSets
) -> list[CandidateVariable]:
    """
    Give every column its rule, shift, scale and columns.

    Parameters
    ----------
    settings : MFPCox
        Its public parameters, checked.
    names : sequence of str
        Columns of the data.
    values : ndarray of shape (n_patients, n_features)
        The data.
    risk_sets : RiskSets
        The sorted outcome.

    Returns
    -------
    list of CandidateVariable
        In the order of `names`.

    Raises
    ------
    ValueError
        If a fixed shift leaves values that are not positive; names the variable.
    """
    candidates = []
    for position, name in enumerate(names):
        x = np.ascontiguousarray(values[:, position])
        powers = _for_variable(settings.powers, name, POWERS)
        rule = SelectionRule(
            max_df=_max_df(settings, name, x),
            select_alpha=float(_for_variable(settings.select_alpha, name, DEFAULT_ALPHA)),
            fp_alpha=float(_for_variable(settings.fp_alpha, name, DEFAULT_ALPHA)),
            keep=name in settings.keep,
            powers=tuple(sorted(float(power) for power in powers)),
            criterion=settings.criterion,
            convention=settings.convention,
            n_events=risk_sets.total_events,
        )
        shift, scale = _shift_and_scale(settings, name, x, rule)
        working = (x + shift) / scale
        wrong = int(np.sum(working <= 0.0)) if rule.max_degree else 0
        if wrong:
            message = f"`{name}` + shift must be positive; {wrong} values are not. Raise `shift`."
            raise ValueError(message)
        columns = variable_columns(
            working, risk_sets, powers=rule.powers, max_degree=rule.max_degree
        )
        candidates.append(CandidateVariable(name, rule, columns, shift, scale))
    return candidates


def _shift_and_scale(
    settings: Any, name: str, x: FloatArray, rule: SelectionRule
) -> tuple[float, float]:
    if np.unique(x).size <= 2 or (rule.convention == "mfp" and rule.max_degree == 0):
        return 0.0, 1.0
    return shift_and_scale(
        x,
        rule.convention,
        _for_variable(settings.shift, name, None),
        _for_variable(settings.scale, name, None),
    )
