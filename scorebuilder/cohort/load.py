"""The one place of the room that opens files: schemas, tables, and the cohorts of the package."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from scorebuilder.cohort.cohort import Cohort, make_cohort
from scorebuilder.cohort.parse import parse_column
from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.cohort.schema_file import parse_schema
from scorebuilder.cohort.validate import prepare_predictors
from scorebuilder.core.errors import CohortError, MissingPartError, SpecError, Violation

__all__ = [
    "BUILTIN", "load_cohort", "load_dataset", "load_schema", "prepare_predictors", "read_table",
]  # fmt: skip

BUILTIN = ("smart", "rotterdam", "gbsg", "whas500")
"""Cohorts that ship with the package; their data are named ``builtin:smart`` and so on."""

_PACKAGE = Path(__file__).resolve().parent.parent
_PREFIX = "builtin:"


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys all differ."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                problem = f"the key `{key}` stands twice"
                raise yaml.constructor.ConstructorError(
                    problem=problem, problem_mark=key_node.start_mark
                )
            seen.add(key if isinstance(key, str) else id(key))
        return dict(super().construct_mapping(node, deep))


def _schema_folder() -> Path:
    """Folder of the shipped schemas: beside the installed package, else in the checkout."""
    installed = _PACKAGE / "data_schemas"
    return installed if installed.is_dir() else _PACKAGE.parent / "data_schemas"


def load_schema(path: str | Path) -> CohortSchema:
    """
    Read a cohort's schema from its YAML file.

    Parameters
    ----------
    path : str or Path
        The file; or the name of a cohort of the package, such as ``smart`` or ``builtin:smart``.

    Returns
    -------
    CohortSchema
        What the columns mean.

    Raises
    ------
    SpecError
        If the file is missing, is no YAML, or does not describe a cohort.
    """
    name = str(path).removeprefix(_PREFIX)
    if name in BUILTIN:
        file = _schema_folder() / f"{name}.yaml"
    elif str(path).startswith(_PREFIX):
        file = Path(_builtin_name(name))
    else:
        file = Path(path)
    try:
        content = yaml.load(file.read_text("utf-8"), Loader=_StrictLoader)
    except FileNotFoundError:
        message = (
            f"there is no schema file `{path}`{_from_where(file)}; the package has "
            f"{', '.join(BUILTIN)}"
        )
        raise SpecError(message) from None
    except (IsADirectoryError, UnicodeDecodeError):
        message = f"`{path}` is no text file in UTF-8"
        raise SpecError(message) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        message = f"{file.name}{line}: not valid YAML: {getattr(error, 'problem', None) or error}"
        raise SpecError(message) from None
    return parse_schema(content, source=file.name)


def _builtin_name(name: str) -> str:
    if name in BUILTIN:
        return name
    near = difflib.get_close_matches(name, BUILTIN, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    message = f"the package has no cohort `{name}`{hint}; it has {', '.join(BUILTIN)}"
    raise SpecError(message)


def _data_file(data: str | Path) -> Path:
    text = str(data)
    if text.startswith(_PREFIX):
        name = _builtin_name(text.removeprefix(_PREFIX))
        return _PACKAGE / "cohort" / "datasets" / f"{name}.csv.gz"
    file = Path(data)
    if not file.is_file():
        message = (
            f"there is no data file `{data}`{_from_where(file)}; give a CSV or Parquet file, or "
            "builtin:NAME"
        )
        raise SpecError(message)
    return file


def _from_where(file: Path) -> str:
    """Say where a relative path was looked for: a run may be done again elsewhere."""
    return "" if file.is_absolute() else " below the folder in which the command runs"


def read_table(path: str | Path, schema: CohortSchema) -> pd.DataFrame:
    """
    Read a CSV (also gzipped) or Parquet file as it stands.

    Parameters
    ----------
    path : str or Path
        The file, or ``builtin:NAME``.
    schema : CohortSchema
        Its dialect says how text is written; nothing is guessed.

    Returns
    -------
    DataFrame
        Text for CSV, typed values for Parquet; all columns of the file.

    Raises
    ------
    SpecError
        If there is no such file.
    CohortError
        If the file cannot be read as the dialect says.
    MissingPartError
        If a Parquet file is read without pyarrow.
    """
    file = _data_file(path)
    if file.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(file)
    return _read_csv(file, schema)


def _unreadable(file: Path, rule: str, remedy: str, row: int = 0) -> CohortError:
    rows = (row,) if row else ()
    return CohortError([Violation("", rule, len(rows), remedy, rows)], source=file.name)


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        message = (
            "Parquet files need pyarrow; run `pip install 'scorebuilder[parquet]'`, or use CSV"
        )
        raise MissingPartError(message) from None
    try:
        return parquet.read_table(file).to_pandas(ignore_metadata=True)
    except pa.ArrowInvalid:
        rule, remedy = "the file must be Parquet", "Write it again, or check its name."
        raise _unreadable(file, rule, remedy) from None


def _read_csv(file: Path, schema: CohortSchema) -> pd.DataFrame:
    dialect = schema.dialect
    content = file.read_bytes()
    if file.suffix.lower() == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            rule, remedy = "the file must be gzip", "Write it again, or check its name."
            raise _unreadable(file, rule, remedy) from None
    encoding = "utf-8-sig" if dialect.encoding.lower() in ("utf-8", "utf8") else dialect.encoding
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        rule = f"the text must be {dialect.encoding}"
        remedy = "State the `encoding` in the dialect of the schema, such as cp1252."
        raise _unreadable(file, rule, remedy) from None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True)
    try:
        table = [row for row in rows if row]
    except csv.Error:
        rule, remedy = "quotes must be closed", "Check the quotes, and `delimiter` in the schema."
        raise _unreadable(file, rule, remedy, max(rows.line_num - 1, 1)) from None
    if not table:
        raise _unreadable(file, "the file must not be empty", "Check the data file.")
    return _table_of(file, table, schema)


def _table_of(file: Path, table: list[list[str]], schema: CohortSchema) -> pd.DataFrame:
    header = [name.strip() for name in table[0]]
    delimiter = schema.dialect.delimiter
    if len(header) == 1 and re.search(r"[;,\t|]", header[0]):
        rule = f"cells must be separated by `{delimiter}`"
        remedy = "The header holds another mark; state `delimiter` in the dialect of the schema."
        raise _unreadable(file, rule, remedy)
    wrong = [row for row, cells in enumerate(table[1:], start=1) if len(cells) != len(header)]
    if wrong:
        rule = f"every row must have {len(header)} cells, as the header"
        remedy = "Check the delimiter, the decimal mark, and quotes around text."
        violation = Violation("", rule, len(wrong), remedy, tuple(wrong[:5]))
        raise CohortError([violation], source=file.name)
    return pd.DataFrame(table[1:], columns=header, dtype=object)


def load_dataset(name: str) -> tuple[pd.DataFrame, CohortSchema]:
    """
    Load a cohort of the package with its schema.

    Parameters
    ----------
    name : {"smart", "rotterdam", "gbsg", "whas500"}
        The cohort.

    Returns
    -------
    frame : DataFrame
        Raw values of all read columns: float64 for numbers, codes as text for factors.
    schema : CohortSchema
        What the columns mean.

    Raises
    ------
    SpecError
        If the package has no such cohort.
    """
    name = _builtin_name(name.removeprefix(_PREFIX))
    schema = load_schema(name)
    table = read_table(f"{_PREFIX}{name}", schema)
    columns = {}
    for field in schema.read_fields:
        values = parse_column(table[field.name], field, schema.dialect).series
        is_factor = isinstance(values.dtype, pd.CategoricalDtype)
        columns[field.name] = values.astype(object) if is_factor else values
    return pd.DataFrame(columns), schema


def load_cohort(data: str | Path, schema: CohortSchema) -> Cohort:
    """
    Read and check a cohort.

    Parameters
    ----------
    data : str or Path
        A CSV or Parquet file, or ``builtin:smart`` and so on.
    schema : CohortSchema
        What the columns mean.

    Returns
    -------
    Cohort
        Patients with known outcome.

    Raises
    ------
    SpecError
        If there is no such file.
    CohortError
        If the table breaks its schema; lists all violations.
    MissingPartError
        If a Parquet file is read without pyarrow.
    """
    frame = read_table(data, schema)
    text = str(data)
    source = text if text.startswith(_PREFIX) else Path(data).name
    return make_cohort(frame, schema, source=source)
