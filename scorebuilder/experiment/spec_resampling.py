"""The parts of an experiment spec that concern resampling: clusters, and where refits run."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from scorebuilder.experiment.spec_parts import Name, SpecPart, as_tuple

CALENDAR_TIME = "calendar time"
"""What stands for the date of time zero."""

Cuts: TypeAlias = Annotated[
    tuple[int | float | str, ...],
    BeforeValidator(as_tuple, json_schema_input_type=list[int | float | str]),
]


class InternalExternalSpec(SpecPart):
    """
    Clusters that are left out in turn.

    Attributes
    ----------
    by : str
        A column of the schema with the role cluster, subgroup or predictor; or ``calendar time``,
        the date of time zero.
    cuts : tuple of float or str
        Where a number or a date is cut into periods, ascending: 65, or "2003-07-01". A cut belongs
        to the period that it begins. Empty for a factor.
    forward : bool
        True fits for each period to the earlier ones only; needs `cuts`.
    """

    by: Name
    cuts: Cuts = ()
    forward: bool = False

    @model_validator(mode="after")
    def _periods_in_order(self) -> Self:
        if self.forward and not self.cuts:
            message = "`forward` needs periods in order: a date or a number with `cuts`"
            raise ValueError(message)
        return self


class DaskSpec(SpecPart):
    """
    Workers of a Dask cluster.

    Attributes
    ----------
    kind : "dask"
        Which executor.
    address : str
        Of the scheduler, such as ``tcp://node1:8786``.
    retries : int
        How often a task is started again that was lost with its worker.
    """

    kind: Literal["dask"]
    address: Name
    retries: int = Field(default=3, ge=0)

    @field_validator("address")
    @classmethod
    def _known_address(cls, value: str) -> str:
        if not value.startswith(("tcp://", "tls://")):
            message = "must start with tcp:// or tls://"
            raise ValueError(message)
        return value


ExecutorSpec: TypeAlias = Literal["local"] | DaskSpec
"""Where refits run; never changes a result."""
