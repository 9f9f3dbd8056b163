"""``scorebuilder compare``: what differs between two versions, or two scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorebuilder.cli.cohort_options import SchemaOption, read_cohort
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet
from scorebuilder.cli.failures import naming
from scorebuilder.cli.tables import refuse_input, refuse_run_file

if TYPE_CHECKING:
    from scorebuilder.score.artifact import ScoreArtifact

TOO_LITTLE = 1
"""Exit code when the version number says less than what changed."""


def compare(
    old: Annotated[Path, typer.Argument(help="score.json or its folder.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="The later version, or another score.")],
    data: Annotated[str, typer.Argument(help="Cohort to judge both on, or builtin:NAME.")] = "",
    schema: SchemaOption = "",
    html: Annotated[Path | None, typer.Option("--html", help="Also write a page.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Compare two versions of a score, or two scores.

    Exit code 1 when the version number of a later version says less than what changed.

    Parameters
    ----------
    old, new : Path
        The artifacts.
    data : str
        A cohort with outcomes.
    schema : str
        Its schema.
    html : Path, optional
        Page to write.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.report.version_comparison import comparison_page, comparison_text
    from scorebuilder.score.store import load_artifact, write_text

    console = Console(quiet, as_json)
    if html is not None:
        refuse_input(html, *(path / part for path in (old, new) for part in ("", "score.json")))
        refuse_run_file(html)
    first, second = load_artifact(old), load_artifact(new)
    found = _difference(first, second)
    if data:
        from scorebuilder.experiment.score_comparison import compare_on_cohort

        found["cohort"] = compare_on_cohort(first, second, read_cohort(data, schema))
    if html is not None:
        with naming(html):
            write_text(html, comparison_page(found))
    for line in comparison_text(found):
        console.answer(line)
    console.result(found)
    if not found["version_ok"]:
        raise typer.Exit(TOO_LITTLE)


def _difference(old: ScoreArtifact, new: ScoreArtifact) -> dict[str, Any]:
    from scorebuilder.score.difference import (
        coefficient_difference,
        curve_difference,
        risk_difference,
    )
    from scorebuilder.score.version_rule import (
        LEVELS,
        claimed_level,
        find_changes,
        next_version,
        required_level,
    )

    names = [f"{score.content['name']} {score.content['version']}" for score in (old, new)]
    changes = find_changes(old, new)
    needed = required_level(changes)
    before, after = old.content["version"], new.content["version"]
    claimed = claimed_level(before, after)
    same_score = old.content["name"] == new.content["name"]
    allowed = not same_score or LEVELS.index(claimed) >= LEVELS.index(needed)
    if not same_score:
        verdict = f"Two scores; as versions of one score this would be a {needed} change."
    elif needed == "none":
        verdict = "The versions are equal."
    elif allowed:
        verdict = f"A {needed} change; version {after} after {before} says so."
    else:
        verdict = (
            f"A {needed} change: version {after} after {before} says less than that; it must be "
            f"{next_version(before, needed)} or later."
        )
    return {
        "old": names[0],
        "new": names[1],
        "same_score": same_score,
        "required": needed,
        "claimed": claimed if same_score else None,
        "version_ok": allowed,
        "verdict": verdict,
        "changes": [
            {"level": change.level, "place": change.place, "text": change.text}
            for change in changes
        ],
        "coefficients": coefficient_difference(old, new),
        "curves": curve_difference(old, new),
        "risk": risk_difference(old, new),
    }


COMMANDS.register("compare", compare)
