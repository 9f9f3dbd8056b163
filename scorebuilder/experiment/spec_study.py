"""The part of an experiment spec that only people can write: why, where and under which rules."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from scorebuilder.experiment.spec_parts import SpecPart

Words: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]


class StudySpec(SpecPart):
    """
    What a reader asks of a study and no computation can answer; what is left out is NOT REPORTED.

    Attributes
    ----------
    title, abstract, background, users, inequalities, objectives : str or None
        The study as a paper would name and introduce it; `users` says who is meant to use the
        score, and when; `inequalities` what is known of unequal health or care in this population.
    data_source, dates, setting, treatments : str or None
        Where the data come from, when patients were enrolled and followed, in which kind of
        centres, and which treatments they had.
    outcome_assessment, outcome_blinding, predictor_choice, predictor_measurement, \
predictor_assessment : str or None
        How the outcome and the predictors were chosen, measured and judged, and by whom.
    data_preparation, fairness : str or None
        What was done to the data before, and about differences between kinds of people.
    ethics, funding, conflicts, protocol, registration, data_sharing, code_sharing, involvement \
: str or None
        Approval, money, interests, protocol, register, access to data and code, and the part that
        patients and the public had.
    interpretation, limitations, poor_input, user_skill, next_steps : str or None
        What the results mean, where they end, what happens when an input is bad or missing, what
        users must know, and what has to be done before the score can be used.
    """

    title: Words | None = None
    abstract: Words | None = None
    background: Words | None = None
    users: Words | None = None
    inequalities: Words | None = None
    objectives: Words | None = None
    data_source: Words | None = None
    dates: Words | None = None
    setting: Words | None = None
    treatments: Words | None = None
    data_preparation: Words | None = None
    outcome_assessment: Words | None = None
    outcome_blinding: Words | None = None
    predictor_choice: Words | None = None
    predictor_measurement: Words | None = None
    predictor_assessment: Words | None = None
    fairness: Words | None = None
    ethics: Words | None = None
    funding: Words | None = None
    conflicts: Words | None = None
    protocol: Words | None = None
    registration: Words | None = None
    data_sharing: Words | None = None
    code_sharing: Words | None = None
    involvement: Words | None = None
    interpretation: Words | None = None
    limitations: Words | None = None
    poor_input: Words | None = None
    user_skill: Words | None = None
    next_steps: Words | None = None
