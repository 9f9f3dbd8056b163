"""``scorebuilder baseline``: an established score for each row of a table."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet, counted
from scorebuilder.cli.tables import (
    Decimal,
    Delimiter,
    IdColumn,
    plain_number,
    read_text_table,
    refuse_input,
    refuse_run_file,
    with_rows,
    write_table,
)
from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import format_horizon

if TYPE_CHECKING:
    import pandas as pd

    from scorebuilder.validation.baseline import Baseline


def baseline(
    name: Annotated[str, typer.Argument(help="NAME of a baseline, `list`, or `show`.")],
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="CSV file; for `show`, the name of a baseline.")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write.")] = None,
    variant: Annotated[str, typer.Option("--variant", help="Another published form.")] = "",
    assume: Annotated[
        list[str] | None,
        typer.Option("--assume", help="column=value for an input that the table lacks."),
    ] = None,
    id_column: IdColumn = "",
    delimiter: Delimiter = ",",
    decimal: Decimal = ".",
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """
    Compute an established score for each row; `list` and `show NAME` describe them.

    Parameters
    ----------
    name : str
        A baseline, ``list`` or ``show``.
    table : str
        CSV file, or for ``show`` a baseline.
    out : Path or None
        File to write.
    variant : str
        Another published form.
    assume : list of str
        Constant inputs, ``column=value``.
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
    from scorebuilder.validation.baseline import BASELINES, count_reasons

    console = Console(quiet, as_json)
    if name == "list":
        _list(console, list(BASELINES.values()))
        return
    if name == "show":
        _show(console, _find(table, BASELINES))
        return
    chosen = _find(name, BASELINES)
    if variant and variant not in chosen.variants:
        known = ", ".join(sorted(chosen.variants)) or "none"
        message = f"`{name}` has no variant `{variant}`; it has: {known}"
        raise SpecError(message)
    if not table or out is None:
        message = f"give a table and --out: scorebuilder baseline {name} TABLE --out OUT"
        raise SpecError(message)
    refuse_input(out, Path(table))
    refuse_run_file(out)
    codes = {item.name: item.levels for item in chosen.inputs}
    frame = read_text_table(Path(table), delimiter=delimiter, decimal=decimal, codes=codes)
    inputs = _with_points(chosen, frame, decimal)
    _assume(chosen, inputs, assume or [], decimal)
    results = chosen.compute(inputs, variant=variant or None)
    write_table(out, with_rows(frame, results, id_column))
    reasons = count_reasons(results)
    undefined = int(results["reason"].notna().sum())
    console.say(f"{chosen.label}: {counted(len(results) - undefined, 'row')} computed")
    for item in reasons:
        console.say(f"undefined: {counted(item['count'], 'row')}, {item['reason']}")
    console.say(f"table   {out}")
    console.result(
        {
            "baseline": name,
            "rows": len(results),
            "computed": len(results) - undefined,
            "reasons": reasons,
            "assumed": assume or [],
            "out": str(out),
        }
    )


def _find(name: str, baselines: Any) -> Baseline:
    if name not in baselines:
        near = difflib.get_close_matches(name, list(baselines), n=1)
        hint = f"did you mean `{near[0]}`?" if near else "see `scorebuilder baseline list`"
        message = f"there is no baseline `{name}`; {hint}"
        raise SpecError(message)
    found: Baseline = baselines[name]
    return found


def _with_points(chosen: Baseline, frame: pd.DataFrame, decimal: str) -> pd.DataFrame:
    """Copy the table, with numbers as a baseline reads them; levels stay as they are."""
    out = frame.copy()
    for item in chosen.inputs:
        if item.kind != "category" and item.name in out.columns:
            out[item.name] = out[item.name].map(
                lambda cell: plain_number(cell, decimal), na_action="ignore"
            )
    return out


def _assume(chosen: Baseline, frame: pd.DataFrame, assume: Sequence[str], decimal: str) -> None:
    from scorebuilder.validation.baseline_input import check_input

    inputs = {item.name: item for item in chosen.inputs}
    for text in assume:
        column, equals, value = (part.strip() for part in text.partition("="))
        if not column or not equals or not value:
            message = f"--assume {text}: must be column=value"
            raise SpecError(message)
        if column not in inputs:
            message = f"--assume {column}: no input of `{chosen.name}`; {_nearest(column, chosen)}"
            raise SpecError(message)
        if column in frame.columns:
            message = f"--assume {text}: the table has this column; leave the option out"
            raise SpecError(message)
        item = inputs[column]
        frame[column] = value if item.kind == "category" else plain_number(value, decimal)
        reason = check_input(item, frame[column].iloc[:1])[1][0]
        if reason:
            message = f"--assume {column}: {reason}; it needs {item.need}"
            raise SpecError(message)


def _nearest(column: str, chosen: Baseline) -> str:
    words = {item.concept: item.name for item in chosen.inputs}
    words |= {item.name: item.name for item in chosen.inputs}
    near = difflib.get_close_matches(column.lower(), list(words), n=1)
    if near:
        return f"did you mean `{words[near[0]]}`?"
    return f"it has: {', '.join(item.name for item in chosen.inputs)}"


def _described(item: Baseline) -> dict[str, Any]:
    return {
        "name": item.name,
        "label": item.label,
        "outcome": item.outcome,
        "horizon": format_horizon(item.horizon),
        "population": item.population,
        "variants": sorted(item.variants),
        "publication": item.publication,
        "doi": item.doi,
        "licence_notice": item.licence_notice,
        "misuse": item.misuse,
        "inputs": [
            {
                "name": column.name,
                "label": column.label,
                "kind": column.kind,
                "unit": column.unit,
                "range": list(column.hard_range) if column.hard_range else None,
                "levels": list(column.levels),
                "optional": column.optional,
            }
            for column in item.inputs
        ],
    }


def _list(console: Console, baselines: Sequence[Baseline]) -> None:
    width = max((len(item.name) for item in baselines), default=0)
    for item in baselines:
        horizon = format_horizon(item.horizon)
        console.answer(f"{item.name:<{width}}  {item.label}; {item.outcome}, {horizon}")
    console.result({"baselines": [_described(item) for item in baselines]})


def _show(console: Console, item: Baseline) -> None:
    content = _described(item)
    for key, value in content.items():
        if key not in ("inputs", "variants") and value:
            console.answer(f"{key.replace('_', ' '):<15} {value}")
    console.answer(f"{'variants':<15} {', '.join(content['variants']) or 'none'}")
    console.answer("inputs")
    for column in content["inputs"]:
        facts = [column["label"], column["unit"]]
        if column["range"]:
            facts.append(f"{column['range'][0]:g} to {column['range'][1]:g}")
        facts += [" | ".join(column["levels"]), "optional" if column["optional"] else ""]
        console.answer(f"  {column['name']}: {', '.join(fact for fact in facts if fact)}")
    console.result(content)


COMMANDS.register("baseline", baseline)
