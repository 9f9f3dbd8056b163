"""Difference of Harrell's C-index between two predictions, with the error of a U-statistic."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.outcome import outliving_outcome
from scorebuilder.survival.pair_covariance import pair_covariance
from scorebuilder.validation.contrast import (
    CONTRASTS,
    Contrast,
    ContrastEstimate,
    ContrastPart,
    normal_contrast,
)
from scorebuilder.validation.metric import check_predictions

ROUNDING = 1e-15
"""A variance of a C-index below this is rounding of 0."""


def c_index_compare_c_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,  # noqa: ARG001 - every contrast has the same signature
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Difference of two Harrell's C-indexes of the same patients, without a jackknife.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
    horizon : float
        Not used: all follow-up counts.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event: they outlive everybody.

    Returns
    -------
    ContrastEstimate
        New minus old; parts ``new`` and ``old``. The variance is an unbiased estimate that can
        fall below 0 in tiny samples: then there is no error and no P, with the reason.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair, or with fewer than four patients.

    Notes
    -----
    See `pair_covariance` [1]_, which is also an independent check of `c_index_difference`.

    References
    ----------
    .. [1] Kang L, Chen W, Petrick NA, Gallas BD. Stat Med 2015;34:685-703.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> new, old = np.array([0.9, 0.3, 0.4, 0.1]), np.array([0.5, 0.8, 0.4, 0.1])
    >>> found = c_index_compare_c_difference(y, new, old, horizon=np.inf)
    >>> found.value, found.part("old").value
    (0.25, 0.75)
    """
    judged = y if competing is None else outliving_outcome(y, competing)
    found = pair_covariance(judged, check_predictions(y, new), check_predictions(y, old))
    parts = (
        ContrastPart("new", found.first, _root(found.first_variance)),
        ContrastPart("old", found.second, _root(found.second_variance)),
    )
    value, error = found.first - found.second, _root(found.difference_variance)
    if error is None:
        reason = "the estimated variance is below 0: too few patients"
        return ContrastEstimate(value, reason=reason, parts=parts)
    return normal_contrast(value, error, parts=parts)


def _root(variance: float) -> float | None:
    """Root of a variance; None below 0, but 0 where it is rounding of 0."""
    if abs(variance) < ROUNDING:
        return 0.0
    return None if variance < 0.0 else float(np.sqrt(variance))


CONTRASTS.register(
    "c_index_compare_c",
    Contrast(
        "c_index_compare_c",
        c_index_compare_c_difference,
        "Difference of the C-index (U-statistic)",
        ranks_only=True,
        whole_follow_up=True,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
