"""The main job: from a spec to a run folder with score, report and evidence."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.canonical import dump_json, sha256
from scorebuilder.core.doubt import collected_doubts
from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import seed_of
from scorebuilder.core.units import format_horizon
from scorebuilder.experiment.card import with_card
from scorebuilder.experiment.find_baseline import sources_sha256
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import (
    check_fit,
    check_parts,
    compute_baselines,
    read_cohort,
)
from scorebuilder.experiment.progress import Progress, Silent
from scorebuilder.experiment.provenance import code_sha256, library_versions
from scorebuilder.experiment.run_folder import FoldCache, RunFolder
from scorebuilder.experiment.spec import ExperimentSpec, spec_content, spec_sha256
from scorebuilder.experiment.write import write_run
from scorebuilder.report.study import BaselineResult, Study
from scorebuilder.report.summarise import as_plain, summarise
from scorebuilder.report.summary_validation import summarise_performance
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import compose_artifact
from scorebuilder.score.risk_table import MINIMUM_PATIENTS
from scorebuilder.tracking.tracker import Tracker, record_once
from scorebuilder.validation.resampling import ValidationResult, cross_validate


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
    """
    started, progress = time.perf_counter(), progress or Silent()
    check_parts()
    progress.stage("reading the cohort", 1)
    cohort = read_cohort(spec)
    candidates = check_fit(spec, cohort)
    baselines = compute_baselines(spec, cohort)
    folder = RunFolder(out, spec.name, spec.version, key=_run_key(spec, cohort))
    if folder.finished():
        summary = json.loads((folder.final / "summary.json").read_text(encoding="utf-8"))
        _track(tracker, summary, folder.final, progress)
        return ExperimentResult(folder.final, summary, time.perf_counter() - started, True)
    folder.open()
    try:
        study = _study(spec, cohort, candidates, baselines, folder, jobs, progress, command)
        summary = summarise(study)
        write_run(folder.work, study, summary, run=_run_record(spec, folder, started, jobs))
        folder.close()
    finally:
        folder.release()
    _track(tracker, summary, folder.final, progress)
    return ExperimentResult(folder.final, summary, time.perf_counter() - started, False)


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
    validation = _cross_validate(spec, cohort, candidates, folder, jobs, progress)
    progress.stage("judging the score, writing the report", 1)
    study = Study(
        cohort=cohort,
        candidates=candidates,
        builder=builder,
        artifact=None,
        validation=validation,
        baselines=baselines,
        settings=spec_content(spec),
        main_horizon=spec.outcome.main,
        warnings=tuple(noticed),
        reproduce=_reproduce(spec, cohort, command),
    )
    return replace(study, artifact=_artifact(spec, study))


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


def _cross_validate(
    spec: ExperimentSpec,
    cohort: Cohort,
    candidates: tuple[str, ...],
    folder: RunFolder,
    jobs: int,
    progress: Progress,
) -> ValidationResult:
    folds, repeats = spec.validation.folds, spec.validation.repeats
    progress.stage(f"cross-validation, {repeats} x {folds} folds", folds * repeats)
    return cross_validate(
        make_builder(spec, candidates, for_folds=True),
        cohort.X[list(candidates)],
        cohort.y,
        folds=folds,
        repeats=repeats,
        horizons=spec.outcome.horizons,
        random_state=seed_of(spec.seed, "cross-validation"),
        n_jobs=jobs,
        cache=FoldCache(folder.work / "folds", key=folder.key),
        progress=progress.advance,
    )


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
        if "population" in spec.model_fields_set
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
