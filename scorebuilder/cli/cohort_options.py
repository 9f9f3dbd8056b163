"""The cohort that a command reads: a table with its schema, or a builtin one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorebuilder.core.errors import SpecError

if TYPE_CHECKING:
    from scorebuilder.cohort.cohort import Cohort

BUILTIN = "builtin:"

SchemaOption = Annotated[
    str, typer.Option("--schema", help="YAML schema; a builtin cohort brings its own.")
]


def read_cohort(data: str, schema: str) -> Cohort:
    """
    Read a cohort as a command names it.

    Parameters
    ----------
    data : str
        A table, or ``builtin:NAME``.
    schema : str
        Path of its schema; empty for a builtin cohort.

    Returns
    -------
    Cohort
        Patients with outcome.

    Raises
    ------
    SpecError
        If the schema is missing.
    CohortError
        If the table breaks its schema.
    """
    from scorebuilder.cohort.load import load_cohort, load_dataset, load_schema

    if schema:
        return load_cohort(data, load_schema(Path(schema)))
    if data.startswith(BUILTIN):
        return load_cohort(data, load_dataset(data.removeprefix(BUILTIN))[1])
    message = "`--schema` is required unless the data are builtin:NAME"
    raise SpecError(message)
