"""Patients per second of exported functions and queries, as ratios to scoring with the package."""

from __future__ import annotations

import importlib.util
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from scorebuilder.export.plan import make_plan
from scorebuilder.export.target import export_score
from scorebuilder.score.apply import score_frame
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.store import load_artifact

N_PYTHON, N_SQLITE, N_TABLE, N_DUCKDB = 50_000, 100_000, 100_000, 2_000_000


def draw(artifact: ScoreArtifact, n: int) -> pd.DataFrame:
    """Patients inside the usual ranges, all complete."""
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {"patient_id": np.arange(n)}
    for rule in make_plan(artifact).inputs:
        if rule.numeric:
            columns[rule.name] = random.uniform(*(rule.usual or (0.0, 1.0)), n)
        else:
            columns[rule.name] = random.choice(rule.codes, n)
    return pd.DataFrame(columns)


def rate(n: int, act: Callable[[], object]) -> float:
    """Patients per second, the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - start)
    return n / best


def python_function(artifact: ScoreArtifact, folder: Path) -> Any:
    """Load the exported module."""
    ((name, text),) = export_score(artifact, "python").items()
    (folder / name).write_text(str(text), "utf-8")
    spec = importlib.util.spec_from_file_location("exported", folder / name)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    return module.score


def main(run_folder: str) -> None:
    """Measure and print one line for each program."""
    artifact = load_artifact(run_folder)
    stem, queries = make_plan(artifact).file_stem, export_score(artifact, "sql")
    found: dict[str, float] = {}
    table = draw(artifact, N_TABLE)
    found["scorebuilder score"] = rate(N_TABLE, lambda: score_frame(artifact, table))
    rows = draw(artifact, N_PYTHON).drop(columns="patient_id").to_dict("records")
    with tempfile.TemporaryDirectory() as folder:
        score = python_function(artifact, Path(folder))
        found["python"] = rate(N_PYTHON, lambda: [score(row) for row in rows])
    with sqlite3.connect(":memory:") as lite:
        draw(artifact, N_SQLITE).to_sql("patients", lite, index=False)
        query = str(queries[f"{stem}.sqlite.sql"])
        found["sqlite"] = rate(N_SQLITE, lambda: lite.execute(query).fetchall())
    with duckdb.connect(config={"threads": 2}) as duck:
        duck.register("drawn", draw(artifact, N_DUCKDB))
        duck.execute("CREATE TABLE patients AS SELECT * FROM drawn")
        text = str(queries[f"{stem}.duckdb.sql"]).rstrip().rstrip(";")
        made = f"CREATE OR REPLACE TABLE result AS {text[text.index('WITH given') :]}"
        found["duckdb, 2 threads"] = rate(N_DUCKDB, lambda: duck.execute(made))
    base = found["scorebuilder score"]
    for name, speed in found.items():
        sys.stdout.write(f"{name:<20} {speed:>12,.0f} patients/s  {speed / base:8.2f}\n")


if __name__ == "__main__":
    main(sys.argv[1])
