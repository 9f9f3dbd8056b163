"""Whether single patients, or the extremes of a variable, decide the functions of an MFP model."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ConvergenceError, StatisticalWarning, UndefinedMetricError
from scorebuilder.modelling.baseline import check_cox_model
from scorebuilder.modelling.case_deletion import case_contributions
from scorebuilder.modelling.design_frame import check_frame
from scorebuilder.modelling.fractional_polynomial import (
    POWERS,
    Powers,
    power_combinations,
    rounded_shift_scale,
    shift_of,
)
from scorebuilder.modelling.function_stability import function_class
from scorebuilder.modelling.left_out import LeftOut, alone, extremes
from scorebuilder.modelling.other_functions import STRAIGHT, OtherFunctions
from scorebuilder.modelling.refit import Refit, Refitter
from scorebuilder.modelling.shape import Shape

CENTILES = (0.01, 0.99)

MOST_LEVELS = 3
"""A variable with more distinct values counts as continuous."""


@dataclass(frozen=True)
class InfluenceCheck:
    """
    What leaving out patients does to the functions of a model.

    Attributes
    ----------
    left_out : DataFrame
        One row per variable and set of patients left out: ``variable``; ``left_out`` in words;
        ``n_left_out``; ``powers_before``, ``powers_after``; ``changed``; ``class_changed`` (out,
        linear, FP1, FP2); ``others_changed``, the other variables whose function changed;
        ``deviance_difference``, by which the original function fits the remaining patients better
        than the next simpler one (the straight line, or nothing if it is one);
        ``deviance_change``, that minus its value in all patients; ``shift_would_change``, although
        the shift is kept here; ``reason`` why there is no result.
    winsorised : DataFrame
        One row per variable, fitted with its values pulled in to the 1st and 99th centile:
        ``variable``, ``n_raised``, ``n_lowered``, ``powers_before``, ``powers_after``,
        ``changed``, ``linear_is_enough`` (a curve became the straight line), ``reason``.
    verdicts : DataFrame
        One row per variable: ``variable``, ``powers``; ``next_powers``, the best others of the
        same degree (the same for a straight line) and ``next_deviance``, how much worse they are;
        ``n_single``, ``n_single_changed``, ``n_single_class_changed``, ``extremes_changed`` (which
        ones), ``n_failed``, ``verdict`` in words.
    n_refits : int
        Repetitions of the whole procedure.
    screen : int or None
        As given; None when every patient was left out in turn.
    """

    left_out: pd.DataFrame
    winsorised: pd.DataFrame
    verdicts: pd.DataFrame
    n_refits: int
    screen: int | None


def influential_patients(
    model: Any,
    X: pd.DataFrame,
    y: Outcome,
    *,
    variables: Sequence[str] | None = None,
    screen: int | None = 5,
    fraction: float = 0.01,
    n_jobs: int = 1,
    sample_weight: Any = None,
    strata: Any = None,
    offset: Any = None,
    entry: Any = None,
) -> InfluenceCheck:
    r"""
    Repeat MFP without extreme and without influential patients.

    Parameters
    ----------
    model : MFPCox
        Fitted to these data.
    X : DataFrame of shape (n_patients, n_features)
        The data of the fit.
    y : structured ndarray of shape (n_patients,)
        The outcome of the fit.
    variables : sequence of str, optional
        Variables in the model with more than three distinct values; all of them by default.
    screen : int or None
        Which patients are left out one by one. For each variable: the `screen` lowest and highest
        values (of equal values the first rows), and the `screen` patients who most change each
        deviance difference that decided its function, by one-step deletion. None leaves out every
        patient in turn.
    fraction : float
        Share of the patients that counts as extreme at each end, in (0, 0.5). Patients with equal
        values stay together, so that fewer may be left out.
    n_jobs : int
        Worker processes; the result does not depend on it.
    sample_weight, strata, offset, entry : array-like of shape (n_patients,), optional
        As in the fit.

    Returns
    -------
    InfluenceCheck
        Tables of refits, of winsorised refits, and a verdict per variable.

    Raises
    ------
    UndefinedMetricError
        If no variable in the model has more than three distinct values.
    TypeError
        If `model` is not a Cox model.
    ValueError
        If an option cannot be used, or the model was not fitted to these data.

    Notes
    -----
    Every refit repeats the choice of all variables and functions, with the shift and scale of
    `model`. A single extreme value can decide the power [1]_. The deviance differences are those
    of the tests at the last visit of the variable, and between its function and the best other one
    of the same degree. One-step deletion of patient i changes the deviance of a model by

    .. math:: 2 v_i - s_i^\top I^{-1} s_i

    with the patient's contributions v to the log likelihood and s to its gradient.

    References
    ----------
    .. [1] Sauerbrei W, Kipruto E, Balmford J. Effects of influential points and sample size on the
       selection and replicability of multivariable fractional polynomial models. Diagn Progn Res
       2023;7:7.
    """
    check_cox_model(model, "the check for influential patients")
    if (screen is not None and screen < 1) or not 0.0 < fraction < 0.5:
        message = f"`screen` must be >= 1 or None, `fraction` in (0, 0.5); got {screen}, {fraction}"
        raise ValueError(message)
    options = {
        "sample_weight": sample_weight,
        "strata": strata,
        "offset": offset,
        "entry": entry,
    }
    refitter = Refitter.like(model, X, y, **options)
    examined = _examined(model, X, variables)
    study = _Study.of(model, refitter)
    everyone = np.arange(y.shape[0])
    if refitter(everyone).shapes != model.shapes_:
        message = "`model` was not fitted to these data; give the data and options of its fit"
        raise ValueError(message)
    singles = everyone if screen is None else study.screened(examined, screen)
    left_out = [left for name in examined for left in extremes(name, study.x[name], fraction)]
    left_out += [alone(name, study.x[name], i) for i in singles for name in examined]
    sets = list(dict.fromkeys(left.rows for left in left_out if left.rows))
    fits = refitter.run([np.delete(everyone, rows) for rows in sets], n_jobs=n_jobs)
    by_rows = {(): Refit({}, (), False, ""), **dict(zip(sets, fits, strict=True))}
    whole = {name: study.support(name) for name in examined}
    table = pd.DataFrame(
        [study.row(left, by_rows[left.rows], whole[left.variable]) for left in left_out]
    ).astype({"changed": "boolean", "class_changed": "boolean"})
    pulled = pd.DataFrame([study.winsorised(name) for name in examined])
    pulled = pulled.astype({"changed": "boolean", "linear_is_enough": "boolean"})
    verdicts = pd.DataFrame([_verdict(name, table, pulled) for name in examined])
    next_best = [study.runner_up(name) for name in examined]
    verdicts.insert(2, "next_powers", [powers for powers, _ in next_best])
    verdicts.insert(3, "next_deviance", [deviance for _, deviance in next_best])
    return InfluenceCheck(table, pulled, verdicts, len(fits) + len(examined), screen)


def _examined(model: Any, X: pd.DataFrame, variables: Sequence[str] | None) -> list[str]:
    special = {*model.spike_, *model.acd_}
    plain = [name for name in model.selected_ if name not in special]
    skipped = [name for name in model.selected_ if name in special]
    if skipped and variables is None:
        message = f"not examined, as they have a spike or smooth ranks: {', '.join(skipped)}"
        warnings.warn(message, StatisticalWarning, stacklevel=3)
    asked = plain if variables is None else list(variables)
    refused = [name for name in asked if name in special]
    if refused:
        message = (
            "the check knows functions of the variable itself; not for variables with a spike or "
            f"smooth ranks: {', '.join(refused)}"
        )
        raise ValueError(message)
    absent = [name for name in asked if name not in model.selected_]
    if absent:
        message = f"`variables` must be in the model; not there: {', '.join(absent)}"
        raise ValueError(message)
    values = check_frame(X, asked)[1].T
    found = [name for name, x in zip(asked, values, strict=True) if np.unique(x).size > MOST_LEVELS]
    if not found:
        message = f"no variable in the model has more than {MOST_LEVELS} distinct values"
        raise UndefinedMetricError(message)
    return found


class _Study(OtherFunctions):
    """What leaving out patients does to the functions of a fitted model."""

    def support(self, name: str, rows: Any = slice(None)) -> float:
        """Deviance with the next simpler function minus that with the chosen one."""
        powers = self.model.powers_[name]
        simpler = self.fit(self.design(name, () if powers == STRAIGHT else STRAIGHT), rows)
        chosen = self.fit(self.design(name, powers), rows)
        return 2.0 * (chosen.log_likelihood_ - simpler.log_likelihood_)

    def row(self, left: LeftOut, fit: Refit, whole: float) -> dict[str, Any]:
        """Describe what leaving out some patients does to one variable."""
        name, original = left.variable, self.model.powers_
        rows = np.delete(np.arange(self.refitter.y.shape[0]), left.rows)
        reason = left.reason or fit.reason
        before, after = original[name], None if reason else fit.shapes[name].powers
        difference = math.nan
        if not left.reason:
            try:
                difference = self.support(name, rows)
            except ConvergenceError as error:
                reason = reason or f"deviance difference not defined: {error}"
        same = [other for other, shape in fit.shapes.items() if shape == self.model.shapes_[other]]
        return {
            "variable": name,
            "left_out": left.text,
            "n_left_out": len(left.rows),
            "powers_before": before,
            "powers_after": after,
            "changed": None if after is None else after != before,
            "class_changed": None
            if after is None
            else function_class(Shape(after)) != function_class(Shape(before)),
            "others_changed": tuple(o for o in fit.shapes if o not in (name, *same)),
            "deviance_difference": difference,
            "deviance_change": difference - whole,
            "shift_would_change": self.shift_would_change(name, rows),
            "reason": reason,
        }

    def shift_would_change(self, name: str, rows: IntArray) -> bool:
        """Whether the rule for the shift finds another one in these patients."""
        given = self.model.shift
        if given is not None and (not isinstance(given, Mapping) or name in given):
            return False
        whole, kept = self.x[name], self.x[name][rows]
        if self.model.convention == "mfp":
            return rounded_shift_scale(whole)[0] != rounded_shift_scale(kept)[0]
        return not math.isclose(shift_of(whole), shift_of(kept), rel_tol=1e-9, abs_tol=1e-12)

    def winsorised(self, name: str) -> dict[str, Any]:
        """Repeat the procedure with the values of one variable pulled in at both ends."""
        x = self.x[name]
        low, high = np.quantile(x, CENTILES)
        X = self.refitter.X.copy()
        X.isetitem([str(column) for column in X.columns].index(name), np.clip(x, low, high))
        fit = replace(self.refitter, X=X)(np.arange(x.size))
        before = self.model.powers_[name]
        after = None if fit.reason else fit.shapes[name].powers
        return {
            "variable": name,
            "n_raised": int(np.sum(x < low)),
            "n_lowered": int(np.sum(x > high)),
            "powers_before": before,
            "powers_after": after,
            "changed": None if fit.reason else after != before,
            "linear_is_enough": None if fit.reason else before != STRAIGHT and after == STRAIGHT,
            "reason": fit.reason,
        }

    def screened(self, examined: Sequence[str], screen: int) -> IntArray:
        """Choose the patients that are left out one by one."""
        chosen: set[int] = set()
        for name in examined:
            for values in (self.x[name], -self.x[name]):
                chosen |= set(np.argsort(values, kind="stable")[:screen].tolist())
            visits = self.model.selection_table_.query("variable == @name")
            last = visits[visits["cycle"] == visits["cycle"].max()]
            pairs = list(zip(last["simple_powers"], last["complex_powers"], strict=True))
            rival = (self.model.powers_[name], self.runner_up(name)[0])
            for simple, full in pairs if rival[0] == rival[1] else [*pairs, rival]:
                try:
                    change = self.deletion_change(self.design(name, simple))
                    change = change - self.deletion_change(self.design(name, full))
                except ConvergenceError:
                    continue
                chosen |= set(np.argsort(-np.abs(change), kind="stable")[:screen].tolist())
        return np.array(sorted(chosen), dtype=np.int64)

    def runner_up(self, name: str) -> tuple[Powers, float]:
        """Find the best other powers of the same degree, and how much worse their deviance is."""
        powers, allowed = self.model.powers_[name], self.model.powers
        allowed = allowed.get(name) if isinstance(allowed, Mapping) else allowed
        found = []
        for other in power_combinations(POWERS if allowed is None else allowed, len(powers)):
            if powers != STRAIGHT and other not in (powers, STRAIGHT):
                try:
                    found.append((-self.fit(self.design(name, other)).log_likelihood_, other))
                except ConvergenceError:
                    continue
        if not found:
            return powers, 0.0
        chosen = self.fit(self.design(name, powers)).log_likelihood_
        return min(found)[1], 2.0 * (min(found)[0] + chosen)

    def deletion_change(self, design: FloatArray) -> FloatArray:
        """Change of the deviance when each patient is left out, by one step."""
        fit = self.fit(design)
        options = {"ties": self.model.ties, **self.refitter.options}
        coef, covariance = fit.coef_.to_numpy(), fit.covariance_.to_numpy()
        value, score = case_contributions(design, coef, self.refitter.y, **options)
        gain = np.einsum("ij,jk,ik->i", score, covariance, score)
        return np.asarray(2.0 * value - gain, dtype=np.float64)


def _verdict(name: str, table: pd.DataFrame, winsorised: pd.DataFrame) -> dict[str, Any]:
    own = table[table["variable"] == name]
    single = own["left_out"].str.startswith("one patient")
    changed, class_changed = (own[c].fillna(False) for c in ("changed", "class_changed"))
    n_single, n_changed = int(single.sum()), int((single & changed).sum())
    n_class = int((single & class_changed).sum())
    lost = own[changed & ~single]
    kinds = ["class" if of_class else "powers" for of_class in lost["class_changed"]]
    n_failed = int((own["changed"].isna() & (own["n_left_out"] > 0)).sum())
    pulled = winsorised[winsorised["variable"] == name].iloc[0]
    parts = []
    if n_changed:
        tried = f"{n_changed} of {n_single} patients tried (its class for {n_class})"
        parts.append(f"changes without a single patient, for {tried}")
    if kinds:
        named = [f"{e} (its {kind})" for e, kind in zip(lost["left_out"], kinds, strict=True)]
        parts.append(f"changes without the {', the '.join(named)}")
    if not parts:
        parts.append(f"stays without the extremes and without any of {n_single} single patients")
    if pd.notna(pulled["linear_is_enough"]) and pulled["linear_is_enough"]:
        parts.append("a straight line is enough when the extremes are pulled in")
    if n_failed:
        parts.append(f"{n_failed} refits failed")
    return {
        "variable": name,
        "powers": own["powers_before"].iloc[0],
        "n_single": n_single,
        "n_single_changed": n_changed,
        "n_single_class_changed": n_class,
        "extremes_changed": tuple(lost["left_out"]),
        "n_failed": n_failed,
        "verdict": f"the function of {name} {'; '.join(parts)}",
    }
