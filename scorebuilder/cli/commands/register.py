"""``scorebuilder register``: a finished run or a score into the MLflow store, with an alias."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, show_log
from scorebuilder.core.errors import SpecError


def register(
    source: Annotated[
        Path, typer.Argument(help="Folder of a finished run, or score.json.", show_default=False)
    ],
    uri: Annotated[
        str,
        typer.Option("--uri", help="Store: sqlite:///FILE, postgresql+psycopg://..., http(s)://"),
    ],
    alias: Annotated[
        str, typer.Option("--alias", help="Name that leads to this version, as champion.")
    ] = "",
    artifacts: Annotated[
        str, typer.Option("--artifacts", help="Folder of the store's files, for PostgreSQL.")
    ] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Index a finished run or a score in an MLflow store, once; nothing is computed.

    Parameters
    ----------
    source : Path
        Folder of a finished run, or a ``score.json``.
    uri : str
        The store.
    alias : str
        Leads to this version from now on.
    artifacts : str
        Folder of the store's files.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.score.store import load_artifact
    from scorebuilder.tracking.address import check_address
    from scorebuilder.tracking.registration import check_alias, set_alias
    from scorebuilder.tracking.tracker import record_once
    from scorebuilder.tracking.trackers import TRACKERS

    console = Console(quiet, as_json)
    show_log(console)
    try:
        check_address(uri)
    except ValueError as error:
        message = f"`--uri` {error}"
        raise SpecError(message) from None
    artifact = load_artifact(source)
    if alias:
        check_alias(artifact, alias)
    folder = source if source.is_dir() else source.parent
    if source != folder and source.name != "score.json":
        message = f"an artifact is registered under the name score.json; rename {source.name}"
        raise SpecError(message)
    tracker = TRACKERS["mlflow"](uri, artifacts)
    is_new = record_once(tracker, _summary(folder, artifact), folder)
    name, version = artifact.content["name"], artifact.content["version"]
    console.say(f"{name} {version}: {'registered' if is_new else 'was registered before'}")
    if alias:
        known = set_alias(uri, artifact, alias)
        console.say(f"models:/{known.model}@{alias}")
    console.result(
        {"score": name, "version": version, "registered": is_new, "alias": alias or None}
    )


def _summary(folder: Path, artifact: Any) -> dict[str, Any]:
    """Take the summary of the run, or of the artifact where no run made this very one."""
    from scorebuilder.tracking.summary_of import summary_of

    file = folder / "summary.json"
    if not file.is_file():
        return summary_of(artifact)
    try:
        summary: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        message = f"{file} is damaged; restore it, or run the study again"
        raise SpecError(message) from None
    score = summary.get("score") or {}
    same = all(score.get(key) == artifact.content[key] for key in ("name", "version", "core_id"))
    if not same:
        message = f"{file} belongs to another score than the artifact beside it; restore the folder"
        raise SpecError(message)
    return summary


COMMANDS.register("register", register)
