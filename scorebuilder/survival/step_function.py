"""A right-continuous step function of time, the form of every survival curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray


@dataclass(frozen=True)
class StepFunction:
    """
    Takes `initial` before the first jump, then the value of the last jump reached.

    Attributes
    ----------
    times : ndarray of shape (n_times,)
        Jump times, strictly ascending.
    values : ndarray of shape (n_times,)
        Value from each jump on.
    initial : float
        Value before the first jump.

    Examples
    --------
    >>> curve = StepFunction(np.array([1.0, 3.0]), np.array([0.9, 0.5]), 1.0)
    >>> curve(np.array([0.5, 1.0, 2.9, 3.0]))
    array([1. , 0.9, 0.9, 0.5])
    >>> float(curve.before(3.0))
    0.9
    """

    times: FloatArray
    values: FloatArray
    initial: float

    def __post_init__(self) -> None:
        if self.times.shape != self.values.shape or np.any(np.diff(self.times) <= 0):
            message = "`times` must be strictly ascending and as long as `values`"
            raise ValueError(message)

    def _at(self, times: Any, side: str) -> FloatArray:
        at = np.asarray(times, dtype=np.float64)
        index = np.searchsorted(self.times, at, side="right" if side == "right" else "left")
        padded = np.concatenate(([self.initial], self.values))
        return np.asarray(padded[index], dtype=np.float64)

    def __call__(self, times: Any) -> FloatArray:
        """Value at each time."""
        return self._at(times, "right")

    def before(self, times: Any) -> FloatArray:
        """
        Return the left limit: the value just before each time.

        Parameters
        ----------
        times : array-like of float
            Any times.

        Returns
        -------
        ndarray
            Same shape as `times`.
        """
        return self._at(times, "left")
