"""Integrated discrimination improvement with censoring."""

from __future__ import annotations

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.discrimination_shift import prediction_shift
from scorebuilder.validation.mean_estimate import NO_EVENT, NO_NON_EVENT, as_contrast, weighted_mean


def idi(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    r"""
    Integrated discrimination improvement, weighted for censoring.

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
        Parts ``events`` and ``nonevents``: mean change of risk in cases and in controls.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or there is neither a case nor a control.

    Notes
    -----
    .. math:: \frac{\sum_i a_i (p_i^{new} - p_i^{old})}{\sum_i a_i} -
       \frac{\sum_i b_i (p_i^{new} - p_i^{old})}{\sum_i b_i}

    with weights :math:`a_i = 1[T_i \le t, D_i = 1] / G(T_i-)` and :math:`b_i = 1[T_i > t]`, for
    competing risks :math:`1[T_i > t] / G(t) + 1[T_i \le t, D_i = 2] / G(T_i-)`. The standard error
    is that of the influence function, with the estimation of G. Censoring is taken as independent
    of the predictions.

    References
    ----------
    .. [1] Chambless LE, Cummiskey CP, Cui G. Several methods to assess improvement in risk
       prediction models: extension to survival analysis. Stat Med 2011;30:22-38.
    .. [2] Uno H, et al. A unified inference procedure for a class of measures to assess improvement
       in risk prediction systems with survival data. Stat Med 2013;32:2430-42.

    Examples
    --------
    The case gains 0.2, the controls lose 0.1 on average.

    >>> import numpy as np
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0, 0], [1, 9, 9])
    >>> new, old = np.array([0.5, 0.1, 0.2]), np.array([0.3, 0.3, 0.2])
    >>> round(idi(y, new, old, horizon=5).value, 12)
    0.3
    """
    shift = prediction_shift(y, new, old, horizon=horizon, competing=competing)
    cases = weighted_mean(shift.ended, shift.change, shift.case, horizon=horizon, reason=NO_EVENT)
    controls = weighted_mean(
        shift.ended, shift.change, shift.control, horizon=horizon, reason=NO_NON_EVENT
    )
    parts = (cases.as_part("events"), controls.as_part("nonevents"))
    return as_contrast(cases.minus(controls), parts, bound=2.0)


CONTRASTS.register(
    "idi",
    Contrast(
        "idi",
        idi,
        "IDI",
        lowest=-2.0,
        highest=2.0,
        part_labels=(
            ("events", "Change of risk in events"),
            ("nonevents", "Change of risk in non-events"),
        ),
    ),
)
