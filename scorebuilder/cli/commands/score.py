"""``scorebuilder score``: points, risk, group and contributions for each row of a table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.tables import (
    MISSING,
    Decimal,
    Delimiter,
    IdColumn,
    Out,
    read_text_table,
    refuse_input,
    refuse_run_file,
    with_rows,
    write_table,
)

if TYPE_CHECKING:
    from scorebuilder.cohort.schema import Dialect

_TABLE = (
    "CSV file with a header. Each numeric input must stand in the unit that the score expects; "
    "the command names these units on stderr."
)


def score(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the run folder that holds it.")],
    table: Annotated[Path, typer.Argument(help=_TABLE, show_default=False)],
    out: Out,
    id_column: IdColumn = "",
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Score each row of a table: points, risk, risk group, contributions.

    Parameters
    ----------
    artifact : Path
        The score, or the run folder that holds it.
    table : Path
        CSV file with a header.
    out : Path
        File to write.
    id_column : str
        Column to copy, so that rows are known.
    delimiter : str
        Mark between cells.
    decimal : str
        Decimal mark.
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    from scorebuilder.score.apply import score_frame
    from scorebuilder.score.store import load_artifact

    console = Console(quiet, as_json)
    refuse_input(out, table, artifact, artifact / "score.json")
    refuse_run_file(out)
    stored = load_artifact(artifact)
    predictors = stored.scoring["predictors"]
    codes = {item["id"]: [level["code"] for level in item["levels"]] for item in predictors}
    frame = read_text_table(table, delimiter=delimiter, decimal=decimal, codes=codes)
    units = _units(predictors)
    for line in units.values():
        console.note(line)
    results = score_frame(stored, frame, dialect=_dialect(delimiter, decimal, codes))
    write_table(out, with_rows(frame, results, id_column))
    reasons = Counter(reason for reason in results["reason"].fillna("") if reason)
    unscored = sum(reasons.values())
    name, version = stored.content["name"], stored.content["version"]
    console.say(f"{name} {version}: {counted(len(results) - unscored, 'row')} scored")
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        console.say(f"not scored: {counted(count, 'row')}, {reason}")
    outside = int((results["outside"].fillna("") != "").sum())
    if outside:
        rows = f"{counted(outside, 'row')} {'has' if outside == 1 else 'have'}"
        console.note(f"warning: {rows} inputs outside the development range")
    console.say(f"table   {out}")
    console.result(
        {
            "score": name,
            "version": version,
            "rows": len(results),
            "scored": len(results) - unscored,
            "outside": outside,
            "units": {item["id"]: item["unit"] for item in predictors if item["id"] in units},
            "reasons": dict(sorted(reasons.items())),
            "out": str(out),
        }
    )


def _dialect(delimiter: str, decimal: str, codes: dict[str, list[str]]) -> Dialect:
    """How the table is written; a code of a level never means "not known"."""
    from scorebuilder.cohort.schema import Dialect

    levels = {code for known in codes.values() for code in known}
    missing = tuple(token for token in MISSING if not token or token not in levels)
    return Dialect(delimiter=delimiter, decimal=decimal, missing=missing)


def _units(predictors: list[dict[str, Any]]) -> dict[str, str]:
    """One line for each numeric input: the unit that the score expects."""
    from scorebuilder.core.units import unit_text

    lines = {}
    for item in predictors:
        if item["type"] == "numeric":
            unit = unit_text(item["unit"])
            expected = f"must be in {unit}" if unit else "has no unit"
            label = f" ({item['label']})" if item["label"] else ""
            lines[item["id"]] = f"input `{item['id']}`{label} {expected}"
    return lines


COMMANDS.register("score", score)
