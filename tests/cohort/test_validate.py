from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.cohort import make_cohort
from scorebuilder.cohort.schema import CohortSchema, Dialect, Field, Level
from scorebuilder.cohort.schema_file import parse_schema
from scorebuilder.cohort.validate import prepare_predictors, validate_cohort
from scorebuilder.core.errors import CohortError, Violation

SECRET = "4711"
"""Stands for a patient's value; no message may hold it."""


def found(frame: pd.DataFrame, schema: CohortSchema) -> list[Violation]:
    violations = validate_cohort(frame, schema)
    assert SECRET not in "\n".join(str(violation) for violation in violations)
    return violations


def one(frame: pd.DataFrame, schema: CohortSchema) -> Violation:
    violations = found(frame, schema)
    assert len(violations) == 1, [str(violation) for violation in violations]
    assert violations[0].remedy
    return violations[0]


def test_good_table_has_no_violation(table: pd.DataFrame, schema: CohortSchema) -> None:
    assert validate_cohort(table, schema) == []


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        ("age", f"{SECRET} y", "every cell must be a number"),
        ("age", SECRET, "values must lie between 18 and 110 a"),
        ("age", "47.11", "numbers must be whole"),
        ("age", "inf", "numbers must be finite"),
        ("chol", "-Infinity", "numbers must be finite"),
        ("chol", "nan", "every cell must be a number"),
        ("chol", "4711,5", "every cell must be a number"),
        ("sex", SECRET, "levels must be one of 2, 1"),
        ("nyha", "1.0", "levels must be one of 1, 2, 3"),
        ("months", "0", "follow-up time must be above 0"),
        ("months", f"-{SECRET}", "follow-up time must be above 0"),
        ("death", SECRET, "the event must be 0 or 1"),
        ("patient", "", "every patient must have a name"),
    ],
)
def test_wrong_cell(
    table: pd.DataFrame, schema: CohortSchema, column: str, cell: str, rule: str
) -> None:
    table.loc[1, column] = cell
    violation = one(table, schema)
    assert (violation.column, violation.rule) == (column, rule)
    assert (violation.count, violation.rows) == (1, (2,))


def test_repeated_names_and_repeated_unique_values(
    table: pd.DataFrame, content: dict[str, Any]
) -> None:
    content["fields"][4]["constraints"] = {"unique": True}
    table["patient"] = ["p1", SECRET, "p3", SECRET, SECRET, "p6"]
    table.loc[[0, 2], "chol"] = SECRET
    first, second = found(table, parse_schema(content))
    assert (first.column, first.count, first.rows) == ("patient", 3, (2, 4, 5))
    assert (second.column, second.rule, second.rows) == ("chol", "no value may occur twice", (1, 3))


def test_required_column(table: pd.DataFrame, content: dict[str, Any]) -> None:
    content["fields"][3]["constraints"] = {"required": True}
    table.loc[0, "age"] = "sixty"
    rules = {violation.rule: violation.rows for violation in found(table, parse_schema(content))}
    assert rules == {"every cell must be a number": (1,), "no cell may be missing": (4,)}


def test_missing_column_names_the_nearest(table: pd.DataFrame, schema: CohortSchema) -> None:
    violation = one(table.rename(columns={"chol": "Chol_"}), schema)
    assert str(violation) == (
        "column `chol`: the column is missing from the table. The nearest column of the table is "
        "`Chol_`; rename it, or the field."
    )
    assert "Add the column" in one(table.drop(columns="chol"), schema).remedy


@pytest.mark.parametrize("column", ["months", "death"])
def test_missing_outcome_column(table: pd.DataFrame, schema: CohortSchema, column: str) -> None:
    assert one(table.drop(columns=column), schema).column == column


def test_column_named_twice(table: pd.DataFrame, schema: CohortSchema) -> None:
    violation = one(pd.concat([table, table[["age"]]], axis=1), schema)
    assert violation.rule == "the header must name it once; it stands 2 times"


def test_constant_and_empty_columns(table: pd.DataFrame, schema: CohortSchema) -> None:
    table["sex"], table["chol"] = "1", ""
    rules = {violation.column: violation.rule for violation in found(table, schema)}
    assert rules == {"sex": "all patients have the same value", "chol": "every cell is missing"}


def test_constant_among_those_with_outcome(table: pd.DataFrame, schema: CohortSchema) -> None:
    table["sex"] = ["1", "1", "1", "1", "2", "2"]  # the last two have no outcome
    assert one(table, schema).rule == "all patients have the same value"


def test_too_few_candidates(table: pd.DataFrame, schema: CohortSchema) -> None:
    table["sex"], table["chol"], table["nyha"] = "1", "", "2"
    assert found(table, schema)[-1].rule == (
        "at least two candidate predictors must be usable; 1 can be used"
    )


def test_no_events_and_no_outcome(table: pd.DataFrame, schema: CohortSchema) -> None:
    events = table.assign(death=table["death"].replace("1", "0"))
    assert one(events, schema).rule == "at least one patient must have the event"
    assert one(table.assign(months="NA"), schema).rule == (
        "at least one row must have both time and event"
    )


def test_empty_table(table: pd.DataFrame, schema: CohortSchema) -> None:
    assert one(table.iloc[:0], schema).rule == "the table must have at least one row"


def test_everything_at_once(table: pd.DataFrame, schema: CohortSchema) -> None:
    table.loc[0, "age"], table.loc[1, "sex"], table.loc[2, "months"] = "x", "9", "-1"
    table = table.drop(columns="nyha")
    with pytest.raises(CohortError, match=r"small\.csv: 4 violations of the schema") as caught:
        make_cohort(table, schema, source="small.csv")
    assert len(caught.value.violations) == 4


def test_only_five_rows_are_shown(schema: CohortSchema, table: pd.DataFrame) -> None:
    many = pd.concat([table] * 3, ignore_index=True)
    many["patient"] = [f"p{row}" for row in range(len(many))]
    many["age"] = "x"
    violation = found(many, schema)[0]
    assert (violation.count, violation.rows) == (18, (1, 2, 3, 4, 5))
    assert "18 rows (rows 1, 2, 3, 4, 5, ...)" in str(violation)


def test_cohort_is_typed_converted_and_reconciled(
    table: pd.DataFrame, schema: CohortSchema
) -> None:
    cohort = make_cohort(table.assign(other="z"), schema)
    # 193.35 mg/dL / 38.67 = 5 mmol/L; 12 months = 365.25 days.
    assert cohort.X["chol"].tolist() == pytest.approx([5.0, 6.0, np.nan, 4.0], nan_ok=True)
    assert cohort.y["time"].tolist() == pytest.approx([365.25, 730.5, 6.5 * 30.4375, 1095.75])
    assert cohort.y["event"].tolist() == [True, False, True, False]
    assert cohort.X["age"].tolist() == pytest.approx([61.0, 55.0, 70.0, np.nan], nan_ok=True)
    assert list(cohort.X["sex"].cat.categories) == ["2", "1"]
    assert not cohort.X["sex"].cat.ordered
    assert cohort.X["nyha"].cat.ordered
    assert cohort.X.index.equals(pd.RangeIndex(4))
    assert cohort.ids is not None
    assert cohort.ids.tolist() == ["p1", "p2", "p3", "p4"]
    assert cohort.ignored_columns == ("other",)
    # Six rows with three events; one event has no time; then one row has no event indicator.
    assert [tuple(step.values()) for step in cohort.attrition.to_records()] == [
        ("rows read", 0, 6, 3),
        ("follow-up time missing", 1, 5, 2),
        ("event indicator missing", 1, 4, 2),
        ("analysed", 0, 4, 2),
    ]
    assert (cohort.attrition.n_read, cohort.attrition.n_analysed) == (6, 4)


def test_dates_instead_of_time(table: pd.DataFrame, content: dict[str, Any]) -> None:
    date = {"type": "date", "format": "%d/%m/%Y"}
    content["fields"][1] = {"name": "start", "sb:role": "time_zero_date", **date}
    content["fields"].append({"name": "end", "sb:role": "end_date", **date})
    schema = parse_schema(content)
    table = table.drop(columns="months")
    table["start"] = ["01/02/2015", "03/04/2015", "01/01/2016", "01/01/2016", "NA", "01/01/2016"]
    table["end"] = ["03/02/2015", "04/04/2015", "31/12/2016", "01/01/2017", "01/01/2016", "NA"]
    assert make_cohort(table, schema).y["time"].tolist() == [2.0, 1.0, 365.0, 366.0]
    typed = table.assign(start=pd.to_datetime(table["start"], format="%d/%m/%Y", errors="coerce"))
    assert make_cohort(typed, schema).y["time"].tolist() == [2.0, 1.0, 365.0, 366.0]
    table.loc[0, "start"], table.loc[1, "end"] = "31/13/2015", "02/04/2015"
    first, second = found(table, schema)
    assert (first.rule, first.rows) == ("every cell must be a date written as %d/%m/%Y", (1,))
    assert (second.rule, second.rows) == ("the date must lie after `start`", (2,))


@pytest.mark.parametrize("cell", [[1, 2], {"a": 1}, (3,)])
def test_nested_cells_are_no_numbers(
    table: pd.DataFrame, schema: CohortSchema, cell: object
) -> None:
    table["age"] = pd.Series([cell, *table["age"][1:]], dtype=object)
    assert one(table, schema).rule == "every cell must be a number"


def test_prepare_predictors() -> None:
    fields = [
        Field("stage", "ordinal", levels=(Level("1", "low"), Level("2", "high"))),
        Field("height", "numeric", unit="m", source_unit="cm", hard_range=(1.0, 2.5)),
        Field("diabetes", "binary", levels=(Level("0", "no"), Level("1", "yes"))),
    ]
    frame = pd.DataFrame(
        {"diabetes": [True, False], "height": [180, 165], "stage": [2.0, None], "extra": 1}
    )
    X = prepare_predictors(frame, fields)
    assert list(X.columns) == ["stage", "height", "diabetes"]
    assert X["height"].tolist() == pytest.approx([1.8, 1.65])
    assert X["stage"].tolist()[0] == "2"
    assert X["stage"].isna().tolist() == [False, True]
    assert X["diabetes"].tolist() == ["1", "0"]
    frame = frame.assign(height="1,8", stage="9").drop(columns="diabetes")
    with pytest.raises(CohortError, match="the table: 3 violations"):
        prepare_predictors(frame, fields)
    french = Dialect(decimal=",")
    assert prepare_predictors(frame.assign(height="180,5"), fields[1:2], dialect=french)[
        "height"
    ].tolist() == pytest.approx([1.805, 1.805])
