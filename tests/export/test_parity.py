"""Ten thousand patients in every program: the score's points, risks, refusals and warnings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scorebuilder.score.verdict import judge_patients

from . import engines, sql_engines  # isort: skip
from .made_up import patients  # isort: skip
from .shapes import assert_same, expectation  # isort: skip

N_PATIENTS = 10_000


@pytest.fixture(scope="module")
def judged(small_score: Any) -> list[dict[str, Any]]:
    content = small_score.artifact.content
    drawn = patients(content, N_PATIENTS, seed=8)
    drawn += [vector["inputs"] for vector in content["evidence"]["test_vectors"]]
    return judge_patients(small_score.artifact, drawn)


def _given(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [verdict["inputs"] for verdict in verdicts]


def _wanted(verdicts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [expectation(verdict) for verdict in verdicts]


def test_the_patients_are_of_every_kind(judged: list[dict[str, Any]]) -> None:
    told = {flag["flag"] for v in judged for flag in (*v["refusals"], *v["warnings"])}
    assert told == {"invalid", "out_of_range", "imputed", "extrapolation"}
    assert sum(verdict["status"] == "ok" for verdict in judged) > N_PATIENTS / 2
    assert {verdict["points"] for verdict in judged} == {None, *range(11)}


@pytest.mark.parametrize(
    "engine", [engines.python, engines.javascript, engines.r, sql_engines.sqlite,
               sql_engines.duckdb], ids=lambda engine: engine.__name__
)  # fmt: skip
def test_functions_and_queries(
    small_score: Any, judged: list[dict[str, Any]], tmp_path: Path, engine: Any
) -> None:
    (found,) = engine([(small_score.artifact, _given(judged))], tmp_path)
    assert_same(found, _wanted(judged))


def test_postgresql(
    small_score: Any, judged: list[dict[str, Any]], postgresql_connection: Any
) -> None:
    jobs = [(small_score.artifact, _given(judged))]
    (found,) = sql_engines.postgresql(jobs, postgresql_connection)
    assert_same(found, _wanted(judged))


@pytest.mark.slow
def test_workbook(small_score: Any, judged: list[dict[str, Any]], tmp_path: Path) -> None:
    some = judged
    (found,) = engines.excel([(small_score.artifact, some)], tmp_path)
    assert_same(found, _wanted(some))


@pytest.mark.slow
def test_questionnaire(small_score: Any, judged: list[dict[str, Any]], tmp_path: Path) -> None:
    some = judged
    (found,) = engines.fhir([(small_score.artifact, _given(some))], tmp_path)
    assert_same(found, _wanted(some), but=["lp"])


def test_redcap(small_score: Any, judged: list[dict[str, Any]], tmp_path: Path) -> None:
    # A choice cannot hold an unknown level.
    some = [v for v in judged if "invalid" not in {flag["flag"] for flag in v["refusals"]}]
    (found,) = engines.redcap([(small_score.artifact, _given(some))], tmp_path)
    assert_same(found, _wanted(some), but=["group"])


def test_pmml(small_score: Any, judged: list[dict[str, Any]], tmp_path: Path) -> None:
    some = judged
    (found,) = engines.pmml([(small_score.artifact, _given(some))], tmp_path)
    assert_same(found, _wanted(some), but=["refusals", "warnings"])
