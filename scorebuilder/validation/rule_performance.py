"""How well a yes-or-no rule finds the patients who will have the event, with censored follow-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scorebuilder.core.arrays import BoolArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.decision_curve import benefit_of_treating
from scorebuilder.validation.metric import MetricEstimate, check_predictions

SHARES: Mapping[str, str] = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
}
"""Name and label of each share."""


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
        As `classification_at`, with its influence function.

    Raises
    ------
    UndefinedMetricError
        If nobody counts in the denominator, or the horizon lies past the follow-up.

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
    found = getattr(classification_at(y, held, threshold=0.5, horizon=horizon), share)
    if found.value is None:
        raise UndefinedMetricError(found.reason)
    return MetricEstimate(found.value, found.influence)


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
    That of `benefit_of_treating`, which decision curves use.
    """
    if not 0.0 < threshold < 1.0:
        message = f"`threshold` must lie in (0, 1); got {threshold:g}"
        raise ValueError(message)
    treated = check_predictions(y, positive, horizon=horizon, probability=True) == 1.0
    found = benefit_of_treating(y, treated, horizon=horizon, threshold=threshold)
    if not found.followed:
        message = "nobody who is treated is followed to the horizon"
        raise UndefinedMetricError(message)
    return MetricEstimate(found.value, found.influence)


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
