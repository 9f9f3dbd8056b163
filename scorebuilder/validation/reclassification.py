"""Who moves up and down between two predictions, and whether that was right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import check_competing, check_outcome
from scorebuilder.validation.contrast import ContrastEstimate
from scorebuilder.validation.mean_estimate import (
    NO_EVENT,
    NO_NON_EVENT,
    MeanEstimate,
    as_contrast,
    weighted_mean,
)

PART_LABELS = (
    ("events", "Events"),
    ("nonevents", "Non-events"),
    ("up_events", "Events moving up"),
    ("down_events", "Events moving down"),
    ("up_nonevents", "Non-events moving up"),
    ("down_nonevents", "Non-events moving down"),
)
"""Name and label of each part of a net reclassification."""


def reclassified(
    y: Outcome,
    up: BoolArray,
    down: BoolArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Net reclassification with censoring by Kaplan-Meier, or by Aalen-Johansen.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    up, down : ndarray of bool of shape (n_patients,)
        Who moves to a higher, and who to a lower prediction.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ContrastEstimate
        Net reclassification in [-2, 2] with `PART_LABELS`; standard errors by the influence
        function (infinitesimal jackknife).

    Raises
    ------
    UndefinedMetricError
        If neither part is defined.

    Notes
    -----
    With U and D the shares moving up and down, :math:`F_U, F_D, F` the risks at the horizon among
    them and among all,

    .. math:: \mathrm{events} = \frac{U F_U - D F_D}{F}, \quad
       \mathrm{non\ events} = \frac{D (1 - F_D) - U (1 - F_U)}{1 - F}

    Censoring is taken as independent within those moving up and those moving down. Where nobody of
    a group is followed to the horizon, its last value is carried forward.

    References
    ----------
    .. [1] Pencina MJ, D'Agostino RB, Steyerberg EW. Extensions of net reclassification improvement
       calculations to measure usefulness of new biomarkers. Stat Med 2011;30:11-21.
    """
    overall = event_risk(y, horizon, competing=competing)
    all_events = _Share(overall.risk, overall.derivative * len(y))
    all_others = _Share(overall.complement, -overall.derivative * len(y))
    up_events, up_others = _joint(y, up, horizon, competing)
    down_events, down_others = _joint(y, down, horizon, competing)
    return _from_shares(
        up_events.over(all_events, NO_EVENT),
        down_events.over(all_events, NO_EVENT),
        up_others.over(all_others, NO_NON_EVENT),
        down_others.over(all_others, NO_NON_EVENT),
    )


def reclassified_weighted(
    y: Outcome, up: BoolArray, down: BoolArray, *, horizon: float
) -> ContrastEstimate:
    r"""
    Net reclassification with events weighted for censoring.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    up, down : ndarray of bool of shape (n_patients,)
        Who moves to a higher, and who to a lower prediction.
    horizon : float
        In the unit of `y`.

    Returns
    -------
    ContrastEstimate
        As `reclassified`.

    Raises
    ------
    UndefinedMetricError
        If neither part is defined.

    Notes
    -----
    Events by the horizon are weighted by :math:`1 / G'(T)` with
    :math:`G'(u) = \prod_{v \le u} (1 - c_v / Y_v)`, patients followed past the horizon not at all.
    Censoring is taken as independent of the predictions.

    References
    ----------
    .. [1] Uno H, et al. A unified inference procedure for a class of measures to assess improvement
       in risk prediction systems with survival data. Stat Med 2013;32:2430-42.
    """
    event, time = check_outcome(y)
    case = event & (time <= horizon)
    weight = np.zeros(time.size)
    weight[case] = 1.0 / _censoring_with_ties_at_risk(y)[case]
    control = (time > horizon).astype(np.float64)
    moved_up, moved_down = up.astype(np.float64), down.astype(np.float64)
    return _from_shares(
        weighted_mean(y, moved_up, weight, horizon=horizon, reason=NO_EVENT),
        weighted_mean(y, moved_down, weight, horizon=horizon, reason=NO_EVENT),
        weighted_mean(y, moved_up, control, horizon=horizon, reason=NO_NON_EVENT),
        weighted_mean(y, moved_down, control, horizon=horizon, reason=NO_NON_EVENT),
    )


@dataclass(frozen=True)
class _Share:
    """A probability and its influence function."""

    value: float
    influence: FloatArray

    def over(self, whole: _Share, reason: str) -> MeanEstimate:
        if whole.value == 0.0:
            return MeanEstimate(None, None, reason)
        ratio = self.value / whole.value
        return MeanEstimate(ratio, (self.influence - ratio * whole.influence) / whole.value)


def _joint(
    y: Outcome, members: BoolArray, horizon: float, competing: BoolArray | None
) -> tuple[_Share, _Share]:
    """Probability of being a member with the event, and of being one without."""
    if not members.any():
        nothing = _Share(0.0, np.zeros(len(y)))
        return nothing, nothing
    other = None if competing is None else check_competing(y, competing)[members]
    found = event_risk(y[members], horizon, competing=other)
    share = float(members.mean())
    error = np.zeros(len(y))
    error[members] = found.derivative * int(members.sum())
    centred = members - share
    return (
        _Share(share * found.risk, centred * found.risk + error),
        _Share(share * found.complement, centred * found.complement - error),
    )


def _from_shares(
    up_events: MeanEstimate,
    down_events: MeanEstimate,
    up_nonevents: MeanEstimate,
    down_nonevents: MeanEstimate,
) -> ContrastEstimate:
    events, nonevents = up_events.minus(down_events), down_nonevents.minus(up_nonevents)
    against = MeanEstimate(
        None if nonevents.value is None else -nonevents.value,
        None if nonevents.influence is None else -nonevents.influence,
        nonevents.reason,
    )
    parts = (
        events.as_part("events"),
        nonevents.as_part("nonevents"),
        up_events.as_part("up_events", lowest=0.0),
        down_events.as_part("down_events", lowest=0.0),
        up_nonevents.as_part("up_nonevents", lowest=0.0),
        down_nonevents.as_part("down_nonevents", lowest=0.0),
    )
    return as_contrast(events.minus(against), parts, bound=2.0)


def _censoring_with_ties_at_risk(y: Outcome) -> FloatArray:
    """Kaplan-Meier of censoring at each patient's time, patients with tied events at risk."""
    event, time = check_outcome(y)
    times, index = np.unique(time, return_inverse=True)
    censored = np.bincount(index[~event], minlength=times.size)
    at_risk = np.cumsum(np.bincount(index, minlength=times.size)[::-1])[::-1]
    uncensored = np.cumprod(1.0 - censored / at_risk, dtype=np.float64)
    at_patient: FloatArray = uncensored[index]
    if np.any(at_patient[event] == 0.0):
        message = "every patient at risk is censored at the time of an event"
        raise UndefinedMetricError(message)
    return at_patient
