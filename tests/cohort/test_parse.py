from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.cohort.parse import parse_column
from scorebuilder.cohort.schema import Dialect, Field, Level, Range

NUMBER = Field("x", "numeric", unit="1", type="number")
FACTOR = Field("f", "nominal", levels=(Level("0", "no"), Level("1", "yes"), Level("NC", "other")))
FRENCH = Dialect(delimiter=";", decimal=",", group=" ", missing=("", "NC", "-9"))


def numbers_of(cells: list[Any], dialect: Dialect | None = None) -> list[float]:
    parsed = parse_column(pd.Series(cells, dtype=object), NUMBER, dialect)
    assert parsed.violations == ()
    return list(parsed.series)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=10))
def test_numbers_come_back_bit_for_bit(values: list[float]) -> None:
    values = [value for value in values if value != -9.0]
    assert numbers_of([repr(value) for value in values]) == values
    assert numbers_of([repr(value).replace(".", ",") for value in values], FRENCH) == values
    assert numbers_of(list(values)) == values
    assert list(parse_column(pd.Series(values, dtype=float), NUMBER).series) == values


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (" 1 234,5 ", 1234.5),
        ("-12 345 678", -12345678.0),
        ("+,5", 0.5),
        ("1e3", 1000.0),
        (Decimal("2.5"), 2.5),
        (np.int32(7), 7.0),
        (True, 1.0),
        ("NC", np.nan),
        ("-9", np.nan),
        ("-9,0", np.nan),
        (-9, np.nan),
        (None, np.nan),
        (pd.NA, np.nan),
        ("  ", np.nan),
    ],
)
def test_one_number(cell: Any, number: float) -> None:
    assert numbers_of([cell], FRENCH) == pytest.approx([number], nan_ok=True, rel=0)


@pytest.mark.parametrize(
    "cell", ["1.5", "1,5 mg", "<0,5", "0x1", "1_0", "--1", "1,2,3", "12 34", "1 234 5", object()]
)
def test_no_number(cell: Any) -> None:
    violations = parse_column(pd.Series([cell], dtype=object), NUMBER, FRENCH).violations
    assert [violation.rule for violation in violations] == ["every cell must be a number"]
    assert str(cell) not in str(violations[0])


@pytest.mark.parametrize(
    ("limits", "rule", "rows"),
    [
        ((1.0, None), "values must be at least 1", (1,)),
        ((None, 2.0), "values must be at most 2", (4,)),
        ((1.0, 2.0), "values must lie between 1 and 2", (1, 4)),
    ],
)
def test_both_ends_of_the_hard_range_are_allowed(
    limits: Range, rule: str, rows: tuple[int, ...]
) -> None:
    field = Field("x", "numeric", unit="1", hard_range=limits)
    cells = pd.Series([0.999, 1.0, 2.0, 2.001])
    (violation,) = parse_column(cells, field).violations
    assert (violation.rule, violation.rows) == (rule, rows)


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["1", " 0 ", "NC"], ["1", "0", "NC"]),
        ([1, 0, None], ["1", "0", None]),
        ([1.0, 0.0, np.nan], ["1", "0", None]),
        ([True, False, None], ["1", "0", None]),
        ([np.int8(1), np.bool_(False), pd.NA], ["1", "0", None]),
    ],
)
def test_levels(cells: list[Any], codes: list[str | None]) -> None:
    parsed = parse_column(pd.Series(cells, dtype=object), FACTOR)
    assert parsed.violations == ()
    assert [None if pd.isna(code) else code for code in parsed.series] == codes


@pytest.mark.parametrize("cell", [1.5, "2", "1.0", "yes", object()])
def test_unknown_levels(cell: Any) -> None:
    (violation,) = parse_column(pd.Series([cell], dtype=object), FACTOR).violations
    assert violation.rule == "levels must be one of 0, 1, NC"


def test_long_names_keep_every_digit() -> None:
    names = Field("id", "numeric", role="id")
    cells = pd.Series([2**60 + 1, 2**60 + 3], dtype="int64")
    assert list(parse_column(cells, names).series) == [str(2**60 + 1), str(2**60 + 3)]


def test_missing_code_wins_over_a_level() -> None:
    parsed = parse_column(pd.Series(["NC", "1"], dtype=object), FACTOR, FRENCH)
    assert parsed.series.isna().tolist() == [True, False]
    assert parsed.violations == ()


def test_row_numbers_do_not_depend_on_the_index() -> None:
    cells = pd.Series(["1", "x"], index=[70, 80], dtype=object)
    parsed = parse_column(cells, NUMBER)
    assert parsed.violations[0].rows == (2,)
    assert parsed.series.index.equals(pd.RangeIndex(2))
