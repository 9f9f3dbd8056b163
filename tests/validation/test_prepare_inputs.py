"""From a cohort's columns and units to the inputs of a score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import CohortError
from scorebuilder.validation.baseline import BASELINES, count_reasons
from scorebuilder.validation.prepare_inputs import prepare_inputs

FRAMINGHAM, SCORE2 = BASELINES["framingham_cvd_2008_lipids"], BASELINES["score2"]
MAPPING = {
    "sex": {"column": "gender", "levels": {"1": "male", "2": "female"}},
    "age": {"column": "age"},
    "total_cholesterol": {"column": "chol"},
    "hdl_cholesterol": {"column": "hdl"},
    "sbp": {"column": "sbp"},
    "current_smoker": {"column": "smoking", "levels": {"1": 0, "2": 0, "3": 1}},
    "diabetes": {"column": "diabetes"},
}
UNITS = {"age": "a", "chol": "mmol/L", "hdl": "mmol/L", "sbp": "mm[Hg]"}


def factor(values, levels):
    return pd.Categorical(values, categories=levels)


def cohort():
    return pd.DataFrame(
        {
            "gender": factor(["1", "2", None], ["1", "2"]),
            "age": [53.0, 61.0, 50.0],
            "chol": [161 / 38.67, 180 / 38.67, 5.0],
            "hdl": [55 / 38.67, 47 / 38.67, 1.2],
            "sbp": [125.0, 124.0, 130.0],
            "smoking": factor(["2", "3", "1"], ["1", "2", "3"]),
            "diabetes": factor(["1", "0", "0"], ["0", "1"]),
        }
    )


def test_units_and_levels_are_converted():
    frame = prepare_inputs(FRAMINGHAM, cohort(), MAPPING, UNITS, assume={"bp_treated": 1})
    assert frame["total_cholesterol_mg_dl"][:2].tolist() == pytest.approx([161, 180])
    assert frame["sex"].tolist() == ["male", "female", None]
    assert frame["current_smoker"].tolist() == [0, 1, 0]
    result = FRAMINGHAM.compute(frame)
    # The man of the published example (15.62 %), and the woman if she were treated (13.81 %).
    assert result["risk"][:2].tolist() == pytest.approx([0.1562, 0.1381], abs=5e-5)
    assert result["reason"][2] == "`sex` missing"


def test_pressure_in_kilopascal():
    X = cohort()
    X["sbp"] /= 7.500615050434136
    frame = prepare_inputs(SCORE2, X, MAPPING, UNITS | {"sbp": "kPa"}, settings={"region": "low"})
    assert frame["sbp_mmhg"].tolist() == pytest.approx([125, 124, 130])


def test_what_the_cohort_lacks_makes_every_row_undefined():
    result = FRAMINGHAM.compute(prepare_inputs(FRAMINGHAM, cohort(), MAPPING, UNITS))
    assert result["risk"].isna().all()
    assert count_reasons(result)[0] == {
        "reason": "the cohort has no `bp_treated`", "count": 3,
    }  # fmt: skip
    no_region = SCORE2.compute(prepare_inputs(SCORE2, cohort(), MAPPING, UNITS))
    assert no_region["reason"].str.startswith("`region` is not set").all()


def test_optional_inputs_may_be_absent_but_count_when_present():
    mapping = {concept: entry for concept, entry in MAPPING.items() if concept != "diabetes"}
    without = prepare_inputs(SCORE2, cohort(), mapping, UNITS, settings={"region": "low"})
    assert "diabetes" not in without.columns
    assert SCORE2.compute(without)["risk"].notna().tolist() == [True, True, False]
    present = prepare_inputs(SCORE2, cohort(), MAPPING, UNITS, settings={"region": "low"})
    assert SCORE2.compute(present)["reason"][0] == "diabetes: SCORE2-Diabetes applies"


def test_nothing_is_assumed_that_the_cohort_holds():
    with pytest.raises(ValueError, match="`diabetes`: the cohort holds it"):
        prepare_inputs(FRAMINGHAM, cohort(), MAPPING, UNITS, assume={"diabetes": 0})
    with pytest.raises(ValueError, match=r"`assume` of `score2` may hold: age, .*; got `region`"):
        prepare_inputs(SCORE2, cohort(), MAPPING, UNITS, assume={"region": "low"})
    with pytest.raises(ValueError, match="`settings` of `score2` may hold: region; got `rgion`"):
        prepare_inputs(SCORE2, cohort(), MAPPING, UNITS, settings={"rgion": "low"})


def test_what_cannot_be_converted_is_named_at_once():
    units = {"age": "a", "chol": "g/dL", "sbp": "mm[Hg]"}
    mapping = MAPPING | {
        "age": {"column": "smoking"},
        "current_smoker": {"column": "smoking", "levels": {"1": 0, "2": 0}},
    }
    with pytest.raises(CohortError) as caught:
        prepare_inputs(SCORE2, cohort(), mapping, units, settings={"region": "low"})
    message = str(caught.value)
    assert "inputs of `score2`: 4 violations" in message
    assert "no audited conversion of cholesterol from `g/dL` to `mmol/L`" in message
    assert "column `hdl`: has no unit; `hdl_cholesterol` is needed in mmol/L" in message
    assert "column `smoking`: holds levels, but `age` is a number" in message
    assert "column `smoking`: level `3` has no value for `current_smoker`" in message


def test_a_mapped_column_outside_the_table_counts_as_absent():
    result = FRAMINGHAM.compute(
        prepare_inputs(
            FRAMINGHAM, cohort().drop(columns="sbp"), MAPPING, UNITS, assume={"bp_treated": 0}
        )
    )
    assert result["reason"][0] == "the cohort has no `sbp`"


def test_index_is_kept_and_risk_does_not_depend_on_the_unit():
    X = cohort().set_index(np.array([5, 3, 9]))
    by_mmol = prepare_inputs(SCORE2, X, MAPPING, UNITS, settings={"region": "high"})
    in_mg = X.assign(chol=X["chol"] * 38.67, hdl=X["hdl"] * 38.67)
    by_mg = prepare_inputs(
        SCORE2, in_mg, MAPPING, UNITS | {"chol": "mg/dL", "hdl": "mg/dL"},
        settings={"region": "high"},
    )  # fmt: skip
    assert list(by_mmol.index) == [5, 3, 9]
    first, second = SCORE2.compute(by_mmol)["risk"], SCORE2.compute(by_mg)["risk"]
    assert first[3] == pytest.approx(second[3], abs=1e-14)


@pytest.mark.parametrize(
    ("concept", "column", "levels", "rules"),
    [
        (
            "current_smoker", "smoking", None,
            ["has the levels 1, 2, 3, but `current_smoker` needs Smokes now: 0 or 1"],
        ),
        ("sex", "gender", None, ["has the levels 1, 2, but `sex` needs Sex: female or male"]),
        ("current_smoker", "smoking", {"2": 0, "3": 1}, [
            "level `1` has no value for `current_smoker`",
        ]),
        ("current_smoker", "smoking", {"1": 2, "2": True, "3": "yes"}, [
            "level `1` has the value `2`, but `current_smoker` needs Smokes now: 0 or 1",
            "level `2` has the value `True`, but `current_smoker` needs Smokes now: 0 or 1",
            "level `3` has the value `yes`, but `current_smoker` needs Smokes now: 0 or 1",
        ]),
        ("sex", "gender", {"1": "Male"}, [
            "level `2` has no value for `sex`",
            "level `1` has the value `Male`, but `sex` needs Sex: female or male",
        ]),
    ],
)  # fmt: skip
def test_codes_of_a_factor_are_never_taken_for_those_of_the_score(concept, column, levels, rules):
    entry = {"column": column} | ({} if levels is None else {"levels": levels})
    # Only the codes of the schema count, and not what the patients happen to have.
    X = cohort().iloc[:1].assign(gender=factor([None], ["1", "2"]))
    with pytest.raises(CohortError) as caught:
        prepare_inputs(FRAMINGHAM, X, MAPPING | {concept: entry}, UNITS)
    assert [violation.rule for violation in caught.value.violations] == rules
    for violation in caught.value.violations:
        assert violation.column == column
        assert violation.remedy == f"State `levels` for `{concept}` in `sb:baseline_inputs`"


def test_a_factor_with_the_codes_of_the_score_needs_no_levels():
    X = cohort().assign(
        gender=factor(["male", "female", None], ["female", "male"]),
        smoking=factor(["1", "1", None], ["1"]),
    )
    mapping = MAPPING | {"sex": {"column": "gender"}, "current_smoker": {"column": "smoking"}}
    frame = prepare_inputs(FRAMINGHAM, X, mapping, UNITS, assume={"bp_treated": 0})
    assert FRAMINGHAM.compute(frame)["risk"].notna().tolist() == [True, True, False]


def test_levels_may_have_values_for_which_the_score_is_undefined():
    X = cohort().assign(age=factor(["old", "young", "old"], ["old", "young"]))
    mapping = MAPPING | {
        "age": {"column": "age", "levels": {"old": 60, "young": 20}},
        "diabetes": {"column": "diabetes", "levels": {"0": 0, "1": 1}},
    }
    frame = prepare_inputs(SCORE2, X, mapping, UNITS, settings={"region": "low"})
    reasons = SCORE2.compute(frame)["reason"]
    assert reasons[0] == "diabetes: SCORE2-Diabetes applies"
    assert "outside 40-69" in reasons[1]


def test_values_of_patients_are_counted_and_not_quoted():
    mapping = MAPPING | {"diabetes": {"column": "age", "levels": {"53": 1}}}
    with pytest.raises(CohortError) as caught:
        prepare_inputs(FRAMINGHAM, cohort(), mapping, UNITS)
    assert "column `age`: holds what `levels` of `diabetes` does not list; 2 rows" in str(
        caught.value
    )
    assert "61" not in str(caught.value)
