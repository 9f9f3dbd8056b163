"""Net benefit of treating by risk, over threshold probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import check_competing, check_outcome
from scorebuilder.validation.contrast import ContrastEstimate, normal_contrast
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.metric import check_predictions

_CELLS = 2**22
"""Thresholds times event times held at once: 32 MB an array."""


def decision_curve(
    y: Outcome,
    risk: FloatArray,
    *,
    horizon: float,
    thresholds: Any,
    competing: BoolArray | None = None,
) -> pd.DataFrame:
    r"""
    Decision curve at a horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    risk : ndarray of shape (n_patients,)
        Predicted probability of the event by `horizon`, in [0, 1].
    horizon : float
        In the unit of `y`.
    thresholds : array-like of float
        Threshold probabilities, in (0, 1).
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    DataFrame
        ``threshold``, ``net_benefit``, ``net_benefit_all`` (treating everybody; treating nobody
        has 0), ``true_positive`` and ``false_positive`` (shares of all patients),
        ``standardised`` (net benefit in units of the risk of all, its largest value; NaN
        without an event), ``interventions_avoided`` (share of all patients spared treatment without
        a missed event, against treating everybody), ``followed`` (False where no positive is
        followed to the horizon, so that their last known risk is carried forward) and ``reason``
        (why ``net_benefit`` is NaN: never, None).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    ValueError
        If a threshold lies outside (0, 1).

    Notes
    -----
    With e the Kaplan-Meier (Aalen-Johansen) risk among the positives (risk >= threshold) and
    :math:`\pi` their share,

    .. math:: \mathrm{NB}(c) = e \pi - (1 - e) \pi \frac{c}{1 - c}, \quad
       (\mathrm{NB} - \mathrm{NB}_{all}) \frac{1 - c}{c}

    Nobody positive gives 0. [1]_ Censoring is taken as independent among the positives.

    References
    ----------
    .. [1] Vickers AJ, et al. Extensions to decision curve analysis. BMC Med Inform Decis Mak
       2008;8:53.
    """
    prediction = check_predictions(y, risk, horizon=horizon, probability=True)
    points = _check_thresholds(thresholds)
    odds = points / (1.0 - points)
    overall = event_risk(y, horizon, competing=competing)
    found = _risk_among_positives(y, prediction, points, horizon, competing)
    true_positive = found.risk * found.share
    false_positive = (1.0 - found.risk) * found.share
    benefit = true_positive - false_positive * odds
    treat_all = overall.risk - overall.complement * odds
    standardised = benefit / overall.risk if overall.risk > 0.0 else np.full(points.size, np.nan)
    return pd.DataFrame(
        {
            "threshold": points,
            "net_benefit": benefit,
            "net_benefit_all": treat_all,
            "true_positive": true_positive,
            "false_positive": false_positive,
            "standardised": standardised,
            "interventions_avoided": (benefit - treat_all) / odds,
            "followed": found.followed,
            "reason": np.full(points.size, None, dtype=object),
        }
    )


@dataclass(frozen=True)
class Benefit:
    """
    Net benefit of treating some patients.

    Attributes
    ----------
    value : float
        True positives per patient, less the false ones at their price.
    influence : ndarray of shape (n_patients,)
        Its mean square over n is the variance.
    followed : bool
        False if none of the treated is followed to the horizon, so that their last risk stands.
    """

    value: float
    influence: FloatArray
    followed: bool


def net_benefit_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray | None,
    /,
    *,
    horizon: float,
    threshold: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Net benefit of one prediction minus that of another, at one threshold.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new : ndarray of shape (n_patients,)
        Predicted risks, in [0, 1].
    old : ndarray of shape (n_patients,) or None
        Predicted risks; None treats everybody.
    horizon : float
        In the unit of `y`.
    threshold : float
        Threshold probability, in (0, 1).
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ContrastEstimate
        Standard error by the influence function (infinitesimal jackknife).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    ValueError
        If the threshold lies outside (0, 1).

    References
    ----------
    .. [1] Vickers AJ, et al. Extensions to decision curve analysis. BMC Med Inform Decis Mak
       2008;8:53.
    """
    (point,) = _check_thresholds([threshold])
    after = check_predictions(y, new, horizon=horizon, probability=True)
    before = np.ones(after.size) if old is None else old
    before = check_predictions(y, before, horizon=horizon, probability=True)
    first, second = (
        benefit_of_treating(
            y, risk >= point, horizon=horizon, threshold=float(point), competing=competing
        )
        for risk in (after, before)
    )
    change, difference = first.influence - second.influence, first.value - second.value
    error = influence_error(change)
    if error is None:
        return ContrastEstimate(difference, reason="one patient has no sampling error")
    return normal_contrast(difference, error, influence=change, lowest=-np.inf, highest=np.inf)


def _check_thresholds(thresholds: Any) -> FloatArray:
    points = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if not np.all((points > 0) & (points < 1)):
        message = "`thresholds` must lie in (0, 1)"
        raise ValueError(message)
    return points


def benefit_of_treating(
    y: Outcome,
    positive: BoolArray,
    *,
    horizon: float,
    threshold: float,
    competing: BoolArray | None = None,
) -> Benefit:
    r"""
    Net benefit of treating some patients, at one threshold.

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
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    Benefit
        0 without sampling error if nobody is treated.

    Notes
    -----
    With e the risk of the treated by the horizon, :math:`\pi` their share and w the odds of the
    threshold, :math:`\mathrm{NB} = \pi \{e - (1 - e) w\}`; the influence function joins those of
    :math:`\pi` and e.
    """
    influence: FloatArray = np.zeros(len(y))
    if not positive.any():
        return Benefit(0.0, influence, followed=True)
    other = None if competing is None else check_competing(y, competing)[positive]
    found = event_risk(y[positive], horizon, competing=other)
    share, odds = float(positive.mean()), threshold / (1.0 - threshold)
    gain = found.risk - found.complement * odds
    influence = np.asarray((positive - share) * gain, dtype=np.float64)
    influence[positive] += found.derivative * int(positive.sum()) * (1.0 + odds)
    return Benefit(share * gain, influence, followed=found.followed)


@dataclass(frozen=True)
class _Positives:
    """Share, risk and follow-up of those at or above each threshold."""

    share: FloatArray
    risk: FloatArray
    followed: BoolArray


def _risk_among_positives(
    y: Outcome,
    risk: FloatArray,
    points: FloatArray,
    horizon: float,
    competing: BoolArray | None,
) -> _Positives:
    """
    Risk of the event among those at or above each threshold.

    Patients are counted once in a table of event time by the highest threshold that they reach;
    summed over later times and higher thresholds it holds the patients at risk.
    """
    event, time = check_outcome(y)
    ended = event if competing is None else event | check_competing(y, competing)
    ascending, back = np.unique(points, return_inverse=True)
    reached = np.searchsorted(ascending, risk, side="right")
    times = np.unique(time[ended & (time <= horizon)])
    last = np.searchsorted(times, time, side="right")
    at = np.searchsorted(times, time)
    n = np.bincount(reached, minlength=ascending.size + 1)[::-1].cumsum()[::-1][1:]
    longest = np.zeros(ascending.size + 1)
    np.maximum.at(longest, reached, time)
    longest = np.maximum.accumulate(longest[::-1])[::-1][1:]
    values = np.zeros(ascending.size)
    event_free: FloatArray = np.ones(ascending.size)
    within = time <= horizon
    for block in np.array_split(
        np.arange(ascending.size), int(ascending.size * (times.size + 1) / _CELLS) + 1
    ):
        if block.size == 0 or times.size == 0:
            continue
        level = np.clip(reached - block[0], 0, block.size)

        def table(
            rows: BoolArray, when: IntArray, level: IntArray = level, size: int = block.size
        ) -> FloatArray:
            cells = (times.size + 1) * (size + 1)
            counts = np.bincount(when[rows] * (size + 1) + level[rows], minlength=cells)
            counts = counts.reshape(times.size + 1, size + 1)
            higher = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
            return np.asarray(higher[:, 1:], dtype=np.float64)

        everybody = np.ones(time.size, dtype=np.bool_)
        at_risk = np.cumsum(table(everybody, last)[::-1], axis=0)[::-1][1:]
        any_event = table(ended & within, at)[:-1]
        of_interest = any_event if competing is None else table(event & within, at)[:-1]
        nobody = np.maximum(at_risk, 1.0)
        survival = np.cumprod(1.0 - any_event / nobody, axis=0, dtype=np.float64)
        before = np.concatenate([np.ones((1, block.size)), survival[:-1]])
        values[block] = np.sum(before * of_interest / nobody, axis=0)
        event_free[block] = survival[-1, :]
    followed = (longest >= horizon) | (event_free == 0.0) | (n == 0)
    share = n / time.size
    return _Positives(share[back], values[back], followed[back])
