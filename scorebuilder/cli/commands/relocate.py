"""``scorebuilder relocate``: a moved tracking store finds its files again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted


def relocate(
    uri: Annotated[
        str, typer.Option("--uri", help="The store where it is now, as sqlite:///FILE.")
    ],
    artifacts: Annotated[
        Path | None,
        typer.Option("--artifacts", help="Its files now; mlartifacts beside a SQLite file."),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Tell a moved MLflow store where its files lie now.

    Parameters
    ----------
    uri : str
        The store where it is now.
    artifacts : Path, optional
        Folder of its files now.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.tracking.move_store import move_artifacts

    console = Console(quiet, as_json)
    changed, place = move_artifacts(uri, artifacts)
    console.say(f"files   {place}")
    console.say(f"changed {counted(changed, 'place')}")
    console.result({"artifacts": place, "changed": changed})


COMMANDS.register("relocate", relocate)
