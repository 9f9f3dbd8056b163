"""Scores that nobody built, with names meant to break each language, in every program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.score.verdict import judge_patients

from . import engines, sql_engines  # isort: skip
from .made_up import made_up_score, patients  # isort: skip
from .oracle import expected  # isort: skip
from .shapes import assert_same, expectation  # isort: skip

MANY, FEW = range(40), range(8)
EXTRA = 20
"""So many patients beside the vectors of each score."""


def jobs_of(seeds: Sequence[int]) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Scores with patients."""
    out = []
    for seed in seeds:
        artifact = made_up_score(seed)
        content = artifact.content
        drawn = [vector["inputs"] for vector in content["evidence"]["test_vectors"]]
        out.append((artifact, drawn + patients(content, EXTRA, seed)))
    return out


@pytest.fixture(scope="module")
def many() -> list[tuple[Any, list[dict[str, Any]]]]:
    return jobs_of(MANY)


def check(found: Any, jobs: Any, *, but: Sequence[str] = ()) -> None:
    """Compare with what the contract says, computed from the document alone."""
    assert len(found) == len(jobs)
    for results, (artifact, drawn) in zip(found, jobs, strict=True):
        wanted = [expectation(expected(artifact.content, values)) for values in drawn]
        assert_same(results, wanted, but=but)


def test_the_score_itself(many: Any) -> None:
    found = [[expectation(v) for v in judge_patients(artifact, drawn)] for artifact, drawn in many]
    check(found, many)


@pytest.mark.parametrize(
    "engine", [engines.python, engines.javascript, engines.r, sql_engines.sqlite],
    ids=lambda engine: engine.__name__,
)  # fmt: skip
def test_functions_and_queries(many: Any, tmp_path: Path, engine: Any) -> None:
    check(engine(many, tmp_path), many)


def test_duckdb(many: Any, tmp_path: Path) -> None:
    check(sql_engines.duckdb(many[: len(FEW)], tmp_path), many[: len(FEW)])


def test_postgresql(many: Any, postgresql_connection: Any) -> None:
    check(sql_engines.postgresql(many[: len(FEW)], postgresql_connection), many[: len(FEW)])


@pytest.mark.slow
def test_workbook(tmp_path: Path) -> None:
    jobs = jobs_of(FEW)
    verdicts = [(artifact, judge_patients(artifact, drawn)) for artifact, drawn in jobs]
    check(engines.excel(verdicts, tmp_path), jobs)


def test_questionnaire(tmp_path: Path) -> None:
    jobs = jobs_of(FEW)
    check(engines.fhir(jobs, tmp_path), jobs, but=["lp"])


def test_redcap(many: Any, tmp_path: Path) -> None:
    # A choice cannot hold an unknown level.
    jobs = [
        (artifact, [values for values in drawn if "no such" not in values.values()])
        for artifact, drawn in many
    ]
    check(engines.redcap(jobs, tmp_path), jobs, but=["group"])


def test_pmml(many: Any, tmp_path: Path) -> None:
    jobs = many[: len(FEW)]
    check(engines.pmml(jobs, tmp_path), jobs, but=["refusals", "warnings"])
