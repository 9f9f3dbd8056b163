from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_time

from scorebuilder.cohort.describe import (
    HIDDEN_COMPLEMENT,
    SMALLEST_CELL,
    TABLE_COLUMNS,
    follow_up,
    hidden_levels,
    table_one,
)
from scorebuilder.cohort.load import load_cohort, load_schema
from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.core.arrays import Outcome
from scorebuilder.survival.outcome import make_outcome

SEX = Field("sex", "binary", label="Sex", levels=(Level("1", "male"), Level("2", "female")))
AGE = Field("age", "numeric", label="Age", unit="a")
SCHEMA = CohortSchema("made-up", (SEX, AGE))


def cohort_of(males: tuple[int, int], females: tuple[int, int]) -> tuple[pd.DataFrame, Outcome]:
    """Counts with and without event."""
    sex = ["1"] * males[0] + ["2"] * females[0] + ["1"] * males[1] + ["2"] * females[1]
    event = np.arange(len(sex)) < males[0] + females[0]
    frame = pd.DataFrame(
        {"sex": pd.Categorical(sex, categories=["1", "2"]), "age": np.arange(len(sex)) * 1.0}
    )
    return frame, make_outcome(event, np.full(len(sex), 10.0))


def cell(table: pd.DataFrame, variable: str, stratum: str, level: str | None = None) -> pd.Series:
    chosen = (table["variable"] == variable) & (table["stratum"] == stratum)
    if level is not None:
        chosen &= table["level"] == level
    assert chosen.sum() == 1
    return table[chosen].iloc[0]


def test_by_hand() -> None:
    X, y = cohort_of((6, 10), (14, 10))
    X.loc[0, "age"] = np.nan
    table = table_one(X, y, SCHEMA)
    assert list(table.columns) == list(TABLE_COLUMNS)
    # With event: 6 males and 14 females, so p = 0.7; without: 10 and 10, so p = 0.5.
    # SMD = (0.7 - 0.5) / sqrt((0.7 * 0.3 + 0.5 * 0.5) / 2) = 0.2 / sqrt(0.23).
    row = cell(table, "sex", "event", "2")
    assert (row["n"], row["count"], row["percent"]) == (20, 14, 70.0)
    assert (row["level_label"], row["label"]) == ("female", "Sex")
    assert cell(table, "sex", "all", "2")["smd"] == pytest.approx(0.2 / 0.23**0.5, rel=1e-12)
    # Ages with event: 1 to 19, mean 10, variance 19 * 20 / 12; without: 20 to 39, mean 29.5,
    # variance 20 * 21 / 12 = 35.
    with_event, without = cell(table, "age", "event"), cell(table, "age", "no event")
    assert (with_event["n"], with_event["missing"], with_event["mean"]) == (20, 1, 10.0)
    assert with_event["sd"] == pytest.approx((19 * 20 / 12) ** 0.5, rel=1e-12)
    assert (without["median"], without["q1"], without["q3"]) == (29.5, 24.75, 34.25)
    smd = (10 - 29.5) / ((19 * 20 / 12 + 35) / 2) ** 0.5
    assert cell(table, "age", "all")["smd"] == pytest.approx(smd, rel=1e-12)
    assert not table["suppressed"].any()
    assert set(table["reason"]) == {""}


def test_small_cells_are_hidden_and_do_not_follow_from_others() -> None:
    X, y = cohort_of((4, 30), (30, 20))
    table = table_one(X, y, SCHEMA)
    for stratum in ("event", "no event"):
        for level in ("1", "2"):
            row = cell(table, "sex", stratum, level)
            assert row["suppressed"]
            assert row["count"] is None
            assert row["percent"] is None
            assert row["reason"] == HIDDEN_COMPLEMENT
    assert cell(table, "sex", "all", "1")["count"] == 34
    assert cell(table, "sex", "all", "1")["smd"] is None
    assert cell(table, "sex", "all", "1")["smd_reason"] == "not shown beside hidden cells"
    assert cell(table, "sex", "all", "1")["reason"] == ""


def test_few_known_numbers_are_hidden() -> None:
    X, y = cohort_of((10, 10), (10, 10))
    X.loc[:15, "age"] = np.nan
    table = table_one(X, y, SCHEMA)
    row = cell(table, "age", "event")
    assert row["suppressed"]
    assert row["mean"] is None
    assert row["reason"] == "fewer than 5 known values"
    # The mean of the four with event would follow from the two other means.
    other = cell(table, "age", "no event")
    assert other["suppressed"]
    assert other["mean"] is None
    assert other["reason"] == HIDDEN_COMPLEMENT
    assert cell(table, "age", "all")["mean"] is not None


def test_no_spread() -> None:
    X, y = cohort_of((10, 10), (10, 10))
    row = cell(table_one(X.assign(age=5.0), y, SCHEMA), "age", "all")
    assert row["smd"] is None
    assert row["smd_reason"] == "no spread within the strata"
    assert row["reason"] == ""


def test_no_level_is_hidden_alone_in_all_patients() -> None:
    # Level a is small in all patients (2). In the strata its complement is b (min(5, 30) = 5); by
    # all patients alone it would be c (14), and b would be shown beside a, hidden alone.
    field = Field("f", "nominal", levels=tuple(Level(code, code) for code in "abc"))
    codes = ["a"] * 1 + ["b"] * 5 + ["c"] * 7 + ["a"] * 1 + ["b"] * 30 + ["c"] * 7
    X = pd.DataFrame({"f": pd.Categorical(codes, categories=list("abc"))})
    y = make_outcome(np.arange(51) < 13, np.full(51, 10.0))
    table = table_one(X, y, CohortSchema("made-up", (field,)))
    for stratum in ("all", "event", "no event"):
        hidden = [bool(cell(table, "f", stratum, code)["suppressed"]) for code in "abc"]
        assert hidden == [True, True, False]


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=1, max_size=2))
def test_no_hidden_count_stands_alone(counts: list[list[int]]) -> None:
    hidden = hidden_levels(np.array(counts))
    small = np.array(counts).min(axis=0) < SMALLEST_CELL
    assert hidden[small].all()
    assert hidden.any() == small.any()
    # The total less what is shown is a sum of at least two counts, and itself not small.
    if hidden.any() and not hidden.all():
        assert hidden.sum() >= 2
        assert np.array(counts)[:, hidden].sum(axis=1).min() >= SMALLEST_CELL
    assert hidden_levels(np.array([[0, 1, 2, 9, 8]])).tolist() == [True, True, True, False, True]
    assert hidden_levels(np.array([[4, 9, 20]])).tolist() == [True, True, False]


def test_smart_table_adds_up() -> None:
    cohort = load_cohort("builtin:smart", load_schema("smart"))
    table = table_one(cohort.X, cohort.y, cohort.schema)
    assert not table["suppressed"].any()
    assert table["variable"].nunique() == 26
    factors = table[table["kind"] != "numeric"]
    sums = factors.groupby(["variable", "stratum"]).agg(
        {"count": "sum", "missing": "first", "n": "first", "percent": "sum"}
    )
    assert (sums["count"] + sums["missing"] == sums["n"]).all()
    assert np.allclose(sums["percent"].astype(float), 100.0)
    assert set(table.loc[table["stratum"] == "event", "n"]) == {460}


def test_smd_of_a_factor_does_not_depend_on_the_reference() -> None:
    cohort = load_cohort("builtin:smart", load_schema("smart"))
    turned = cohort.X.assign(smoking=cohort.X["smoking"].cat.reorder_categories(["3", "1", "2"]))
    first = table_one(cohort.X, cohort.y, cohort.schema)
    second = table_one(turned, cohort.y, cohort.schema)
    smd = cell(first, "smoking", "all", "1")["smd"]
    # Rounding of a two by two inverse only.
    assert cell(second, "smoking", "all", "1")["smd"] == pytest.approx(smd, rel=1e-10)


def test_follow_up_by_hand() -> None:
    # Reverse: censored at 2, 3, 4 of 3, 2, 1 at risk: 2/3, 1/3, 0.
    result = follow_up(make_outcome([1, 0, 0, 0], [1, 2, 3, 4]))
    assert result["n_patients"] == 4
    assert result["n_events"] == 1
    assert result["person_years"] == pytest.approx(10 / 365.25, rel=1e-15)
    assert (result["q1"], result["median"], result["q3"]) == (2.0, 3.0, 4.0)
    assert result["longest"] == 4.0
    assert result["reason"] == ""


def test_follow_up_undefined() -> None:
    result = follow_up(make_outcome([0, 1, 1, 1], [1, 2, 3, 4]))
    assert result["q1"] == 1.0
    assert result["median"] is None
    assert result["q3"] is None
    assert result["reason"] == ("undefined, because too few patients were censored: median, q3")


def test_follow_up_as_lifelines(random_outcome: Outcome) -> None:
    oracle = KaplanMeierFitter().fit(random_outcome["time"], ~random_outcome["event"])
    result = follow_up(random_outcome)
    assert result["median"] == oracle.median_survival_time_
    assert result["q1"] == qth_survival_time(0.75, oracle.survival_function_)
