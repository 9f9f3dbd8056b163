"""Model-based integrated discrimination improvement: the spread of the predictions."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.contrast import CONTRASTS, Contrast, ContrastEstimate
from scorebuilder.validation.mean_estimate import MeanEstimate, as_contrast
from scorebuilder.validation.metric import check_predictions


def idi_model_based(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,  # noqa: ARG001
    competing: BoolArray | None = None,  # noqa: ARG001
) -> ContrastEstimate:
    r"""
    Difference of the discrimination that each prediction claims by itself.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome; only its length matters.
    new, old : ndarray of shape (n_patients,)
        Predicted risks, in [0, 1].
    horizon : float
        Time of both risks, in the unit of `y`; plays no part.
    competing : ndarray of bool of shape (n_patients,), optional
        Plays no part.

    Returns
    -------
    ContrastEstimate
        Parts ``old`` and ``new``: the R2 of each prediction.

    Raises
    ------
    UndefinedMetricError
        If all risks of a prediction are 0, or all are 1.

    Notes
    -----
    .. math:: R^2 = \frac{\mathrm{var}(p)}{\bar p (1 - \bar p)}

    with divisor n. It takes both predictions as calibrated: outcomes are not looked at.

    References
    ----------
    .. [1] Chambless LE, Cummiskey CP, Cui G. Several methods to assess improvement in risk
       prediction models: extension to survival analysis. Stat Med 2011;30:22-38.

    Examples
    --------
    Risks of 0 and 1 claim everything (1), equal risks nothing (0).

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 0], [1, 9])
    >>> idi_model_based(y, np.array([1.0, 0.0]), np.array([0.5, 0.5]), horizon=5).value
    1.0
    """
    after = _claimed(check_predictions(y, new, probability=True))
    before = _claimed(check_predictions(y, old, probability=True))
    parts = (before.as_part("old", lowest=0.0), after.as_part("new", lowest=0.0))
    return as_contrast(after.minus(before), parts, bound=1.0)


def _claimed(risk: FloatArray) -> MeanEstimate:
    mean = float(risk.mean())
    bernoulli = mean * (1.0 - mean)
    if bernoulli == 0.0:
        message = "every predicted risk is 0, or every one is 1"
        raise UndefinedMetricError(message)
    deviation = risk - mean
    variance = float(np.mean(deviation**2))
    influence = (deviation**2 - variance) / bernoulli - variance * (
        1.0 - 2.0 * mean
    ) * deviation / bernoulli**2
    return MeanEstimate(variance / bernoulli, influence)


CONTRASTS.register(
    "idi_model_based",
    Contrast(
        "idi_model_based",
        idi_model_based,
        "IDI (model-based)",
        part_labels=(("old", "R2 of the old prediction"), ("new", "R2 of the new prediction")),
    ),
)
