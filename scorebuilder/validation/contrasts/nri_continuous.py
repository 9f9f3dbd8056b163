"""Continuous net reclassification: any change of risk counts."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.movement import movements
from scorebuilder.validation.reclassification import (
    PART_LABELS,
    reclassified,
    reclassified_weighted,
)


def nri_continuous(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Continuous net reclassification with censoring by Kaplan-Meier (Aalen-Johansen).

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predictions.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    ContrastEstimate
        In [-2, 2]; parts ``events``, ``nonevents`` and the four shares that move. Nobody moving
        gives 0. A useless marker can have a large value in patients from whom it was fitted, or
        where the old risk is not calibrated.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.

    References
    ----------
    .. [1] Pencina MJ, D'Agostino RB, Steyerberg EW. Extensions of net reclassification improvement
       calculations to measure usefulness of new biomarkers. Stat Med 2011;30:11-21.

    Examples
    --------
    Both events move up; of the two others one moves up, one down: 1 + 0.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> new, old = np.array([0.5, 0.6, 0.3, 0.1]), np.array([0.4, 0.4, 0.2, 0.2])
    >>> round(nri_continuous(y, new, old, horizon=5).value, 12)
    1.0
    """
    up, down = movements(y, new, old, horizon=horizon)
    return reclassified(y, up, down, horizon=horizon, competing=competing)


def nri_continuous_ipcw(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Continuous net reclassification with events weighted for censoring.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predictions.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Not supported.

    Returns
    -------
    ContrastEstimate
        As `nri_continuous`.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or `competing` is given.
    """
    if competing is not None:
        message = "the weighted net reclassification has no version for competing risks"
        raise UndefinedMetricError(message)
    up, down = movements(y, new, old, horizon=horizon)
    return reclassified_weighted(y, up, down, horizon=horizon)


CONTRASTS.register(
    "nri_continuous",
    Contrast(
        "nri_continuous",
        nri_continuous,
        "Continuous NRI",
        lowest=-2.0,
        highest=2.0,
        part_labels=PART_LABELS,
    ),
)
CONTRASTS.register(
    "nri_continuous_ipcw",
    Contrast(
        "nri_continuous_ipcw",
        nri_continuous_ipcw,
        "Continuous NRI (IPCW)",
        lowest=-2.0,
        highest=2.0,
        part_labels=PART_LABELS,
    ),
)
