"""Difference of the AUC without censored patients between two predictions: DeLong's test."""

from __future__ import annotations

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.binary_auc import binary_auc
from scorebuilder.validation.contrast import (
    CONTRASTS,
    Contrast,
    ContrastEstimate,
    ContrastPart,
    normal_contrast,
)


def auc_binary_difference(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    DeLong's paired test of two AUCs of the event by the horizon as a binary outcome.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    new, old : ndarray of shape (n_patients,)
        Any predictions that rise with the risk.
    horizon : float
        In the unit of `y`. Patients censored before or at it are left out.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event; by the horizon they are controls.

    Returns
    -------
    ContrastEstimate
        New minus old; parts ``new`` and ``old``, and ``left_out``, the number of patients who do
        not count.

    Raises
    ------
    UndefinedMetricError
        Without a case or a control, or if the horizon lies past the follow-up.

    Notes
    -----
    See `binary_auc` [1]_. It is here to reproduce published figures: see `auc_difference` for the
    difference that censoring does not bias.

    References
    ----------
    .. [1] DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-45.

    Examples
    --------
    The new prediction orders all 4 pairs rightly, the old one 3; patient 5 was lost before.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0, 0], [1, 2, 9, 9, 3])
    >>> new, old = np.array([0.9, 0.8, 0.1, 0.6, 0.7]), np.array([0.5, 0.8, 0.1, 0.6, 0.7])
    >>> found = auc_binary_difference(y, new, old, horizon=5.0)
    >>> found.value, found.part("left_out").value
    (0.25, 1.0)
    """
    found = binary_auc(y, new, old, horizon=horizon, competing=competing)
    parts = []
    for which, name in enumerate(("new", "old")):
        lower, upper = found.limits(which) or (None, None)
        error = found.standard_error(np.eye(2)[which])
        value, influence = float(found.values[which]), found.influence[which]
        parts.append(ContrastPart(name, value, error, lower, upper, influence))
    parts.append(ContrastPart("left_out", float(found.n_left_out)))
    value = float(found.values[0] - found.values[1])
    influence = found.influence[0] - found.influence[1]
    error = found.standard_error(np.array([1.0, -1.0]))
    if error is None:
        reason = "DeLong's error needs two patients with the event and two without"
        return ContrastEstimate(value, reason=reason, influence=influence, parts=tuple(parts))
    return normal_contrast(value, error, influence=influence, parts=tuple(parts))


CONTRASTS.register(
    "auc_binary",
    Contrast(
        "auc_binary",
        auc_binary_difference,
        "Difference of AUC without censored patients",
        ranks_only=True,
        part_labels=(("new", "new"), ("old", "old"), ("left_out", "patients left out")),
    ),
)
