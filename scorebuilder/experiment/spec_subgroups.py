"""The part of an experiment spec that divides the patients to see whether the score serves all."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from scorebuilder.experiment.spec_parts import Name, SpecPart, as_tuple


class SubgroupSpec(SpecPart):
    """
    One way to divide the patients: by a column, or by a condition.

    Attributes
    ----------
    by : str or None
        A factor, or with `cuts` a numeric column; a predictor, or a column of the roles ``cluster``
        and ``subgroup``.
    cuts : tuple of float
        Where the bands of a numeric column begin: 50 and 65 give below 50, 50 to below 65, and 65
        or more.
    where : str or None
        A condition, which holds in one subgroup and not in the other.
    label : str or None
        Name for tables.
    threshold : float or None
        Risk from which a patient counts as positive; None is the observed risk of all patients.
    """

    by: Name | None = None
    cuts: Annotated[
        tuple[float, ...], BeforeValidator(as_tuple, json_schema_input_type=list[float])
    ] = ()
    where: Name | None = None
    label: Name | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _one_division(self) -> Self:
        if (self.by is None) == (self.where is None):
            message = "must give one of `by` and `where`"
            raise ValueError(message)
        if self.cuts and self.by is None:
            message = "`cuts` belong to `by`"
            raise ValueError(message)
        if any(a >= b for a, b in pairwise(self.cuts)):
            message = "`cuts` must ascend"
            raise ValueError(message)
        return self
