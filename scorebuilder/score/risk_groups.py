"""Risk groups: labelled bands of points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import IntArray

TERTILE_LABELS = ("low", "intermediate", "high")


@dataclass(frozen=True)
class RiskGroups:
    """
    Bands of points.

    Attributes
    ----------
    cut_points : tuple of int
        Ascending; a group begins at each cut point, one more group lies below the first.
    labels : tuple of str
        One more than cut points, from the lowest group up.

    Examples
    --------
    >>> RiskGroups((4, 7), ("low", "intermediate", "high")).group(np.array([3, 4, 10]))
    array([0, 1, 2])
    """

    cut_points: tuple[int, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.cut_points) + 1:
            message = "`labels` must hold one label more than `cut_points`"
            raise ValueError(message)
        if list(self.cut_points) != sorted(set(self.cut_points)):
            message = "`cut_points` must be strictly ascending"
            raise ValueError(message)

    def group(self, points: Any) -> IntArray:
        """
        Return the number of the group, 0 for the lowest.

        Parameters
        ----------
        points : array-like of int of shape (n_patients,)
            Points.

        Returns
        -------
        ndarray of int of shape (n_patients,)
            A patient with exactly a cut point's number of points belongs to the higher group.
        """
        cuts = np.asarray(self.cut_points, dtype=np.int64)
        return np.searchsorted(cuts, np.asarray(points), side="right").astype(np.int64)

    def bands(self, maximum: int) -> list[tuple[str, int, int]]:
        """
        List label, lowest and highest points of each group.

        Parameters
        ----------
        maximum : int
            Highest number of points of the scale.

        Returns
        -------
        list of tuple
            From the lowest group up.
        """
        starts = (0, *self.cut_points)
        ends = (*(cut - 1 for cut in self.cut_points), maximum)
        return list(zip(self.labels, starts, ends, strict=True))


def make_risk_groups(points: IntArray, rule: str | Sequence[int], *, maximum: int) -> RiskGroups:
    """
    Form risk groups from the development patients' points.

    Parameters
    ----------
    points : ndarray of int of shape (n_patients,)
        Points of the development patients.
    rule : {"tertiles"} or sequence of int
        Tertiles of the patients, as nearly as whole points allow, or the cut points themselves.
    maximum : int
        Highest number of points.

    Returns
    -------
    RiskGroups
        Three groups for tertiles; two, labelled low and high, when so many patients share their
        points that two tertiles fall together.

    Raises
    ------
    ValueError
        If a given cut point lies outside 1..maximum.
    """
    if isinstance(rule, str):
        if rule != "tertiles":
            message = f"`risk_groups` must be tertiles or a list of cut points; got {rule}"
            raise ValueError(message)
        share_below = np.array([np.mean(points < cut) for cut in range(1, maximum + 1)])
        cuts = sorted({int(np.argmin(np.abs(share_below - third))) + 1 for third in (1 / 3, 2 / 3)})
        return RiskGroups(tuple(cuts), TERTILE_LABELS if len(cuts) == 2 else ("low", "high"))
    cuts = [int(cut) for cut in rule]
    if any(not 1 <= cut <= maximum for cut in cuts):
        message = f"cut points must lie between 1 and {maximum}"
        raise ValueError(message)
    labels: tuple[str, ...]
    if len(cuts) == 2:
        labels = TERTILE_LABELS
    elif len(cuts) == 1:
        labels = ("low", "high")
    else:
        labels = tuple(f"group {number}" for number in range(1, len(cuts) + 2))
    return RiskGroups(tuple(cuts), labels)
