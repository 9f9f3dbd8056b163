"""What a new prediction adds to an old one, out of fold, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.categorical_nri import categorical_nri
from scorebuilder.validation.compare import MIN_EVENTS, Difference, paired_difference
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate, ContrastPart
from scorebuilder.validation.metric import MetricEstimate
from scorebuilder.validation.performance import evaluate
from scorebuilder.validation.resampling import ValidationResult
from scorebuilder.validation.rule_performance import averaged, net_benefit

RANKING = {"c_index": "Difference of C-index", "auc": "Difference of AUC(t)"}
NO_SPREAD = 1e-12
"""A standard error below this is rounding of 0."""


@dataclass(frozen=True)
class Measure:
    """
    One number that says how two predictions of the same patients differ.

    Attributes
    ----------
    name : str
        Key: a metric, a contrast or ``net_benefit``.
    label : str
        For tables.
    part : str
        Piece of a contrast, such as ``events``; empty for the whole.
    value, lower, upper : float or None
        New minus old, with 95 % limits.
    p : float or None
        Two-sided P of no difference.
    reason : str or None
        Why a number is None.
    """

    name: str
    label: str
    part: str = ""
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    reason: str | None = None


def added_value(
    y: Outcome,
    new: ValidationResult,
    old: ValidationResult,
    *,
    horizon: float,
    thresholds: Sequence[float] = (),
) -> list[Measure]:
    r"""
    Judge a new build against an old one that was refitted on the same folds.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ValidationResult
        Out-of-fold predictions on the same folds.
    horizon : float
        One of their horizons.
    thresholds : sequence of float
        Limits of the risk categories of the categorical NRI, and risks at which the net benefit is
        compared.

    Returns
    -------
    list of Measure
        Differences of the C-index and AUC(t), every registered contrast of two risks (NRI, IDI,
        Brier score), categorical NRI and differences of net benefit; undefined, with the reason,
        if fewer than `MIN_EVENTS` patients have the event by the horizon.

    Raises
    ------
    ValueError
        If the folds differ.

    Notes
    -----
    C-index and AUC(t) are taken within folds, since ranks of different models do not compare, and
    averaged. Contrasts of risks and the net benefit are taken over all patients of a repeat, since
    a risk means the same in every fold, and averaged over repeats, as are their influence
    functions. The intervals are those of these predictions; they leave out how much the models
    would vary in another development cohort.
    """
    if not np.array_equal(new.folds, old.folds):
        message = "`new` and `old` must come from the same folds"
        raise ValueError(message)
    event, time = check_outcome(y)
    risks = new.risk_at(horizon), old.risk_at(horizon)
    known = np.asarray(np.isfinite(risks).all(axis=(0, 1)), dtype=np.bool_)
    n_events = int(np.sum(known & event & (time <= horizon)))
    if n_events < MIN_EVENTS:
        reason = f"{n_events} events by the horizon; at least {MIN_EVENTS} are needed"
        return [Measure(name, label, reason=reason) for name, label in RANKING.items()]
    measures = []
    for metric, label in RANKING.items():
        judged = [
            evaluate(result, y, horizon=horizon, metric=metric, subset=known)
            for result in (new, old)
        ]
        measures.append(_ranked(metric, label, paired_difference(judged[0], judged[1])))
    pair = y[known], risks[0][:, known], risks[1][:, known]
    for contrast in CONTRASTS.values():
        if not contrast.ranks_only and not contrast.whole_follow_up:
            measures += contrast_over_repeats(contrast, *pair, horizon=horizon)
    if thresholds:
        cuts = categorical_nri(sorted(thresholds))
        measures += contrast_over_repeats(cuts, *pair, horizon=horizon)
    measures += [
        benefit_of(pair[0], pair[1] >= level, pair[2] >= level, level, horizon)
        for level in thresholds
    ]
    return measures


def _ranked(name: str, label: str, found: Difference) -> Measure:
    return Measure(name, label, "", found.value, found.lower, found.upper, found.p, found.reason)


def contrast_over_repeats(
    contrast: Contrast, y: Outcome, new: FloatArray, old: FloatArray, *, horizon: float
) -> list[Measure]:
    """
    Average a contrast of two risks, and its parts, over the repeats of a cross-validation.

    Parameters
    ----------
    contrast : Contrast
        Which one.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_repeats, n_patients)
        Out-of-fold risks.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    list of Measure
        The whole first, then its parts; undefined where a repeat is.
    """
    try:
        found = [
            contrast.function(y, one, other, horizon=horizon)
            for one, other in zip(new, old, strict=True)
        ]
    except UndefinedMetricError as error:
        return [Measure(contrast.name, contrast.label, reason=str(error))]
    labels = dict(contrast.part_labels)
    measures = [_mean(contrast.name, contrast.label, "", found)]
    for part in found[0].parts:
        pieces = [item.part(part.name) for item in found]
        label = f"{contrast.label}: {labels.get(part.name, part.name)}"
        measures.append(_mean(contrast.name, label, part.name, pieces))
    return measures


def _mean(
    name: str, label: str, part: str, items: Sequence[ContrastEstimate | ContrastPart]
) -> Measure:
    values = [item.value for item in items if item.value is not None]
    if len(values) < len(items):
        reason = next((item.reason for item in items if item.value is None), None)
        return Measure(name, label, part, reason=reason)
    value = float(np.mean(values))
    influences = [item.influence for item in items if item.influence is not None]
    errors = [item.standard_error for item in items if item.standard_error is not None]
    if len(influences) == len(items):
        return from_influence(name, label, value, np.mean(influences, axis=0), part=part)
    if len(errors) == len(items):  # not smaller than the error of the mean
        return _normal(name, label, part, value, float(np.mean(errors)))
    return Measure(name, label, part, value, reason=items[0].reason)


def from_influence(
    name: str, label: str, value: float, influence: FloatArray, *, part: str = ""
) -> Measure:
    """
    Interval and P of a difference from its influence function.

    Parameters
    ----------
    name, label : str
        See `Measure`.
    value : float
        The difference.
    influence : ndarray of shape (n_patients,)
        Scaled so that the error is its mean.
    part : str
        See `Measure`.

    Returns
    -------
    Measure
        Without P where there is no sampling error.
    """
    error = float(np.sqrt(np.sum(influence**2))) / influence.size
    return _normal(name, label, part, value, error)


def _normal(name: str, label: str, part: str, value: float, error: float) -> Measure:
    if error < NO_SPREAD:
        reason = "no sampling error: P is not defined"
        return Measure(name, label, part, value, value, value, None, reason)
    p = float(2.0 * norm.sf(abs(value) / error))
    return Measure(name, label, part, value, value - Z_95 * error, value + Z_95 * error, p)


def benefit_of(
    y: Outcome, new: BoolArray, old: BoolArray, threshold: float, horizon: float
) -> Measure:
    """
    Difference of net benefit of treating by a new rule of yes or no instead of an old one.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of bool of shape (n_repeats, n_patients)
        For whom each holds.
    threshold : float
        Risk at which treating and not treating weigh the same.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    Measure
        In true positives per patient.
    """
    label, part = f"Difference of net benefit at {100 * threshold:g} %", f"{threshold:g}"
    try:
        found = averaged(
            lambda r: _gain(y, new[r], old[r], horizon=horizon, threshold=threshold), len(new)
        )
    except UndefinedMetricError as error:
        return Measure("net_benefit", label, part, reason=str(error))
    assert found.influence is not None
    return from_influence("net_benefit", label, found.value, found.influence, part=part)


def _gain(
    y: Outcome, new: BoolArray, old: BoolArray, *, horizon: float, threshold: float
) -> MetricEstimate:
    first = net_benefit(y, new, horizon=horizon, threshold=threshold)
    second = net_benefit(y, old, horizon=horizon, threshold=threshold)
    assert first.influence is not None
    assert second.influence is not None
    return MetricEstimate(first.value - second.value, first.influence - second.influence)
