"""``scorebuilder reproduce``: run a finished study again and compare every byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted

DIFFERENT = 1
"""Exit code when a file differs."""


def reproduce(
    run_dir: Annotated[Path, typer.Argument(help="A finished run folder.", show_default=False)],
    data: Annotated[str, typer.Option("--data", help="Data file; default: that of the spec.")] = "",
    jobs: Annotated[int, typer.Option("--jobs", help="Workers.", min=1)] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Run a finished study again, and say byte by byte what is equal; exit code 1 if a file differs.

    Parameters
    ----------
    run_dir : Path
        The run folder, which stays as it is.
    data : str
        The data file.
    jobs : int
        Workers.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.experiment.reproduce import reproduce_run

    console = Console(quiet, as_json)
    found = reproduce_run(run_dir, data=data, jobs=jobs)
    for row in found["differences"]:
        console.say(f"changed: {row['what']}, stored {row['stored']}, now {row['found']}")
    for row in found["files"]:
        console.say(f"{row['state']:<9} {row['file']}")
    same = sum(row["state"] == "equal" for row in found["files"])
    console.say(f"{same} of {counted(len(found['files']), 'file')} equal byte by byte")
    console.result(found)
    if not found["equal"]:
        raise typer.Exit(DIFFERENT)


COMMANDS.register("reproduce", reproduce)
