"""Difference of Wolbers' C-index by the horizon between two predictions."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def wolbers_c_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two Wolbers' C-indexes of the same patients, with competing risks.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
    horizon : float
        Later events do not count, in the unit of `y`.
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
        Without a comparable pair, or if a censoring weight is infinite.

    Notes
    -----
    The standard error is the root of the summed squares :math:`(U^1_i - U^0_i)^2`
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Wolbers M, et al. Biostatistics 2014;15:526-39.

    Examples
    --------
    Pair 3-2 is ordered rightly by the new prediction only: 3 of 3 pairs against 2.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y, competing = make_outcome([1, 0, 1], [1, 2, 3]), np.array([False, True, False])
    >>> new, old = np.array([0.9, 0.1, 0.2]), np.array([0.9, 0.5, 0.2])
    >>> round(wolbers_c_difference(y, new, old, horizon=3.0, competing=competing).value, 6)
    0.333333
    """
    return difference_of("wolbers_c", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "wolbers_c",
    Contrast(
        "wolbers_c",
        wolbers_c_difference,
        "Difference of Wolbers' C-index by the horizon",
        ranks_only=True,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
