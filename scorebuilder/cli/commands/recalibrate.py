"""``scorebuilder recalibrate``: a version of a score for a site, changed no more than needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scorebuilder.cli.cohort_options import SchemaOption, read_cohort
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import horizon_code

_SITE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RUNGS = {
    "none": "no update",
    "baseline": "new baseline hazard",
    "slope_and_baseline": "new slope and baseline hazard",
    "refit": "refitted coefficients",
    "extend": "new predictors and refitted coefficients",
}


def recalibrate(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the folder that holds it.")],
    data: Annotated[str, typer.Argument(help="The site's patients with outcome, or builtin:NAME.")],
    site: Annotated[str, typer.Option("--site", help="Names the version: <name>/site-<site>.")],
    out: Annotated[Path, typer.Option("--out", help="Folder; gets <name>/site-<site>/<version>.")],
    schema: SchemaOption = "",
    extend: Annotated[
        str, typer.Option("--extend", help="COL[,COL...]: new predictors of the site to offer.")
    ] = "",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Judge a score at a site, and update it as far as a closed test asks for.

    Parameters
    ----------
    artifact : Path
        The score.
    data : str
        The site's patients.
    site : str
        Lower-case words joined by hyphens.
    out : Path
        Root folder of the new version.
    schema : str
        Schema of the data.
    extend : str
        New predictors, joined by commas; numbers enter straight, factors as indicators.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.experiment.site_version import update_for_site
    from scorebuilder.score.store import load_artifact, save_artifact

    console = Console(quiet, as_json)
    if not _SITE.fullmatch(site):
        message = f"--site must be lower-case words joined by hyphens; got {site}"
        raise SpecError(message)
    parent = load_artifact(artifact)
    offered = tuple(name.strip() for name in extend.split(",")) if extend else ()
    found = update_for_site(parent, read_cohort(data, schema), site=site, extend=offered)
    console.say(
        f"{parent.content['name']} {parent.content['version']} on {counted(found.n, 'patient')}, "
        f"{counted(found.events, 'event')}; {counted(found.refused, 'patient')} without a score"
    )
    if found.reason:
        console.note(f"warning: {found.reason}")
    for test in found.tests:
        console.say(
            f"{_RUNGS[test.rung]} against {_RUNGS[test.against]}: chi-squared {test.chisq:.2f}, "
            f"{test.df} df, P {test.p:.4f}"
        )
    console.say(f"chosen: {_RUNGS[found.rung]}")
    for row in found.before_after:
        horizon = horizon_code(row["horizon"])
        console.say(
            f"{row['measure']} {horizon}: {_shown(row['before'])} before, "
            f"{_shown(row['after'])} after (cross-validated)"
        )
    path = None
    if found.artifact is not None:
        name, version = found.artifact.content["name"], found.artifact.content["version"]
        path = save_artifact(found.artifact, out / name / version)
        console.say(f"score   {path}")
    console.result(
        {
            "rung": found.rung,
            "reason": found.reason or None,
            "n": found.n,
            "events": found.events,
            "refused": found.refused,
            "tests": [vars(test) for test in found.tests],
            "before_after": found.before_after,
            "out": str(path) if path else None,
        }
    )


def _shown(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return f"undefined ({found['reason']})"
    text = f"{found['value']:.3f}"
    if found["lower"] is not None and found["upper"] is not None:
        text += f" ({found['lower']:.3f} to {found['upper']:.3f})"
    return text


COMMANDS.register("recalibrate", recalibrate)
