"""A table judged as a whole says of each patient what `judge_patients` says of one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import CohortError
from scorebuilder.core.units import horizon_code
from scorebuilder.score.typed_inputs import UNKNOWN_CODE, typed_inputs
from scorebuilder.score.vectors import make_test_vectors
from scorebuilder.score.verdict import judge_patients
from scorebuilder.score.verdict_table import judge_table


def frame_of(artifact, patients):
    return pd.DataFrame(patients, columns=artifact.predictors)


def words(flags):
    return "; ".join(f"{flag['predictor']} {flag['flag']}" for flag in flags)


def assert_same(artifact, table, verdicts):
    risks = [f"risk_{horizon_code(horizon)}" for horizon in artifact.horizons]
    for row, verdict in zip(table.to_dict("records"), verdicts, strict=True):
        assert row["status"] == verdict["status"]
        assert row["warnings"] == words(verdict["warnings"])
        assert row["refusals"] == words(verdict["refusals"])
        if verdict["status"] == "ok":
            assert row["linear_predictor"] == verdict["linear_predictor"]  # the same arithmetic
            assert row["points"] == verdict["points"]
            assert [row[name] for name in risks] == verdict["risk"]
            assert row["risk_group"] == verdict["group"]
        else:
            assert row["risk_group"] == ""
            assert np.isnan([row[name] for name in ("linear_predictor", "points", *risks)]).all()


def test_all_test_vectors_are_judged_alike(small_score):
    artifact = small_score.artifact
    verdicts = make_test_vectors(artifact)
    table = judge_table(artifact, frame_of(artifact, [row["inputs"] for row in verdicts]))
    assert set(table["status"]) == {"ok", "refused"}
    assert_same(artifact, table, verdicts)


@given(data=st.data())
def test_any_patients_are_judged_alike(small_score, data):
    artifact = small_score.artifact
    number = st.one_of(st.none(), st.floats(-1e3, 1e4), st.just(float("inf")))
    patients = [
        {
            item["id"]: data.draw(
                number
                if item["type"] == "numeric"
                else st.sampled_from([None, *(row["code"] for row in item["levels"]), "other"])
            )
            for item in artifact.scoring["predictors"]
        }
        for _ in range(data.draw(st.integers(1, 4)))
    ]
    table = judge_table(artifact, frame_of(artifact, patients))
    assert_same(artifact, table, judge_patients(artifact, patients))


def test_a_table_of_refused_patients_has_every_column(small_score):
    artifact = small_score.artifact
    nobody = frame_of(artifact, [dict.fromkeys(artifact.predictors)] * 2)
    numeric = [row["id"] for row in artifact.scoring["predictors"] if row["type"] == "numeric"]
    somebody = frame_of(artifact, [make_test_vectors(artifact)[2]["inputs"]])
    refused = judge_table(artifact, nobody.assign(**dict.fromkeys(numeric, np.inf)))
    assert refused["status"].tolist() == ["refused", "refused"]
    assert refused.columns.tolist() == judge_table(artifact, somebody).columns.tolist()


def test_order_of_rows_and_columns_changes_nothing(small_score):
    artifact = small_score.artifact
    frame = frame_of(artifact, [row["inputs"] for row in make_test_vectors(artifact)])
    turned = judge_table(artifact, frame.iloc[::-1, ::-1])
    pd.testing.assert_frame_equal(turned.iloc[::-1], judge_table(artifact, frame))


def test_absent_column_is_missing_where_the_score_fills_it(small_score):
    artifact = small_score.artifact
    frame = frame_of(artifact, [make_test_vectors(artifact)[2]["inputs"]])
    for item in artifact.scoring["predictors"]:
        without = frame.drop(columns=item["id"])
        if item["missing"]["policy"] == "impute":
            assert f"{item['id']} imputed" in judge_table(artifact, without)["warnings"][0]
        else:
            with pytest.raises(CohortError, match=f"`{item['id']}`: the score needs this column"):
                judge_table(artifact, without)


def test_repeated_columns_and_empty_tables_are_refused(small_score):
    artifact = small_score.artifact
    frame = frame_of(artifact, [make_test_vectors(artifact)[2]["inputs"]])
    name = artifact.predictors[0]
    with pytest.raises(CohortError, match=f"`{name}`: the table must name it once; it stands 2"):
        judge_table(artifact, pd.concat([frame, frame[[name]]], axis=1))
    with pytest.raises(CohortError, match="the table has no rows"):
        judge_table(artifact, frame.iloc[:0])


def test_unknown_codes_stay_apart_from_missing_ones(small_score):
    artifact = small_score.artifact
    factor = next(row for row in artifact.scoring["predictors"] if row["type"] != "numeric")
    code = factor["levels"][0]["code"]
    inputs = make_test_vectors(artifact)[2]["inputs"]
    frame = frame_of(artifact, [{**inputs, factor["id"]: cell} for cell in (code, None, "", "?")])
    found = typed_inputs(artifact, frame)[factor["id"]].tolist()
    assert found == [code, None, None, UNKNOWN_CODE]
