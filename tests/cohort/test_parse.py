from __future__ import annotations

import datetime
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
        (Decimal("-9.0"), np.nan),
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
        ([Decimal("1.0"), Decimal(0), None], ["1", "0", None]),
    ],
)
def test_levels(cells: list[Any], codes: list[str | None]) -> None:
    parsed = parse_column(pd.Series(cells, dtype=object), FACTOR)
    assert parsed.violations == ()
    assert [None if pd.isna(code) else code for code in parsed.series] == codes


@pytest.mark.parametrize("cell", [1.5, Decimal("1.5"), "2", "1.0", "yes", object()])
def test_unknown_levels(cell: Any) -> None:
    (violation,) = parse_column(pd.Series([cell], dtype=object), FACTOR).violations
    assert violation.rule == "levels must be one of 0, 1, NC"


def test_long_names_keep_every_digit() -> None:
    names = Field("id", "numeric", role="id")
    cells = pd.Series([2**60 + 1, 2**60 + 3], dtype="int64")
    assert list(parse_column(cells, names).series) == [str(2**60 + 1), str(2**60 + 3)]
    decimals = pd.Series([Decimal(10**37 + 1), Decimal("1.00")], dtype=object)
    assert list(parse_column(decimals, names).series) == [str(10**37 + 1), "1"]


def test_missing_code_wins_over_a_level() -> None:
    parsed = parse_column(pd.Series(["NC", "1"], dtype=object), FACTOR, FRENCH)
    assert parsed.series.isna().tolist() == [True, False]
    assert parsed.violations == ()


def test_row_numbers_do_not_depend_on_the_index() -> None:
    cells = pd.Series(["1", "x"], index=[70, 80], dtype=object)
    parsed = parse_column(cells, NUMBER)
    assert parsed.violations[0].rows == (2,)
    assert parsed.series.index.equals(pd.RangeIndex(2))


WEST = datetime.timezone(datetime.timedelta(hours=-5))


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([datetime.date(2020, 2, 1), datetime.date(9999, 12, 31), None], dtype=object),
        pd.Series([datetime.date(2020, 2, 1), datetime.date(1, 1, 1), None], dtype=object),
        pd.Series(np.array(["2020-02-01", "9999-12-31", "NaT"], dtype="datetime64[us]")),
        pd.Series(np.array(["2020-02-01", "1677-01-01", "NaT"], dtype="datetime64[ms]")),
        pd.Series(
            [pd.Timestamp("2020-02-01"), datetime.datetime(9999, 12, 31, 23, tzinfo=WEST), None],
            dtype=object,
        ),
        pd.Series(["2020-02-01", "9999-12-31", ""], dtype=object),
    ],
)
def test_a_date_that_no_timestamp_can_hold_is_a_violation(cells: pd.Series) -> None:
    parsed = parse_column(cells, Field("end", "numeric", role="end_date", format="%Y-%m-%d"))
    assert parsed.series.dtype == "datetime64[ns]"
    assert parsed.series[0] == pd.Timestamp("2020-02-01")
    assert parsed.series.isna().tolist() == [False, True, True]
    (violation,) = parsed.violations
    assert (violation.column, violation.count, violation.rows) == ("end", 1, (2,))
    assert violation.rule == "every cell must be a date written as %Y-%m-%d"
    assert not any(year in str(violation) for year in ("9999", "0001", "1677"))


def test_missing_codes_are_found_in_single_precision() -> None:
    dialect = Dialect(missing=("", "-9.9", "1e300", "1e-300"))
    cells = pd.Series([-9.9, 0.1, 0.0, np.nan], dtype=np.float32)
    parsed = parse_column(cells, NUMBER, dialect)
    assert list(parsed.series) == pytest.approx(
        [np.nan, float(np.float32(0.1)), 0.0, np.nan], nan_ok=True, rel=0, abs=0
    )
    required = Field("x", "numeric", unit="1", type="number", required=True)
    assert [violation.rows for violation in parse_column(cells, required, dialect).violations] == [
        (1, 4)
    ]
    infinite = parse_column(pd.Series([np.inf], dtype=np.float32), NUMBER, dialect)
    assert [violation.rule for violation in infinite.violations] == ["numbers must be finite"]
    levels = parse_column(pd.Series([-9.9, 1.0], dtype=np.float32), FACTOR, dialect)
    assert (levels.violations, list(levels.series.astype(object))[1]) == ((), "1")
