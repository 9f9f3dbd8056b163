"""Risk groups: labelled bands of points."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.errors import ModelError, StatisticalWarning

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


def make_risk_bands(
    thresholds: FloatArray, risks: Sequence[float], *, cumulative_hazard: float
) -> RiskGroups:
    r"""
    Form risk groups whose limits lie as near to given absolute risks as whole points allow.

    Parameters
    ----------
    thresholds : ndarray of shape (n_points,)
        Ascending linear predictors that begin 1, 2, ... points.
    risks : sequence of float
        Ascending, in (0, 1), at one horizon.
    cumulative_hazard : float
        Baseline cumulative hazard at that horizon, > 0.

    Returns
    -------
    RiskGroups
        Labelled by the given risks. A group begins at the points whose threshold is nearest to the
        linear predictor of its risk, so patients near a limit may lie on the other side of it.

    Raises
    ------
    ModelError
        If a risk lies further beyond the scale than half a point.

    Warns
    -----
    StatisticalWarning
        If two risks fall on the same points, so that there is one group fewer.

    Notes
    -----
    Risk r has the linear predictor :math:`\log(-\log(1 - r) / H_0(t))`.

    Examples
    --------
    >>> hazard = -np.log(0.9)
    >>> make_risk_bands(np.array([-1.0, 0.0, 1.0]), [0.1], cumulative_hazard=hazard)
    RiskGroups(cut_points=(2,), labels=('below 10%', '10% and above'))
    """
    wanted = np.log(-np.log1p(-np.asarray(risks, dtype=np.float64)) / cumulative_hazard)
    half = float(np.max(np.diff(thresholds))) / 2.0 if len(thresholds) > 1 else np.inf
    beyond = [
        f"{risk:.6g}"
        for risk, eta in zip(risks, wanted, strict=True)
        if not thresholds[0] - half <= eta <= thresholds[-1] + half
    ]
    if beyond:
        message = (
            f"`risk_groups`: no points value separates patients at the risk {', '.join(beyond)}; "
            "it lies beyond the scale. Choose another risk or horizon"
        )
        raise ModelError(message)
    cuts = [int(np.argmin(np.abs(thresholds - eta))) + 1 for eta in wanted]
    starts = {cut: risk for risk, cut in zip(risks, cuts, strict=True)}  # the higher risk stays
    ends = {cut: risk for risk, cut in reversed(list(zip(risks, cuts, strict=True)))}
    if len(starts) < len(cuts):
        message = "`risk_groups`: two risks fall on the same points; there is one group fewer"
        warnings.warn(message, StatisticalWarning, stacklevel=2)
    order = sorted(starts)
    labels = [f"below {_percent(ends[order[0]])}"]
    for cut, following in pairwise(order):
        labels.append(f"{_percent(starts[cut])} to {_percent(ends[following])}")
    labels.append(f"{_percent(starts[order[-1]])} and above")
    return RiskGroups(tuple(order), tuple(labels))


def _percent(risk: float) -> str:
    return f"{100.0 * risk:.6g}%"
