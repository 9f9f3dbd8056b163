"""The account of one patient: bars add up, flags and refusals are those of the score."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.explanation.development_place import (
    Place,
    median_of_input,
    place_in_bins,
    place_of_score,
)
from scorebuilder.explanation.patient_account import account_for
from scorebuilder.explanation.reference_values import reference_value
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.verdict import judge_patients

PATIENT = {"age": 71.0, "bmi": 24.0, "hr": 110.0, "diasbp": 62.0, "sho": "0", "chf": "1"}


def changed(artifact: ScoreArtifact, name: str, **keys: Any) -> ScoreArtifact:
    predictors = [
        {**item, **(keys if item["id"] == name else {})} for item in artifact.scoring["predictors"]
    ]
    return seal({**artifact.content, "scoring": {**artifact.scoring, "predictors": predictors}})


@given(
    age=st.floats(18, 115), bmi=st.floats(10, 80), hr=st.floats(10, 300),
    diasbp=st.floats(0, 250), sho=st.sampled_from("01"), chf=st.sampled_from(["0", "1", None]),
)  # fmt: skip
def test_bars_add_up_to_the_score(small_score: Any, **values: Any) -> None:
    account = account_for(small_score.artifact, values)
    (verdict,) = judge_patients(small_score.artifact, [values])
    assert account["status"] == verdict["status"] == "ok"
    total = math.fsum(item["contribution"] for item in account["items"])
    # sums of six doubles of size below 100
    assert account["average"] + total == pytest.approx(account["linear_predictor"], abs=1e-11)
    assert account["error"] < 1e-11
    scale = account["scale"]
    in_points = math.fsum(item["points"] for item in account["items"])
    assert scale["average"] + in_points == pytest.approx(scale["patient"], abs=1e-9)
    assert account["points"] == verdict["points"]
    assert [row["risk"] for row in account["risks"]] == verdict["risk"]
    sizes = [abs(item["contribution"]) for item in account["items"]]
    assert sizes == sorted(sizes, reverse=True)


def test_neighbours_are_rows_of_the_risk_table(small_score: Any) -> None:
    account = account_for(small_score.artifact, PATIENT)
    points = account["points"]
    assert {row["points"] for row in account["neighbours"]} == {points - 1, points, points + 1}
    assert all(row in small_score.artifact.scoring["risk_table"] for row in account["neighbours"])


def test_filled_and_extreme_inputs_are_flagged(small_score: Any) -> None:
    account = account_for(small_score.artifact, {**PATIENT, "bmi": None, "age": 110.0})
    flags = {(flag["predictor"], flag["flag"]) for flag in account["warnings"]}
    assert flags == {("bmi", "imputed"), ("age", "extrapolation")}
    assert {item["predictor"] for item in account["items"] if item["imputed"]} == {"bmi"}


def test_a_refused_patient_has_reasons_and_nothing_else(small_score: Any) -> None:
    account = account_for(small_score.artifact, {**PATIENT, "age": 987.25, "chf": "secret"})
    assert account["status"] == "refused"
    assert [(f["predictor"], f["flag"]) for f in account["refusals"]] == [
        ("age", "out_of_range"), ("chf", "invalid"),
    ]  # fmt: skip
    assert "points" not in account
    text = json.dumps(account, allow_nan=False)
    assert "987.25" not in text
    assert "secret" not in text


def test_places_by_hand() -> None:
    # bins (-inf, 1], (1, 2], (2, inf) with half, a quarter and a quarter of the patients
    edges, shares = [1.0, 2.0], [0.5, 0.25, 0.25]
    assert place_in_bins(edges, shares, -5.0) == Place(0.0, 0.5)
    assert place_in_bins(edges, shares, 1.0) == Place(0.0, 0.5)
    assert place_in_bins(edges, shares, 1.1) == Place(0.5, 0.75)
    assert place_in_bins(edges, shares, 9.0) == Place(0.75, 1.0)


def test_the_place_holds_the_true_share(small_score: Any) -> None:
    from scorebuilder.score.apply import score_table

    lp = score_table(small_score.artifact, small_score.cohort.X)["linear_predictor"]
    for value in (float(lp.quantile(q)) for q in (0.03, 0.4, 0.77, 0.98)):
        place = place_of_score(small_score.artifact, value)
        # edges are rounded to four digits, which may move one patient of 500 across
        assert place.below - 0.002 <= float((lp < value).mean()) <= place.up_to + 0.002


def test_without_aggregates_quantiles_serve_and_without_both_nothing(small_score: Any) -> None:
    content = {k: v for k, v in small_score.artifact.content.items() if k != "monitoring"}
    bare = seal(content)
    with pytest.raises(UndefinedMetricError, match="does not describe"):
        place_of_score(bare, 0.0)
    account = account_for(bare, PATIENT)
    assert account["place"] is None
    assert "does not describe" in account["place_reason"]
    # as the first artifacts kept them: below -1, from -1 to 2, above 2
    rows = [{"share": 0.25, "value": -1.0}, {"share": 0.75, "value": 2.0}]
    evidence = {**content["evidence"], "development": {"linear_predictor": {"quantiles": rows}}}
    older = seal({**content, "evidence": evidence})
    assert place_of_score(older, -3.0) == Place(0.0, 0.25)
    assert place_of_score(older, 2.0) == Place(0.25, 0.75)
    assert place_of_score(older, 2.1) == Place(0.75, 1.0)


def test_only_modifiable_inputs_have_reference_values(small_score: Any) -> None:
    assert account_for(small_score.artifact, PATIENT)["references"] == []
    artifact = changed(small_score.artifact, "hr", modifiable=True)
    median = median_of_input(artifact, "hr")
    (row,) = account_for(artifact, PATIENT)["references"]
    assert row["reference"] == median
    (verdict,) = judge_patients(artifact, [{**PATIENT, "hr": median}])
    assert (row["points"], row["risk"]) == (verdict["points"], verdict["risk"])
    assert account_for(artifact, {**PATIENT, "hr": median})["references"] == []
    assert account_for(artifact, {**PATIENT, "hr": None})["references"] == []
    true = float(small_score.cohort.X["hr"].median())
    assert median == pytest.approx(true, abs=2.0)  # an edge of the deciles, near ties


def test_the_reference_of_a_factor_is_the_level_without_a_term(small_score: Any) -> None:
    artifact = changed(small_score.artifact, "chf", modifiable=True)
    entry = next(item for item in artifact.scoring["predictors"] if item["id"] == "chf")
    assert reference_value(artifact, entry) == "0"
    (row,) = account_for(artifact, PATIENT)["references"]
    assert (row["reference"], row["value"]) == ("0", "no")


def test_calling_a_predictor_modifiable_changes_no_result(small_score: Any) -> None:
    artifact = changed(small_score.artifact, "hr", modifiable=True)
    assert judge_patients(artifact, [PATIENT]) == judge_patients(small_score.artifact, [PATIENT])
