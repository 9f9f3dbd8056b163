"""How well a yes-or-no rule finds the patients who will have the event, with censored follow-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import risk_counts, survival_at
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.ipcw import censoring_influence, censoring_weights
from scorebuilder.validation.metric import MetricEstimate, check_predictions

SHARES: Mapping[str, str] = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
}
"""Name and label of each share."""

_EMPTY = {
    "sensitivity": "no patient has the event by the horizon",
    "specificity": "no patient is observed beyond the horizon",
    "ppv": "no positive patient has a known outcome at the horizon",
    "npv": "no negative patient has a known outcome at the horizon",
}


def classification(
    y: Outcome, positive: BoolArray, share: str, *, horizon: float
) -> MetricEstimate:
    r"""
    Sensitivity, specificity or a predictive value of a rule by a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    positive : ndarray of bool of shape (n_patients,)
        Whether the rule holds.
    share : {"sensitivity", "specificity", "ppv", "npv"}
        Which share.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    MetricEstimate
        With its influence function, the estimation of the censoring weights included.

    Raises
    ------
    UndefinedMetricError
        If nobody counts in the denominator, or the horizon lies past the follow-up.

    Notes
    -----
    With weights :math:`a_i = 1/G(T_i-)` of patients with the event by t and :math:`b_i = 1/G(t)`
    of those observed beyond it, [1]_

    .. math:: \mathrm{sens} = \frac{\sum a_i 1_i}{\sum a_i}, \quad
       \mathrm{spec} = \frac{\sum b_i (1 - 1_i)}{\sum b_i}, \quad
       \mathrm{PPV} = \frac{\sum a_i 1_i}{\sum (a_i + b_i) 1_i}, \quad
       \mathrm{NPV} = \frac{\sum b_i (1 - 1_i)}{\sum (a_i + b_i) (1 - 1_i)}

    Takes censoring as independent of the rule and of the outcome.

    References
    ----------
    .. [1] Blanche P, Proust-Lima C, Loubere L, et al. Quantifying and comparing dynamic predictive
       accuracy of joint models for longitudinal marker and time-to-event. Biometrics
       2015;71:102-13.

    Examples
    --------
    Nobody is censored before time 5; one of two events is positive.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> rule = np.array([True, False, True, False])
    >>> classification(y, rule, "sensitivity", horizon=5).value
    0.5
    """
    held = check_predictions(y, positive, horizon=horizon, probability=True)
    weights = censoring_weights(None, y, horizon=horizon)
    a, b = weights.case, weights.control
    numerator, denominator = {
        "sensitivity": (a * held, a),
        "specificity": (b * (1.0 - held), b),
        "ppv": (a * held, (a + b) * held),
        "npv": (b * (1.0 - held), (a + b) * (1.0 - held)),
    }[share]
    total = float(denominator.mean())
    if total == 0.0:
        raise UndefinedMetricError(_EMPTY[share])
    value = float(numerator.mean()) / total
    influence = (numerator - value * denominator) / total
    kappa = influence / held.size
    influence = influence + censoring_influence(y, kappa, horizon=horizon)
    return MetricEstimate(value, influence)


def reclassified(
    y: Outcome, new: BoolArray, old: BoolArray, part: str, *, horizon: float
) -> MetricEstimate:
    r"""
    One part of the net reclassification improvement of a new rule of yes or no over an old one.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of bool of shape (n_patients,)
        For whom each rule holds.
    part : {"events", "nonevents"}
        Among patients with the event by the horizon, or among those without.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    MetricEstimate
        Net share of the patients whom the new rule classifies better, in [-1, 1].

    Raises
    ------
    UndefinedMetricError
        If there is no such patient.

    Notes
    -----
    With two categories the net share moved up among events is the difference of the sensitivities,
    and the net share moved down among nonevents the difference of the specificities, each weighted
    for censoring as in `classification`. The parts are never added up: an event and a nonevent
    rarely weigh the same. [1]_

    References
    ----------
    .. [1] Pencina MJ, D'Agostino RB Sr, Steyerberg EW. Extensions of net reclassification
       improvement calculations to measure usefulness of new biomarkers. Stat Med 2011;30:11-21.
    """
    share = {"events": "sensitivity", "nonevents": "specificity"}[part]
    first = classification(y, new, share, horizon=horizon)
    second = classification(y, old, share, horizon=horizon)
    assert first.influence is not None
    assert second.influence is not None
    return MetricEstimate(first.value - second.value, first.influence - second.influence)


def net_benefit(
    y: Outcome, positive: BoolArray, *, horizon: float, threshold: float
) -> MetricEstimate:
    r"""
    Net benefit of treating those for whom a rule holds.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    positive : ndarray of bool of shape (n_patients,)
        Who is treated.
    horizon : float
        In the unit of `y`.
    threshold : float
        Risk at which treating and not treating weigh the same, in (0, 1).

    Returns
    -------
    MetricEstimate
        In true positives per patient; 0 if nobody is treated. With its influence function.

    Raises
    ------
    UndefinedMetricError
        If nobody who is treated is followed to the horizon.

    Notes
    -----
    As `decision_curve`: with e the Kaplan-Meier risk of the treated, :math:`\pi` their share and w
    the odds of the threshold, :math:`\mathrm{NB} = \pi \{e (1 + w) - w\}`; the influence function
    joins those of :math:`\pi` and of the Kaplan-Meier estimate.
    """
    if not 0.0 < threshold < 1.0:
        message = f"`threshold` must lie in (0, 1); got {threshold:g}"
        raise ValueError(message)
    treated = check_predictions(y, positive, horizon=horizon, probability=True) == 1.0
    if not treated.any():
        return MetricEstimate(0.0, np.zeros(treated.size))
    odds = threshold / (1.0 - threshold)
    share = float(treated.mean())
    event_risk = 1.0 - survival_at(y[treated], horizon).survival
    gain = event_risk * (1.0 + odds) - odds
    influence = (treated - share) * gain
    influence[treated] += (1.0 + odds) * _risk_influence(y[treated], horizon)
    return MetricEstimate(share * gain, influence)


def _risk_influence(y: Outcome, horizon: float) -> FloatArray:
    """Influence of each patient on 1 - Kaplan-Meier, scaled so that the error is its mean."""
    event, time = check_outcome(y)
    counts = risk_counts(y)
    index = np.searchsorted(counts.times, time)
    past = counts.times <= horizon
    alive = np.maximum(counts.at_risk - counts.events, 1.0)  # Greenwood; 0 only where S(t) is 0
    hazard = np.where(past, counts.events / (counts.at_risk * alive), 0.0)
    own = np.where(event & past[index], 1.0 / alive[index], 0.0)
    survival = float(np.prod(np.where(past, 1.0 - counts.events / counts.at_risk, 1.0)))
    return np.asarray(time.size * survival * (own - np.cumsum(hazard)[index]), dtype=np.float64)


def averaged(estimate: Callable[[int], MetricEstimate], n_repeats: int) -> MetricEstimate:
    """
    Average an estimate over the repeats of a cross-validation.

    Parameters
    ----------
    estimate : callable
        Takes the number of the repeat.
    n_repeats : int
        Repeats, which judge the same patients.

    Returns
    -------
    MetricEstimate
        Mean value and mean influence: the error of the mean for these predictions.
    """
    found = [estimate(repeat) for repeat in range(n_repeats)]
    influences = [item.influence for item in found if item.influence is not None]
    influence = np.mean(influences, axis=0) if len(influences) == len(found) else None
    return MetricEstimate(float(np.mean([item.value for item in found])), influence)
