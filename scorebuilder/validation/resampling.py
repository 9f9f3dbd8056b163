"""Repeated stratified cross-validation: the whole build is refitted in every fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scorebuilder.core.arrays import BoolArray, FloatArray, IntArray, Outcome
from scorebuilder.core.doubt import collected_doubts
from scorebuilder.core.errors import ModelError
from scorebuilder.core.protocols import FittableRiskModel
from scorebuilder.core.seeds import generator
from scorebuilder.survival.outcome import check_outcome


class FoldCache(Protocol):
    """Keeps finished folds, so that a stopped run resumes."""

    def get(self, repeat: int, fold: int, /) -> dict[str, Any] | None:
        """
        Return what `put` stored for a fold, or None.

        Parameters
        ----------
        repeat, fold : int
            Which one, from 0.
        """
        ...

    def put(self, repeat: int, fold: int, content: dict[str, Any], /) -> None:
        """
        Store a finished fold.

        Parameters
        ----------
        repeat, fold : int
            Which one, from 0.
        content : dict
            ``risk``, ``marker``, ``points`` (arrays of the test patients) and ``record``.
        """
        ...


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


def stratified_folds(event: Any, *, folds: int, repeats: int, random_state: int) -> IntArray:
    """
    Deal patients into folds, events and non-events separately.

    Parameters
    ----------
    event : array-like of bool of shape (n_patients,)
        True where the event was seen.
    folds : int
        Number of folds, >= 2.
    repeats : int
        Number of times the dealing is repeated, >= 1.
    random_state : int
        Seed; a repeat is the same whatever the number of repeats.

    Returns
    -------
    ndarray of int of shape (n_repeats, n_patients)
        Fold 0 to folds - 1. Sizes of folds, and their numbers of events, differ by at most one.

    Raises
    ------
    ValueError
        If `folds` or `repeats` is too small.
    ModelError
        If there are fewer events, or fewer patients without event, than folds.
    """
    events: BoolArray = np.asarray(event, dtype=np.bool_)
    if folds < 2 or repeats < 1:
        message = f"`folds` must be at least 2 and `repeats` at least 1; got {folds} and {repeats}"
        raise ValueError(message)
    n_events = int(events.sum())
    fewest = min(n_events, events.size - n_events)
    if n_events < folds or (fewest > 0 and fewest < folds):
        message = (
            f"each of the {folds} folds needs a patient with and one without event; the cohort has "
            f"{n_events} events among {events.size} patients. Choose fewer folds."
        )
        raise ModelError(message)
    out = np.empty((repeats, events.size), dtype=np.int64)
    for repeat in range(repeats):
        random = generator(random_state, "folds", repeat)
        order = np.concatenate(
            [
                random.permutation(np.flatnonzero(events)),
                random.permutation(np.flatnonzero(~events)),
            ]
        )
        out[repeat, order] = np.arange(events.size) % folds
    return out


def _serial(model: Any) -> Any:
    """Set every `n_jobs` inside the model to 1: folds are what runs in parallel."""
    if not hasattr(model, "get_params"):
        return model
    inner = [name for name in model.get_params(deep=True) if name.split("__")[-1] == "n_jobs"]
    return model.set_params(**dict.fromkeys(inner, 1)) if inner else model


def _predict_fold(model: Any, X: Any, horizons: tuple[float, ...]) -> dict[str, Any]:
    risk = np.column_stack(
        [
            np.asarray(model.predict_risk(X, horizon=horizon), dtype=np.float64)
            for horizon in horizons
        ]
    )
    marker = np.asarray(model.predict(X), dtype=np.float64) if hasattr(model, "predict") else None
    points = None
    if hasattr(model, "predict_points"):
        points = np.full(risk.shape[0], np.nan)
        defined = np.flatnonzero(np.isfinite(risk).all(axis=1))
        try:
            points[defined] = model.predict_points(X.iloc[defined])
        except ModelError:
            points = None
    record = dict(model.fold_record()) if hasattr(model, "fold_record") else None
    return {"risk": risk, "marker": marker, "points": points, "record": record}


def _run_fold(
    build: FittableRiskModel,
    X: Any,
    y: Outcome,
    assignment: IntArray,
    place: tuple[int, int],
    horizons: tuple[float, ...],
) -> dict[str, Any]:
    from sklearn.base import clone
    from threadpoolctl import threadpool_limits

    repeat, fold = place
    train, test = np.flatnonzero(assignment != fold), np.flatnonzero(assignment == fold)
    with threadpool_limits(limits=1), collected_doubts() as doubts:
        model = _serial(clone(build))
        try:
            model.fit(X.iloc[train].reset_index(drop=True), y[train])
        except ModelError as error:
            message = f"repeat {repeat + 1}, fold {fold + 1}: {error}"
            raise ModelError(message) from error
        content = _predict_fold(model, X.iloc[test].reset_index(drop=True), horizons)
    if content["record"] is not None:
        content["record"]["warnings"] = doubts
    return content


def _run_all(
    build: FittableRiskModel,
    X: Any,
    y: Outcome,
    assignment: IntArray,
    places: list[tuple[int, int]],
    horizons: tuple[float, ...],
    n_jobs: int,
) -> Iterator[dict[str, Any]]:
    if n_jobs == 1 or len(places) < 2:
        for place in places:
            yield _run_fold(build, X, y, assignment[place[0]], place, horizons)
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_run_fold)(build, X, y, assignment[place[0]], place, horizons)
            for place in places
        )


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
    cache: FoldCache | None = None,
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
    cache : FoldCache, optional
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
    event, _ = check_outcome(y)
    if len(X) != event.size:
        message = f"`X` and `y` must have equal length; got {len(X)} and {event.size}"
        raise ValueError(message)
    assignment = stratified_folds(event, folds=folds, repeats=repeats, random_state=random_state)
    places = [(repeat, fold) for repeat in range(repeats) for fold in range(folds)]
    done: dict[tuple[int, int], dict[str, Any]] = {}
    for place in places:
        content = None if cache is None else cache.get(*place)
        if content is not None:
            done[place] = content
            if progress is not None:
                progress()
    open_places = [place for place in places if place not in done]
    results = _run_all(build, X, y, assignment, open_places, tuple(horizons), n_jobs)
    for place, content in zip(open_places, results, strict=True):
        done[place] = content
        if cache is not None:
            cache.put(*place, content)
        if progress is not None:
            progress()
    return _collect(done, assignment, tuple(float(horizon) for horizon in horizons))


def _collect(
    done: dict[tuple[int, int], dict[str, Any]], assignment: IntArray, horizons: tuple[float, ...]
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
