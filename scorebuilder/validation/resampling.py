"""Repeated stratified cross-validation: whole builds are refitted in every fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.arrays import FloatArray, IntArray, Outcome
from scorebuilder.core.errors import ModelError
from scorebuilder.core.protocols import FittableRiskModel
from scorebuilder.survival.outcome import check_outcome
from scorebuilder.validation.executor import Executor, local_executor
from scorebuilder.validation.folds import stratified_folds
from scorebuilder.validation.refit import Content, Refit, Refitting, ResultCache, run_refits

__all__ = ["ValidationResult", "cross_validate", "cross_validate_all", "stratified_folds"]


@dataclass(frozen=True)
class ValidationResult:
    """
    Out-of-fold predictions of every patient in every repeat.

    Attributes
    ----------
    folds : ndarray of int of shape (n_repeats, n_patients)
        Fold in which each patient was predicted.
    risk : ndarray of shape (n_repeats, n_patients, n_horizons)
        Risk by each horizon, from the model fitted without the patient's fold.
    marker : ndarray of shape (n_repeats, n_patients)
        Linear predictor; NaN if the model has no ``predict``.
    points : ndarray of shape (n_repeats, n_patients)
        Points; NaN where the fold's model has none.
    records : list of dict
        ``{"repeat", "fold", ...}`` with what each fold's model says of itself.
    horizons : tuple of float
        Days.
    """

    folds: IntArray
    risk: FloatArray
    marker: FloatArray
    points: FloatArray
    records: list[dict[str, Any]]
    horizons: tuple[float, ...]

    def risk_at(self, horizon: float) -> FloatArray:
        """
        Out-of-fold risks by one horizon.

        Parameters
        ----------
        horizon : float
            One of `horizons`.

        Returns
        -------
        ndarray of shape (n_repeats, n_patients)
            One risk per repeat.

        Raises
        ------
        ValueError
            If nothing was predicted at this horizon.
        """
        if horizon not in self.horizons:
            known = ", ".join(f"{known:g}" for known in self.horizons)
            message = f"`horizon` must be one of {known}; got {horizon:g}"
            raise ValueError(message)
        return np.asarray(self.risk[:, :, self.horizons.index(horizon)], dtype=np.float64)


def cross_validate(
    build: FittableRiskModel,
    X: Any,
    y: Outcome,
    *,
    folds: int,
    repeats: int,
    horizons: tuple[float, ...],
    random_state: int,
    n_jobs: int = 1,
    executor: Executor | None = None,
    cache: ResultCache | None = None,
    progress: Callable[[], None] | None = None,
) -> ValidationResult:
    """
    Refit a whole build in every fold and predict the patients it has not seen.

    Parameters
    ----------
    build : estimator
        Cloned for every fold. Has ``fit(X, y)`` and ``predict_risk(X, *, horizon)``; optionally
        ``predict(X)`` (linear predictor), ``predict_points(X)``, ``fold_record()`` (dict).
        Everything learnt from data - imputation, selection, shapes, points - belongs inside it.
        Its seeds are its own parameters and are left as they are.
    X : DataFrame of shape (n_patients, n_features)
        Predictors.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    folds, repeats : int
        Folds are stratified on the event, see `stratified_folds`.
    horizons : tuple of float
        Days.
    random_state : int
        Seed of the folds.
    n_jobs : int
        Folds fitted at a time, in processes of one thread each; the numbers do not depend on it.
    executor : Executor, optional
        Where folds are fitted, instead of `n_jobs` processes of this machine.
    cache : ResultCache, optional
        Finished folds are read from and written to it.
    progress : callable, optional
        Called without arguments after each finished fold.

    Returns
    -------
    ValidationResult
        Out-of-fold predictions.

    Raises
    ------
    ModelError
        If the build cannot be fitted in a fold (which is named), or there are too few events.
    """
    return cross_validate_all(
        {"": build},
        X,
        y,
        folds=folds,
        repeats=repeats,
        horizons=horizons,
        random_state=random_state,
        n_jobs=n_jobs,
        executor=executor,
        cache=cache,
        progress=progress,
    )[""]


def cross_validate_all(
    builds: Mapping[str, FittableRiskModel],
    X: Any,
    y: Outcome,
    *,
    folds: int,
    repeats: int,
    horizons: tuple[float, ...],
    random_state: int,
    columns: Mapping[str, Sequence[str]] | None = None,
    n_jobs: int = 1,
    executor: Executor | None = None,
    cache: ResultCache | None = None,
    progress: Callable[[], None] | None = None,
) -> dict[str, ValidationResult]:
    """
    Refit several builds on one set of folds, so that all are judged on the same patients.

    Parameters
    ----------
    builds : mapping of str to estimator
        Each as in `cross_validate`.
    X : DataFrame of shape (n_patients, n_features)
        Predictors.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    folds, repeats : int
        Folds are stratified on the event; the same folds for every build, and the same as
        `cross_validate` deals with this `random_state`.
    horizons : tuple of float
        Days.
    random_state : int
        Seed of the folds.
    columns : mapping of str to sequence of str, optional
        Predictors that a build sees; all of them for a build that is not named.
    n_jobs : int
        Refits at a time, over all builds, in processes of one thread each.
    executor : Executor, optional
        Where refits run, instead of `n_jobs` processes of this machine.
    cache : ResultCache, optional
        Finished refits are read from and written to it, under names that begin with the build's.
    progress : callable, optional
        Called without arguments ``len(builds) * repeats * folds`` times.

    Returns
    -------
    dict of str to ValidationResult
        In the order of `builds`.

    Raises
    ------
    ModelError
        If a build cannot be fitted in a fold (both are named), or there are too few events.
    """
    event, _ = check_outcome(y)
    if len(X) != event.size:
        message = f"`X` and `y` must have equal length; got {len(X)} and {event.size}"
        raise ValueError(message)
    horizons = tuple(float(horizon) for horizon in horizons)
    assignment = stratified_folds(event, folds=folds, repeats=repeats, random_state=random_state)
    places = {
        _name(build, repeat, fold): (build, repeat, fold)
        for repeat in range(repeats)
        for fold in range(folds)
        for build in builds
    }
    work = Refitting(builds, X, y, horizons, columns or {})
    done: dict[str, dict[tuple[int, int], Content]] = {build: {} for build in builds}
    refits = [_refit(name, place, assignment) for name, place in places.items()]
    where = executor or local_executor(n_jobs)
    with closing(run_refits(work, refits, executor=where, cache=cache, progress=progress)) as found:
        for refit, content in found:
            if "failed" in content:
                message = f"{refit.label}: {content['failed']}"
                raise ModelError(message)
            build, repeat, fold = places[refit.name]
            done[build][repeat, fold] = content
    return {build: _collect(parts, assignment, horizons) for build, parts in done.items()}


def _name(build: str, repeat: int, fold: int) -> str:
    name = f"fold-{repeat:03d}-{fold:03d}"
    return f"{build}-{name}" if build else name


def _refit(name: str, place: tuple[str, int, int], assignment: IntArray) -> Refit:
    build, repeat, fold = place
    label = f"repeat {repeat + 1}, fold {fold + 1}"
    inside = assignment[repeat] == fold
    return Refit(
        name=name,
        label=f"{build}, {label}" if build else label,
        build=build,
        train=np.flatnonzero(~inside),
        test=np.flatnonzero(inside),
    )


def _collect(
    done: dict[tuple[int, int], Content], assignment: IntArray, horizons: tuple[float, ...]
) -> ValidationResult:
    shape = assignment.shape
    risk = np.full((*shape, len(horizons)), np.nan)
    marker, points = np.full(shape, np.nan), np.full(shape, np.nan)
    records = []
    for repeat, fold in sorted(done):
        content = done[repeat, fold]
        rows = assignment[repeat] == fold
        risk[repeat, rows] = np.asarray(content["risk"], dtype=np.float64)
        for target, name in ((marker, "marker"), (points, "points")):
            if content.get(name) is not None:
                target[repeat, rows] = np.asarray(content[name], dtype=np.float64)
        if content.get("record") is not None:
            records.append({"repeat": repeat, "fold": fold, **content["record"]})
    return ValidationResult(assignment, risk, marker, points, records, horizons)
