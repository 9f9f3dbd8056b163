"""Difference of the scaled Brier score between two predictions."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def scaled_brier_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two scaled Brier scores (IPA) of the same patients.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    new, old : ndarray of shape (n_patients,)
        Predicted probability of the event by the horizon, in [0, 1].
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    ContrastEstimate
        New minus old; parts ``new`` and ``old``. P is None without sampling error, as for equal
        predictions.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or the null model makes no error.

    Notes
    -----
    The standard error is the standard deviation, divided by :math:`\sqrt n`,
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Kattan MW, Gerds TA. Diagn Progn Res 2018;2:7.

    Examples
    --------
    Brier 0.025 and 0.145 against 0.25 of the null model.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0], [1, 9])
    >>> new, old = np.array([0.9, 0.2]), np.array([0.5, 0.2])
    >>> round(scaled_brier_difference(y, new, old, horizon=5.0).value, 12)
    0.48
    """
    return difference_of("scaled_brier", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "scaled_brier",
    Contrast(
        "scaled_brier",
        scaled_brier_difference,
        "Difference of the scaled Brier score",
        lowest=-np.inf,
        highest=np.inf,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
