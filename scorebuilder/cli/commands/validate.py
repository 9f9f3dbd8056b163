"""``scorebuilder validate``: a frozen score on another cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.failures import naming
from scorebuilder.cli.tables import refuse_run_file
from scorebuilder.core.errors import SpecError

if TYPE_CHECKING:
    from scorebuilder.score.artifact import ScoreArtifact

PAGE, CONTENT = "validation.html", "validation.json"


def validate(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the run folder that holds it.")],
    data: Annotated[str, typer.Argument(help="A table, or builtin:NAME.", show_default=False)],
    schema: Annotated[
        str, typer.Option("--schema", help="YAML schema; a builtin cohort brings its own.")
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="PREDICTOR=COLUMN where the cohort names it otherwise."),
    ] = None,
    threshold: Annotated[
        list[float] | None,
        typer.Option("--threshold", help="Threshold probability of the net benefit."),
    ] = None,
    eligibility: Annotated[
        list[str] | None,
        typer.Option(
            "--eligibility",
            help="Who is judged, as in a spec: 'column: age, min: 18, label: below 18 years'.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for validation.json, tables and page.", exists=False),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Judge a frozen score in another cohort; nothing is fitted again.

    Parameters
    ----------
    artifact : Path
        The score, or the run folder that holds it.
    data : str
        A table, or ``builtin:NAME``.
    schema : str
        Path of the schema.
    column : list of str or None
        ``PREDICTOR=COLUMN`` where the cohort names a predictor otherwise.
    threshold : list of float or None
        Threshold probabilities at which the net benefit is stated.
    eligibility : list of str or None
        Criteria in the words of a spec; patients who do not meet them all are not judged.
    out : Path or None
        Folder for ``validation.json``, tables and page; nothing is written if None.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.experiment.eligibility_option import read_eligibility
    from scorebuilder.experiment.external import validate_artifact
    from scorebuilder.experiment.preflight import check_parts, read_eligible
    from scorebuilder.experiment.spec_cohort import CohortSpec
    from scorebuilder.score.store import load_artifact

    console = Console(quiet, as_json)
    if not schema and not data.startswith("builtin:"):
        message = "`--schema` is required unless DATA is builtin:NAME"
        raise SpecError(message)
    thresholds = tuple(threshold or ())
    if any(not 0.0 < value < 1.0 for value in thresholds):
        message = "`--threshold` must lie between 0 and 1"
        raise SpecError(message)
    criteria = read_eligibility(eligibility or ())
    if out is not None:
        check_parts()
        _refuse_used(out)
    stored = load_artifact(artifact)
    cohort = read_eligible(CohortSpec(data=data, schema=schema or None, eligibility=criteria))
    found = validate_artifact(
        stored,
        cohort,
        name=cohort.schema.name,
        inputs=_inputs(column or ()),
        thresholds=thresholds,
    )
    _say(console, stored, found)
    if out is not None:
        with naming(out):
            _write(out, stored, found)
        console.say(f"report  {out / PAGE}")
    identity = {key: stored.content[key] for key in ("name", "version", "core_id")}
    console.result({"score": identity, "validation": found, "out": str(out) if out else None})


def _inputs(given: list[str] | tuple[str, ...]) -> dict[str, dict[str, Any]]:
    inputs = {}
    for text in given:
        predictor, equals, name = text.partition("=")
        if not (predictor and equals and name):
            message = f"`--column` must be PREDICTOR=COLUMN; got `{text}`"
            raise SpecError(message)
        inputs[predictor] = {"column": name}
    return inputs


def _refuse_used(out: Path) -> None:
    refuse_run_file(out / CONTENT)
    if out.is_file():
        message = f"`--out` {out} is a file; give a folder"
        raise SpecError(message)
    if out.is_dir() and any(out.iterdir()):
        message = f"`--out` {out} is not empty; a validation is never overwritten"
        raise SpecError(message)


def _say(console: Console, artifact: ScoreArtifact, found: dict[str, Any]) -> None:
    from scorebuilder.core.units import format_horizon

    content, counts = artifact.content, found["counts"]
    console.say(f"score      {content['name']} {content['version']}, frozen")
    for step in found["attrition"]:
        if step["n_excluded"]:
            console.say(f"excluded   {counted(step['n_excluded'], 'patient')}: {step['label']}")
    console.say(
        f"patients   {counted(counts['n_scored'], 'patient')} of {counts['n']:,} scored, "
        f"{counted(counts['events'], 'event')}"
    )
    for row in counts["not_scored"]:
        console.say(f"not scored {counted(row['count'], 'patient')}: {row['reason']}")
    for row in found["measures"]:
        shown = ("c_index", "slope", "royston_d", "auc", "observed_expected", "ici")
        if row["measure"] not in shown:
            continue
        when = "" if row["horizon"] is None else f" at {format_horizon(row['horizon'])}"
        console.say(f"{row['label']}{when}: {_text(row)}")


def _text(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return f"undefined: {row['reason']}"
    if row["lower"] is None:
        return f"{row['value']:.3f}"
    return f"{row['value']:.3f} (95 % CI {row['lower']:.3f} to {row['upper']:.3f})"


def _write(out: Path, artifact: ScoreArtifact, found: dict[str, Any]) -> None:
    from scorebuilder.core.canonical import dump_json
    from scorebuilder.report.external_page import external_page
    from scorebuilder.report.summary_external import external_tables
    from scorebuilder.score.store import write_text

    identity = {
        key: artifact.content[key] for key in ("name", "version", "core_id", "artifact_sha256")
    }
    for name, table in external_tables(found).items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_text(out / "tables" / f"{name}.csv", text)
    write_text(out / PAGE, external_page(artifact, found))
    write_text(out / CONTENT, dump_json({"score": identity, **found}))


COMMANDS.register("validate", validate)
