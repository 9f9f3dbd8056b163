"""Internal-external validation: a build refitted without each centre, or before each period."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import ModelError, UndefinedMetricError
from scorebuilder.core.protocols import FittableRiskModel
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.executor import Executor, local_executor
from scorebuilder.validation.pooling import Pooled, confidence_limits, pool
from scorebuilder.validation.refit import Content, Refit, Refitting, ResultCache, run_refits
from scorebuilder.validation.summary_measure import MEASURES

MINIMUM_EVENTS = 10
"""Fewest events by the horizon for which a cluster is judged."""
NOTHING_EARLIER = f"fewer than {MINIMUM_EVENTS} events in the periods before: it serves to fit only"
REPORTED = ("auc", "c_index", "observed_expected", "slope")
"""Measures by cluster."""


@dataclass(frozen=True)
class ClusterEstimate:
    """
    One measure of a build in a cluster it has not seen.

    Attributes
    ----------
    cluster, metric : str
        Label of the cluster; name in `MEASURES`.
    horizon : float
        Days.
    n, n_events : int or None
        Patients, and events by the horizon; None where fewer than `MINIMUM_EVENTS` events hide
        them.
    value, lower, upper : float or None
        Estimate and 95 % limits, symmetric on the scale on which clusters are pooled.
    standard_error : float or None
        Of the value.
    reason : str or None
        Why there is no value.
    """

    cluster: str
    metric: str
    horizon: float
    n: int | None
    n_events: int | None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    standard_error: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class InternalExternal:
    """
    Performance in each left-out cluster, and over all of them.

    Attributes
    ----------
    clusters : tuple of ClusterEstimate
        By cluster, horizon and measure.
    pooled : tuple of Pooled
        By horizon and measure.
    n_unknown : int
        Patients whose cluster is not known; they are neither fitted nor judged.
    """

    clusters: tuple[ClusterEstimate, ...]
    pooled: tuple[Pooled, ...]
    n_unknown: int

    def table(self) -> pd.DataFrame:
        """
        Return the estimates by cluster as a table.

        Returns
        -------
        DataFrame
            One row per estimate; an undefined number is NaN beside its reason.
        """
        return pd.DataFrame([vars(estimate) for estimate in self.clusters])

    def pooled_table(self) -> pd.DataFrame:
        """
        Return the summaries over clusters as a table.

        Returns
        -------
        DataFrame
            One row per measure and horizon.
        """
        return pd.DataFrame([vars(summary) for summary in self.pooled])


def internal_external(
    build: FittableRiskModel,
    X: Any,
    y: Outcome,
    clusters: Any,
    *,
    horizons: tuple[float, ...],
    forward: bool = False,
    n_jobs: int = 1,
    executor: Executor | None = None,
    cache: ResultCache | None = None,
    progress: Callable[[], None] | None = None,
) -> InternalExternal:
    """
    Refit a whole build without each cluster, or before each period, and judge it there.

    Parameters
    ----------
    build : estimator
        As in `cross_validate`; everything learnt from data belongs inside it.
    X : DataFrame of shape (n_patients, n_features)
        Predictors.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    clusters : array-like of shape (n_patients,)
        Label of each patient's centre or period; missing where not known. Categories keep their
        order, other labels are sorted.
    horizons : tuple of float
        Days.
    forward : bool
        True fits the build for each cluster to those before it in order, as for periods: it is
        then judged as it would have been used, on later patients. Follow-up of the earlier patients
        counts in full, also after the later period began.
    n_jobs : int
        Refits at a time, in processes of one thread each; the numbers do not depend on it.
    executor : Executor, optional
        Where refits run, instead of `n_jobs` processes of this machine.
    cache : ResultCache, optional
        Finished refits are read from and written to it.
    progress : callable, optional
        Called without arguments after each of `n_refits` refits.

    Returns
    -------
    InternalExternal
        A cluster with fewer than `MINIMUM_EVENTS` events by a horizon is not judged there, and one
        with too few by every horizon is never left out; both serve to fit the others.

    Raises
    ------
    ModelError
        If fewer than two clusters can be left out (with `forward` none has enough events before
        it), or a build cannot be fitted without one.

    References
    ----------
    .. [1] Royston P, Parmar MKB, Sylvester R. Construction and validation of a prognostic model
       across several studies, with an application in superficial bladder cancer. Stat Med
       2004;23:907-26.
    .. [2] Altman DG, Royston P. What do we mean by validating a prognostic model? Stat Med
       2000;19:453-73.
    """
    check_outcome(y)
    labels = pd.Series(clusters).reset_index(drop=True)
    if not len(X) == len(labels) == len(y):
        message = (
            "`X`, `y` and `clusters` must have equal length; got "
            f"{len(X)}, {len(y)} and {len(labels)}"
        )
        raise ValueError(message)
    horizons = tuple(float(horizon) for horizon in horizons)
    refits = _refits(labels, y, horizons, forward)
    work = Refitting({"": build}, X, y, horizons, {})
    where = executor or local_executor(n_jobs)
    found: dict[str, Content] = {}
    with closing(run_refits(work, refits, executor=where, cache=cache, progress=progress)) as done:
        for refit, content in done:
            if "failed" in content:
                message = f"{refit.label}: {content['failed']}"
                raise ModelError(message)
            found[refit.name] = content
    predicted = {refit.label: (refit, found[refit.name]) for refit in refits}
    estimates = tuple(
        estimate
        for label in _ordered(labels)
        for estimate in _judge(label, labels, y, horizons, predicted.get(_named(label, forward)))
    )
    pooled = tuple(
        pool([e for e in estimates if (e.metric, e.horizon) == (metric, horizon)], metric, horizon)
        for horizon in horizons
        for metric in REPORTED
    )
    return InternalExternal(estimates, pooled, int(labels.isna().sum()))


def n_refits(
    clusters: Any, y: Outcome, *, horizons: tuple[float, ...], forward: bool = False
) -> int:
    """
    Count the refits of `internal_external`.

    Parameters
    ----------
    clusters : array-like of shape (n_patients,)
        Labels.
    y : structured ndarray of shape (n_patients,)
        Outcome.
    horizons : tuple of float
        Days.
    forward : bool
        Whether each cluster is judged by a build of those before it.

    Returns
    -------
    int
        Clusters with `MINIMUM_EVENTS` events by the last horizon, and with `forward` as many
        before.
    """
    labels = pd.Series(clusters).reset_index(drop=True)
    return len(list(_splits(labels, y, max(horizons), forward)))


def _ordered(labels: pd.Series) -> list[Any]:
    if isinstance(labels.dtype, pd.CategoricalDtype):
        present = set(labels.dropna())
        return [label for label in labels.cat.categories if label in present]
    return sorted(labels.dropna().unique())


def _events(inside: BoolArray, y: Outcome, horizon: float) -> int:
    return int(np.sum(y["event"][inside] & (y["time"][inside] <= horizon)))


def _members(labels: pd.Series, chosen: Sequence[Any]) -> BoolArray:
    return np.asarray(labels.isin(list(chosen)).to_numpy(), dtype=np.bool_)


def _named(label: Any, forward: bool) -> str:
    return f"before `{label}`" if forward else f"without `{label}`"


def _splits(
    labels: pd.Series, y: Outcome, horizon: float, forward: bool
) -> Iterator[tuple[int, BoolArray, BoolArray]]:
    """Give the place of each cluster that is judged, who fits the build, and who is judged."""
    order = _ordered(labels)
    for place, label in enumerate(order):
        inside = _members(labels, [label])
        fitted = _members(labels, order[:place] if forward else order[:place] + order[place + 1 :])
        needed = [inside, fitted] if forward else [inside]
        if all(_events(who, y, horizon) >= MINIMUM_EVENTS for who in needed):
            yield place, fitted, inside


def _refits(
    labels: pd.Series, y: Outcome, horizons: tuple[float, ...], forward: bool
) -> list[Refit]:
    order, kind = _ordered(labels), "period" if forward else "cluster"
    refits = [
        Refit(
            f"{kind}-{place:04d}", _named(order[place], forward), "",
            np.flatnonzero(fitted), np.flatnonzero(inside),
        )
        for place, fitted, inside in _splits(labels, y, max(horizons), forward)
    ]  # fmt: skip
    if forward and not refits:
        message = (
            f"forward validation needs {MINIMUM_EVENTS} events by the last horizon in a period "
            f"and in those before it; none of {len(order)} has them"
        )
        raise ModelError(message)
    if not forward and len(refits) < 2:
        message = (
            f"internal-external validation needs two clusters with {MINIMUM_EVENTS} events by the "
            f"last horizon; {len(refits)} of {len(order)} have them"
        )
        raise ModelError(message)
    return refits


def _judge(
    label: Any,
    labels: pd.Series,
    y: Outcome,
    horizons: tuple[float, ...],
    predicted: tuple[Refit, Content] | None,
) -> list[ClusterEstimate]:
    inside = _members(labels, [label])
    n, enough = int(inside.sum()), _events(inside, y, max(horizons)) >= MINIMUM_EVENTS
    estimates = []
    for place, horizon in enumerate(horizons):
        n_events = _events(inside, y, horizon)
        for metric in REPORTED:
            estimate = ClusterEstimate(str(label), metric, horizon, n, n_events)
            if n_events < MINIMUM_EVENTS or predicted is None:
                reason = f"fewer than {MINIMUM_EVENTS} events by the horizon"
                if predicted is None and enough:
                    reason = NOTHING_EARLIER
                estimate = replace(estimate, n=None, n_events=None, reason=reason)
            else:
                refit, content = predicted
                values = _judged_values(metric, content, place)
                estimate = _estimate(estimate, y[refit.test], values)
            estimates.append(estimate)
    return estimates


def _judged_values(metric: str, content: Content, place: int) -> FloatArray:
    by_marker = MEASURES[metric].whole_follow_up and content["marker"] is not None
    values = content["marker"] if by_marker else np.asarray(content["risk"])[:, place]
    return np.asarray(values, dtype=np.float64)


def _estimate(estimate: ClusterEstimate, y: Outcome, values: FloatArray) -> ClusterEstimate:
    measure, known = MEASURES[estimate.metric], np.isfinite(values)
    try:
        found = measure.estimate(y[known], values[known], estimate.horizon)
    except UndefinedMetricError as error:
        return replace(estimate, reason=str(error))
    lower, upper = confidence_limits(found, measure.scale)
    return replace(
        estimate, value=found.value, lower=lower, upper=upper, standard_error=found.standard_error
    )
