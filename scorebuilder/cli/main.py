"""The console entry: builds the commands from their registry and starts one."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from scorebuilder import __version__
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.failures import guarded

_SHARED = ("--quiet", "--json")
_HELP = "Prognostic scores for cardiology, from a table of patients to a validated 0-10 score."


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"scorebuilder {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option("--version", help="Say the version.", callback=_tell_version, is_eager=True),
    ] = False,
) -> None:
    del version


def build_app() -> typer.Typer:
    """
    Make the application.

    Returns
    -------
    typer.Typer
        With every registered command; plain help starts three times as fast as a decorated one.
    """
    app = typer.Typer(
        name="scorebuilder",
        help=_HELP,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
    )
    app.callback()(_start)
    for name, command in COMMANDS.items():
        summary = inspect.cleandoc(command.__doc__ or "").partition("\n\n")[0]
        app.command(name, help=summary)(guarded(command))
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Start a command and leave with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``scorebuilder`` on the command line. ``--quiet`` and ``--json`` may
        also stand before the command.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    leading = 0
    while leading < len(given) and given[leading] in _SHARED:
        leading += 1
    rest = given[leading:]
    if rest and not rest[0].startswith("-"):
        given = [rest[0], *given[:leading], *rest[1:]]
    build_app()(args=given, prog_name="scorebuilder")
