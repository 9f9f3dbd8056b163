"""Difference of Uno's C-index between two predictions."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def uno_c_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two Uno's C-indexes of the same patients.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
    horizon : float
        Not used: all follow-up counts.
    competing : ndarray of bool of shape (n_patients,), optional
        Not possible: there is no version for competing risks.

    Returns
    -------
    ContrastEstimate
        New minus old; parts ``new`` and ``old``. P is None without sampling error, as for equal
        predictions.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair, or with competing risks.

    Notes
    -----
    The standard error is the root of the summed squares :math:`(U^1_i - U^0_i)^2`
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Uno H, et al. Stat Med 2011;30:1105-17.

    Examples
    --------
    Weights 1 and 9/4: the new prediction has all pairs, the old one (2 + 9/4) of (3 + 9/4).

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> new, old = np.array([0.9, 0.3, 0.4, 0.1]), np.array([0.5, 0.8, 0.4, 0.1])
    >>> round(uno_c_difference(y, new, old, horizon=np.inf).value, 6)
    0.190476
    """
    return difference_of("uno_c", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "uno_c",
    Contrast(
        "uno_c",
        uno_c_difference,
        "Difference of Uno's C-index",
        ranks_only=True,
        whole_follow_up=True,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
