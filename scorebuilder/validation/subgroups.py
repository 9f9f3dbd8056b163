"""Does a score work equally well in every kind of patient: performance by subgroup, with tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import chi2, norm

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.calibration import (
    calibration_in_the_large,
    calibration_slope,
)
from scorebuilder.validation.calibration_distance import calibration_distances
from scorebuilder.validation.compare import MIN_EVENTS
from scorebuilder.validation.metric import METRICS, MetricEstimate
from scorebuilder.validation.rule_performance import averaged, classification

LABELS: Mapping[str, str] = {
    "auc": "AUC(t)",
    "c_index": "C-index",
    "predicted": "Mean predicted risk",
    "observed": "Observed risk",
    "observed_expected": "Observed / expected",
    "slope": "Calibration slope",
    "ici": "ICI",
    "sensitivity": "Sensitivity",
    "ppv": "Positive predictive value",
}
"""Name and label of every measure, in the order of the tables."""

TOO_FEW = f"fewer than {MIN_EVENTS} events by the horizon"


@dataclass(frozen=True)
class Estimate:
    """
    A measure in one subgroup.

    Attributes
    ----------
    value, lower, upper : float or None
        Estimate and 95 % limits.
    standard_error : float or None
        Of the value, or of the logarithm of observed / expected.
    reason : str or None
        Why `value` is None.
    """

    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    standard_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class SubgroupPerformance:
    """
    How a score does in one subgroup.

    Attributes
    ----------
    n, n_events : int
        Patients with a prediction, and those of them with the event by the horizon.
    measures : mapping of str to Estimate
        By the names in `LABELS`.
    """

    n: int
    n_events: int
    measures: Mapping[str, Estimate] = field(default_factory=dict)


def subgroup_performance(
    y: Outcome,
    risks: FloatArray,
    members: BoolArray,
    *,
    horizon: float,
    threshold: float,
) -> SubgroupPerformance:
    """
    Judge out-of-fold risks in one subgroup.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of all patients.
    risks : ndarray of shape (n_repeats, n_patients)
        Out-of-fold risks by the horizon; patients with a NaN are left out.
    members : ndarray of bool of shape (n_patients,)
        Who belongs to the subgroup.
    horizon : float
        In the unit of `y`.
    threshold : float
        Risk from which a patient counts as positive, in (0, 1).

    Returns
    -------
    SubgroupPerformance
        With fewer than `MIN_EVENTS` events by the horizon every measure is withheld.

    Notes
    -----
    A subgroup has few events in each fold, and a risk means the same in every fold: all patients of
    a repeat are judged together, and measures and influence functions averaged over the repeats.
    The censoring distribution is that of the subgroup itself, since follow-up may differ between
    subgroups. Limits of the slope and of observed / expected are means over the repeats. The ICI
    has no interval: its distribution is not normal near 0, its smallest value.
    """
    event, time = check_outcome(y)
    judged = members & np.isfinite(risks).all(axis=0)
    n, n_events = int(judged.sum()), int(np.sum(judged & event & (time <= horizon)))
    if n_events < MIN_EVENTS:
        return SubgroupPerformance(n, n_events, dict.fromkeys(LABELS, Estimate(reason=TOO_FEW)))
    inside, predicted = y[judged], risks[:, judged]
    repeats = len(predicted)

    def _metric(name: str) -> Callable[[], Estimate]:
        found = METRICS[name].function
        return lambda: _from_influence(
            averaged(lambda r: found(None, inside, predicted[r], horizon=horizon), repeats)
        )

    def _share(name: str) -> Callable[[], Estimate]:
        return lambda: _from_influence(
            averaged(
                lambda r: classification(inside, predicted[r] >= threshold, name, horizon=horizon),
                repeats,
            )
        )

    measures = {
        "auc": _metric("auc"),
        "c_index": _metric("c_index"),
        "predicted": lambda: _mean_risk(predicted),
        "observed": lambda: _observed(inside, horizon),
        "observed_expected": lambda: _observed_expected(inside, predicted, horizon),
        "slope": lambda: _slope(inside, predicted),
        "ici": lambda: _ici(inside, predicted, horizon),
        "sensitivity": _share("sensitivity"),
        "ppv": _share("ppv"),
    }
    return SubgroupPerformance(
        n, n_events, {name: _defined(measure) for name, measure in measures.items()}
    )


def _defined(measure: Callable[[], Estimate]) -> Estimate:
    try:
        return measure()
    except UndefinedMetricError as error:
        return Estimate(reason=str(error))


def _from_influence(found: MetricEstimate) -> Estimate:
    """Interval of a share of one, clipped to [0, 1]."""
    if found.influence is None:
        return Estimate(found.value)
    error = float(np.sqrt(np.sum(found.influence**2))) / found.influence.size
    lower, upper = max(found.value - Z_95 * error, 0.0), min(found.value + Z_95 * error, 1.0)
    return Estimate(found.value, lower, upper, error)


def _mean_risk(risks: FloatArray) -> Estimate:
    per_patient = risks.mean(axis=0)
    error = float(np.std(per_patient, ddof=1)) / float(np.sqrt(per_patient.size))
    value = float(per_patient.mean())
    return Estimate(value, max(value - Z_95 * error, 0.0), min(value + Z_95 * error, 1.0), error)


def _observed(y: Outcome, horizon: float) -> Estimate:
    found = survival_at(y, horizon)
    return Estimate(
        1.0 - found.survival, 1.0 - found.upper, 1.0 - found.lower, found.standard_error
    )


def _observed_expected(y: Outcome, risks: FloatArray, horizon: float) -> Estimate:
    found = [calibration_in_the_large(y, risk, horizon=horizon) for risk in risks]
    value = float(np.mean([item.ratio for item in found]))
    limits = [(item.lower, item.upper) for item in found]
    lower = np.array([low for low, _ in limits if low is not None])
    upper = np.array([high for _, high in limits if high is not None])
    if lower.size < len(found):
        return Estimate(value)
    error = float(np.mean(np.log(upper / lower))) / (2.0 * Z_95)
    return Estimate(value, float(lower.mean()), float(upper.mean()), error)


def _slope(y: Outcome, risks: FloatArray) -> Estimate:
    found = [calibration_slope(y, risk) for risk in risks]
    means = np.mean(
        [(item.slope, item.lower, item.upper, item.standard_error) for item in found], axis=0
    )
    slope, lower, upper, error = (float(value) for value in means)
    return Estimate(slope, lower, upper, error)


def _ici(y: Outcome, risks: FloatArray, horizon: float) -> Estimate:
    found = [calibration_distances(y, risk, horizon=horizon)["ici"] for risk in risks]
    value = float(np.mean([item.value for item in found]))
    limits = np.array([(item.lower, item.upper) for item in found if item.lower is not None])
    if len(limits) < len(found):
        return Estimate(value)
    lower, upper = limits.mean(axis=0)
    return Estimate(value, float(lower), float(upper))


@dataclass(frozen=True)
class SubgroupContrast:
    """
    Whether a measure differs between subgroups that share no patient.

    Attributes
    ----------
    measure : {"auc", "observed_expected"}
        Which; observed / expected on the logarithmic scale.
    differences : tuple of Estimate
        Each subgroup minus the first defined one, or its ratio for observed / expected; the first
        is 0, or 1.
    p_each : tuple of float or None
        Two-sided P of each difference.
    p : float or None
        Test of no difference between any of them (Cochran's Q).
    reason : str or None
        Why `p` is None.
    """

    measure: str
    differences: tuple[Estimate, ...]
    p_each: tuple[float | None, ...]
    p: float | None
    reason: str | None


def contrast_subgroups(subgroups: Sequence[SubgroupPerformance], measure: str) -> SubgroupContrast:
    r"""
    Compare a measure between subgroups without common patients.

    Parameters
    ----------
    subgroups : sequence of SubgroupPerformance
        Disjoint subgroups.
    measure : {"auc", "observed_expected"}
        Which measure.

    Returns
    -------
    SubgroupContrast
        Subgroups in which the measure is undefined are left out of the test.

    Notes
    -----
    With :math:`w_k = 1 / \mathrm{se}_k^2`, and the estimates (their logarithms for observed /
    expected) :math:`\hat\theta_k`,

    .. math:: \hat\theta_k - \hat\theta_1 \pm 1.96 \sqrt{\mathrm{se}_k^2 + \mathrm{se}_1^2}, \qquad
       Q = \sum_k w_k (\hat\theta_k - \bar\theta_w)^2 \sim \chi^2_{K-1}

    The predictions are taken as given: patients of all subgroups helped to fit them.

    References
    ----------
    .. [1] Cochran WG. The combination of estimates from different experiments. Biometrics
       1954;10:101-29.
    """
    logarithmic = measure == "observed_expected"
    found = [group.measures[measure] for group in subgroups]
    usable = [
        index
        for index, item in enumerate(found)
        if item.value is not None and item.standard_error is not None and item.standard_error > 0.0
    ]
    nothing = Estimate(reason="undefined in this subgroup")
    if len(usable) < 2:
        reason = f"defined with an interval in {len(usable)} of {len(found)} subgroups"
        none = tuple(Estimate(reason=item.reason or reason) for item in found)
        return SubgroupContrast(measure, none, (None,) * len(found), None, reason)
    raw = np.array([found[index].value for index in usable], dtype=np.float64)
    value = np.log(raw) if logarithmic else raw
    error = np.array([found[index].standard_error for index in usable], dtype=np.float64)
    weight = error**-2.0
    center = float(np.sum(weight * value) / np.sum(weight))
    statistic = float(np.sum(weight * (value - center) ** 2))
    differences = [nothing] * len(found)
    p_each: list[float | None] = [None] * len(found)
    shown = np.exp if logarithmic else np.asarray
    for place, index in enumerate(usable):
        difference = value[place] - value[0]
        spread = float(np.hypot(error[place], error[0])) if place else 0.0
        low, middle, high = (
            float(shown(difference + sign * Z_95 * spread)) for sign in (-1.0, 0.0, 1.0)
        )
        differences[index] = Estimate(middle, low, high, spread)
        if place:
            p_each[index] = float(2.0 * norm.sf(abs(difference) / spread))
    p = float(chi2.sf(statistic, len(usable) - 1))
    return SubgroupContrast(measure, tuple(differences), tuple(p_each), p, None)
