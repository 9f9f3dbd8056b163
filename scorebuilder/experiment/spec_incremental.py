"""Parts of an experiment spec that ask what variables add to others."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from scorebuilder.experiment.spec_parts import Name, Names, SpecPart, as_tuple, refuse_repeats


class MarkerSpec(SpecPart):
    """
    Question whether a marker adds to what is known already.

    Attributes
    ----------
    marker : str
        A predictor of the schema; it enters linearly.
    on_top_of : str or tuple of str
        A condition such as ``lvef < 35 & nyha >= 2``, the label, name or file of one of the
        `baselines`, one predictor, or a list of predictors, which enter linearly.
    subgroup : str or None
        A condition; only patients for whom it holds are studied.
    label : str or None
        The question in words.
    """

    marker: Name
    on_top_of: Annotated[Name | Names, BeforeValidator(as_tuple)]
    subgroup: Name | None = None
    label: Name | None = None

    @model_validator(mode="after")
    def _something_else(self) -> Self:
        if not self.on_top_of:
            message = "`on_top_of` must name at least one predictor"
            raise ValueError(message)
        if self.marker == self.on_top_of or (
            isinstance(self.on_top_of, tuple) and self.marker in self.on_top_of
        ):
            message = f"`on_top_of` must not hold the marker `{self.marker}` itself"
            raise ValueError(message)
        return self


class IncrementalSpec(SpecPart):
    """
    What groups of variables, and single markers, add out of fold.

    Attributes
    ----------
    ladder : tuple of str
        Groups of predictors, each added to those before it; groups are those of `candidates`, or
        of the schema.
    build : {"pipeline", "cox"}
        What is refitted for each step: the whole pipeline of the score, or a linear Cox model of
        all variables.
    markers : tuple of MarkerSpec
        Questions about single markers.
    """

    ladder: Names = ()
    build: Literal["pipeline", "cox"] = "pipeline"
    markers: Annotated[
        tuple[MarkerSpec, ...], BeforeValidator(as_tuple, json_schema_input_type=list[MarkerSpec])
    ] = ()

    @model_validator(mode="after")
    def _steps(self) -> Self:
        refuse_repeats("groups in `ladder`", self.ladder)
        if len(self.ladder) == 1:
            message = "`ladder` must have at least two groups"
            raise ValueError(message)
        return self
