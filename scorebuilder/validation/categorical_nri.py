"""Net reclassification over given risk categories, and the table behind it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import check_competing
from scorebuilder.validation.contrast import Contrast, ContrastEstimate
from scorebuilder.validation.metric import check_predictions
from scorebuilder.validation.movement import movements, risk_categories
from scorebuilder.validation.reclassification import (
    PART_LABELS,
    reclassified,
    reclassified_weighted,
)

Estimator = Literal["km", "ipcw"]


def nri_categorical(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    /,
    *,
    horizon: float,
    cut_points: Sequence[float],
    estimator: Estimator = "km",
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Categorical net reclassification with censoring.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predicted risks.
    horizon : float
        In the unit of `y`.
    cut_points : sequence of float
        Strictly ascending; a risk at a cut point is in the higher category.
    estimator : {"km", "ipcw"}
        Kaplan-Meier (Aalen-Johansen) among those who move, or weighted events.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event; only for ``"km"``.

    Returns
    -------
    ContrastEstimate
        In [-2, 2]; parts ``events``, ``nonevents`` and the four shares that move.

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up, or ``"ipcw"`` is asked with competing risks.

    References
    ----------
    .. [1] Pencina MJ, et al. Evaluating the added predictive ability of a new marker: from area
       under the ROC curve to reclassification and beyond. Stat Med 2008;27:157-72.

    Examples
    --------
    Of two events one moves up over 0.2; of two others one moves down: 0.5 + 0.5.

    >>> from scorebuilder.survival.outcome import make_outcome
    >>> y = make_outcome([1, 1, 0, 0], [1, 2, 9, 9])
    >>> new, old = np.array([0.3, 0.4, 0.1, 0.1]), np.array([0.1, 0.3, 0.3, 0.15])
    >>> nri_categorical(y, new, old, horizon=5, cut_points=[0.2]).value
    1.0
    """
    up, down = movements(y, new, old, horizon=horizon, cut_points=cut_points)
    if estimator == "km":
        return reclassified(y, up, down, horizon=horizon, competing=competing)
    if competing is not None:
        message = "the weighted net reclassification has no version for competing risks"
        raise UndefinedMetricError(message)
    return reclassified_weighted(y, up, down, horizon=horizon)


def categorical_nri(cut_points: Sequence[float], *, estimator: Estimator = "km") -> Contrast:
    """
    Make the contrast of given risk categories.

    Parameters
    ----------
    cut_points : sequence of float
        Strictly ascending, in (0, 1).
    estimator : {"km", "ipcw"}
        As in `nri_categorical`.

    Returns
    -------
    Contrast
        Used like those of the registry, which cannot know the categories.
    """
    cuts = tuple(float(cut) for cut in cut_points)
    risk_categories(np.zeros(1), cuts)

    name = "nri_categorical" if estimator == "km" else "nri_categorical_ipcw"
    shown = ", ".join(f"{100 * cut:g} %" for cut in cuts)
    kind = "" if estimator == "km" else " (IPCW)"
    return Contrast(
        name,
        partial(nri_categorical, cut_points=cuts, estimator=estimator),
        f"Categorical NRI{kind} at {shown}",
        lowest=-2.0,
        highest=2.0,
        part_labels=PART_LABELS,
    )


def reclassification_table(
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    *,
    horizon: float,
    cut_points: Sequence[float],
    competing: BoolArray | None = None,
) -> pd.DataFrame:
    """
    Cross table of risk categories with the observed risk of each cell.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    new, old : ndarray of shape (n_patients,)
        Predicted risks.
    horizon : float
        In the unit of `y`.
    cut_points : sequence of float
        Strictly ascending; a risk at a cut point is in the higher category.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with the competing event.

    Returns
    -------
    DataFrame
        One row per cell: categories ``old`` and ``new`` (0 is the lowest), ``n``, ``observed``
        (Kaplan-Meier or Aalen-Johansen risk), ``events`` and ``nonevents`` (n times it and its
        complement), ``followed`` (False where the last value had to be carried forward to the
        horizon) and ``reason`` (why ``observed`` is NaN, or None).

    Raises
    ------
    UndefinedMetricError
        If the horizon lies past the follow-up.

    References
    ----------
    .. [1] Cook NR, Ridker PM. Advances in measuring the effect of individual predictors of
       cardiovascular risk: the role of reclassification measures. Ann Intern Med 2009;150:795-802.
    """
    before = risk_categories(check_predictions(y, old, horizon=horizon), cut_points)
    after = risk_categories(check_predictions(y, new, horizon=horizon), cut_points)
    rows: list[dict[str, Any]] = []
    for low in range(len(cut_points) + 1):
        for high in range(len(cut_points) + 1):
            members = (before == low) & (after == high)
            rows.append({"old": low, "new": high, **_cell(y, members, horizon, competing)})
    return pd.DataFrame(rows)


def _cell(
    y: Outcome, members: BoolArray, horizon: float, competing: BoolArray | None
) -> dict[str, Any]:
    n = int(members.sum())
    if n == 0:
        missing = dict.fromkeys(("observed", "events", "nonevents"), np.nan)
        return {"n": 0, **missing, "followed": False, "reason": "no patient"}
    other = None if competing is None else check_competing(y, competing)[members]
    found = event_risk(y[members], horizon, competing=other)
    return {
        "n": n,
        "observed": found.risk,
        "events": n * found.risk,
        "nonevents": n * found.complement,
        "followed": found.followed,
        "reason": None,
    }
