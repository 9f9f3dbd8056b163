"""``scorebuilder monitor``: have the patients, or their risk, drifted away from the score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from scorebuilder.cli.cohort_options import BUILTIN, read_cohort
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.tables import read_text_table
from scorebuilder.core.units import horizon_code

DRIFTED = 1
"""Exit code when a threshold is breached."""


def monitor(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the folder that holds it.")],
    data: Annotated[str, typer.Argument(help="New patients: a CSV file, or builtin:NAME.")],
    schema: Annotated[
        str, typer.Option("--schema", help="Schema of the data; with it, outcomes are judged too.")
    ] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Compare new patients with the development patients; exit code 1 when a threshold is breached.

    Parameters
    ----------
    artifact : Path
        The score.
    data : str
        Without a schema a CSV file in the score's own units, of which the inputs are judged.
    schema : str
        Schema of the data.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.experiment.monitor import monitor_cohort, monitor_inputs, typed_inputs
    from scorebuilder.score.store import load_artifact

    console = Console(quiet, as_json)
    stored = load_artifact(artifact)
    if schema or data.startswith(BUILTIN):
        found = monitor_cohort(stored, read_cohort(data, schema))
    else:
        items = stored.scoring["predictors"]
        codes = {item["id"]: [level["code"] for level in item["levels"]] for item in items}
        frame = read_text_table(Path(data), codes=codes)
        found = monitor_inputs(stored, typed_inputs(stored, frame))
    console.say(f"{stored.content['name']} {stored.content['version']}: "
                f"{counted(found['n'], 'new patient')}")  # fmt: skip
    for row in found["inputs"]:
        console.say(
            f"{_mark(row)} {row['what']} of {row['predictor']}: {_shown(row)} "
            f"({'limit' if row['what'] == 'psi' else 'development'} {row['expected']:.3f})"
        )
    for row in found["calibration"]:
        console.say(f"{_mark(row)} {row['measure']} {horizon_code(row['horizon'])}: {_value(row)}")
    console.say("drift: a threshold is breached" if found["breached"] else "no drift found")
    console.result(found)
    if found["breached"]:
        raise typer.Exit(DRIFTED)


def _mark(row: dict[str, Any]) -> str:
    return "DRIFT" if row["breached"] else "ok   "


def _shown(row: dict[str, Any]) -> str:
    return row["reason"] if row["found"] is None else f"{row['found']:.3f}"


def _value(row: dict[str, Any]) -> str:
    if row["value"] is None:
        return f"undefined ({row['reason']})"
    if row["lower"] is None or row["upper"] is None:
        return f"{row['value']:.3f} (no interval)"
    return f"{row['value']:.3f} ({row['lower']:.3f} to {row['upper']:.3f})"


COMMANDS.register("monitor", monitor)
