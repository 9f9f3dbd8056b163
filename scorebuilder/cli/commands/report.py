"""``scorebuilder report``: renders the page again from the stored summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet
from scorebuilder.cli.failures import naming
from scorebuilder.cli.tables import CHECKSUMS, refuse_input, refuse_run_file
from scorebuilder.core.errors import SpecError

PAGE = "report.html"


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

    page = out or run_dir / PAGE
    refuse_input(page, source)
    is_own = _is_page_of(run_dir, page)
    if not is_own:
        refuse_run_file(page)
    html = render_html(summary)
    with naming(page):
        write_text(page, html)
        if is_own:
            _renew_checksum(run_dir / CHECKSUMS, page)
    console.answer(f"report  {page}")
    console.result({"report": str(page)})


def _is_page_of(run_dir: Path, page: Path) -> bool:
    """Whether this is the page of the run; other files inside the run are sealed."""
    run, place = run_dir.resolve(), page.parent.resolve() / page.name
    if place == run / PAGE:
        return True
    if place.is_relative_to(run):
        message = f"--out {page} lies inside the run; only its {PAGE} may be written there"
        raise SpecError(message)
    return False


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
