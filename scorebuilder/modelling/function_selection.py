"""The function selection procedure: which fractional polynomial of one variable, or none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.candidate_search import Candidate, CandidateModels
from scorebuilder.modelling.fractional_polynomial import (
    POWERS,
    default_max_df,
    rounded_shift_scale,
    scale_of,
    shift_of,
)
from scorebuilder.modelling.newton import standardise
from scorebuilder.modelling.risk_sets import build_risk_sets
from scorebuilder.modelling.selection_rule import (
    FPSelection,
    FunctionTest,
    SelectionRule,
    likelihood_ratio_p,
)
from scorebuilder.modelling.variable_columns import variable_columns


def _df(rule: SelectionRule, candidate: Candidate) -> int:
    """Count coefficients and searched powers."""
    degree = len(candidate.powers) if candidate.label.startswith("FP") else 0
    if rule.convention == "mfp":
        return 2 * degree or len(candidate.powers)
    return candidate.maximum.rank + degree


def _compare(
    rule: SelectionRule, simple: Candidate, full: Candidate, level: float
) -> tuple[FunctionTest, bool]:
    """Test `full` against `simple`; True when `full` is significantly better."""
    df = _df(rule, full) - _df(rule, simple)
    chisq = simple.deviance - full.deviance
    p = likelihood_ratio_p(chisq, df)
    strict = rule.convention == "mfp2" and not (simple.label == "null" and full.label == "linear")
    better = df > 0 and (p < level if strict else p <= level)
    test = f"{full.label} vs {simple.label}"
    if better:
        decision = f"{simple.label} rejected"
    else:
        decision = "variable left out" if simple.label == "null" else f"{simple.label} is enough"
    return (
        FunctionTest(test, simple.deviance, full.deviance, chisq, df, p, None, decision),
        better,
    )


def _closed_test(
    models: CandidateModels, rule: SelectionRule
) -> tuple[Candidate, list[FunctionTest]]:
    tests: list[FunctionTest] = []
    degree = rule.max_degree
    with_linear = rule.convention == "mfp"
    full = models.best(degree, with_linear=with_linear) if degree else models.linear()
    test, better = _compare(rule, models.null(), full, rule.select_alpha)
    if rule.keep:
        test = replace(test, decision="kept as required")
    tests.append(test)
    if not (better or rule.keep):
        return models.null(), tests
    for simpler in range(degree):
        simple = models.best(simpler, with_linear=with_linear) if simpler else models.linear()
        test, better = _compare(rule, simple, full, rule.fp_alpha)
        tests.append(test)
        if not better:
            return simple, tests
    return full, tests


def _information_criterion(
    models: CandidateModels, rule: SelectionRule
) -> tuple[Candidate, list[FunctionTest]]:
    penalty = 2.0 if rule.criterion == "aic" else math.log(rule.n_events)
    offered = [models.null(), models.linear()]
    offered += [models.best(degree) for degree in range(1, rule.max_degree + 1)]
    values = [model.deviance + penalty * _df(rule, model) for model in offered]
    first = 1 if rule.keep else 0
    chosen = offered[first + int(np.argmin(values[first:]))]
    tests = [
        FunctionTest(
            test=f"{model.label} vs null",
            simple_deviance=offered[0].deviance,
            complex_deviance=model.deviance,
            chisq=offered[0].deviance - model.deviance,
            df=_df(rule, model) - _df(rule, offered[0]),
            p=None,
            criterion=value,
            decision="smallest" if model is chosen else "larger",
        )
        for model, value in zip(offered, values, strict=True)
    ]
    return chosen, tests


def choose_function(
    models: CandidateModels, rule: SelectionRule, *, shift: float = 0.0, scale: float = 1.0
) -> FPSelection:
    """
    Choose the function of one variable among its fitted candidates.

    Parameters
    ----------
    models : CandidateModels
        The models of this visit.
    rule : SelectionRule
        Levels, limits and criterion.
    shift, scale : float
        Recorded with the result.

    Returns
    -------
    FPSelection
        Function, deviance and all comparisons made.
    """
    search = _closed_test if rule.criterion == "pvalue" else _information_criterion
    chosen, tests = search(models, rule)
    return FPSelection(
        powers=chosen.powers,
        deviance=chosen.deviance,
        tests=tuple(tests),
        best_powers=models.best_powers,
        shift=shift,
        scale=scale,
        chosen=chosen,
    )


def shift_and_scale(
    x: FloatArray,
    convention: str,
    shift: float | None = None,
    scale: float | None = None,
) -> tuple[float, float]:
    """
    Take shift and scale as given, or find them from the values.

    Parameters
    ----------
    x : ndarray of shape (n_patients,)
        Values as measured.
    convention : {"mfp2", "mfp"}
        Which rule.
    shift, scale : float, optional
        Fixed values.

    Returns
    -------
    shift, scale : float
        What is applied.
    """
    if convention == "mfp" and np.unique(x).size > 2:
        found = rounded_shift_scale(x)
    else:
        found = (shift_of(x), scale_of(x))
    return (
        found[0] if shift is None else float(shift),
        found[1] if scale is None else float(scale),
    )


def select_fp(
    x: Any,
    others: Any,
    y: Outcome,
    *,
    max_df: int = 4,
    select_alpha: float = 0.05,
    fp_alpha: float = 0.05,
    ties: str = "efron",
    criterion: str = "pvalue",
    convention: str = "mfp2",
    keep: bool = False,
    powers: Sequence[float] = POWERS,
    shift: float | None = None,
    scale: float | None = None,
    sample_weight: Any = None,
    strata: Any = None,
    offset: Any = None,
) -> FPSelection:
    r"""
    Choose the function of one variable, given others, by a closed test.

    Parameters
    ----------
    x : array-like of shape (n_patients,)
        The variable, finite.
    others : array-like of shape (n_patients, n_others) or None
        Columns that stay in every model.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    max_df : int
        1 linear, 2 up to FP1, 4 up to FP2, ...; lowered for few distinct values.
    select_alpha, fp_alpha : float
        Levels of the test against the null, and between functions.
    ties : {"efron", "breslow"}
        Handling of tied event times.
    criterion : {"pvalue", "aic", "bic"}
        Closed test, or smallest information criterion.
    convention : {"mfp2", "mfp"}
        Details of the rules, see SelectionRule.
    keep : bool
        Whether the variable stays in any case.
    powers : sequence of float
        Powers allowed.
    shift, scale : float, optional
        Fixed instead of found from the values.
    sample_weight, strata, offset : array-like of shape (n_patients,), optional
        Case weights, labels of strata, known part of the linear predictor.

    Returns
    -------
    FPSelection
        The chosen powers and every comparison made.

    Raises
    ------
    ModelError
        If there is no event.
    ValueError
        If values are not finite, or not positive after the shift.

    Notes
    -----
    Best FPm against null on 2m df at `select_alpha`, against linear on 2m - 1 df and against the
    best FPj on 2(m - j) df at `fp_alpha` [1]_ [2]_. The best FP1 is looked for among the non-linear
    powers.

    References
    ----------
    .. [1] Ambler G, Royston P. Fractional polynomial model selection procedures: investigation of
       type I error rate. J Stat Comput Simul 2001;69:89-108.
    .. [2] Royston P, Sauerbrei W. Multivariable model-building. Wiley; 2008, chapter 4.
    """
    values = np.asarray(x, dtype=np.float64)
    n_patients = y.shape[0]
    fixed = np.empty((n_patients, 0)) if others is None else np.asarray(others, dtype=np.float64)
    if fixed.ndim == 1:
        fixed = fixed[:, np.newaxis]
    wrong = int(np.sum(~np.isfinite(values))) + int(np.sum(~np.isfinite(fixed)))
    if wrong:
        message = f"`x` and `others` must be finite; {wrong} values are not"
        raise ValueError(message)
    sets = build_risk_sets(y, ties=ties, sample_weight=sample_weight, offset=offset, strata=strata)
    if sets.total_events == 0:
        message = "a Cox model needs at least one event; there is none"
        raise ModelError(message)
    shifted, scaled = shift_and_scale(values, convention, shift, scale)
    rule = SelectionRule(
        max_df=default_max_df(values, max_df),
        select_alpha=select_alpha,
        fp_alpha=fp_alpha,
        keep=keep,
        powers=tuple(float(p) for p in powers),
        criterion=criterion,
        convention=convention,
        n_events=sets.total_events,
    )
    working = (values + shifted) / scaled
    not_positive = int(np.sum(working <= 0.0))
    if rule.max_degree and not_positive:
        message = f"`x` + shift must be positive; {not_positive} values are not. Raise `shift`."
        raise ValueError(message)
    models = CandidateModels(
        sets,
        np.ascontiguousarray(standardise(fixed)[0][sets.rows]),
        variable_columns(working, sets, powers=rule.powers, max_degree=rule.max_degree),
        powers=rule.powers,
    )
    return choose_function(models, rule, shift=shifted, scale=scaled)
