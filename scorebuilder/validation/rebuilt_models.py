"""What models rebuilt on bootstrap samples say of the patients of the cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray
from scorebuilder.validation.refit import Content


@dataclass(frozen=True)
class RebuiltModels:
    """
    Predictions for the same patients by models rebuilt on bootstrap samples of them.

    Attributes
    ----------
    risk : ndarray of shape (n_models, n_patients, n_horizons)
        Risk by each horizon; NaN where a model gives none.
    points : ndarray of shape (n_models, n_patients)
        Points; NaN where there are none.
    cut_points : tuple of tuple of float
        Of the risk groups of each model; empty where it has none.
    horizons : tuple of float
        Days.
    """

    risk: FloatArray
    points: FloatArray
    cut_points: tuple[tuple[float, ...], ...]
    horizons: tuple[float, ...]

    def risk_at(self, horizon: float) -> FloatArray:
        """
        Return the risks by one horizon.

        Parameters
        ----------
        horizon : float
            One of `horizons`.

        Returns
        -------
        ndarray of shape (n_models, n_patients)
            Fractions.
        """
        return np.asarray(self.risk[:, :, self.horizons.index(horizon)], dtype=np.float64)

    def groups(self, n_groups: int) -> FloatArray:
        """
        Place every patient in the risk groups of each model.

        Parameters
        ----------
        n_groups : int
            Groups that are to be compared with.

        Returns
        -------
        ndarray of shape (n_models, n_patients)
            From 0, by ascending risk; NaN without points, and where a model has another number
            of groups, so that they have no counterpart.
        """
        placed = np.full(self.points.shape, np.nan)
        for model, cuts in enumerate(self.cut_points):
            if len(cuts) + 1 == n_groups:
                placed[model] = np.searchsorted(cuts, self.points[model], side="right")
        return np.where(np.isnan(self.points), np.nan, placed)


def patients_content(content: Content) -> dict[str, Any]:
    """
    Keep what a refit says of the patients.

    Parameters
    ----------
    content : dict
        Of a refit that could be fitted.

    Returns
    -------
    dict
        ``risk``, ``points`` (all NaN if the model has none) and ``cut_points``.
    """
    risk, points = content["risk"], content["points"]
    return {
        "risk": risk,
        "points": np.full(len(risk), np.nan) if points is None else points,
        "cut_points": list((content["record"] or {}).get("cut_points", ())),
    }


def rebuilt_models(
    contents: Sequence[Content], horizons: tuple[float, ...], n_patients: int
) -> RebuiltModels:
    """
    Put what the refits say of the patients together.

    Parameters
    ----------
    contents : sequence of dict
        From `patients_content`; those that could not be fitted are left out.
    horizons : tuple of float
        Days.
    n_patients : int
        Patients that each predicted.

    Returns
    -------
    RebuiltModels
        In the order of `contents`.
    """
    fitted = [content for content in contents if "failed" not in content]
    risk = np.empty((len(fitted), n_patients, len(horizons)))
    points = np.empty((len(fitted), n_patients))
    for place, content in enumerate(fitted):
        risk[place], points[place] = content["risk"], content["points"]
    cuts = tuple(tuple(float(cut) for cut in content["cut_points"]) for content in fitted)
    return RebuiltModels(risk, points, cuts, horizons)
