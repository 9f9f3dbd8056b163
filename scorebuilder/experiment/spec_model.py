"""The part of an experiment spec that concerns stage 2: fractional polynomials."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from scorebuilder.experiment.spec_parts import Name, Names, SpecPart, refuse_repeats


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
