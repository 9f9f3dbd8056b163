"""Means over the patients with the event, or without, which carry their influence function."""

from __future__ import annotations

from dataclasses import dataclass

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.normal import Z_95
from scorebuilder.validation.contrast import ContrastEstimate, ContrastPart, normal_contrast
from scorebuilder.validation.influence import influence_error
from scorebuilder.validation.ipcw import censoring_influence

NO_EVENT = "no patient has the event by the horizon"
NO_NON_EVENT = "no patient is free of the event at the horizon"


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
