"""Difference of AUC(t) against event-free patients between two predictions."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.difference import difference_of


def auc_event_free_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Difference of two AUC(t) whose controls are free of the competing event too.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged; also gives the censoring distribution.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
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
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    The standard error is the standard deviation, divided by :math:`\sqrt n`,
    of the difference of the influence functions [1]_.

    References
    ----------
    .. [1] Blanche P, et al. Stat Med 2013;32:5381-97.

    Examples
    --------
    The new prediction orders all 4 pairs rightly, the old one 3.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> new, old = np.array([0.9, 0.8, 0.1, 0.6]), np.array([0.5, 0.8, 0.1, 0.6])
    >>> auc_event_free_difference(y, new, old, horizon=5.0).value
    0.25
    """
    return difference_of("auc_event_free", y, new, old, horizon=horizon, competing=competing)


CONTRASTS.register(
    "auc_event_free",
    Contrast(
        "auc_event_free",
        auc_event_free_difference,
        "Difference of AUC(t) against event-free patients",
        ranks_only=True,
        part_labels=(("new", "new"), ("old", "old")),
    ),
)
