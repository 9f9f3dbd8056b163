"""``scorebuilder score``: points, risk, group and contributions for each row of a table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.tables import (
    Decimal,
    Delimiter,
    IdColumn,
    Out,
    Table,
    read_text_table,
    refuse_input,
    with_rows,
    write_table,
)


def score(
    artifact: Annotated[Path, typer.Argument(help="score.json, or the run folder that holds it.")],
    table: Table,
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
    stored = load_artifact(artifact)
    frame = read_text_table(table, delimiter=delimiter, decimal=decimal)
    results = score_frame(stored, frame)
    write_table(out, with_rows(frame, results, id_column))
    reasons = Counter(reason for reason in results["reason"].fillna("") if reason)
    unscored = sum(reasons.values())
    name, version = stored.content["name"], stored.content["version"]
    console.say(f"{name} {version}: {counted(len(results) - unscored, 'row')} scored")
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        console.say(f"not scored: {counted(count, 'row')}, {reason}")
    console.say(f"table   {out}")
    console.result(
        {
            "score": name,
            "version": version,
            "rows": len(results),
            "scored": len(results) - unscored,
            "reasons": dict(sorted(reasons.items())),
            "out": str(out),
        }
    )


COMMANDS.register("score", score)
