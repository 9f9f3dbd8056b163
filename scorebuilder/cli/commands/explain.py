"""``scorebuilder explain``: why one patient has these points, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.failures import naming
from scorebuilder.cli.patient_file import read_patient
from scorebuilder.cli.tables import refuse_input, refuse_run_file
from scorebuilder.core.errors import CohortError, SpecError

LANGUAGES = ("en", "fr")


def explain(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the run folder that holds it.")],
    patient: Annotated[
        Path, typer.Option("--patient", help="YAML or JSON: one value for each input.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="HTML file. Default: beside the patient's; none with --json."),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language of the page: en or fr.")] = "en",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Explain the score of one patient: what raises it, what lowers it, and how far to trust it.

    Parameters
    ----------
    artifact : Path
        The score, or the run folder that holds it.
    patient : Path
        Inputs of the patient.
    out : Path or None
        Page to write.
    lang : str
        Language of the page.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        The whole account as one JSON object on stdout.
    """
    from scorebuilder.explanation.patient_account import account_for
    from scorebuilder.score.store import load_artifact, write_text

    console = Console(quiet, as_json)
    if lang not in LANGUAGES:
        message = f"`--lang` must be one of {', '.join(LANGUAGES)}; got `{lang}`"
        raise SpecError(message)
    page = out or (None if as_json else patient.with_suffix(".html"))
    if page is not None:
        refuse_input(page, patient, artifact, artifact / "score.json")
        refuse_run_file(page)
    stored = load_artifact(artifact)
    account = account_for(stored, read_patient(patient, stored.scoring["predictors"]))
    if page is not None:
        from scorebuilder.report.patient_page import patient_page

        html = patient_page(account, lang=lang)
        with naming(page):
            write_text(page, html)
    for flag in account["warnings"]:
        console.note(f"warning: input `{flag['predictor']}`: {flag['flag']}")
    if page is not None:
        console.answer(f"page    {page}")
    console.result(account | {"page": str(page) if page else None})
    if account["status"] != "ok":
        names = ", ".join(f"{flag['predictor']} ({flag['flag']})" for flag in account["refusals"])
        message = f"no score: {counted(len(account['refusals']), 'input')} refused: {names}"
        console.note(message)
        raise typer.Exit(CohortError.exit_code)


COMMANDS.register("explain", explain)
