"""All refits of a study: cross-validation, bootstrap, and clusters left out, on one executor."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.seeds import seed_of
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.progress import Progress
from scorebuilder.experiment.provenance import code_sha256
from scorebuilder.experiment.run_folder import FoldCache, RunFolder
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.validation.bootstrap_optimism import BootstrapOptimism, bootstrap_optimism
from scorebuilder.validation.executor import EXECUTORS, Executor, local_executor
from scorebuilder.validation.internal_external import (
    InternalExternal,
    internal_external,
    n_refits,
)
from scorebuilder.validation.resampling import ValidationResult, cross_validate


@dataclass(frozen=True)
class Resampled:
    """
    What the refits of a study gave.

    Attributes
    ----------
    validation : ValidationResult
        Out-of-fold predictions.
    optimism : BootstrapOptimism or None
        None unless the spec asks for a bootstrap.
    internal_external : InternalExternal or None
        None unless the spec names clusters.
    """

    validation: ValidationResult
    optimism: BootstrapOptimism | None
    internal_external: InternalExternal | None


def make_executor(spec: ExperimentSpec, jobs: int) -> Executor:
    """
    Return where the refits of a study run.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    jobs : int
        Processes, if they run on this machine.

    Returns
    -------
    Executor
        Workers of a cluster must run the same code as this process.
    """
    if spec.executor == "local":
        return local_executor(jobs)
    settings = spec.executor.model_dump(exclude={"kind"})
    return EXECUTORS[spec.executor.kind](**settings, code_version=code_sha256)


def resample(
    spec: ExperimentSpec,
    cohort: Cohort,
    candidates: tuple[str, ...],
    clusters: pd.Series | None,
    folder: RunFolder,
    jobs: int,
    progress: Progress,
) -> Resampled:
    """
    Do every refit that a study asks for; what a stopped run has finished is not done again.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    cohort : Cohort
        Its patients.
    candidates : tuple of str
        Variables that may enter.
    clusters : Series or None
        Labels, if clusters are left out in turn.
    folder : RunFolder
        Holds finished refits until the run ends.
    jobs : int
        Processes, if the refits run on this machine.
    progress : Progress
        Told of every refit.

    Returns
    -------
    Resampled
        The same for every executor and number of workers.
    """
    build, X, y = (
        make_builder(spec, candidates, for_folds=True),
        cohort.X[list(candidates)],
        cohort.y,
    )
    horizons, settings = spec.outcome.horizons, spec.validation
    where = make_executor(spec, jobs)
    cache = FoldCache(folder.work / "folds", key=folder.key)
    folds, repeats = settings.folds, settings.repeats
    progress.stage(f"cross-validation, {repeats} x {folds} folds", folds * repeats)
    validation = cross_validate(
        build,
        X,
        y,
        folds=folds,
        repeats=repeats,
        horizons=horizons,
        random_state=seed_of(spec.seed, "cross-validation"),
        executor=where,
        cache=cache,
        progress=progress.advance,
    )
    optimism = None
    if settings.bootstrap:
        progress.stage(f"bootstrap, {settings.bootstrap} replicates", settings.bootstrap + 1)
        optimism = bootstrap_optimism(
            build,
            X,
            y,
            n_replicates=settings.bootstrap,
            horizons=horizons,
            random_state=seed_of(spec.seed, "bootstrap"),
            executor=where,
            cache=cache,
            progress=progress.advance,
        )
    left_out = None
    if clusters is not None:
        forward = settings.internal_external is not None and settings.internal_external.forward
        total = n_refits(clusters, y, horizons=horizons, forward=forward)
        progress.stage("internal-external validation", total)
        left_out = internal_external(
            build,
            X,
            y,
            clusters,
            horizons=horizons,
            forward=forward,
            executor=where,
            cache=cache,
            progress=progress.advance,
        )
    return Resampled(validation, optimism, left_out)
