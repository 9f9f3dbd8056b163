"""One bootstrap replicate: a build refitted to a resampled cohort, judged on three sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.seeds import generator
from scorebuilder.validation.rebuilt_models import patients_content
from scorebuilder.validation.refit import Content, Refit, Refitting
from scorebuilder.validation.summary_measure import MEASURES

SAMPLES = ("apparent", "original", "out_of_bag")
"""On whom a replicate is judged: its own patients, the whole cohort, those it has not seen."""


def bootstrap_rows(n_patients: int, *, replicate: int, random_state: int) -> IntArray:
    """
    Draw the patients of one replicate with replacement.

    Parameters
    ----------
    n_patients : int
        Size of the cohort, and of the replicate.
    replicate : int
        From 0; a replicate is the same whatever their number.
    random_state : int
        Seed.

    Returns
    -------
    ndarray of int of shape (n_patients,)
        Row numbers, ascending, so that the same draw is the same cohort.
    """
    random = generator(random_state, "bootstrap", replicate)
    return np.sort(random.integers(n_patients, size=n_patients))


@dataclass(frozen=True)
class JudgedRefit:
    """
    A refit that is judged where it was fitted, on the whole cohort, and on who it has not seen.

    Called with a `Refit` that predicts the whole cohort.

    Attributes
    ----------
    refitting : Refitting
        The data and the build.
    """

    refitting: Refitting

    def __call__(self, refit: Refit) -> Content:
        """
        Fit, predict every patient, and judge.

        Parameters
        ----------
        refit : Refit
            Fitted on its ``train`` rows; ``test`` must be all rows in order.

        Returns
        -------
        dict
            ``rows``, each with ``prediction``, ``metric``, ``horizon``, ``sample``, ``value`` and
            ``reason``, beside what `patients_content` keeps; or ``{"failed": reason}``. A refit
            that has seen everybody is judged on the cohort alone, and against no information.
        """
        content = self.refitting(refit)
        if "failed" in content:
            return content
        y, seen, everybody = self.refitting.y, refit.train, refit.test
        kinds = list(_predictions(content, self.refitting.horizons))
        unseen = np.setdiff1d(everybody, seen)
        sets = dict(zip(SAMPLES, (seen, everybody, unseen), strict=True))
        if unseen.size == 0:
            sets = {"original": everybody}
        rows = [
            {**kind, "sample": sample, **_judged(kind, y[members], values[members])}
            for kind, values in kinds
            for sample, members in sets.items()
        ]
        if unseen.size == 0:
            rows += [
                {**kind, "sample": "no_information", **_judged(kind, y, values, chance=True)}
                for kind, values in kinds
            ]
        return {"rows": rows, **patients_content(content)}


def _predictions(
    content: Content, horizons: tuple[float, ...]
) -> Iterator[tuple[dict[str, Any], FloatArray]]:
    """Name what is judged: the risk by every measure, points by those of their order."""
    risk, marker, points = content["risk"], content["marker"], content["points"]
    for place, horizon in enumerate(horizons):
        for name, measure in MEASURES.items():
            kind = {"prediction": "risk", "metric": name, "horizon": horizon}
            by_marker = measure.whole_follow_up and marker is not None
            yield kind, marker if by_marker else risk[:, place]
            if measure.ranks_only and points is not None:
                yield {**kind, "prediction": "points"}, points


def _judged(
    kind: dict[str, Any], y: Outcome, values: FloatArray, *, chance: bool = False
) -> dict[str, Any]:
    measure, horizon, known = MEASURES[kind["metric"]], kind["horizon"], np.isfinite(values)
    try:
        if chance:
            value = measure.no_information(y[known], values[known], horizon)
        else:
            value = measure.estimate(y[known], values[known], horizon).value
    except UndefinedMetricError as error:
        return {"value": None, "reason": str(error)}
    return {"value": float(value), "reason": None}
