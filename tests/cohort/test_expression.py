"""Conditions on patients: truth tables, agreement with pandas, and messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.cohort.expression import compile_expression
from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.core.errors import SpecError

SCHEMA = CohortSchema(
    "clinic",
    (
        Field("lvef", "numeric"),
        Field("edv", "numeric"),
        Field("LV mass (g)", "numeric"),
        Field("sex", "nominal", levels=(Level("1", "male"), Level("2", "female"))),
        Field("nyha", "ordinal", levels=tuple(Level(code, "") for code in "1234")),
        Field("time", "numeric", role="time"),
    ),
)


def patients() -> pd.DataFrame:
    """Five patients; the last one has nothing known."""
    return pd.DataFrame(
        {
            "lvef": [30.0, 35.0, 60.0, np.nan, np.nan],
            "edv": [90.0, 20.0, 60.0, 80.0, np.nan],
            "LV mass (g)": [100.0, 200.0, 150.0, 120.0, np.nan],
            "sex": pd.Categorical(["1", "2", "2", "1", None], categories=["1", "2"]),
            "nyha": pd.Categorical(
                ["3", "2", None, "1", None], categories=["1", "2", "3", "4"], ordered=True
            ),
        }
    )


NAN = np.nan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lvef < 35", [1, 0, 0, NAN, NAN]),
        ("35 > lvef", [1, 0, 0, NAN, NAN]),
        ("35 <= lvef < 50", [0, 1, 0, NAN, NAN]),
        ("lvef < edv", [1, 0, 0, NAN, NAN]),
        # Patient 3: 60 < 35 is false, so the unknown class does not matter. Patient 4: class 1 is
        # below 2, so the unknown fraction does not.
        ("lvef < 35 & nyha >= 2", [1, 0, 0, 0, NAN]),
        ("lvef < 35 | nyha <= 2", [1, 1, NAN, 1, NAN]),
        ("not (lvef < 35 and nyha >= 2)", [0, 1, 1, 1, NAN]),
        ("~lvef < 35", [0, 1, 1, NAN, NAN]),
        ('sex == "female"', [0, 1, 1, 0, NAN]),
        ("sex == 2", [0, 1, 1, 0, NAN]),
        ("sex != '1'", [0, 1, 1, 0, NAN]),
        ("nyha in [3, 4]", [1, 0, NAN, 0, NAN]),
        ("nyha not in [3, 4]", [0, 1, NAN, 1, NAN]),
        ("lvef in [30, 60]", [1, 0, 1, NAN, NAN]),
        ("lvef is missing", [0, 0, 0, 1, 1]),
        ("lvef IS NOT missing AND sex == 'male'", [1, 0, 0, 0, 0]),
        ("`LV mass (g)` > 1.1e2", [0, 1, 1, 1, NAN]),
        # `and` binds closer than `or`: false or (true and true), true or (...), ...
        ("lvef == 35 or lvef < 50 and sex == 1", [1, 1, 0, NAN, NAN]),
        ("(lvef == 35 or lvef < 50) and sex == 1", [1, 0, 0, NAN, NAN]),
    ],
)
def test_truth_by_hand(text: str, expected: list[float]) -> None:
    found = compile_expression(text, SCHEMA).evaluate(patients())
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))


def test_names_the_columns_that_leave_it_open() -> None:
    rule = compile_expression("lvef < 35 & nyha >= 2", SCHEMA)
    assert rule.columns == ("lvef", "nyha")
    open_ = [None, None, None, None, "`lvef` missing; `nyha` missing"]
    assert rule.why_unknown(patients()) == open_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "character 1: expected a column"),
        ("lvfe < 35", "character 1: no predictor `lvfe`; did you mean `lvef`?"),
        ("edv < 3 & time < 3", "character 11: no predictor `time`"),
        ("sex < 2", "character 5: the levels of `sex` have no order"),
        ("sex == 'femal'", "character 8: `sex` has no level `femal`; did you mean `female`?"),
        ("nyha >= 5", "character 9: `nyha` has no level `5`"),
        ("lvef < 'low'", "character 8: `lvef` is numeric"),
        ("lvef < sex", "character 8: only numeric columns"),
        ("lvef", "character 5: expected a comparison, found the end"),
        ("1 < 2", "character 1: a comparison needs a column"),
        ("3 is missing", "character 1: a comparison needs a column"),
        ("lvef < 35 edv > 3", "character 11: expected `and`, `or` or the end, found `edv`"),
        ("(lvef < 35", "character 11: expected `)`"),
        ("lvef = 35", "character 6: `=` is not understood; allowed: < <= >"),
        ("__import__('os').system('x')", "character 17: `.` is not understood"),
        ("eval('1')", "character 5: expected a comparison, found `(`"),
        ("lvef.max() < 3", "character 5: `.` is not understood"),
        ("nyha in [sex]", "character 10: a list holds constants"),
        ("not " * 60 + "lvef < 3", "more than 50 parts inside one another"),
    ],
)
def test_refuses_and_says_where(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        compile_expression(text, SCHEMA)
    assert message in str(caught.value)


NUMBERS = st.one_of(st.none(), st.integers(-3, 3))
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
CONDITIONS = st.builds(
    lambda name, sign, value: f"{name} {sign} {value}",
    st.sampled_from(["lvef", "edv"]),
    SIGNS,
    st.integers(-3, 3),
)
TREES = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: f"({a} & {b})", inner, inner),
        st.builds(lambda a, b: f"({a} | {b})", inner, inner),
        st.builds(lambda a: f"not ({a})", inner),
    ),
    max_leaves=8,
)


@given(TREES, st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=8))
def test_is_the_same_in_pandas(text: str, rows: list[tuple[int | None, int | None]]) -> None:
    """Nullable types of pandas follow Kleene's logic too; they know no chained comparison."""
    frame = pd.DataFrame(rows, columns=["lvef", "edv"], dtype="Int64")
    expected = frame.eval(text.replace("not ", "~"), engine="python")
    found = compile_expression(text, SCHEMA).evaluate(frame.astype(np.float64))
    np.testing.assert_array_equal(
        found, expected.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    )


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        rule = compile_expression(text, SCHEMA)
    except SpecError:
        return
    assert rule.evaluate(patients()).shape == (5,)
