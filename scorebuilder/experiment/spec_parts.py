"""Parts of an experiment spec that concern the cohort, stage 2 and the points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import horizon_code, parse_horizon


def _as_days(value: object) -> float:
    if not isinstance(value, str):
        message = "must be a number with a unit, as text: 10y, 36mo, 8wk or 90d"
        raise ValueError(message)  # noqa: TRY004 - pydantic gathers ValueError only
    try:
        return parse_horizon(value)
    except SpecError as error:
        raise ValueError(str(error)) from None


def as_date(value: object) -> object:
    """
    Read a day that is written as text.

    Parameters
    ----------
    value : object
        A date, or text such as ``2029-12-31``.

    Returns
    -------
    object
        A date for text, else `value` itself.

    Raises
    ------
    ValueError
        If the text is no day.
    """
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        message = "must be a day, written as 2029-12-31"
        raise ValueError(message) from None


def as_tuple(value: object) -> object:
    """
    Turn the lists of YAML into tuples, which cannot change.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    object
        A tuple for a list, else `value` itself.
    """
    return tuple(value) if isinstance(value, list) else value


Horizon = Annotated[
    float,
    BeforeValidator(_as_days, json_schema_input_type=str),
    PlainSerializer(horizon_code, return_type=str),
]
"""Days; written with a unit in the spec (``5y``)."""

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple, json_schema_input_type=list[Name])]


def _refuse_bool(value: object) -> object:
    if isinstance(value, bool):
        message = "must be 1, 2 or 4"
        raise ValueError(message)  # noqa: TRY004 - pydantic gathers ValueError only
    return value


DegreesOfFreedom = Annotated[
    Literal[1, 2, 4], BeforeValidator(_refuse_bool, json_schema_input_type=Literal[1, 2, 4])
]


Share = Annotated[float, Field(ge=0, lt=0.5)]
"""Share of the patients at each end."""


def refuse_repeats(what: str, values: Sequence[object]) -> None:
    """
    Refuse what stands twice in a list.

    Parameters
    ----------
    what : str
        What is listed, for the message.
    values : sequence
        The list.
    """
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        message = f"{what} must differ; repeated: {', '.join(repeated)}"
        raise ValueError(message)


class SpecPart(BaseModel):
    """Frozen, strict about types, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


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
    """

    data: Name
    schema_path: Name | None = Field(default=None, alias="schema")

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


class ModelSpec(SpecPart):
    """
    Stage 2, multivariable fractional polynomials; the names are those of `MFPCox`, and `factors`.

    Attributes
    ----------
    criterion : {"pvalue", "aic", "bic"}
        How functions are compared.
    select_alpha, fp_alpha : float
        Levels for keeping a variable and for the function's complexity; 1 keeps all.
    max_df : {1, 2, 4}
        Most complex function of a numeric variable: linear, FP1 or FP2.
    max_df_by : dict
        The same for single variables.
    spike : tuple of str
        Numeric variables with a spike at zero: values up to 0 get an indicator of their own.
    winsorise : float or dict
        Share of the patients at each end whose values are pulled in to the quantile there, for all
        curved variables or for single ones; 0 leaves all values as they are.
    factors : {"joint", "levels"}
        Whether the levels of a factor with more than two are in or out together, by a joint test,
        or each by its own.
    ties : {"efron", "breslow"}
        For the coefficients and the baseline hazard.
    max_cycles : int
        Passes over all variables before the fit is given up.
    """

    criterion: Literal["pvalue", "aic", "bic"] = "pvalue"
    select_alpha: Annotated[float, Field(gt=0, le=1)] = 0.05
    fp_alpha: Annotated[float, Field(gt=0, le=1)] = 0.05
    max_df: DegreesOfFreedom = 4
    max_df_by: dict[Name, DegreesOfFreedom] = Field(default_factory=dict)
    spike: Names = ()
    winsorise: Share | dict[Name, Share] = 0.0
    factors: Literal["joint", "levels"] = "joint"
    ties: Literal["efron", "breslow"] = "efron"
    max_cycles: int = Field(default=20, ge=1)

    @model_validator(mode="after")
    def _each_spike_once(self) -> Self:
        refuse_repeats("names in `spike`", self.spike)
        return self


class RiskLimits(SpecPart):
    """
    Risk groups by absolute risk.

    Attributes
    ----------
    risk : tuple of float
        Limits between groups, ascending, in (0, 1).
    horizon : float
        By when, in days.
    """

    risk: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        BeforeValidator(as_tuple, json_schema_input_type=list[float]),
        Field(min_length=1),
    ]
    horizon: Horizon

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if any(a >= b for a, b in pairwise(self.risk)):
            message = "`risk` of `risk_groups` must ascend"
            raise ValueError(message)
        return self


class ScoreSpec(SpecPart):
    """
    What the patient gets.

    Attributes
    ----------
    points : int
        Highest number of points.
    anchors : tuple of float
        Quantiles of the linear predictor between which the points lie.
    risk_groups : "tertiles", tuple of int, or RiskLimits
        Tertiles of the development patients, the first points value of each further group, or
        limits of absolute risk.
    card : {"whole", "half", "none"}
        Additive points card: whole points, half points, or no card.
    card_total : int
        Largest total of the card.
    """

    points: int = Field(default=10, ge=1, le=100)
    anchors: Annotated[
        tuple[float, float],
        BeforeValidator(as_tuple),
        WithJsonSchema(
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        ),
    ] = (0.01, 0.99)
    risk_groups: Literal["tertiles"] | tuple[int, ...] | RiskLimits = "tertiles"
    card: Literal["whole", "half", "none"] = "whole"
    card_total: int = Field(default=20, ge=2, le=100)

    @field_validator("risk_groups", mode="before")
    @classmethod
    def _cut_points(cls, value: object) -> object:
        return as_tuple(value)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.anchors
        if not 0 <= low < high <= 1:
            message = "`anchors` must be two quantiles, 0 <= lower < upper <= 1"
            raise ValueError(message)
        if isinstance(self.risk_groups, tuple):
            cuts = (0, *self.risk_groups, self.points + 1)
            if len(cuts) < 3 or any(a >= b for a, b in pairwise(cuts)):
                message = f"cut points of `risk_groups` must ascend within 1..{self.points}"
                raise ValueError(message)
        return self
