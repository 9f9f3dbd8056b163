"""The main job: from a spec to a run folder with score, report and evidence."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.canonical import dump_json, sha256
from scorebuilder.core.errors import (
    ModelError,
    StatisticalWarning,
)
from scorebuilder.core.seeds import seed_of
from scorebuilder.core.units import format_horizon
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import check_fit, read_cohort
from scorebuilder.experiment.progress import Progress, Silent
from scorebuilder.experiment.provenance import code_sha256, library_versions
from scorebuilder.experiment.run_folder import FoldCache, RunFolder
from scorebuilder.experiment.spec import BaselineSpec, ExperimentSpec, spec_content, spec_sha256
from scorebuilder.experiment.write import write_run
from scorebuilder.report.study import BaselineResult, Study
from scorebuilder.report.summarise import as_plain, summarise
from scorebuilder.report.summary_validation import summarise_performance
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import compose_artifact
from scorebuilder.tracking.tracker import Tracker, record_run
from scorebuilder.validation.baselines import BASELINES
from scorebuilder.validation.prepare_inputs import prepare_inputs
from scorebuilder.validation.resampling import cross_validate


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
    progress.stage("reading the cohort", 1)
    cohort = read_cohort(spec)
    candidates = check_fit(spec, cohort)
    folder = RunFolder(out, spec.name, spec.version, key=_run_key(spec, cohort))
    if folder.finished():
        progress.done()
        summary = json.loads((folder.final / "summary.json").read_text(encoding="utf-8"))
        return ExperimentResult(folder.final, summary, time.perf_counter() - started, True)
    folder.open()
    progress.stage("fitting the score", 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StatisticalWarning)
        builder = make_builder(spec, candidates, n_jobs=jobs)
        builder.fit(cohort.X[list(candidates)], cohort.y)
    if not builder.kept_:
        message = (
            f"no variable was kept: {len(builder.selected_)} of {len(candidates)} candidates "
            "passed the forest, and none of them the model. Loosen `selection.rule` or "
            "`model.select_alpha`, or name variables in `candidates.keep`."
        )
        raise ModelError(message)
    noticed = _texts(caught)
    study = _judge(spec, cohort, candidates, builder, folder, jobs, progress, noticed, command)
    progress.stage("writing the report", 1)
    study = replace(study, artifact=_artifact(spec, study))
    summary = summarise(study)
    write_run(folder.work, study, summary, run=_run_record(spec, folder, started, jobs))
    folder.close()
    if tracker is not None:
        progress.stage("tracking", 1)
        record_run(tracker, summary, folder.final)
    progress.done()
    return ExperimentResult(folder.final, summary, time.perf_counter() - started, False)


def _run_key(spec: ExperimentSpec, cohort: Cohort) -> str:
    parts = (spec_sha256(spec), cohort.data_sha256, code_sha256(), dump_json(library_versions()))
    return sha256("\n".join(parts).encode())


def _texts(caught: Sequence[warnings.WarningMessage]) -> tuple[str, ...]:
    """Statistical warnings become part of the result; any other warning is passed on."""
    texts = []
    for warning in caught:
        if issubclass(warning.category, StatisticalWarning):
            texts.append(str(warning.message))
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return tuple(dict.fromkeys(texts))


def _judge(
    spec: ExperimentSpec,
    cohort: Cohort,
    candidates: tuple[str, ...],
    builder: ScoreBuilder,
    folder: RunFolder,
    jobs: int,
    progress: Progress,
    noticed: tuple[str, ...],
    command: str,
) -> Study:
    folds, repeats = spec.validation.folds, spec.validation.repeats
    progress.stage(f"cross-validation, {repeats} x {folds} folds", folds * repeats)
    validation = cross_validate(
        make_builder(spec, candidates),
        cohort.X[list(candidates)],
        cohort.y,
        folds=folds,
        repeats=repeats,
        horizons=spec.outcome.horizons,
        random_state=seed_of(spec.seed, "cross-validation"),
        n_jobs=jobs,
        cache=FoldCache(folder.work / "folds"),
        progress=progress.advance,
    )
    progress.stage("judging the score", 1)
    return Study(
        cohort=cohort,
        candidates=candidates,
        builder=builder,
        artifact=None,
        validation=validation,
        baselines=tuple(_baseline(item, cohort) for item in spec.baselines),
        settings=spec_content(spec),
        main_horizon=spec.outcome.main,
        warnings=noticed,
        reproduce={
            "command": command,
            "seed": spec.seed,
            "spec_sha256": spec_sha256(spec),
            "data_sha256": cohort.data_sha256,
            "code_version": library_versions()["scorebuilder"],
            "code_sha256": code_sha256(),
            "versions": library_versions(),
        },
    )


def _baseline(item: BaselineSpec, cohort: Cohort) -> BaselineResult:
    baseline = BASELINES[item.name]
    units = {field.name: field.unit for field in cohort.schema.predictors}
    inputs = prepare_inputs(
        baseline,
        cohort.X,
        cohort.schema.baseline_inputs,
        units,
        settings=item.settings,
        assume=item.assume,
    )
    assumed = [f"{name} = {value} for every patient" for name, value in item.assume.items()]
    assumed += [f"setting: {name} = {value}" for name, value in item.settings.items()]
    table = baseline.compute(inputs, variant=item.variant)
    return BaselineResult(baseline, table.reset_index(drop=True), tuple(assumed))


def _meaning(spec: ExperimentSpec, cohort: Cohort) -> dict[str, str]:
    schema = cohort.schema
    return {
        "intended_use": spec.intended_use,
        "not_for": spec.not_for,
        "population": spec.population,
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
        "changelog": [{"version": spec.version, "change": "Built from the development cohort."}],
    }
    reproduce: Mapping[str, Any] = study.reproduce
    return compose_artifact(
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
