"""Bootstrap optimism of a whole build: apparent, corrected, and .632+ performance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.protocols import FittableRiskModel
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.bootstrap_replicate import SAMPLES, JudgedRefit, bootstrap_rows
from scorebuilder.validation.executor import Executor, local_executor
from scorebuilder.validation.plus632 import plus632
from scorebuilder.validation.rebuilt_models import RebuiltModels, rebuilt_models
from scorebuilder.validation.refit import Content, Refit, Refitting, ResultCache, run_refits
from scorebuilder.validation.summary_measure import MEASURES

MINIMUM_FOR_INTERVAL = 40
"""Fewest replicates whose 2.5th and 97.5th centile lie inside them."""


@dataclass(frozen=True)
class OptimismEstimate:
    """
    One measure of one prediction at one horizon.

    Attributes
    ----------
    prediction : {"risk", "points"}
        What is judged.
    metric : str
        Name in `MEASURES`.
    horizon : float
        Days.
    apparent : float or None
        On the patients the build was fitted to.
    optimism, optimism_error : float or None
        Mean over replicates of performance on their own patients minus on the whole cohort, and
        its Monte Carlo standard error.
    corrected, lower, upper : float or None
        Apparent minus optimism, with 95 % limits.
    out_of_bag : float or None
        Mean over replicates, on the patients a replicate has not seen.
    no_information : float or None
        Expected if outcomes were unrelated to predictions.
    overfitting : float or None
        Relative overfitting rate, 0 (none) to 1 (nothing but overfitting).
    plus632 : float or None
        The .632+ estimate.
    n_replicates : int
        Replicates in which the measure is defined.
    reason, interval_reason, plus632_reason : str or None
        Why the corrected value, its limits, or the .632+ estimate are None.
    """

    prediction: str
    metric: str
    horizon: float
    apparent: float | None
    optimism: float | None = None
    optimism_error: float | None = None
    corrected: float | None = None
    lower: float | None = None
    upper: float | None = None
    out_of_bag: float | None = None
    no_information: float | None = None
    overfitting: float | None = None
    plus632: float | None = None
    n_replicates: int = 0
    reason: str | None = None
    interval_reason: str | None = None
    plus632_reason: str | None = None


@dataclass(frozen=True)
class BootstrapOptimism:
    """
    Optimism of a build.

    Attributes
    ----------
    estimates : tuple of OptimismEstimate
        By prediction, metric and horizon.
    replicates : DataFrame
        Long: ``replicate, prediction, metric, horizon, sample, value, reason``; the value is NaN
        exactly where a reason stands.
    n_replicates : int
        Replicates drawn.
    failures : dict of int to str
        Why a replicate could not be fitted.
    rebuilt : RebuiltModels
        What the replicates that could be fitted say of every patient.
    """

    estimates: tuple[OptimismEstimate, ...]
    replicates: pd.DataFrame
    n_replicates: int
    failures: dict[int, str]
    rebuilt: RebuiltModels

    def table(self) -> pd.DataFrame:
        """
        Return the estimates as a table.

        Returns
        -------
        DataFrame
            One row per estimate; undefined numbers are NaN beside their reason.
        """
        return pd.DataFrame([asdict(estimate) for estimate in self.estimates])


def bootstrap_optimism(
    build: FittableRiskModel,
    X: Any,
    y: Outcome,
    *,
    n_replicates: int,
    horizons: tuple[float, ...],
    random_state: int,
    n_jobs: int = 1,
    executor: Executor | None = None,
    cache: ResultCache | None = None,
    progress: Callable[[], None] | None = None,
) -> BootstrapOptimism:
    r"""
    Refit a whole build to bootstrap samples, and correct its apparent performance.

    Parameters
    ----------
    build : estimator
        As in `cross_validate`; everything learnt from data belongs inside it.
    X : DataFrame of shape (n_patients, n_features)
        Predictors.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    n_replicates : int
        Bootstrap samples, at least 2; 200 are usual.
    horizons : tuple of float
        Days.
    random_state : int
        Seed; each replicate depends on it and on its own number only.
    n_jobs : int
        Refits at a time, in processes of one thread each; the numbers do not depend on it.
    executor : Executor, optional
        Where refits run, instead of `n_jobs` processes of this machine.
    cache : ResultCache, optional
        Finished replicates are read from and written to it, predictions by row number included.
    progress : callable, optional
        Called without arguments ``n_replicates + 1`` times: the first refit is the apparent one.

    Returns
    -------
    BootstrapOptimism
        A measure is undefined, with the reason, where it has a value in less than half of the
        replicates; replicates that cannot be fitted are counted with their reason.

    Raises
    ------
    ModelError
        If the build cannot be fitted to the cohort itself.

    Notes
    -----
    With :math:`\theta_b` the performance of the model of replicate b on its own patients and
    :math:`\theta_b'` on the cohort, the corrected performance is [1]_

    .. math:: \hat\theta_{app} - \frac1B \sum_b (\theta_b - \theta_b')

    Its limits are the 2.5th and 97.5th centile of :math:`\theta_b`, shifted by the optimism [3]_.
    The .632+ estimate [2]_ weighs the apparent and the mean out-of-bag performance
    :math:`\hat\theta_{oob}`,

    .. math:: (1 - w)\, \hat\theta_{app} + w\, \hat\theta_{oob}, \quad
       w = \frac{0.632}{1 - 0.368 R}, \quad
       R = \frac{\hat\theta_{app} - \hat\theta_{oob}}{\hat\theta_{app} - \gamma}

    where :math:`\gamma` is the performance without information (`MEASURES`), R is limited to
    [0, 1], and :math:`\hat\theta_{oob}` is no worse than :math:`\gamma`. The error of [2]_ is a
    mean over patients; measures of a whole group, such as the AUC, are averaged over replicates.
    A patient may stand in several inner folds of a bootstrap sample, so that a selection tuned
    by inner cross-validation is more optimistic there than in the cohort.

    References
    ----------
    .. [1] Harrell FE, Lee KL, Mark DB. Multivariable prognostic models. Stat Med
       1996;15:361-87.
    .. [2] Efron B, Tibshirani R. Improvements on cross-validation: the .632+ bootstrap method.
       J Am Stat Assoc 1997;92:548-60.
    .. [3] Noma H, Shinozaki T, Iba K, Teramukai S, Furukawa TA. Confidence intervals of
       prediction accuracy measures for multivariable prediction models based on the
       bootstrap-based optimism correction methods. Stat Med 2021;40:5691-701.
    """
    event, _ = check_outcome(y)
    if len(X) != event.size:
        message = f"`X` and `y` must have equal length; got {len(X)} and {event.size}"
        raise ValueError(message)
    if n_replicates < 2:
        message = f"`n_replicates` must be at least 2; got {n_replicates}"
        raise ValueError(message)
    horizons = tuple(float(horizon) for horizon in horizons)
    work = JudgedRefit(Refitting({"": build}, X, y, horizons, {}))
    refits = _refits(event.size, n_replicates, random_state)
    where = executor or local_executor(n_jobs)
    found: dict[str, Content] = {}
    with closing(run_refits(work, refits, executor=where, cache=cache, progress=progress)) as done:
        for refit, content in done:
            if refit is refits[0] and "failed" in content:
                raise ModelError(content["failed"])
            found[refit.name] = content
    contents = [found[refit.name] for refit in refits]
    return _summed_up(contents, rebuilt_models(contents[1:], horizons, event.size))


def _refits(n_patients: int, n_replicates: int, random_state: int) -> list[Refit]:
    everybody = np.arange(n_patients)
    refits = [Refit("bootstrap-apparent", "the whole cohort", "", everybody, everybody)]
    for replicate in range(n_replicates):
        rows = bootstrap_rows(n_patients, replicate=replicate, random_state=random_state)
        label = f"bootstrap replicate {replicate + 1}"
        refits.append(Refit(f"bootstrap-{replicate:04d}", label, "", rows, everybody))
    return refits


def _summed_up(contents: list[Content], rebuilt: RebuiltModels) -> BootstrapOptimism:
    """Sum up the apparent refit, which comes first, and all replicates."""
    whole, replicates = contents[0], contents[1:]
    failures = {
        place: content["failed"] for place, content in enumerate(replicates) if "failed" in content
    }
    rows = [
        {"replicate": place, **row}
        for place, content in enumerate(replicates)
        for row in content.get("rows", [])
    ]
    drawn: dict[_Kind, dict[str, FloatArray]] = {}
    reasons: dict[_Kind, Counter[str]] = {}
    for row in rows:
        kind, counted = _kind(row), reasons.setdefault(_kind(row), Counter(failures.values()))
        values = drawn.setdefault(kind, {}).setdefault(
            row["sample"], np.full(len(replicates), np.nan)
        )
        if row["reason"] is None:
            values[row["replicate"]] = row["value"]
        else:
            counted[row["reason"]] += 1
    apparent: dict[_Kind, dict[str, Any]] = {}
    for row in whole["rows"]:
        apparent.setdefault(_kind(row), {})[row["sample"]] = row
    nothing = dict.fromkeys(SAMPLES, np.full(len(replicates), np.nan))
    estimates = tuple(
        _estimate(
            kind,
            own,
            {**nothing, **drawn.get(kind, {})},
            reasons.get(kind, Counter(failures.values())),
        )
        for kind, own in apparent.items()
    )
    columns = ["replicate", *_Kind._fields, "sample", "value", "reason"]
    table = pd.DataFrame(rows, columns=columns).astype({"value": np.float64})
    return BootstrapOptimism(estimates, table, len(replicates), failures, rebuilt)


class _Kind(NamedTuple):
    prediction: str
    metric: str
    horizon: float


def _kind(row: dict[str, Any]) -> _Kind:
    return _Kind(row["prediction"], row["metric"], row["horizon"])


def _estimate(
    kind: _Kind, own: dict[str, Any], drawn: dict[str, FloatArray], reasons: Counter[str]
) -> OptimismEstimate:
    apparent, reason = own["original"]["value"], own["original"]["reason"]
    difference = drawn["apparent"] - drawn["original"]
    defined = np.isfinite(difference)
    n, n_replicates = int(defined.sum()), difference.size
    if apparent is not None and 2 * n < n_replicates:
        cause = reasons.most_common(1)[0][0]
        reason = f"undefined in {n_replicates - n} of {n_replicates} replicates: {cause}"
    estimate = OptimismEstimate(
        *kind, apparent=apparent, n_replicates=n, reason=reason, interval_reason=reason,
        plus632_reason=reason,
    )  # fmt: skip
    if apparent is None or reason is not None:
        return estimate
    optimism = float(difference[defined].mean())
    error = float(difference[defined].std(ddof=1) / np.sqrt(n)) if n > 1 else None
    estimate = replace(
        estimate, optimism=optimism, optimism_error=error, corrected=apparent - optimism
    )
    return _with_plus632(_with_limits(estimate, drawn["apparent"][defined] - optimism), own, drawn)


def _with_limits(estimate: OptimismEstimate, shifted: FloatArray) -> OptimismEstimate:
    if shifted.size < MINIMUM_FOR_INTERVAL:
        few = f"{shifted.size} replicates, {MINIMUM_FOR_INTERVAL} are needed for an interval"
        return replace(estimate, interval_reason=few)
    lower, upper = np.quantile(shifted, (0.025, 0.975))
    return replace(estimate, lower=float(lower), upper=float(upper))


def _with_plus632(
    estimate: OptimismEstimate, own: dict[str, Any], drawn: dict[str, FloatArray]
) -> OptimismEstimate:
    unseen = drawn["out_of_bag"][np.isfinite(drawn["out_of_bag"])]
    chance = own["no_information"]
    reason = chance["reason"]
    if 2 * unseen.size < drawn["out_of_bag"].size:
        reason = "undefined out of bag in more than half of the replicates"
        return replace(estimate, plus632_reason=reason)
    out_of_bag = float(unseen.mean())
    estimate = replace(
        estimate, out_of_bag=out_of_bag, no_information=chance["value"], plus632_reason=reason
    )
    if reason is not None or estimate.apparent is None:
        return estimate
    overfitting, value = plus632(
        estimate.apparent,
        out_of_bag,
        chance["value"],
        greater_is_better=MEASURES[estimate.metric].greater_is_better,
    )
    return replace(estimate, overfitting=overfitting, plus632=value)
