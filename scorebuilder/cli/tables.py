"""Tables that commands read as text and write whole."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scorebuilder.cli.failures import naming
from scorebuilder.core.errors import CohortError, SpecError, Violation

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NA", "NaN", "nan", "N/A")
CHECKSUMS = "SHA256SUMS"

Out = Annotated[Path, typer.Option("--out", help="CSV file to write.", show_default=False)]
Delimiter = Annotated[str, typer.Option("--delimiter", help="Mark between cells.")]
Decimal = Annotated[str, typer.Option("--decimal", help="Decimal mark: a point or a comma.")]
IdColumn = Annotated[str, typer.Option("--id", help="Column to copy, so that rows are known.")]


def read_text_table(
    path: Path,
    *,
    delimiter: str = ",",
    decimal: str = ".",
    codes: Mapping[str, Collection[str]] | None = None,
) -> pd.DataFrame:
    """
    Read a CSV file as text; numbers stay as they are written.

    Parameters
    ----------
    path : Path
        UTF-8, first row = names.
    delimiter, decimal : str
        How it is written.
    codes : mapping of str to collection of str, optional
        Level codes of each factor; in its column they are never "not known", also not NA.

    Returns
    -------
    DataFrame of str
        Cells without blanks around them; None where a cell is empty or says NA.

    Raises
    ------
    SpecError
        If delimiter and decimal mark cannot be told apart.
    CohortError
        If the file is no table; lists all violations.
    """
    import pandas as pd

    if len(delimiter) != 1 or decimal not in {".", ","} or delimiter == decimal:
        message = "`--delimiter` must be one character, `--decimal` a point or comma, not the same"
        raise SpecError(message)
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        raise CohortError(
            [Violation("", "the file must be UTF-8 text", remedy="Save it as CSV UTF-8")],
            source=path.name,
        ) from None
    except csv.Error:
        raise CohortError(
            [Violation("", "quotes must be closed, and cells hold no NUL", remedy="Save it again")],
            source=path.name,
        ) from None
    rows = [row for row in rows if row]
    header = [name.strip() for name in rows[0]] if rows else []
    violations = _broken(header, rows[1:])
    if violations:
        raise CohortError(violations, source=path.name)
    kept = [(codes or {}).get(name, ()) for name in header]
    cells = [
        [_cell(value, known) for value, known in zip(row, kept, strict=True)] for row in rows[1:]
    ]
    return pd.DataFrame(cells, columns=header, dtype=object)


def _cell(value: str, codes: Collection[str]) -> str | None:
    text = value.strip()
    return None if not text or (text in MISSING and text not in codes) else text


def plain_number(text: str, decimal: str) -> str:
    """
    Write a number with a decimal point.

    Parameters
    ----------
    text : str
        As it stands in the table.
    decimal : str
        Decimal mark of the table.

    Returns
    -------
    str
        No number any more if `text` holds a point where the decimal mark is a comma: 1.234 may
        mean a thousand and more.

    Examples
    --------
    >>> plain_number("1,5", ","), plain_number("1.234", ",")
    ('1.5', '1?234')
    """
    return text if decimal == "." else text.replace(".", "?").replace(",", ".")


def _broken(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Violation]:
    if not header:
        return [Violation("", "the table is empty", remedy="Give a header and at least one row")]
    violations = [
        Violation(name, "stands twice in the header", remedy="Rename one")
        for name in sorted({name for name in header if name and header.count(name) > 1})
    ]
    if "" in header:
        violations.append(Violation("", "every column must have a name", remedy="Name it"))
    if not rows:
        violations.append(Violation("", "the table has no rows", remedy="Give at least one row"))
    wrong = [number for number, row in enumerate(rows, start=1) if len(row) != len(header)]
    if wrong:
        rule = f"every row must have {len(header)} cells, as the header"
        remedy = "Check --delimiter and quotes"
        violations.append(Violation("", rule, len(wrong), remedy, tuple(wrong[:5])))
    return violations


def with_rows(frame: pd.DataFrame, results: pd.DataFrame, id_column: str) -> pd.DataFrame:
    """
    Put row number and identifier in front of results.

    Parameters
    ----------
    frame : DataFrame
        The table that was read.
    results : DataFrame
        One row for each row of `frame`.
    id_column : str
        Column to copy, or ``""`` for none.

    Returns
    -------
    DataFrame
        ``row`` counts from 1 without the header.

    Raises
    ------
    CohortError
        If the table lacks the column.
    SpecError
        If the column has the name of a result.
    """
    out = results.reset_index(drop=True)
    if id_column:
        if id_column not in frame.columns:
            raise CohortError([Violation(id_column, "named by --id, but not in the table")])
        if id_column in (*out.columns, "row"):
            message = f"the column `{id_column}` of --id has the name of a result; rename it"
            raise SpecError(message)
        out.insert(0, id_column, frame[id_column].to_numpy())
    out.insert(0, "row", range(1, len(out) + 1))
    return out


def refuse_input(out: Path, *inputs: Path) -> None:
    """
    Refuse to write over what was read.

    Parameters
    ----------
    out : Path
        Where results will be written.
    *inputs : Path
        Files that are read.

    Raises
    ------
    SpecError
        If `out` is one of the inputs, also by another name, or no ordinary file.
    """
    if out.is_dir():
        message = f"--out {out} is a folder; give a file name"
        raise SpecError(message)
    if out.exists() and not out.is_file():
        message = f"--out {out} is a device or pipe; give the name of an ordinary file"
        raise SpecError(message)
    if any(out.exists() and path.exists() and out.samefile(path) for path in inputs):
        message = f"--out {out} is an input of this command; choose another file"
        raise SpecError(message)


def refuse_run_file(out: Path) -> None:
    """
    Refuse to write over a file of a run, which its checksums seal.

    Parameters
    ----------
    out : Path
        Where results will be written; a new file is allowed anywhere.

    Raises
    ------
    SpecError
        If `out` exists and lies in a folder that holds checksums, at any depth.
    """
    if not (out.exists() or out.is_symlink()):
        return
    for folder in (*(out.parent.resolve() / out.name).parents, *out.resolve().parents):
        if (folder / CHECKSUMS).is_file():
            message = f"--out {out} is a file of the run in {folder}; choose another file"
            raise SpecError(message)


def write_table(out: Path, frame: pd.DataFrame) -> None:
    """
    Write a CSV file, whole or not at all; numbers read back exactly.

    Parameters
    ----------
    out : Path
        Replaced if it exists.
    frame : DataFrame
        What is written.
    """
    from scorebuilder.score.store import write_text

    with naming(out):
        write_text(out, frame.to_csv(index=False, lineterminator="\n"))
