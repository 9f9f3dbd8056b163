"""Who moves up and down between two predictions, and whether that was right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import check_competing, check_outcome
from scorebuilder.validation.contrast import ContrastEstimate, ContrastPart, normal_contrast
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence
from scorebuilder.validation.metric import check_predictions

NO_EVENT = "no patient has the event by the horizon"
NO_NON_EVENT = "no patient is free of the event at the horizon"
PART_LABELS = (
    ("events", "Events"),
    ("nonevents", "Non-events"),
    ("up_events", "Events moving up"),
    ("down_events", "Events moving down"),
    ("up_nonevents", "Non-events moving up"),
    ("down_nonevents", "Non-events moving down"),
)
"""Name and label of each part of a net reclassification."""


@dataclass(frozen=True)
class MeanEstimate:
    """
    A mean over a group of patients with its influence function, or why there is none.

    Attributes
    ----------
    value : float or None
        The estimate.
    influence : ndarray of shape (n_patients,) or None
        Scaled so that the error is its mean.
    reason : str or None
        Why `value` is None.
    """

    value: float | None
    influence: FloatArray | None = None
    reason: str | None = None

    def minus(self, other: MeanEstimate) -> MeanEstimate:
        """
        Difference of two estimates of the same patients.

        Parameters
        ----------
        other : MeanEstimate
            What is taken off.

        Returns
        -------
        MeanEstimate
            Undefined where one of them is.
        """
        if self.value is None or other.value is None:
            return MeanEstimate(None, None, self.reason or other.reason)
        assert self.influence is not None
        assert other.influence is not None
        return MeanEstimate(self.value - other.value, self.influence - other.influence)

    def as_part(self, name: str, *, lowest: float = -1.0, highest: float = 1.0) -> ContrastPart:
        """
        Return the estimate as a part of a contrast.

        Parameters
        ----------
        name : str
            Key of the part.
        lowest, highest : float
            Limits by which the interval is clipped.

        Returns
        -------
        ContrastPart
            With standard error and 95 % limits.
        """
        if self.value is None or self.influence is None:
            return ContrastPart(name, None, reason=self.reason)
        error = influence_error(self.influence)
        if error is None:
            return ContrastPart(name, self.value, influence=self.influence)
        lower = max(self.value - Z_95 * error, lowest)
        upper = min(self.value + Z_95 * error, highest)
        return ContrastPart(name, self.value, error, lower, upper, self.influence)


def as_contrast(
    total: MeanEstimate, parts: tuple[ContrastPart, ...], *, bound: float
) -> ContrastEstimate:
    """
    Join a total and its parts.

    Parameters
    ----------
    total : MeanEstimate
        May be undefined while a part is not.
    parts : tuple of ContrastPart
        Pieces to be shown apart.
    bound : float
        The statistic lies in [-bound, bound].

    Returns
    -------
    ContrastEstimate
        With the parts.

    Raises
    ------
    UndefinedMetricError
        If neither the total nor a part is defined.
    """
    if total.value is None or total.influence is None:
        if all(part.value is None for part in parts):
            raise UndefinedMetricError(total.reason or NO_EVENT)
        return ContrastEstimate(None, reason=total.reason, parts=parts)
    error = influence_error(total.influence)
    if error is None:
        reason = "one patient has no sampling error"
        return ContrastEstimate(total.value, reason=reason, parts=parts)
    return normal_contrast(
        total.value, error, influence=total.influence, parts=parts, lowest=-bound, highest=bound
    )


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


def weighted_mean(
    ended: Outcome, values: FloatArray, weight: FloatArray, *, horizon: float, reason: str
) -> MeanEstimate:
    """
    Mean of patients weighted for censoring, with its influence function.

    Parameters
    ----------
    ended : structured ndarray of shape (n_patients,)
        Outcome in which any event ends follow-up; the weights were estimated from it.
    values, weight : ndarray of shape (n_patients,)
        What is averaged, and by which weights, inverse to the probability of being uncensored (or
        all equal).
    horizon : float
        In the unit of the outcome.
    reason : str
        Why there is no mean if all weights are 0.

    Returns
    -------
    MeanEstimate
        Its influence function holds the estimation of the weights as well.
    """
    total = float(weight.sum())
    if total == 0.0:
        return MeanEstimate(None, None, reason)
    value = float(weight @ values) / total
    kappa = weight * (values - value) / total
    estimated = censoring_influence(ended, kappa, horizon=horizon)
    return MeanEstimate(value, kappa * len(ended) + estimated)


def movements(
    y: Outcome, new: FloatArray, old: FloatArray, *, horizon: float, cut_points: Any = None
) -> tuple[BoolArray, BoolArray]:
    """
    Who moves up and who moves down.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predictions.
    horizon : float
        Somebody must be followed to it.
    cut_points : array-like of float, optional
        Lower ends of the risk categories but the lowest; without them any change counts.

    Returns
    -------
    up, down : ndarray of bool of shape (n_patients,)
        Never both.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.
    """
    after = check_predictions(y, new, horizon=horizon)
    before = check_predictions(y, old, horizon=horizon)
    if cut_points is None:
        return after > before, after < before
    high, low = risk_categories(after, cut_points), risk_categories(before, cut_points)
    return high > low, high < low


def risk_categories(risk: FloatArray, cut_points: Any) -> IntArray:
    """
    Category of each risk.

    Parameters
    ----------
    risk : ndarray of shape (n_patients,)
        Predictions.
    cut_points : array-like of float of shape (n_categories - 1,)
        Ascending; a risk at a cut point is in the higher category.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        0 for the lowest.

    Raises
    ------
    ValueError
        Without a cut point, or if they are not strictly ascending.
    """
    cuts = np.asarray(cut_points, dtype=np.float64)
    if cuts.ndim != 1 or cuts.size == 0 or np.any(np.diff(cuts) <= 0):
        message = f"`cut_points` must be strictly ascending, at least one; got {cuts.tolist()}"
        raise ValueError(message)
    return np.asarray(np.searchsorted(cuts, risk, side="right"), dtype=np.int64)


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
