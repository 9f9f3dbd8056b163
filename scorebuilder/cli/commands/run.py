"""``scorebuilder run``: a whole study, from its spec to a run folder."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted, duration, show_log
from scorebuilder.cli.failures import naming
from scorebuilder.cli.progress import progress_on

_PATHS = ("data", "schema")
"""Settings of the cohort that name a file."""


def run(
    spec: Annotated[Path, typer.Argument(help="YAML file in experiments/.", show_default=False)],
    out: Annotated[
        Path, typer.Option("--out", help="Folder of reports; the run ends in NAME/VERSION.")
    ] = Path("reports"),
    jobs: Annotated[
        int, typer.Option("--jobs", min=0, help="Processes; 0 takes every processor.")
    ] = 0,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value replaces a setting of the spec; may be repeated."),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Run a whole study: select, model, validate, compare, report.

    Parameters
    ----------
    spec : Path
        The study.
    out : Path
        Folder of reports.
    jobs : int
        Processes; 0 takes every processor.
    settings : list of str
        Replaced settings, ``key=value``.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.experiment.load import load_spec

    console = Console(quiet, as_json)
    show_log(console)
    study = load_spec(spec, settings or [])
    tracker = None
    if study.tracking != "none":
        from scorebuilder.tracking.trackers import TRACKERS

        tracker = TRACKERS["mlflow"](study.tracking.mlflow, study.tracking.artifacts)

    from scorebuilder.experiment.run import run_experiment

    with naming(out), progress_on(console) as progress:
        result = run_experiment(
            study,
            out=out,
            jobs=jobs or len(os.sched_getaffinity(0)),
            tracker=tracker,
            progress=progress,
            command=_command_line(spec, settings or []),
        )
    if result.already_finished:
        console.note("this run was finished before; nothing was computed")
    for line in result_lines(result.summary, result.seconds):
        console.say(line)
    report, score = result.run_dir / "report.html", result.run_dir / "score.json"
    console.answer(f"report  {report}")
    console.answer(f"score   {score}")
    console.result(
        {
            "run_dir": str(result.run_dir),
            "report": str(report),
            "score": str(score),
            "seconds": round(result.seconds, 3),
            "already_finished": result.already_finished,
            "headline": result.summary["headline"],
            "comparison": (result.summary.get("validation") or {}).get("comparison") or [],
        }
    )


def _command_line(spec: Path, settings: Sequence[str]) -> str:
    """How to run it again; files by their bare names, and without what changes no result."""
    command = ["scorebuilder", "run", spec.name]
    for text in settings:
        key, _, value = text.partition("=")
        parts = key.strip().split(".")
        if parts[0] not in ("tracking", "executor"):
            shown = _bare_names(parts, value) if parts[0] == "cohort" else value
            command += ["--set", f"{'.'.join(parts)}={shown}"]
    return shlex.join(command)


def _bare_names(parts: Sequence[str], text: str) -> str:
    """Replace the paths in a setting of the cohort, one or the whole mapping, by file names."""
    import yaml

    value = yaml.safe_load(text)
    if isinstance(value, dict):
        inner = {key: _bare_name(item) if key in _PATHS else item for key, item in value.items()}
        return yaml.safe_dump(inner, default_flow_style=True, sort_keys=False, width=10**6).strip()
    shown = _bare_name(value) if parts[-1] in _PATHS else value
    if shown == value:
        return text
    return str(shown) if yaml.safe_load(str(shown)) == shown else json.dumps(shown)


def _bare_name(value: object) -> object:
    return Path(value).name if isinstance(value, str) else value


def result_lines(summary: Mapping[str, Any], seconds: float) -> list[str]:
    """
    Say the result in five lines.

    Parameters
    ----------
    summary : mapping
        The content of ``summary.json``.
    seconds : float
        How long the run took.

    Returns
    -------
    list of str
        Patients, variables, AUC, baselines, time.
    """
    from scorebuilder.core.units import format_horizon

    headline = summary["headline"]
    auc = "undefined" if headline["auc"] is None else _interval(headline, "auc", "{:.3f}")
    patients = counted(headline["n_patients"], "patient")
    variables = [
        counted(headline["n_candidates"], "candidate"),
        f"{headline['n_selected']} in stage 2",
        f"{headline['n_kept']} kept in the model",
    ]
    return [
        f"patients   {patients}, {counted(headline['n_events'], 'event')}",
        f"variables  {' -> '.join(variables)}",
        f"AUC        {auc} at {format_horizon(headline['horizon'])}, out of fold",
        f"against    {_comparisons(summary)}",
        f"time       {duration(seconds)}",
    ]


def _comparisons(summary: Mapping[str, Any]) -> str:
    main = summary["headline"]["horizon"]
    parts = []
    for row in (summary.get("validation") or {}).get("comparison") or []:
        if row["horizon"] != main:
            continue
        if row["difference"] is None:
            parts.append(f"{row['label']}: undefined, {row['reason']}")
        else:
            difference = _interval(row, "difference", "{:+.3f}", prefix="")
            parts.append(
                f"{row['label']}: AUC {difference} in {counted(row['n_scorable'], 'patient')}"
            )
    return "; ".join(parts) or "no baseline"


def _interval(row: Mapping[str, Any], name: str, shape: str, prefix: str | None = None) -> str:
    start = f"{name}_" if prefix is None else prefix
    text = shape.format(row[name])
    lower, upper = row.get(f"{start}lower"), row.get(f"{start}upper")
    if lower is None or upper is None:
        return text
    return f"{text} (95 % CI {shape.format(lower)} to {shape.format(upper)})"


COMMANDS.register("run", run)
