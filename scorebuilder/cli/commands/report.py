"""``scorebuilder report``: renders the page again from the stored summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet
from scorebuilder.cli.failures import naming
from scorebuilder.cli.tables import refuse_input
from scorebuilder.core.errors import SpecError


def report(
    run_dir: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="HTML file; report.html of the run if not given.")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Render the HTML report again from the stored summary.

    Parameters
    ----------
    run_dir : Path
        Folder of a finished run.
    out : Path or None
        HTML file; ``report.html`` of the run if None.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    console = Console(quiet, as_json)
    source = run_dir / "summary.json"
    try:
        summary = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{source} does not exist; give the folder of a finished run"
        raise SpecError(message) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        message = f"{source} is damaged; run the study again"
        raise SpecError(message) from None

    from scorebuilder.report.render import render_html
    from scorebuilder.score.store import write_text

    page = out or run_dir / "report.html"
    refuse_input(page, source)
    html = render_html(summary)
    with naming(page):
        write_text(page, html)
        if page.parent.resolve() == run_dir.resolve():
            _renew_checksum(run_dir / "SHA256SUMS", page)
    console.answer(f"report  {page}")
    console.result({"report": str(page)})


def _renew_checksum(sums: Path, page: Path) -> None:
    """Keep the list of checksums true for the page that was just written."""
    from scorebuilder.core.canonical import sha256
    from scorebuilder.score.store import write_text

    if not sums.is_file():
        return
    lines = sums.read_text(encoding="utf-8").splitlines()
    fresh = f"{sha256(page.read_bytes())}  {page.name}"
    kept = [fresh if line.partition("  ")[2] == page.name else line for line in lines]
    write_text(sums, "".join(f"{line}\n" for line in kept))


COMMANDS.register("report", report)
