"""Table 1 in the summary: what is hidden says so, and what is undefined says why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.report.summary_cohort import STRATA, summarise_cohort
from scorebuilder.survival.outcome import make_outcome

LEVELS = (Level("1", "none"), Level("2", "some"), Level("3", "much"))
SCHEMA = CohortSchema(
    "made-up",
    (
        Field("grade", "nominal", label="Grade", levels=LEVELS),
        Field("age", "numeric", label="Age", unit="a"),
        Field("rare", "numeric", label="Rarely measured"),
        Field("same", "numeric", label="Always the same"),
    ),
)


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    # With event: 3 none, 9 some, 28 much; without: 50, 60, 70.
    grade = np.repeat(["1", "2", "3", "1", "2", "3"], [3, 9, 28, 50, 60, 70])
    event = np.arange(220) < 40
    rare = np.full(220, np.nan)
    rare[37:100] = np.arange(63.0)  # three of the patients with event
    X = pd.DataFrame(
        {
            "grade": pd.Categorical(grade, categories=["1", "2", "3"]),
            "age": np.arange(220.0),
            "rare": rare,
            "same": 1.0,
        }
    )
    cohort = SimpleNamespace(
        y=make_outcome(event, np.arange(1.0, 221.0)),
        schema=SCHEMA,
        data_sha256="0" * 64,
        attrition=SimpleNamespace(to_records=list),
    )
    labels = {field.name: field.label for field in SCHEMA.fields}
    study: Any = SimpleNamespace(
        cohort=cohort,
        X=X,
        candidates=tuple(X.columns),
        label=labels.__getitem__,
        builder=SimpleNamespace(horizons=(100.0,)),
    )
    return {row["variable"]: row for row in summarise_cohort(study)["table_one"]}


def test_hidden_cells_do_not_claim_to_be_small(table: dict[str, Any]) -> None:
    none, some, much = table["grade"]["rows"]
    for row in (none, some):
        assert (row["event"], row["no_event"]) == ("hidden", "hidden")
    assert none["all"] == "53 (24.1 %)"
    assert much["event"] == "28 (70.0 %)"
    assert table["grade"]["smd"] is None
    assert table["grade"]["smd_reason"] == "not shown beside hidden cells"


def test_a_number_without_statistics_gives_its_own_reason(table: dict[str, Any]) -> None:
    (row,) = table["rare"]["rows"]
    assert row["event"] == "undefined: fewer than 5 known values"
    assert row["no_event"] == "undefined: hidden, so that small counts cannot be worked out"
    assert row["all"].startswith("31.0 (")


def test_the_difference_has_a_number_or_a_reason(table: dict[str, Any]) -> None:
    assert isinstance(table["age"]["smd"], float)
    assert table["age"]["smd_reason"] is None
    assert table["same"]["smd"] is None
    assert table["same"]["smd_reason"] == "no spread within the strata"
    for row in table.values():
        assert (row["smd"] is None) == bool(row["smd_reason"])
        assert all(set(cells) == {"level_label", "all", "event", "no_event"}
                   for cells in row["rows"])  # fmt: skip
    assert STRATA == ("all", "event", "no event")
