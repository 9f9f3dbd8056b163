"""What a contrast of two predictions is, and the registry of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scipy.stats import norm

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.normal import Z_95
from scorebuilder.core.registry import Registry

NO_SPREAD = 1e-12
"""A standard error below this is rounding of 0."""

NO_SAMPLING_ERROR = "no sampling error: P is not defined"


@dataclass(frozen=True)
class ContrastPart:
    """
    A named piece of a contrast, such as its share among patients with the event.

    Attributes
    ----------
    name : str
        Key of the part: ``events``, ``nonevents``, ``old``, ``new``, ...
    value : float or None
        The estimate; None where undefined.
    standard_error, lower, upper : float or None
        Standard error and 95 % limits; None where no formula is known or `value` is undefined.
    influence : ndarray of shape (n_patients,) or None
        As in `ContrastEstimate`.
    reason : str or None
        Why `value` is None.
    """

    name: str
    value: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    influence: FloatArray | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ContrastEstimate:
    """
    What changes between an old and a new prediction of the same patients.

    Attributes
    ----------
    value : float or None
        The estimate, new minus old; None if it is undefined while some of its parts are not.
    standard_error, lower, upper : float or None
        Standard error and 95 % limits; None where no formula is known.
    p : float or None
        Two-sided P of no change.
    reason : str or None
        Why `value` or `p` is None.
    influence : ndarray of shape (n_patients,) or None
        Influence function of each patient, scaled so that the estimate's error is its mean.
    parts : tuple of ContrastPart
        Pieces to be shown apart, in a fixed order.
    """

    value: float | None
    standard_error: float | None = None
    lower: float | None = None
    upper: float | None = None
    p: float | None = None
    reason: str | None = None
    influence: FloatArray | None = None
    parts: tuple[ContrastPart, ...] = ()

    def part(self, name: str) -> ContrastPart:
        """
        Return one part by its name.

        Parameters
        ----------
        name : str
            Key of the part.

        Returns
        -------
        ContrastPart
            The part.

        Raises
        ------
        KeyError
            If there is no part of that name.
        """
        for part in self.parts:
            if part.name == name:
                return part
        known = ", ".join(part.name for part in self.parts) or "none"
        message = f"unknown part `{name}`; known: {known}"
        raise KeyError(message)


class ContrastFunction(Protocol):
    """The signature of every contrast."""

    def __call__(
        self,
        y: Outcome,
        new: FloatArray,
        old: FloatArray,
        /,
        *,
        horizon: float,
        competing: BoolArray | None = None,
    ) -> ContrastEstimate:
        """
        Estimate the contrast; `competing` marks who ended with the competing event.

        A contrast without a version for competing risks raises UndefinedMetricError if `competing`
        is given.
        """
        ...


@dataclass(frozen=True)
class Contrast:
    """
    A statistic that judges a new prediction against an old one on the same patients.

    Attributes
    ----------
    name : str
        Key in `CONTRASTS`.
    function : callable
        ``function(y, new, old, *, horizon, competing=None) -> ContrastEstimate``; raises
        UndefinedMetricError with the reason where neither the statistic nor a part has a value.
    label : str
        For tables and figures.
    greater_is_better : bool
        Direction: whether a positive value speaks for the new prediction.
    lowest, highest : float
        Range of the statistic, by which intervals are clipped.
    ranks_only : bool
        True if only the order of the predictions matters, so that a linear predictor or points
        can be judged as well as a risk.
    whole_follow_up : bool
        True if the horizon plays no part.
    part_labels : tuple of (str, str)
        Name and label of each part.
    """

    name: str
    function: ContrastFunction
    label: str
    greater_is_better: bool = True
    lowest: float = -1.0
    highest: float = 1.0
    ranks_only: bool = False
    whole_follow_up: bool = False
    part_labels: tuple[tuple[str, str], ...] = ()


CONTRASTS: Registry[Contrast] = Registry("contrast", "scorebuilder.validation.contrasts")
"""All contrasts by name."""


def normal_contrast(
    value: float,
    standard_error: float,
    *,
    influence: FloatArray | None = None,
    parts: tuple[ContrastPart, ...] = (),
    lowest: float = -1.0,
    highest: float = 1.0,
) -> ContrastEstimate:
    """
    Interval and two-sided P of a contrast whose estimate is normally distributed.

    Parameters
    ----------
    value : float
        The estimate; 0 is no change.
    standard_error : float
        Not negative.
    influence : ndarray of shape (n_patients,), optional
        Influence function of each patient, scaled so that the error is its mean.
    parts : tuple of ContrastPart
        Pieces to be shown apart.
    lowest, highest : float
        Limits by which the interval is clipped.

    Returns
    -------
    ContrastEstimate
        Without sampling error (a standard error that is rounding of 0) P is None, with the reason.

    Examples
    --------
    >>> found = normal_contrast(0.04, 0.02)
    >>> round(found.lower, 4), round(found.upper, 4), round(found.p, 4)
    (0.0008, 0.0792, 0.0455)
    >>> normal_contrast(0.0, 0.0).reason
    'no sampling error: P is not defined'
    """
    if standard_error < NO_SPREAD:
        return ContrastEstimate(value, 0.0, value, value, None, NO_SAMPLING_ERROR, influence, parts)
    lower = max(value - Z_95 * standard_error, lowest)
    upper = min(value + Z_95 * standard_error, highest)
    p = float(2.0 * norm.sf(abs(value) / standard_error))
    return ContrastEstimate(value, standard_error, lower, upper, p, None, influence, parts)
