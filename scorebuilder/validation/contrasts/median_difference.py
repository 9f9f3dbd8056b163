"""Difference of the median change of risk between patients with and without the event."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.contrast import (
    CONTRASTS,
    Contrast,
    ContrastEstimate,
    ContrastPart,
)
from scorebuilder.validation.discrimination_shift import prediction_shift, weighted_median
from scorebuilder.validation.mean_estimate import NO_EVENT, NO_NON_EVENT

NO_ERROR = "a difference of medians has no standard error by formula"


def median_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Median change of risk in cases minus that in controls, weighted for censoring.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predicted risks, in [0, 1].
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; by the horizon they are controls.

    Returns
    -------
    ContrastEstimate
        Parts ``events`` and ``nonevents``. Without standard error: bootstrap it.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or there is neither a case nor a control.

    References
    ----------
    .. [1] Uno H, et al. A unified inference procedure for a class of measures to assess improvement
       in risk prediction systems with survival data. Stat Med 2013;32:2430-42.
    """
    shift = prediction_shift(y, new, old, horizon=horizon, competing=competing)
    cases = weighted_median(shift.change, shift.case) if shift.case.any() else None
    controls = weighted_median(shift.change, shift.control) if shift.control.any() else None
    if cases is None and controls is None:
        raise UndefinedMetricError(NO_EVENT)
    parts = (
        ContrastPart("events", cases, reason=NO_EVENT if cases is None else None),
        ContrastPart("nonevents", controls, reason=NO_NON_EVENT if controls is None else None),
    )
    if cases is None or controls is None:
        reason = NO_EVENT if cases is None else NO_NON_EVENT
        return ContrastEstimate(None, reason=reason, parts=parts)
    return ContrastEstimate(cases - controls, reason=NO_ERROR, parts=parts)


CONTRASTS.register(
    "median_difference",
    Contrast(
        "median_difference",
        median_difference,
        "Difference of median change of risk",
        lowest=-2.0,
        highest=2.0,
        part_labels=(
            ("events", "Median change in events"),
            ("nonevents", "Median change in non-events"),
        ),
    ),
)
