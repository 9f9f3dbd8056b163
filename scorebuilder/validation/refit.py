"""One refit of a whole build: on whom it is fitted, whom it predicts, and where that is kept."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from scorebuilder.core.arrays import IntArray, Outcome
from scorebuilder.core.doubt import collected_doubts
from scorebuilder.core.errors import ModelError
from scorebuilder.core.protocols import FittableRiskModel
from scorebuilder.validation.executor import Executor

Content: TypeAlias = dict[str, Any]
"""What a refit leaves: arrays ``risk``, ``marker``, ``points`` of the patients it predicted and its
``record``; or only ``failed``, the reason why the build could not be fitted."""


class ResultCache(Protocol):
    """Keeps finished refits, so that a stopped run resumes."""

    def get(self, name: str, /) -> Content | None:
        """
        Return what `put` stored under a name, or None.

        Parameters
        ----------
        name : str
            Of the refit.
        """
        ...

    def put(self, name: str, content: Content, /) -> None:
        """
        Store a finished refit.

        Parameters
        ----------
        name : str
            Of the refit.
        content : dict
            Arrays and plain values.
        """
        ...


@dataclass(frozen=True)
class Refit:
    """
    One refit of a build.

    Attributes
    ----------
    name : str
        Under which the result is kept; differs between all refits of a run.
    label : str
        In words, for messages.
    build : str
        Which build.
    train : ndarray of int
        Rows it is fitted on; a row may stand several times.
    test : ndarray of int
        Rows it predicts.
    """

    name: str
    label: str
    build: str
    train: IntArray
    test: IntArray


@dataclass(frozen=True)
class Refitting:
    """
    What all refits of one validation share; called with a `Refit`, it does it.

    Attributes
    ----------
    builds : mapping of str to estimator
        Cloned for every refit.
    X : DataFrame of shape (n_patients, n_features)
        Predictors.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    horizons : tuple of float
        By which risk is predicted.
    columns : mapping of str to sequence of str
        Predictors that a build sees; all of them for a build that is not named.
    """

    builds: Mapping[str, FittableRiskModel]
    X: Any
    y: Outcome
    horizons: tuple[float, ...]
    columns: Mapping[str, Sequence[str]]

    def __call__(self, refit: Refit) -> Content:
        """
        Fit a clone of the build in one thread, and predict.

        Parameters
        ----------
        refit : Refit
            Which build, and whom.

        Returns
        -------
        dict
            See `Content`; a build that cannot be fitted gives its reason.
        """
        from sklearn.base import clone
        from threadpoolctl import threadpool_limits

        X = self.X[list(self.columns[refit.build])] if refit.build in self.columns else self.X
        with threadpool_limits(limits=1), collected_doubts() as doubts:
            model = _serial(clone(self.builds[refit.build]))
            try:
                model.fit(X.iloc[refit.train].reset_index(drop=True), self.y[refit.train])
            except ModelError as error:
                return {"failed": str(error)}
            content = _predict(model, X.iloc[refit.test].reset_index(drop=True), self.horizons)
        if content["record"] is not None:
            content["record"]["warnings"] = doubts
        return content


def run_refits(
    work: Callable[[Refit], Content],
    refits: Sequence[Refit],
    *,
    executor: Executor,
    cache: ResultCache | None = None,
    progress: Callable[[], None] | None = None,
) -> Generator[tuple[Refit, Content]]:
    """
    Do refits that are not in the cache yet, and store each as soon as it is finished.

    Parameters
    ----------
    work : callable
        A `Refitting`, or what does more with one; it holds what they share.
    refits : sequence of Refit
        All of them.
    executor : Executor
        Where they run; the results do not depend on it.
    cache : ResultCache, optional
        Finished refits are read from and written to it.
    progress : callable, optional
        Called without arguments after each.

    Yields
    ------
    refit : Refit
        In no particular order.
    content : dict
        Its result.
    """
    left = []
    for refit in refits:
        content = None if cache is None else cache.get(refit.name)
        if content is None:
            left.append(refit)
            continue
        if progress is not None:
            progress()
        yield refit, content
    with closing(executor.run(work, left)) as finished:
        for place, content in finished:
            if cache is not None:
                cache.put(left[place].name, content)
            if progress is not None:
                progress()
            yield left[place], content


def _serial(model: Any) -> Any:
    """Set every `n_jobs` inside the model to 1: refits are what runs in parallel."""
    if not hasattr(model, "get_params"):
        return model
    inner = [name for name in model.get_params(deep=True) if name.split("__")[-1] == "n_jobs"]
    return model.set_params(**dict.fromkeys(inner, 1)) if inner else model


def _predict(model: Any, X: Any, horizons: tuple[float, ...]) -> dict[str, Any]:
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
