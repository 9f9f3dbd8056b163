"""Parts of an experiment spec that concern other models, and other cohorts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from scorebuilder.experiment.spec_cohort import CohortSpec
from scorebuilder.experiment.spec_parts import Name, SpecPart, as_tuple, refuse_repeats

Comparator = Literal["linear_cox", "elastic_net_cox", "forest"]
COMPARATORS: tuple[Comparator, ...] = ("linear_cox", "elastic_net_cox", "forest")
"""Models of other kinds that a study can refit beside the score."""


def _each_comparator_once(names: tuple[Comparator, ...]) -> tuple[Comparator, ...]:
    refuse_repeats("`comparators`", names)
    return names


def _inside(thresholds: tuple[float, ...]) -> tuple[float, ...]:
    if any(not 0 < value < 1 for value in thresholds):
        message = "must lie between 0 and 1"
        raise ValueError(message)
    refuse_repeats("`thresholds`", thresholds)
    return thresholds


Comparators = Annotated[
    tuple[Comparator, ...],
    BeforeValidator(as_tuple, json_schema_input_type=list[Comparator]),
    AfterValidator(_each_comparator_once),
]
Thresholds = Annotated[
    tuple[float, ...],
    BeforeValidator(as_tuple, json_schema_input_type=list[float]),
    AfterValidator(_inside),
]


class InputColumn(SpecPart):
    """
    Where a cohort holds an input of a score.

    Attributes
    ----------
    column : str
        Name in the cohort.
    levels : dict or None
        Value of the score for each code of a factor; None if the codes are those of the score.
    """

    column: Name
    levels: dict[Name, str | int | float] | None = None

    def entry(self) -> dict[str, Any]:
        """
        Return the same as a schema states it.

        Returns
        -------
        dict
            As one entry of ``sb:baseline_inputs``.
        """
        return self.model_dump(exclude_none=True)


class ExternalSpec(CohortSpec):
    """
    Another cohort in which the frozen score is judged.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; names its files and its part of the report.
    label : str or None
        For readers; None takes the title of the schema.
    inputs : dict
        Column, and level of the score for each code, of the predictors that the cohort names or
        codes otherwise than the score.
    """

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)
    label: Name | None = None
    inputs: dict[Name, InputColumn] = Field(default_factory=dict)


Externals = Annotated[
    tuple[ExternalSpec, ...],
    BeforeValidator(as_tuple, json_schema_input_type=list[ExternalSpec]),
]
