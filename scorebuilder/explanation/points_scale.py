"""Log hazards read in points: where a patient lies on the scale before it is cut into points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.score.artifact import ScoreArtifact

EVENNESS = 1e-9
"""Thresholds count as evenly spaced if no step differs by more, relative to their mean."""


@dataclass(frozen=True)
class PointsRuler:
    """
    A straight line from linear predictor to points.

    Attributes
    ----------
    first : float
        Linear predictor of the first threshold, where half a point has been reached.
    step : float
        Log hazard of one point, > 0.
    maximum : int
        Highest number of points.

    Examples
    --------
    >>> ruler = PointsRuler(first=-1.0, step=0.5, maximum=10)
    >>> ruler.position(-1.0), ruler.position(0.0)
    (0.5, 2.5)
    """

    first: float
    step: float
    maximum: int

    def position(self, linear_predictor: float) -> float:
        """
        Place a patient on the scale.

        Parameters
        ----------
        linear_predictor : float
            Of the patient.

        Returns
        -------
        float
            Rounded to the nearest whole number (halves upwards) and held between 0 and `maximum`,
            it is the number of points.
        """
        return (linear_predictor - self.first) / self.step + 0.5


def points_ruler(artifact: ScoreArtifact) -> PointsRuler:
    """
    Find the line along which the thresholds of a score lie.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    PointsRuler
        The line.

    Raises
    ------
    UndefinedMetricError
        If the thresholds are not evenly spaced, or there is one only: then one point is not one
        amount of log hazard.
    """
    thresholds = np.asarray(artifact.scoring["points"]["thresholds"], dtype=np.float64)
    steps = np.diff(thresholds)
    if steps.size == 0 or np.ptp(steps) > EVENNESS * abs(float(steps.mean())):
        message = "the points of this score have no common width"
        raise UndefinedMetricError(message)
    return PointsRuler(float(thresholds[0]), float(steps.mean()), int(thresholds.size))
