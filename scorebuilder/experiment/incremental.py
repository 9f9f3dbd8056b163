"""Refits what a spec asks about added value: ladders of variable groups, and single markers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.expression import compile_expression
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.experiment.pipeline import make_builder, make_imputer
from scorebuilder.experiment.questions import ladder_groups, named_baseline
from scorebuilder.experiment.resample import make_executor
from scorebuilder.experiment.run_folder import FoldCache
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.experiment.spec_incremental import MarkerSpec
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.nested_models import compare_nested, hazard_ratios
from scorebuilder.report.study import BaselineResult
from scorebuilder.report.study_incremental import IncrementalStudy, MarkerAnswer, Rung
from scorebuilder.score.competitor import Competitor
from scorebuilder.validation.compare import MIN_EVENTS
from scorebuilder.validation.resampling import ValidationResult, cross_validate

KNOWN = "(known already)"
"""Column that stands for a rule or an established score."""


@dataclass(frozen=True)
class Setting:
    """
    What every refit of a study shares.

    Attributes
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.
    candidates : tuple of str
        Variables that may enter.
    baselines : tuple of BaselineResult
        In the order of the spec.
    scratch : Path
        Folder in which finished folds are kept until the run ends.
    key : str
        Of the run.
    jobs : int
        Workers.
    progress : callable, optional
        Called after each fold.
    """

    spec: ExperimentSpec
    cohort: Cohort
    candidates: tuple[str, ...]
    baselines: tuple[BaselineResult, ...]
    scratch: Path
    key: str
    jobs: int = 1
    progress: Callable[[], None] | None = None

    def refit(self, name: str, build: Any, X: pd.DataFrame, y: Any) -> ValidationResult:
        """
        Cross-validate one build; builds of the same patients get the same folds.

        Parameters
        ----------
        name : str
            Of the scratch folder.
        build : estimator
            What is refitted.
        X : DataFrame of shape (n_patients, n_features)
            Predictors.
        y : structured ndarray of shape (n_patients,)
            Outcome.

        Returns
        -------
        ValidationResult
            Out-of-fold predictions.
        """
        return cross_validate(
            build,
            X,
            y,
            folds=self.spec.validation.folds,
            repeats=self.spec.validation.repeats,
            horizons=self.spec.outcome.horizons,
            random_state=seed_of(self.spec.seed, "cross-validation"),
            executor=make_executor(self.spec, self.jobs),
            cache=FoldCache(self.scratch / name, key=self.key),
            progress=self.progress,
        )


def n_refits(spec: ExperimentSpec) -> int:
    """
    Count the folds that will be fitted.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.

    Returns
    -------
    int
        For the progress; questions without an answer need fewer.
    """
    builds = len(spec.incremental.ladder) + 2 * len(spec.incremental.markers)
    return builds * spec.validation.folds * spec.validation.repeats


def study_incremental(setting: Setting) -> IncrementalStudy:
    """
    Refit every step of the ladder, and every marker question with and without the marker.

    Parameters
    ----------
    setting : Setting
        Study, cohort, workers and scratch folder.

    Returns
    -------
    IncrementalStudy
        What `summarise_incremental` judges.
    """
    return IncrementalStudy(
        tuple(_ladder(setting)),
        tuple(
            _marker(setting, item, number)
            for number, item in enumerate(setting.spec.incremental.markers)
        ),
    )


def _ladder(setting: Setting) -> Sequence[Rung]:
    spec, cohort = setting.spec, setting.cohort
    groups = ladder_groups(spec, cohort, setting.candidates)
    steps = [groups[name] for name in spec.incremental.ladder]
    if not steps:
        return []
    everything = [name for step in steps for name in step]
    imputer = make_imputer(spec)
    complete = cohort.X[everything]
    if imputer is not None:
        complete = imputer.fit(complete).transform(complete)
    rungs: list[Rung] = []
    before: CoxRegression | None = None
    variables: list[str] = []
    for group, step in zip(spec.incremental.ladder, steps, strict=True):
        variables = [*variables, *step]
        fitted = Competitor(None, CoxRegression(ties=spec.model.ties))
        model = fitted.fit(complete[variables], cohort.y).model_
        build: Any
        if spec.incremental.build == "cox":
            build = Competitor(imputer, CoxRegression(ties=spec.model.ties))
        else:
            build = make_builder(spec, variables, for_folds=True)
        result = setting.refit(f"ladder-{len(rungs)}", build, cohort.X[variables], cohort.y)
        rungs.append(Rung(group, tuple(variables), result, compare_nested(before, model)))
        before = model
    return rungs


def _marker(setting: Setting, item: MarkerSpec, number: int) -> MarkerAnswer:
    spec, cohort = setting.spec, setting.cohort
    member = np.ones(len(cohort.y))
    if item.subgroup is not None:
        condition = compile_expression(item.subgroup, cohort.schema)
        member = condition.evaluate(cohort.X.join(cohort.strata))
    old, words = _known_already(setting, item)
    X = pd.concat([old, cohort.X[[item.marker]]], axis=1)
    rows = np.asarray((member == 1.0) & X.notna().all(axis=1).to_numpy(), dtype=np.bool_)
    y, X = cohort.y[rows], X[rows].reset_index(drop=True)
    n_events = int(np.sum(y["event"] & (y["time"] <= spec.outcome.main)))
    label = cohort.schema.field(item.marker).label or item.marker
    answer: dict[str, Any] = {
        "label": item.label or f"{label} on top of {words}",
        "marker": label,
        "on_top_of": words,
        "subgroup": item.subgroup or "",
        "n_subgroup": int(np.sum(member == 1.0)),
        "n_unknown": int(np.isnan(member).sum()),
        "n": int(rows.sum()),
        "n_events": n_events,
    }
    needed = max(MIN_EVENTS, spec.validation.folds)
    if n_events < needed:
        reason = f"fewer than {needed} events by the horizon in patients with all inputs known"
        return MarkerAnswer(**answer, reason=reason)
    try:
        return MarkerAnswer(**answer, y=y, **_answered(setting, item, number, X, y))
    except ModelError as error:
        return MarkerAnswer(**answer, reason=str(error))


def _answered(
    setting: Setting, item: MarkerSpec, number: int, X: pd.DataFrame, y: Any
) -> dict[str, Any]:
    """Fit both models to all patients studied, and refit them in every fold."""
    ties = setting.spec.model.ties
    names = [str(name) for name in X.columns if name != item.marker]
    small = Competitor(None, CoxRegression(ties=ties)).fit(X[names], y)
    large = Competitor(None, CoxRegression(ties=ties)).fit(X, y)
    added = [name for name in large.columns_ if name not in small.columns_]
    if not added:
        message = f"`{item.marker}` is determined by what is known already"
        raise ModelError(message)
    assert large.encoder_ is not None  # columns are indicators
    design = large.encoder_.transform(X)
    results = {
        name: setting.refit(
            f"marker-{number}-{name}", Competitor(None, CoxRegression(ties=ties)), frame, y
        )
        for name, frame in (("old", X[names]), ("new", X))
    }
    ratios = [
        ratio
        for name in added
        for ratio in hazard_ratios(large.model_, name, design[name].to_numpy(dtype=np.float64))
    ]
    return {
        **results,
        "nested": compare_nested(small.model_, large.model_),
        "hazard_ratios": tuple(ratios),
    }


def _known_already(setting: Setting, item: MarkerSpec) -> tuple[pd.DataFrame, str]:
    """Columns of what is known already, and how it is called."""
    cohort = setting.cohort
    if isinstance(item.on_top_of, tuple) or item.on_top_of in cohort.X.columns:
        names = [item.on_top_of] if isinstance(item.on_top_of, str) else list(item.on_top_of)
        labels = [cohort.schema.field(name).label or name for name in names]
        return cohort.X[names], ", ".join(labels)
    place = named_baseline(setting.spec, item.on_top_of)
    if place is None:
        condition = compile_expression(item.on_top_of, cohort.schema)
        held = condition.evaluate(cohort.X.join(cohort.strata))
        return pd.DataFrame({KNOWN: held}), item.on_top_of
    baseline = setting.baselines[place]
    return pd.DataFrame({KNOWN: _as_predictor(baseline)}), baseline.label


def _as_predictor(baseline: BaselineResult) -> FloatArray:
    """Points as they are; a risk on the scale log(-log(1 - risk)) of proportional hazards."""
    values = baseline.predictions
    if baseline.baseline.quantity == "points":
        return values
    inside: BoolArray = (values > 0.0) & (values < 1.0)
    return np.where(inside, np.log(-np.log1p(-np.where(inside, values, 0.5))), np.nan)
