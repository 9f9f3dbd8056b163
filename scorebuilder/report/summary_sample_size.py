"""Whether the cohort is large enough for what was tried on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.core.errors import ModelError, UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.study import Study
from scorebuilder.validation.sample_size import (
    USUAL_SHARE,
    SampleSize,
    adjusted_cox_snell,
    riley_sample_size,
)


def candidate_parameters(
    schema: CohortSchema, candidates: Sequence[str], model: Mapping[str, Any]
) -> int:
    """
    Count the degrees of freedom that all candidates might use.

    Parameters
    ----------
    schema : CohortSchema
        Kinds and levels of the variables.
    candidates : sequence of str
        Variables that may enter.
    model : mapping
        Settings of stage 2: ``max_df``, ``max_df_by``, ``spike``.

    Returns
    -------
    int
        The most complex function of a numeric variable, one more for a spike at zero, and the
        levels but one of a factor; also of variables that were not kept.
    """
    total = len(model["spike"])
    for name in candidates:
        field = schema.field(name)
        numeric = field.kind == "numeric"
        total += model["max_df_by"].get(name, model["max_df"]) if numeric else len(field.levels) - 1
    return total


def plan_sample_size(
    cohort: Cohort, parameters: int, *, horizon: float, r2: float | None = None
) -> SampleSize:
    """
    Apply the criteria of Riley and colleagues to the rate and follow-up of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Its events and follow-up; no predictor is looked at.
    parameters : int
        Candidate parameters.
    horizon : float
        Days.
    r2 : float, optional
        Cox-Snell R2 that is expected; a usual share of the largest possible if not given.

    Returns
    -------
    SampleSize
        What each criterion asks for.

    Raises
    ------
    ModelError
        If nobody has the event.
    """
    events, years = int(cohort.y["event"].sum()), float(cohort.y["time"].sum()) / DAYS_PER_YEAR
    if not events:
        message = "no patient has the event, so no score can be fitted"
        raise ModelError(message)
    return riley_sample_size(
        parameters,
        rate=events / years,
        horizon=horizon / DAYS_PER_YEAR,
        mean_follow_up=years / len(cohort.y),
        r2=r2,
    )


def sample_size_text(cohort: Cohort, needed: SampleSize, parameters: int) -> str:
    """
    Say in one line whether a cohort is large enough.

    Parameters
    ----------
    cohort : Cohort
        The patients at hand.
    needed : SampleSize
        What the criteria ask for.
    parameters : int
        Candidate parameters.

    Returns
    -------
    str
        Numbers at hand and needed.
    """
    n, events = len(cohort.y), int(cohort.y["event"].sum())
    text = (
        f"{n:,} patients with {events:,} events for {parameters} candidate parameters "
        f"({events / parameters:.1f} events each); at least {needed.n_patients:,} patients with "
        f"{needed.n_events:,.0f} events are needed (Riley)"
    )
    return text if n >= needed.n_patients else f"too small: {text}"


def summarise_sample_size(study: Study) -> dict[str, Any]:
    """
    Compare the cohort with what its number of candidate parameters asks for.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        Numbers at hand; the criteria twice: as planned, with the usual R2, and with that of the
        score itself, corrected for what was tried.
    """
    cohort = study.cohort
    parameters = candidate_parameters(cohort.schema, study.candidates, study.settings["model"])
    events, years = int(cohort.y["event"].sum()), float(cohort.y["time"].sum()) / DAYS_PER_YEAR
    return {
        "n_patients": len(cohort.y),
        "n_events": events,
        "n_parameters": parameters,
        "events_per_parameter": events / parameters,
        "rate_per_year": events / years,
        "mean_follow_up_years": years / len(cohort.y),
        "horizon": study.main_horizon,
        "scenarios": [
            _scenario(study, parameters, "usual"),
            _scenario(study, parameters, "score"),
        ],
    }


def _scenario(study: Study, parameters: int, r2_from: str) -> dict[str, Any]:
    row: dict[str, Any] = {"r2_from": r2_from, "share": USUAL_SHARE, "criteria": [], "reason": None}
    model = study.builder.model_
    try:
        r2 = None
        if r2_from == "score":
            chi2 = 2.0 * (model.log_likelihood_ - model.null_log_likelihood_)
            n_patients = len(study.cohort.y)
            r2 = adjusted_cox_snell(chi2, parameters=parameters, n_patients=n_patients)
        needed = plan_sample_size(study.cohort, parameters, horizon=study.main_horizon, r2=r2)
    except UndefinedMetricError as error:
        numbers = ("r2", "max_r2", "n_patients", "n_events", "events_per_parameter")
        return row | dict.fromkeys(numbers) | {"reason": str(error)}
    row["criteria"] = [
        {
            "criterion": criterion.name,
            "n_patients": criterion.n_patients,
            "n_events": criterion.n_events,
            "events_per_parameter": criterion.events_per_parameter,
            "fulfilled": len(study.cohort.y) >= criterion.n_patients,
        }
        for criterion in needed.criteria
    ]
    return row | {
        "r2": needed.r2,
        "max_r2": needed.max_r2,
        "n_patients": needed.n_patients,
        "n_events": needed.n_events,
        "events_per_parameter": needed.events_per_parameter,
    }
