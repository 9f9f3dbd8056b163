"""Values that no form should send: every language says the same of them, and none fails."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.score.verdict import judge_patients

from . import engines, sql_engines  # isort: skip
from .made_up import made_up_score, patient  # isort: skip
from .oracle import expected  # isort: skip
from .shapes import assert_same, expectation  # isort: skip

VALUES = (
    "1,5", "", "  ", "\t\n", "NaN", "Infinity", "72", "1", "0", " 1", "1.0", "TRUE", "null", "'",
    0, 1, 2, 72, -1, 0.0, -0.0, 1.0, 1.5, 50.0, 1e15, 1e16, 1e50, 1.1e50, 1e308, -1e308, 1e-300,
    -1e-300, 5e-324, math.inf, -math.inf, math.nan, True, False, None, [], [1], [None], {},
    {"a": 1},
)  # fmt: skip


def held_by_cells(value: Any) -> bool:
    """Cells of a database hold no lists."""
    return not isinstance(value, list | dict)


def fuzz(holds: Any = lambda value: True) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Each value in the place of each input of three scores, one with a factor of digits."""
    import numpy as np

    out = []
    for seed in (1, 4, 6):
        artifact = made_up_score(seed, hostile=False)
        base = patient(artifact.content, np.random.default_rng(seed), valid=True)
        rows = [{**base, name: value} for name in base for value in VALUES if holds(value)]
        out.append((artifact, rows))
    kinds = {p["type"] for artifact, _ in out for p in artifact.scoring["predictors"]}
    assert {"numeric", "nominal", "binary"} <= kinds
    return out


def check(found: Any, jobs: Any) -> None:
    """Compare with the contract."""
    for results, (artifact, rows) in zip(found, jobs, strict=True):
        assert_same(results, [expectation(expected(artifact.content, row)) for row in rows])


def test_the_score_itself() -> None:
    jobs = fuzz()
    check(
        [[expectation(v) for v in judge_patients(artifact, rows)] for artifact, rows in jobs], jobs
    )


@pytest.mark.parametrize(
    "engine", [engines.python, engines.javascript, engines.r], ids=lambda engine: engine.__name__
)
def test_functions(tmp_path: Path, engine: Any) -> None:
    jobs = fuzz()
    check(engine(jobs, tmp_path), jobs)


def test_sqlite(tmp_path: Path) -> None:
    # True and False are the numbers 1 and 0 there.
    jobs = fuzz(lambda value: held_by_cells(value) and not isinstance(value, bool))
    check(sql_engines.sqlite(jobs, tmp_path), jobs)


def test_duckdb(tmp_path: Path) -> None:
    jobs = fuzz(held_by_cells)
    check(sql_engines.duckdb(jobs, tmp_path), jobs)


def test_postgresql(postgresql_connection: Any) -> None:
    jobs = fuzz(held_by_cells)
    check(sql_engines.postgresql(jobs, postgresql_connection), jobs)


@pytest.mark.parametrize("engine", [engines.python, engines.javascript])
def test_an_unknown_input_is_refused_by_name(tmp_path: Path, engine: Any) -> None:
    artifact = made_up_score(1, hostile=False)
    base = dict(artifact.content["evidence"]["test_vectors"][0]["inputs"])
    rows = [{**base, "agee": 1}, {**base, "B": None, "A": 2}, {"__proto__": 1, **base}]
    (found,) = engine([(artifact, rows)], tmp_path)
    told = ("agee:unknown", "A:unknown; B:unknown", "__proto__:unknown")
    for result, start in zip(found, told, strict=True):
        assert result["status"] == "refused"
        assert result["points"] is None
        assert result["refusals"].startswith(start)


def test_r_stops_at_an_unknown_column(tmp_path: Path) -> None:
    artifact = made_up_score(1, hostile=False)
    engines.r([(artifact, [artifact.content["evidence"]["test_vectors"][0]["inputs"]])], tmp_path)
    script = tmp_path / "unknown.R"
    script.write_text(
        f"source('{tmp_path}/r_0/made_up_site_1.R')\n"
        "told <- tryCatch(made_up_site_1(data.frame(agee = 1)), error = conditionMessage)\n"
        "cat(told)\n"
    )
    assert engines.run(["Rscript", "--vanilla", script]) == "no such input: agee"


def test_no_patient_and_no_row(tmp_path: Path) -> None:
    artifact = made_up_score(1, hostile=False)
    for engine in (engines.python, engines.javascript, sql_engines.sqlite, sql_engines.duckdb):
        assert engine([(artifact, [])], tmp_path) == [[]]
    script = tmp_path / "none.R"
    engines.r([(artifact, [{}])], tmp_path)
    script.write_text(
        f"source('{tmp_path}/r_0/made_up_site_1.R')\n"
        "cat(nrow(made_up_site_1(data.frame())), nrow(made_up_site_1(data.frame(matrix(0, 0, 0)))))"
    )
    assert engines.run(["Rscript", "--vanilla", script]) == "0 0"
