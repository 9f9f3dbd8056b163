"""Difference of a metric between predictions of the same patients."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.validation.contrast import ContrastEstimate, ContrastPart, normal_contrast
from scorebuilder.validation.metric import METRICS, Metric, MetricEstimate, estimate_metric


def metric_difference(metric: str, new: MetricEstimate, old: MetricEstimate) -> ContrastEstimate:
    """
    Difference of two estimates of one metric on the same patients.

    Parameters
    ----------
    metric : str
        Name in `METRICS`.
    new, old : MetricEstimate
        With their influence functions.

    Returns
    -------
    ContrastEstimate
        New minus old; both estimates are its parts ``new`` and ``old``.

    Raises
    ------
    ValueError
        If an influence function is missing.
    """
    judge = METRICS[metric]
    if new.influence is None or old.influence is None:
        message = "the difference of a metric needs the influence function of both estimates"
        raise ValueError(message)
    parts = (_part("new", new, judge), _part("old", old, judge))
    influence = new.influence - old.influence
    value, error = new.value - old.value, judge.spread(influence)
    if error is None:
        reason = "one patient alone has no sampling error"
        return ContrastEstimate(value, reason=reason, influence=influence, parts=parts)
    width = judge.highest - judge.lowest
    return normal_contrast(
        value, error, influence=influence, parts=parts, lowest=-width, highest=width
    )


def difference_of(
    metric: str,
    y: Outcome,
    new: FloatArray,
    old: FloatArray,
    *,
    horizon: float,
    competing: BoolArray | None = None,
) -> ContrastEstimate:
    """
    Difference of a metric between two predictions.

    Parameters
    ----------
    metric : str
        Name in `METRICS`.
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    new, old : ndarray of shape (n_patients,)
        Their predictions.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    ContrastEstimate
        New minus old.

    Raises
    ------
    UndefinedMetricError
        If the metric is undefined, or has no version for competing risks.
    """
    found = [
        estimate_metric(metric, y, risk, horizon=horizon, competing=competing)
        for risk in (new, old)
    ]
    return metric_difference(metric, found[0], found[1])


def pairwise_differences(
    y: Outcome,
    predictions: Mapping[str, FloatArray],
    *,
    metric: str,
    horizon: float,
    competing: BoolArray | None = None,
) -> pd.DataFrame:
    """
    Differences of a metric between all pairs of predictions, each judged once.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome of the patients judged.
    predictions : mapping of str to ndarray of shape (n_patients,)
        Two or more, by name.
    metric : str
        Name in `METRICS`.
    horizon : float
        In the unit of `y`.
    competing : ndarray of bool of shape (n_patients,), optional
        Patients whose follow-up ended with a competing event.

    Returns
    -------
    DataFrame
        One row per pair: ``new``, ``old`` (names, the later minus the earlier), ``value``,
        ``standard_error``, ``lower``, ``upper``, ``p``, ``reason``.

    Raises
    ------
    UndefinedMetricError
        If the metric is undefined, or has no version for competing risks.
    """
    found = {
        name: estimate_metric(metric, y, risk, horizon=horizon, competing=competing)
        for name, risk in predictions.items()
    }
    rows = []
    for old, new in combinations(found, 2):
        difference = metric_difference(metric, found[new], found[old])
        rows.append(
            {
                "new": new,
                "old": old,
                "value": difference.value,
                "standard_error": difference.standard_error,
                "lower": difference.lower,
                "upper": difference.upper,
                "p": difference.p,
                "reason": difference.reason,
            }
        )
    columns = ["new", "old", "value", "standard_error", "lower", "upper", "p", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _part(name: str, found: MetricEstimate, judge: Metric) -> ContrastPart:
    limits = found.limits(lowest=judge.lowest, highest=judge.highest)
    lower, upper = limits or (None, None)
    return ContrastPart(name, found.value, found.standard_error, lower, upper, found.influence)
