"""What the parts of an experiment spec share: types of values, and the base of all parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

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
