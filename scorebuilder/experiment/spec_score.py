"""The part of an experiment spec that concerns points, risk groups and the card."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from scorebuilder.experiment.spec_parts import Horizon, SpecPart, as_tuple


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
