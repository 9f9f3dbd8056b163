"""Difference of the Brier score between two predictions."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def brier_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two Brier scores of the same patients, weighted for censoring.

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
        If the horizon lies past the follow-up.

    Notes
    -----
    The standard error is the standard deviation, divided by :math:`\sqrt n`,
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Gerds TA, Schumacher M. Biom J 2006;48:1029-40.

    Examples
    --------
    (0.1^2 - 0.5^2) / 2 = -0.12: the new prediction errs less.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0], [1, 9])
    >>> new, old = np.array([0.9, 0.2]), np.array([0.5, 0.2])
    >>> round(brier_difference(y, new, old, horizon=5.0).value, 12)
    -0.12
    """
    return difference_of("brier", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "brier",
    Contrast(
        "brier",
        brier_difference,
        "Difference of the Brier score",
        greater_is_better=False,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
