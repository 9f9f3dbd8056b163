"""Parts of an experiment spec that concern the data: cohort, outcome, candidates and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import horizon_code
from scorebuilder.experiment.spec_parts import (
    Horizon,
    Name,
    Names,
    SpecPart,
    as_tuple,
    refuse_repeats,
)


class EligibilitySpec(SpecPart):
    """
    One criterion of eligibility.

    Attributes
    ----------
    column : str
        A predictor of the schema; a patient in whom it is missing is not eligible.
    min, max : float or None
        Lowest and highest value of a number, both allowed.
    levels : tuple of str
        Codes of a factor that are allowed.
    label : str
        Why others leave, for the attrition: ``no positive lymph node``.
    """

    column: Name
    label: Name
    min: float | int | None = None
    max: float | int | None = None
    levels: Names = ()


class CohortSpec(SpecPart):
    """
    Which table, and what its columns mean.

    Attributes
    ----------
    data : str
        ``builtin:NAME`` or a path, taken from the working directory.
    schema_path : str or None
        Path of the schema, in the spec under ``schema``; None is the schema that comes with a
        builtin cohort.
    eligibility : tuple of EligibilitySpec
        Who is analysed: patients who meet all criteria; the others are counted in the attrition.
    """

    data: Name
    schema_path: Name | None = Field(default=None, alias="schema")
    eligibility: Annotated[
        tuple[EligibilitySpec, ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[EligibilitySpec]),
    ] = ()

    @model_validator(mode="after")
    def _needs_schema(self) -> Self:
        if self.schema_path is None and not self.data.startswith("builtin:"):
            message = "`schema` is required unless `data` is a builtin cohort"
            raise ValueError(message)
        return self


class OutcomeSpec(SpecPart):
    """
    What is predicted, from when, and by when.

    Attributes
    ----------
    label : str or None
        The outcome in words; None takes the label of the schema.
    time_zero : str or None
        When the clock starts, in words.
    horizons : tuple of float
        Days, ascending.
    main : float
        The horizon of the headline, in days; the last one unless stated.
    """

    label: str | None = None
    time_zero: str | None = None
    horizons: Annotated[
        tuple[Horizon, ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[Horizon]),
        Field(min_length=1),
    ]
    main: Horizon

    @model_validator(mode="before")
    @classmethod
    def _last_is_main(cls, values: Any) -> Any:
        if isinstance(values, dict) and "main" not in values:
            horizons = values.get("horizons")
            if isinstance(horizons, list | tuple) and horizons:
                return {**values, "main": horizons[-1]}
        return values

    @model_validator(mode="after")
    def _main_is_a_horizon(self) -> Self:
        if any(a >= b for a, b in pairwise(self.horizons)):
            message = "`horizons` must be in ascending order, each once"
            raise ValueError(message)
        if self.main not in self.horizons:
            known = ", ".join(horizon_code(days) for days in self.horizons)
            message = f"`main` must be one of the horizons ({known})"
            raise ValueError(message)
        return self


class CandidatesSpec(SpecPart):
    """
    Which predictors may enter.

    Attributes
    ----------
    keep : tuple of str
        Stay whatever the data say.
    ban : tuple of str
        Never enter.
    groups : dict or None
        Names by group; if given, only the predictors listed are candidates.
    """

    keep: Names = ()
    ban: Names = ()
    groups: dict[Name, Names] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse_repeats("names in `keep`", self.keep)
        refuse_repeats("names in `ban`", self.ban)
        both = sorted(set(self.keep) & set(self.ban))
        if both:
            message = f"`keep` and `ban` both name {', '.join(both)}"
            raise ValueError(message)
        if self.groups is not None:
            listed = [name for names in self.groups.values() for name in names]
            refuse_repeats("names in `groups`", listed)
            outside = sorted(set(self.keep) - set(listed))
            if outside:
                message = f"`keep` names predictors that no group lists: {', '.join(outside)}"
                raise ValueError(message)
        return self

    def choose(self, predictors: Sequence[str]) -> tuple[str, ...]:
        """
        Return the candidates among a cohort's predictors.

        Parameters
        ----------
        predictors : sequence of str
            All predictors of the schema.

        Returns
        -------
        tuple of str
            The candidates, in the order of `predictors`.

        Raises
        ------
        SpecError
            If the spec names a predictor that the schema does not have, or bans them all.
        """
        listed = [name for names in (self.groups or {}).values() for name in names]
        unknown = sorted({*self.keep, *self.ban, *listed} - set(predictors))
        if unknown:
            message = (
                f"`candidates` names what is no predictor of the schema: {', '.join(unknown)}. "
                f"The schema has: {', '.join(predictors)}"
            )
            raise SpecError(message)
        allowed = set(predictors if self.groups is None else listed) - set(self.ban)
        if not allowed:
            message = "`candidates` leaves no predictor; shorten `ban` or fill `groups`"
            raise SpecError(message)
        return tuple(name for name in predictors if name in allowed)


class MissingSpec(SpecPart):
    """
    What happens to missing predictor values.

    Attributes
    ----------
    policy : {"refuse", "impute"}
        Refuse stops when a candidate has missing values.
    strategy : {"median"}
        Median of numeric predictors, most frequent level of the others; learned in each fold.
    """

    policy: Literal["refuse", "impute"] = "refuse"
    strategy: Literal["median"] = "median"
