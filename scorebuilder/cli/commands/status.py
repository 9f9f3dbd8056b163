"""``scorebuilder status``: the next version of a score with another status."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet


def status(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the folder that holds it.")],
    to: Annotated[str, typer.Option("--to", help="research, active, superseded or withdrawn.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; for the changelog.")],
    superseded_by: Annotated[
        str, typer.Option("--superseded-by", help="Name and version that replace it.")
    ] = "",
    review_by: Annotated[str, typer.Option("--review-by", help="Day, as 2029-12-31.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write to.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Change the status of a score: a new patch version beside the present one.

    Parameters
    ----------
    artifact : Path
        The present version, which stays as it is.
    to : str
        The new status.
    reason : str
        For the changelog.
    superseded_by : str
        What replaces it.
    review_by : str
        Day of the next review.
    out : Path, optional
        Folder of the new version; by default beside that of the present one.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.score.lifecycle import change_status
    from scorebuilder.score.store import load_artifact, save_artifact, version_folder

    console = Console(quiet, as_json)
    present = load_artifact(artifact)
    new = change_status(
        present, to=to, reason=reason, superseded_by=superseded_by, review_by=review_by
    )
    name, version = new.content["name"], new.content["version"]
    path = save_artifact(new, out or version_folder(artifact, present, version))
    console.say(f"{name} {version}: {to}")
    console.say(f"score   {path}")
    console.result({"score": name, "version": version, "status": to, "out": str(path)})


COMMANDS.register("status", status)
