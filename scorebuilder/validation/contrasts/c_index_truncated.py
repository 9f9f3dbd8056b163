"""Difference of Harrell's C-index by the horizon between two predictions."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def c_index_truncated_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two Harrell's C-indexes truncated at the horizon.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
    horizon : float
        Later events do not count, in the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event: they outlive everybody.

    Returns
    -------
    ContrastEstimate
        New minus old; parts ``new`` and ``old``. P is None without sampling error, as for equal
        predictions.

    Raises
    ------
    UndefinedMetricError
        Without a comparable pair.

    Notes
    -----
    The standard error is the root of the summed squares :math:`(U^1_i - U^0_i)^2`
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Therneau TM, Watson DA. The concordance statistic and the Cox model. Mayo Clinic
       technical report 85; 2015.

    Examples
    --------
    Of the 3 pairs of the first event the new prediction orders all rightly, the old one 2.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 1, 0], [1, 2, 3, 4])
    >>> new, old = np.array([0.9, 0.3, 0.4, 0.1]), np.array([0.5, 0.8, 0.4, 0.1])
    >>> round(c_index_truncated_difference(y, new, old, horizon=2.0).value, 6)
    0.333333
    """
    return difference_of("c_index_truncated", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "c_index_truncated",
    Contrast(
        "c_index_truncated",
        c_index_truncated_difference,
        "Difference of the C-index by the horizon",
        ranks_only=True,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
