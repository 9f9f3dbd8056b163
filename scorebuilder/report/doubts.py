"""What a careful reader should doubt, said before the reader has to find it."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.core.units import format_horizon
from scorebuilder.report.study import Study
from scorebuilder.report.summary_sample_size import candidate_parameters, plan_sample_size
from scorebuilder.report.words import times

EVENTS_PER_PARAMETER = 10
SHARE_AT_RISK = 0.10
REPEATS = 5
SHARE_MISSING = 0.20
OFTEN = 0.5


def doubts(study: Study, model: dict[str, Any]) -> list[str]:
    """
    List the limits that follow from the numbers of a study.

    Parameters
    ----------
    study : Study
        Finished.
    model : dict
        The summarised model.

    Returns
    -------
    list of str
        Whole sentences; empty if nothing stands out.

    Notes
    -----
    Ten events per candidate parameter is a rule of thumb, counted here over everything that was
    tried and not only over what was kept.
    """
    found = []
    if model["events_per_parameter"] < EVENTS_PER_PARAMETER:
        found.append(
            f"There are {model['events_per_parameter']:.1f} events per candidate parameter; below "
            f"{EVENTS_PER_PARAMETER}, selection and shapes depend strongly on the sample."
        )
    found += _too_few(study) + _fold_warnings(study) + _unstable(study)
    found += _late_horizons(study) + _missing(study)
    if any(row["p"] < 0.01 for row in model["ph_test"]):
        found.append(
            "Proportional hazards are doubtful (P < 0.01) for at least one term: the stated hazard "
            "ratios are averages over the follow-up."
        )
    if study.settings["validation"]["repeats"] < REPEATS:
        repeats = study.settings["validation"]["repeats"]
        found.append(
            f"The cross-validation was run {times(repeats)}; another "
            f"division into folds would give other numbers. {REPEATS} repeats show how much."
        )
    return found


def _too_few(study: Study) -> list[str]:
    settings = study.settings["model"]
    parameters = candidate_parameters(study.cohort.schema, study.candidates, settings)
    needed = plan_sample_size(study.cohort, parameters, horizon=study.main_horizon)
    if len(study.cohort.y) >= needed.n_patients:
        return []
    text = (
        f"The cohort has {len(study.cohort.y):,} patients; with {parameters} candidate parameters, "
        f"at least {needed.n_patients:,} are needed to keep overfitting small (Riley 2019), unless "
        "the candidates explain more than usual."
    )
    return [text]


def _fold_warnings(study: Study) -> list[str]:
    records = study.validation.records
    warned = sum(bool(record["warnings"]) for record in records)
    if not warned:
        return []
    first = next(record["warnings"][0] for record in records if record["warnings"])
    return [f"{warned} of {len(records)} refits gave a warning, the first of them: {first}."]


def _unstable(study: Study) -> list[str]:
    records = study.validation.records
    rare = [
        study.label(name)
        for name in study.builder.kept_
        if np.mean([name in record["kept"] for record in records]) < OFTEN
    ]
    if not rare:
        return []
    return [f"In fewer than half of the refits the model kept: {', '.join(rare)}."]


def _late_horizons(study: Study) -> list[str]:
    time = study.cohort.y["time"]
    return [
        f"Only {np.mean(time >= horizon):.0%} of the patients are followed to "
        f"{format_horizon(horizon)}; risk at that horizon rests on few."
        for horizon in study.builder.horizons
        if np.mean(time >= horizon) < SHARE_AT_RISK
    ]


def _missing(study: Study) -> list[str]:
    share = study.X[study.builder.kept_].isna().mean()
    often = [study.label(str(name)) for name, value in share.items() if value > SHARE_MISSING]
    if not often:
        return []
    names = ", ".join(often)
    return [
        f"More than {SHARE_MISSING:.0%} of the values were missing, and filled in, for: {names}."
    ]
