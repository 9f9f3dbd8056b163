"""Other cohorts: reads them, writes their patients as the score wants them, and judges it there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.core.errors import CohortError, SpecError, UndefinedMetricError, Violation
from scorebuilder.experiment.preflight import read_eligible
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.report.study import Study
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_external import summarise_external
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.harmonise import harmonised


def check_external(spec: ExperimentSpec, candidates: Sequence[str]) -> None:
    """
    Check that the other cohorts can be read and have what the score may need.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    candidates : sequence of str
        Variables that may enter the score.

    Raises
    ------
    SpecError
        If a mapping names no candidate.
    CohortError
        If a cohort breaks its schema, or lacks a variable that must stay in the score.
    """
    for item in spec.external:
        cohort = read_eligible(item)
        unknown = sorted(set(item.inputs) - set(candidates))
        if unknown:
            message = f"`external`: {item.name}: `inputs` names no candidate: {', '.join(unknown)}"
            raise SpecError(message)
        columns = {name: entry.column for name, entry in item.inputs.items()}
        lacking = [
            Violation(name, "the score keeps this variable, and the cohort lacks it")
            for name in spec.candidates.keep
            if columns.get(name, name) not in cohort.X.columns
        ]
        if lacking:
            raise CohortError(lacking, source=item.data)


def validate_in_cohorts(spec: ExperimentSpec, study: Study) -> tuple[dict[str, Any], ...]:
    """
    Judge the frozen score of a study in every other cohort of its spec.

    Parameters
    ----------
    spec : ExperimentSpec
        The study.
    study : Study
        With its artifact.

    Returns
    -------
    tuple of dict
        Summaries in the order of the spec.

    Raises
    ------
    CohortError
        If a cohort cannot be scored: a predictor is absent, measured or coded otherwise.
    SpecError
        If a cohort has too few events to judge a score.
    """
    found = []
    for item in spec.external:
        cohort = read_eligible(item)
        found.append(
            validate_artifact(
                study.sealed,
                cohort,
                name=item.name,
                label=item.label,
                inputs={name: entry.entry() for name, entry in item.inputs.items()},
                main_horizon=spec.outcome.main,
                thresholds=spec.thresholds,
                development_X=study.X,
            )
        )
    return tuple(found)


def validate_artifact(
    artifact: ScoreArtifact,
    cohort: Cohort,
    *,
    name: str,
    label: str | None = None,
    inputs: Mapping[str, Mapping[str, Any]] | None = None,
    main_horizon: float | None = None,
    thresholds: Sequence[float] = (),
    development_X: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """
    Judge a frozen score in a cohort.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    cohort : Cohort
        Patients with known outcome.
    name : str
        Of the cohort, for files.
    label : str, optional
        For readers; the title of the schema if not given.
    inputs : mapping of str to mapping, optional
        Column, and levels, of predictors that the cohort has otherwise (`harmonised`).
    main_horizon : float, optional
        Days; the last horizon of the score if not given.
    thresholds : sequence of float
        Threshold probabilities at which the net benefit is stated.
    development_X : DataFrame, optional
        The development patients, where they are at hand.

    Returns
    -------
    dict
        `summarise_external` in plain JSON values.

    Raises
    ------
    CohortError
        If the cohort does not fit the score; lists all violations.
    SpecError
        If there are too few events to judge a score.
    """
    X = harmonised(artifact, cohort, inputs=inputs)
    try:
        summary = summarise_external(
            artifact,
            cohort,
            X,
            name=name,
            label=label or cohort.schema.title or cohort.schema.name,
            main_horizon=main_horizon or max(artifact.horizons),
            thresholds=thresholds,
            development_X=development_X,
        )
    except UndefinedMetricError as error:
        message = f"the score cannot be judged in `{cohort.schema.name}`: {error}"
        raise SpecError(message) from error
    plain: dict[str, Any] = as_plain(summary)
    return plain
