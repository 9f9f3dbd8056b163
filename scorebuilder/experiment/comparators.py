"""Models of other kinds beside the score: built as the spec says, refitted on the same folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.experiment.progress import Progress
from scorebuilder.experiment.resample import make_executor
from scorebuilder.experiment.run_folder import FoldCache, RunFolder
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.experiment.spec_comparison import Comparator
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.elastic_net_cox import ElasticNetCox
from scorebuilder.report.study import ComparatorResult
from scorebuilder.score.competitor import Competitor
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.validation.resampling import cross_validate

LABELS: dict[Comparator, str] = {
    "linear_cox": "Cox model, all candidates linear",
    "elastic_net_cox": "Elastic-net Cox model",
    "forest": "Survival forest",
}
FOREST_SETTINGS = (
    "n_estimators", "max_features", "min_samples_leaf", "max_depth", "n_times", "n_bins",
    "max_samples", "split_rule", "categorical_features", "engine",
)  # fmt: skip
"""Settings of stage 1 that its forest is grown with."""


def make_comparator(spec: ExperimentSpec, name: Comparator) -> Competitor:
    """
    Assemble a model of another kind on all candidates of a study.

    Parameters
    ----------
    spec : ExperimentSpec
        The study; its imputation, ties, seed and the settings of its forest are taken over.
    name : {"linear_cox", "elastic_net_cox", "forest"}
        Which one.

    Returns
    -------
    Competitor
        Unfitted.
    """
    imputer = None
    if spec.missing.policy == "impute":
        imputer = CohortImputer(strategy=spec.missing.strategy)
    if name == "linear_cox":
        return Competitor(imputer, CoxRegression(ties=spec.model.ties))
    if name == "elastic_net_cox":
        seed = seed_of(spec.seed, "elastic net")
        return Competitor(imputer, ElasticNetCox(random_state=seed))
    settings: dict[str, Any] = spec.selection.model_dump(include=set(FOREST_SETTINGS))
    # The seed of stage 1: where every candidate varies and none is banned, its very forest.
    seed = seed_of(seed_of(spec.seed, "forest"), "forest")
    return Competitor(imputer, SurvivalForest(**settings, random_state=seed), columns="codes")


def cross_validate_comparators(
    spec: ExperimentSpec,
    cohort: Cohort,
    candidates: Sequence[str],
    folder: RunFolder,
    jobs: int,
    progress: Progress,
) -> tuple[ComparatorResult, ...]:
    """
    Refit the models of other kinds on the folds of the score.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.
    candidates : sequence of str
        Variables that may enter.
    folder : RunFolder
        Keeps finished folds.
    jobs : int
        Folds at a time; the numbers do not depend on it.
    progress : Progress
        Told of every fold.

    Returns
    -------
    tuple of ComparatorResult
        In the order of the spec; with the reason in place of predictions where a model cannot be
        fitted in a fold.
    """
    found = []
    folds, repeats = spec.validation.folds, spec.validation.repeats
    where = make_executor(spec, jobs)
    for name in spec.comparators:
        progress.stage(f"cross-validation: {LABELS[name]}", folds * repeats)
        try:
            result = cross_validate(
                make_comparator(spec, name),
                cohort.X[list(candidates)],
                cohort.y,
                folds=folds,
                repeats=repeats,
                horizons=spec.outcome.horizons,
                random_state=seed_of(spec.seed, "cross-validation"),
                executor=where,
                cache=FoldCache(folder.work / "folds" / name, key=folder.key),
                progress=progress.advance,
            )
        except ModelError as error:
            found.append(ComparatorResult(name, LABELS[name], None, str(error)))
        else:
            found.append(ComparatorResult(name, LABELS[name], result))
    return tuple(found)
