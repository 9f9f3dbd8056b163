"""Numbers that nothing measured can have give no number, in the table and in the verdict alike."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest

from scorebuilder.score.apply import LARGEST_INPUT, SMALLEST_INPUT, curve_floor, score_table
from scorebuilder.score.artifact import seal
from scorebuilder.score.verdict import judge_patients


@pytest.fixture(scope="module")
def open_ended(small_score: Any) -> tuple[Any, str, dict[str, Any]]:
    """The small score without hard ranges, one of whose curves is a reciprocal from 0 on."""
    content = copy.deepcopy(dict(small_score.artifact.content))
    for predictor in content["scoring"]["predictors"]:
        predictor["hard_range"] = [None, None]
    term = next(t for t in content["scoring"]["terms"] if t["kind"] == "power")
    term |= {"shift": 0.0, "power": -2.0, "log_factor": 0}
    term.pop("limits", None)
    vectors = small_score.artifact.content["evidence"]["test_vectors"]
    base = next(v["inputs"] for v in vectors if v["status"] == "ok" and not v["missing"])
    return seal(content), term["predictor"], base


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.1 * LARGEST_INPUT, "impossible size"),
        (-1e308, "impossible size"),
        (SMALLEST_INPUT, "smallest value"),
        (0.0, "smallest value"),
        (-5.0, "smallest value"),
    ],
)
def test_no_number_and_a_reason(open_ended: Any, value: float, words: str) -> None:
    artifact, name, base = open_ended
    row = score_table(artifact, pd.DataFrame([{**base, name: value}])).iloc[0]
    assert words in row["reason"]
    assert pd.isna(row["points"])
    assert pd.isna(row["linear_predictor"])
    (verdict,) = judge_patients(artifact, [{**base, name: value}])
    assert verdict["refusals"] == [{"predictor": name, "flag": "out_of_range"}]


def test_the_bounds_themselves(open_ended: Any) -> None:
    artifact, name, base = open_ended
    assert curve_floor(artifact, name) == SMALLEST_INPUT
    (verdict,) = judge_patients(artifact, [{**base, name: LARGEST_INPUT}])
    assert verdict["status"] == "ok"


def test_blank_text_is_missing_and_whole_numbers_are_codes(open_ended: Any) -> None:
    artifact, name, base = open_ended
    factor = next(p for p in artifact.scoring["predictors"] if p["type"] != "numeric")
    code = factor["levels"][0]["code"]
    blank, whole, truth = judge_patients(
        artifact,
        [{**base, name: " "}, {**base, factor["id"]: float(code)}, {**base, factor["id"]: True}],
    )
    assert blank["missing"] == [name]
    assert whole["status"] == "ok"
    assert truth["refusals"] == [{"predictor": factor["id"], "flag": "invalid"}]
