"""``scorebuilder report``: renders the report again from the stored summary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet
from scorebuilder.cli.failures import naming
from scorebuilder.cli.tables import CHECKSUMS, refuse_input, refuse_run_file
from scorebuilder.core.errors import SpecError

PAGE = "report.html"
PLAIN = ("html", "en")
"""Format and language of the page of the run."""


def report(
    run_dir: Annotated[
        Path, typer.Argument(help="Folder of a finished run; with --index, of all runs.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write; an English page replaces that of the run."),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help="html, pdf, docx or md.")] = "html",
    language: Annotated[str, typer.Option("--lang", help="en or fr.")] = "en",
    png: Annotated[
        Path | None, typer.Option("--png", help="Folder for every figure as PNG of 300 dpi.")
    ] = None,
    index: Annotated[
        bool, typer.Option("--index", help="Write index.html, the list of all runs, instead.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Render the report again from the stored summary, also as PDF, Word or Markdown.

    Parameters
    ----------
    run_dir : Path
        Folder of a finished run, or of all runs.
    out : Path or None
        File to write; if None, ``report.html`` of the run for an English page, and
        ``NAME-VERSION.FORMAT`` in the present folder for others.
    kind : str
        The format.
    language : str
        Two letters.
    png : Path or None
        Folder for the figures as PNG.
    index : bool
        Write the list of runs.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    console = Console(quiet, as_json)
    if index:
        from scorebuilder.report.index_page import write_index

        place = write_index(run_dir)
        console.answer(f"index   {place}")
        console.result({"index": str(place)})
        return
    source = run_dir / "summary.json"
    summary = _read(source)
    _check(kind, language)
    page = out or _usual_place(run_dir, summary, kind, language)
    refuse_input(page, source)
    is_own = _is_page_of(run_dir, page)
    if not is_own:
        refuse_run_file(page)
    elif (kind, language) != PLAIN:
        message = f"{page} is the English page of the run; choose another file with --out"
        raise SpecError(message)
    if png is not None:
        _refuse_inside(run_dir, png.resolve(), "--png")
    files, copies = _rendered(summary, kind, page.stem, language, with_png=png is not None)
    _write(files, page)
    if is_own:
        _renew_checksum(run_dir / CHECKSUMS, page)
    if png is not None:
        _write_all(copies, png)
    console.answer(f"report  {page}")
    console.result({"report": str(page), "figures": None if png is None else str(png)})


def _read(source: Path) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{source} does not exist; give the folder of a finished run"
        raise SpecError(message) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        message = f"{source} is damaged; run the study again"
        raise SpecError(message) from None
    return summary


def _check(kind: str, language: str) -> None:
    if (kind, language) == PLAIN:
        return
    from scorebuilder.report.format import FORMATS
    from scorebuilder.report.language import languages

    if kind not in FORMATS:
        message = f"no format `{kind}`; choose one of {', '.join(FORMATS)}"
        raise SpecError(message)
    if language not in languages():
        message = f"no report in `{language}`; choose one of {', '.join(languages())}"
        raise SpecError(message)


def _usual_place(run_dir: Path, summary: Mapping[str, Any], kind: str, language: str) -> Path:
    if (kind, language) == PLAIN:
        return run_dir / PAGE
    score = summary["score"]
    tongue = "" if language == "en" else f"-{language}"
    return Path(f"{score['name']}-{score['version']}{tongue}.{kind}")


def _rendered(
    summary: Mapping[str, Any], kind: str, name: str, language: str, *, with_png: bool
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    if (kind, language) == PLAIN:
        from scorebuilder.report.render import render_html

        files = {f"{name}.html": render_html(summary).encode("utf-8")}
    else:
        from scorebuilder.report.format import render_format

        files = render_format(summary, kind, name=name, language=language)
    if not with_png:
        return files, {}
    from scorebuilder.report.drawing_words import figures_say
    from scorebuilder.report.figure import png_figures
    from scorebuilder.report.language import figure_words

    with figures_say(figure_words(language, summary)):
        return files, png_figures(summary)


def _write(files: Mapping[str, bytes], page: Path) -> None:
    """Write the main file, which comes first, where it was asked for, and the others beside it."""
    from scorebuilder.score.store import write_bytes

    main, *others = files
    for name in others:
        refuse_run_file(page.parent / name)
    with naming(page):
        write_bytes(page, files[main])
    _write_all({name: files[name] for name in others}, page.parent)


def _write_all(files: Mapping[str, bytes], folder: Path) -> None:
    from scorebuilder.score.store import write_bytes

    for name, content in files.items():
        with naming(folder / name):
            write_bytes(folder / name, content)


def _is_page_of(run_dir: Path, page: Path) -> bool:
    """Whether this is the page of the run; other files inside the run are sealed."""
    run, place = run_dir.resolve(), page.parent.resolve() / page.name
    if place == run / PAGE:
        return True
    _refuse_inside(run_dir, place, f"--out {page}")
    return False


def _refuse_inside(run_dir: Path, place: Path, what: str) -> None:
    if place.is_relative_to(run_dir.resolve()):
        message = f"{what} lies inside the run; only its {PAGE} may be written there"
        raise SpecError(message)


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
