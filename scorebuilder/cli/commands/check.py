"""``scorebuilder check``: every violation of the schema at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.core.errors import CohortError, SpecError

_BUILTIN = "builtin:"


def check(
    data: Annotated[str, typer.Argument(help="A table, or builtin:NAME.", show_default=False)],
    schema: Annotated[
        str, typer.Option("--schema", help="YAML schema; a builtin cohort brings its own.")
    ] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Check a table against its schema and list every violation.

    Parameters
    ----------
    data : str
        A table, or ``builtin:NAME``.
    schema : str
        Path of the schema.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.cohort.load import load_cohort, load_dataset, load_schema

    console = Console(quiet, as_json)
    if schema:
        rules = load_schema(Path(schema))
    elif data.startswith(_BUILTIN):
        rules = load_dataset(data.removeprefix(_BUILTIN))[1]
    else:
        message = "`--schema` is required unless DATA is builtin:NAME"
        raise SpecError(message)
    try:
        cohort = load_cohort(data, rules)
    except CohortError as error:
        console.answer(str(error))
        found = [
            {
                "column": item.column,
                "rule": item.rule,
                "count": item.count,
                "remedy": item.remedy,
                "rows": list(item.rows),
            }
            for item in error.violations
        ]
        console.result({"ok": False, "violations": found})
        raise typer.Exit(error.exit_code) from None
    rows, columns = cohort.X.shape
    events, missing = int(cohort.y["event"].sum()), int(cohort.X.isna().to_numpy().sum())
    console.say(
        f"ok: {counted(rows, 'row')}, {counted(columns, 'predictor')}, "
        f"{counted(events, 'event')}, {counted(missing, 'missing value')}"
    )
    console.result(
        {"ok": True, "rows": rows, "predictors": columns, "events": events, "missing": missing}
    )


COMMANDS.register("check", check)
