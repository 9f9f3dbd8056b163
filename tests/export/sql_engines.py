"""Runs a score's queries in databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scorebuilder.export.dialect import DIALECTS
from scorebuilder.export.plan import Plan, make_plan
from scorebuilder.export.target import export_score
from scorebuilder.export.targets.sql import KEY

from .shapes import Job, Patient, Result, typed_groups  # isort: skip


def sql_result(plan: Plan, row: Sequence[Any]) -> Result:
    """A row of the query without its key."""
    status, refusals, warnings, points, *rest = row
    n = len(plan.horizons)
    return {
        "status": status,
        "refusals": refusals[:-2],
        "warnings": warnings[:-2],
        "points": points,
        "risk": None if points is None else list(rest[:n]),
        "group": rest[n],
        "lp": rest[n + 1],
    }


def statements(artifact: Any, dialect: str) -> tuple[str, str]:
    """The query and the check query of a dialect."""
    stem, files = make_plan(artifact).file_stem, export_score(artifact, "sql")
    return str(files[f"{stem}.{dialect}.sql"]), str(files[f"{stem}.{dialect}.check.sql"])


def sqlite(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Run the query in SQLite, whose cells have types of their own."""
    del folder
    out = []
    for artifact, patients in jobs:
        plan, say = make_plan(artifact), DIALECTS["sqlite"]
        query, check = statements(artifact, "sqlite")
        database = sqlite3.connect(":memory:")
        columns = [say.name_of(name) for name in (KEY, *(rule.name for rule in plan.inputs))]
        database.execute(f"CREATE TABLE patients ({', '.join(columns)})")
        rows = [(n, *(p.get(rule.name) for rule in plan.inputs)) for n, p in enumerate(patients)]
        marks = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO patients VALUES ({marks})", rows)
        assert database.execute(check).fetchall() == []
        found = sorted(database.execute(query).fetchall(), key=lambda row: int(row[0]))
        database.close()
        out.append([sql_result(plan, row[1:]) for row in found])
    return out


def duckdb(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Run the query in DuckDB."""
    import duckdb as engine

    del folder
    types = {"number": "DOUBLE", "text": "VARCHAR", "truth": "BOOLEAN"}
    out = []
    for artifact, patients in jobs:
        with engine.connect() as database:
            run_query = partial(_all_rows, database)
            out.append(_typed_sql(artifact, patients, "duckdb", types, run_query))
    return out


def _typed_sql(
    artifact: Any, patients: Sequence[Patient], dialect: str, types: dict[str, str], execute: Any
) -> list[Result]:
    plan, say = make_plan(artifact), DIALECTS[dialect]
    query, check = statements(artifact, dialect)
    assert execute(check) == []
    results: list[Any] = [None] * len(patients)
    for kinds, rows in typed_groups(plan, patients).items():
        columns = [f"{say.name_of(KEY)} INTEGER"] + [
            f"{say.name_of(rule.name)} {types[of]}"
            for rule, of in zip(plan.inputs, kinds, strict=True)
        ]
        execute("DROP TABLE IF EXISTS patients")
        execute(f"CREATE TABLE patients ({', '.join(columns)})")
        values = []
        for row in rows:
            cells = [_sql_value(say, types, patients[row].get(rule.name)) for rule in plan.inputs]
            values.append(f"({row}, {', '.join(cells)})")
        for start in range(0, len(values), 2000):
            execute(f"INSERT INTO patients VALUES {', '.join(values[start : start + 2000])}")
        for row in execute(query):
            results[row[0]] = sql_result(plan, row[1:])
    return results


def _sql_value(say: Any, types: dict[str, str], value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return str(say.text(value))
    number = repr(float(value))
    shown = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(number, number)
    return f"CAST('{shown}' AS {types['number']})"


def postgresql(jobs: Sequence[Job], connection: Any) -> list[list[Result]]:
    """Run the query in PostgreSQL over an open connection."""
    types = {"number": "DOUBLE PRECISION", "text": "TEXT", "truth": "BOOLEAN"}

    run_query = partial(_all_rows, connection)
    return [
        _typed_sql(artifact, patients, "postgresql", types, run_query)
        for artifact, patients in jobs
    ]


def _all_rows(connection: Any, code: str) -> list[Any]:
    found = connection.execute(code)
    return list(found.fetchall()) if found.description else []
