"""Points: how many thresholds of the linear predictor a patient reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray
from scorebuilder.core.errors import ModelError


@dataclass(frozen=True)
class PointsScale:
    """
    Ascending thresholds of the linear predictor.

    Attributes
    ----------
    thresholds : tuple of float
        Threshold k has to be reached for k points; as many as the highest number of points.
    anchors : tuple of float
        The two quantiles of the development linear predictor between which the scale lies.

    Examples
    --------
    >>> scale = PointsScale((-1.0, 0.0, 1.0), (0.01, 0.99))
    >>> scale.points(np.array([-2.0, 0.0, 5.0]))
    array([0, 2, 3])
    """

    thresholds: tuple[float, ...]
    anchors: tuple[float, float]

    def __post_init__(self) -> None:
        if not self.thresholds or any(
            low >= high for low, high in zip(self.thresholds, self.thresholds[1:], strict=False)
        ):
            message = "`thresholds` must be strictly ascending, and at least one"
            raise ValueError(message)

    def points(self, linear_predictor: FloatArray) -> IntArray:
        """
        Count the thresholds reached; a tie counts as reached.

        Parameters
        ----------
        linear_predictor : ndarray of shape (n_patients,)
            Finite.

        Returns
        -------
        ndarray of int of shape (n_patients,)
            From 0 to the number of thresholds.
        """
        return np.searchsorted(
            np.asarray(self.thresholds), np.asarray(linear_predictor), side="right"
        ).astype(np.int64)


def make_points(
    linear_predictor: FloatArray,
    *,
    maximum: int = 10,
    anchors: tuple[float, float] = (0.01, 0.99),
) -> PointsScale:
    r"""
    Place the thresholds between two quantiles of the development linear predictor.

    Parameters
    ----------
    linear_predictor : ndarray of shape (n_patients,)
        Of the development patients.
    maximum : int
        Highest number of points, >= 1.
    anchors : tuple of float
        Lower and upper quantile, 0 <= lower < upper <= 1.

    Returns
    -------
    PointsScale
        `maximum` thresholds.

    Raises
    ------
    ModelError
        If both quantiles are equal, so that no scale lies between them.

    Notes
    -----
    Threshold k of K lies at :math:`q_1 + (k - 0.5) / K \cdot (q_{99} - q_1)`, so that one point is
    the K-th part of the distance between the anchors.

    Examples
    --------
    >>> make_points(np.array([0.0, 1.0]), maximum=2, anchors=(0.0, 1.0)).thresholds
    (0.25, 0.75)
    """
    low, high = (float(value) for value in np.quantile(linear_predictor, anchors))
    if not high > low:
        message = (
            f"the {anchors[0]:g} and {anchors[1]:g} quantiles of the linear predictor are equal, "
            "so no points scale lies between them; keep more variables or choose wider `anchors`"
        )
        raise ModelError(message)
    steps = (np.arange(1, maximum + 1) - 0.5) / maximum
    return PointsScale(tuple(float(low + step * (high - low)) for step in steps), anchors)
