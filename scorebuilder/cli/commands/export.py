"""``scorebuilder export``: a score as functions and forms that clinics use without scorebuilder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet
from scorebuilder.cli.failures import naming
from scorebuilder.core.errors import SpecError

if TYPE_CHECKING:
    from scorebuilder.score.artifact import ScoreArtifact


def export(
    artifact: Annotated[
        str, typer.Argument(help="score.json or the run folder that holds it; or `list`.")
    ],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", help="A target, several by repeating it, or `all`."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder; each target gets a folder of its own in it.")
    ] = Path("exports"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Write a score as functions and forms that run without scorebuilder; `list` names the targets.

    Parameters
    ----------
    artifact : str
        ``score.json``, a run folder, or ``list``.
    target : list of str or None
        Names of targets, or ``all``.
    out : Path
        Folder that gets one folder per target.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.export.target import TARGETS, choose_targets

    console = Console(quiet, as_json)
    if artifact == "list":
        for known in TARGETS.values():
            console.answer(f"{known.name:<11} {known.label}")
        console.result({"targets": {known.name: known.label for known in TARGETS.values()}})
        return
    if not target:
        message = f"say what to write with --target: all, or one of {', '.join(TARGETS)}"
        raise SpecError(message)
    chosen = choose_targets(target)
    from scorebuilder.score.store import load_artifact

    score = load_artifact(artifact)
    written = {}
    for name in chosen:
        console.note(f"writing {name}")
        written[name] = _write(score, name, out / name)
        console.answer(f"{name:<11} {out / name}")
    console.result({"score": score.content["name"], "written": written})


def _write(score: ScoreArtifact, name: str, folder: Path) -> dict[str, str]:
    from scorebuilder.export.folder import CHECKSUMS, export_folder
    from scorebuilder.score.store import write_folder

    files = export_folder(score, name)
    with naming(folder):
        write_folder(folder, files, mark=CHECKSUMS)
    return {file: str(folder / file) for file in sorted(files)}


COMMANDS.register("export", export)
