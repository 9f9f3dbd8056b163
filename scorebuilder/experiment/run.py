"""The main job: from a spec to a run folder with score, report and evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.canonical import dump_json, sha256
from scorebuilder.core.doubt import collected_doubts
from scorebuilder.core.errors import ModelError
from scorebuilder.core.units import format_horizon
from scorebuilder.experiment.card import with_card
from scorebuilder.experiment.clusters import read_clusters
from scorebuilder.experiment.comparators import cross_validate_comparators
from scorebuilder.experiment.external import check_external, validate_in_cohorts
from scorebuilder.experiment.find_baseline import sources_sha256
from scorebuilder.experiment.incremental import Setting, n_refits, study_incremental
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import (
    check_fit,
    check_parts,
    compute_baselines,
    read_cohort,
)
from scorebuilder.experiment.progress import Progress, Silent
from scorebuilder.experiment.provenance import code_sha256, library_versions
from scorebuilder.experiment.resample import make_executor, resample
from scorebuilder.experiment.run_folder import RunFolder
from scorebuilder.experiment.spec import ExperimentSpec, spec_content, spec_sha256
from scorebuilder.experiment.write import write_run
from scorebuilder.report.index_page import write_index
from scorebuilder.report.study import BaselineResult, Study
from scorebuilder.report.summarise import as_plain, summarise
from scorebuilder.report.summary_sample_size import (
    candidate_parameters,
    plan_sample_size,
    sample_size_text,
)
from scorebuilder.report.summary_validation import summarise_performance
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import compose_artifact
from scorebuilder.score.risk_table import MINIMUM_PATIENTS
from scorebuilder.tracking.tracker import Tracker, record_once


@dataclass(frozen=True)
class ExperimentResult:
    """
    A finished run.

    Attributes
    ----------
    run_dir : Path
        The run folder.
    summary : dict
        What the report shows.
    seconds : float
        How long it took.
    already_finished : bool
        True if the run was there already and nothing was computed.
    """

    run_dir: Path
    summary: dict[str, Any]
    seconds: float
    already_finished: bool


def run_experiment(
    spec: ExperimentSpec,
    *,
    out: Path = Path("reports"),
    jobs: int = 1,
    tracker: Tracker | None = None,
    progress: Progress | None = None,
    command: str = "",
) -> ExperimentResult:
    """
    Run a whole study and write its run folder.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    out : Path
        The run ends in ``out/<name>/<version>``.
    jobs : int
        Workers; files are the same for any number.
    tracker : Tracker, optional
        Indexes the finished run; None where the spec says ``tracking: none``.
    progress : Progress, optional
        Told of every stage.
    command : str
        How to run it again, for the report.

    Returns
    -------
    ExperimentResult
        With the run folder; a run that was finished before is not computed again.

    Raises
    ------
    SpecError
        If the spec does not fit the data, or the folder holds another run.
    CohortError
        If the data break their schema.
    ModelError
        If no score can be fitted.
    MissingPartError
        If a part of the report, or of the executor, is not installed.
    """
    started, progress = time.perf_counter(), progress or Silent()
    check_parts()
    progress.stage("reading the cohort", 1)
    cohort = read_cohort(spec)
    candidates = check_fit(spec, cohort)
    check_external(spec, candidates)
    baselines = compute_baselines(spec, cohort)
    clusters = read_clusters(spec.validation.internal_external, cohort)
    folder = RunFolder(out, spec.name, spec.version, key=_run_key(spec, cohort))
    if folder.finished():
        summary = json.loads((folder.final / "summary.json").read_text(encoding="utf-8"))
        _track(tracker, summary, folder.final, progress)
        return ExperimentResult(folder.final, summary, time.perf_counter() - started, True)
    make_executor(spec, jobs).check()
    folder.open()
    progress.stage(_sample_size(spec, cohort, candidates), 1)
    try:
        study = _study(
            spec, cohort, candidates, baselines, clusters, folder, jobs, progress, command
        )
        summary = summarise(study)
        write_run(folder.work, study, summary, run=_run_record(spec, folder, started, jobs))
        folder.close()
    finally:
        folder.release()
    write_index(out)
    _track(tracker, summary, folder.final, progress)
    return ExperimentResult(folder.final, summary, time.perf_counter() - started, False)


def _sample_size(spec: ExperimentSpec, cohort: Cohort, candidates: tuple[str, ...]) -> str:
    """Say before hours are spent whether there are enough patients."""
    parameters = candidate_parameters(cohort.schema, candidates, spec.model.model_dump())
    needed = plan_sample_size(cohort, parameters, horizon=spec.outcome.main)
    return f"sample size, {sample_size_text(cohort, needed, parameters)}"


def _track(
    tracker: Tracker | None, summary: dict[str, Any], run_dir: Path, progress: Progress
) -> None:
    if tracker is not None:
        progress.stage("tracking", 1)
        record_once(tracker, summary, run_dir)
    progress.done()


def _study(
    spec: ExperimentSpec,
    cohort: Cohort,
    candidates: tuple[str, ...],
    baselines: tuple[BaselineResult, ...],
    clusters: pd.Series | None,
    folder: RunFolder,
    jobs: int,
    progress: Progress,
    command: str,
) -> Study:
    progress.stage("fitting the score", 1)
    with collected_doubts() as noticed:
        builder = make_builder(spec, candidates, n_jobs=jobs)
        builder.fit(cohort.X[list(candidates)], cohort.y)
    _refuse_no_score(builder, candidates)
    _refuse_small_groups(builder)
    resampled = resample(spec, cohort, candidates, clusters, folder, jobs, progress)
    if n_refits(spec):
        progress.stage("added value of variables", n_refits(spec))
    setting = Setting(
        spec=spec,
        cohort=cohort,
        candidates=candidates,
        baselines=baselines,
        scratch=folder.work / "folds" / "incremental",
        key=folder.key,
        jobs=jobs,
        progress=progress.advance,
    )
    with collected_doubts() as noticed_beside:
        incremental = study_incremental(setting)
    comparators = cross_validate_comparators(spec, cohort, candidates, folder, jobs, progress)
    progress.stage("judging the score, writing the report", 1)
    study = Study(
        cohort=cohort,
        candidates=candidates,
        builder=builder,
        artifact=None,
        validation=resampled.validation,
        optimism=resampled.optimism,
        internal_external=resampled.internal_external,
        baselines=baselines,
        settings=spec_content(spec),
        main_horizon=spec.outcome.main,
        warnings=(*noticed, *noticed_beside),
        reproduce=_reproduce(spec, cohort, command),
        incremental=incremental,
        comparators=comparators,
    )
    study = replace(study, artifact=_artifact(spec, study))
    return replace(study, external=validate_in_cohorts(spec, study))


def _refuse_no_score(builder: ScoreBuilder, candidates: tuple[str, ...]) -> None:
    if builder.kept_ and builder.scale_ is None:
        raise ModelError(builder.no_points_)
    if not builder.kept_:
        message = (
            f"no variable was kept: {len(builder.selected_)} of {len(candidates)} candidates "
            "passed the forest, and none of them the model. Loosen `selection.rule` or "
            "`model.select_alpha`, or name variables in `candidates.keep`."
        )
        raise ModelError(message)


def _refuse_small_groups(builder: ScoreBuilder) -> None:
    small = sorted({row.band for row in builder.group_table_ if row.n < MINIMUM_PATIENTS})
    if small and builder.groups_ is not None:
        names = ", ".join(f"`{builder.groups_.labels[band]}`" for band in small)
        message = (
            f"`score.risk_groups`: fewer than {MINIMUM_PATIENTS} patients in {names}; choose other "
            "cut points"
        )
        raise ModelError(message)


def _run_key(spec: ExperimentSpec, cohort: Cohort) -> str:
    parts = (
        spec_sha256(spec),
        sources_sha256(spec.baselines),
        cohort.data_sha256,
        code_sha256(),
        dump_json(library_versions()),
    )
    return sha256("\n".join(parts).encode())


def _reproduce(spec: ExperimentSpec, cohort: Cohort, command: str) -> dict[str, Any]:
    return {
        "command": command,
        "seed": spec.seed,
        "spec_sha256": spec_sha256(spec),
        "data_sha256": cohort.data_sha256,
        "code_version": library_versions()["scorebuilder"],
        "code_sha256": code_sha256(),
        "versions": library_versions(),
    }


def _meaning(spec: ExperimentSpec, cohort: Cohort) -> dict[str, str]:
    schema = cohort.schema
    return {
        "intended_use": spec.intended_use,
        "not_for": spec.not_for,
        "population": spec.population
        if spec.population != type(spec).model_fields["population"].default
        else schema.population or spec.population,
        "outcome": spec.outcome.label or schema.outcome or schema.event_label or "the event",
        "time_zero": spec.outcome.time_zero or schema.time_zero or "start of follow-up",
    }


def _artifact(spec: ExperimentSpec, study: Study) -> Any:
    identity = {
        "name": spec.name,
        "version": spec.version,
        "status": spec.status,
        "title": spec.title,
        "derived_from": None,
        "review_by": spec.review_by.isoformat() if spec.review_by else None,
        "superseded_by": None,
        **{
            key: value
            for key, value in (("citation", spec.citation), ("contact", spec.contact))
            if value
        },
        "changelog": [{"version": spec.version, "change": "Built from the development cohort."}],
    }
    reproduce: Mapping[str, Any] = study.reproduce
    artifact = compose_artifact(
        study.builder,
        study.X,
        study.cohort.schema,
        identity=identity,
        meaning=_meaning(spec, study.cohort),
        performance=as_plain(summarise_performance(study)),
        provenance={
            "rows": len(study.cohort.y),
            "events": int(study.cohort.y["event"].sum()),
            "horizons": [format_horizon(horizon) for horizon in spec.outcome.horizons],
            **{key: value for key, value in reproduce.items() if key != "command"},
        },
    )
    return with_card(artifact, study.X, study.cohort.y, spec.score)


def _run_record(
    spec: ExperimentSpec, folder: RunFolder, started: float, jobs: int
) -> dict[str, Any]:
    return {
        "key": folder.key,
        "spec": spec_content(spec),
        "jobs": jobs,
        "seconds": round(time.perf_counter() - started, 3),
        "versions": library_versions(),
        "code_sha256": code_sha256(),
    }
