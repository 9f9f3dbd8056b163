"""Test vectors: every level, every flag and every refusal, and the same verdict from the table."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from scorebuilder.core.errors import ArtifactError, CohortError
from scorebuilder.score.apply import score_frame
from scorebuilder.score.artifact import seal
from scorebuilder.score.vectors import N_VECTORS, make_test_vectors
from scorebuilder.score.verdict import check_input, judge_patients


@pytest.fixture(scope="module")
def vectors(small_score: Any) -> list[dict[str, Any]]:
    return list(small_score.artifact.content["evidence"]["test_vectors"])


def refusing(artifact: Any) -> Any:
    """The same score with a policy that refuses missing values."""
    content = copy.deepcopy(artifact.content)
    for predictor in content["scoring"]["predictors"]:
        predictor["missing"] = {"policy": "refuse"}
    return seal(content)


def test_they_show_all_levels_flags_and_refusals(
    small_score: Any, vectors: list[dict[str, Any]]
) -> None:
    complete = [v for v in vectors if v["status"] == "ok" and not v["missing"]]
    assert len(complete) >= N_VECTORS >= 50
    for predictor in small_score.artifact.scoring["predictors"]:
        name = predictor["id"]
        shown = {vector["inputs"][name] for vector in complete}
        assert {level["code"] for level in predictor["levels"]} <= shown
        flags = {
            (flag["predictor"], flag["flag"])
            for vector in vectors
            for flag in (*vector["warnings"], *vector["refusals"])
        }
        assert (name, "imputed") in flags
        if predictor["type"] == "numeric":
            assert {(name, "extrapolation"), (name, "out_of_range")} <= flags
        else:
            assert (name, "invalid") in flags


def test_a_refused_patient_has_no_number(vectors: list[dict[str, Any]]) -> None:
    refused = [vector for vector in vectors if vector["status"] == "refused"]
    assert refused
    for vector in refused:
        assert vector["refusals"]
        assert vector["warnings"] == []
        assert [vector[key] for key in ("linear_predictor", "points", "risk", "group")] == [
            None
        ] * 4


def test_the_table_gives_the_same_numbers_and_refuses_the_same(
    small_score: Any, vectors: list[dict[str, Any]]
) -> None:
    for vector in vectors:
        frame = pd.DataFrame([vector["inputs"]], dtype=object)
        if vector["status"] == "refused":
            with pytest.raises(CohortError):
                score_frame(small_score.artifact, frame)
            continue
        scored = score_frame(small_score.artifact, frame).iloc[0]
        assert scored["linear_predictor"] == vector["linear_predictor"]
        assert scored["points"] == vector["points"]
        assert [scored["risk_1y"], scored["risk_3y"]] == vector["risk"]
        assert scored["risk_group"] == vector["group"]
        by_flag = {
            flag: "; ".join(w["predictor"] for w in vector["warnings"] if w["flag"] == flag)
            for flag in ("imputed", "extrapolation")
        }
        assert (scored["imputed"], scored["outside"]) == tuple(by_flag.values())


def test_missing_values_are_refused_where_the_policy_says_so(small_score: Any) -> None:
    made = make_test_vectors(refusing(small_score.artifact))
    last = made[-1]
    names = small_score.artifact.predictors
    assert last["missing"] == names
    assert last["refusals"] == [{"predictor": name, "flag": "missing"} for name in names]


@pytest.mark.parametrize(
    ("value", "warnings", "refusal"),
    [
        (104.0, ("extrapolation",), ""),
        (None, ("imputed",), ""),
        (float("nan"), ("imputed",), ""),
        ("70", (), "invalid"),
        (True, (), "invalid"),
        (float("inf"), (), "invalid"),
        (-1, (), "out_of_range"),
        (70, (), ""),
    ],
)
def test_verdict_on_one_number(
    small_score: Any, value: Any, warnings: tuple[str, ...], refusal: str
) -> None:
    predictors = small_score.artifact.scoring["predictors"]
    age = next(predictor for predictor in predictors if predictor["id"] == "age")
    check = check_input(small_score.artifact, age, value)
    assert (check.warnings, check.refusal) == (warnings, refusal)
    assert (check.value is None) == bool(refusal)


def test_ends_of_the_ranges_lie_inside(small_score: Any) -> None:
    for predictor in small_score.artifact.scoring["predictors"]:
        if predictor["type"] != "numeric":
            continue
        for end in predictor["soft_range"]:
            assert check_input(small_score.artifact, predictor, end).warnings == ()
        for end in predictor["hard_range"]:
            assert check_input(small_score.artifact, predictor, end).refusal == ""


def test_every_refusal_is_listed_in_order(small_score: Any) -> None:
    names = small_score.artifact.predictors
    inputs = {"age": -5.0, "chf": "perhaps"}
    (verdict,) = judge_patients(small_score.artifact, [inputs])
    found = [flag["predictor"] for flag in verdict["refusals"]]
    assert sorted(found) == ["age", "chf"]
    assert all(names.index(a) < names.index(b) for a, b in pairwise(found))


@pytest.mark.parametrize(
    "change",
    [
        {"points": None},
        {"status": "refused"},
        {"status": "perhaps"},
        {"risk": [1.5, 0.5]},
        {"warnings": [{"predictor": "age", "flag": "odd"}]},
    ],
)
def test_other_forms_break_the_schema(small_score: Any, change: dict[str, Any]) -> None:
    content = copy.deepcopy(small_score.artifact.content)
    content["evidence"]["test_vectors"][0] |= change
    with pytest.raises(ArtifactError, match="breaks its schema at evidence/test_vectors/0"):
        seal(content)
