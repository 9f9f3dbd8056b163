"""Columns that divide the patients and never become predictors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.cohort import Cohort, make_cohort
from scorebuilder.cohort.schema_file import parse_schema
from scorebuilder.core.errors import CohortError, SpecError

CENTRE = {"name": "centre", "type": "string", "sb:role": "cluster"}
REGION = {
    "name": "region", "type": "string", "sb:role": "subgroup",
    "sb:levels": [{"code": "N", "label": "North"}, {"code": "S", "label": "South"}],
}  # fmt: skip
WEIGHT = {
    "name": "weight", "type": "number", "sb:role": "subgroup", "sb:kind": "numeric",
    "sb:unit": "kg", "sb:hard_min": 20,
}  # fmt: skip
ENTRY = {"name": "entry", "type": "date", "format": "%d/%m/%Y", "sb:role": "subgroup"}


def divided(content: dict[str, Any], table: pd.DataFrame, **changes: list[str]) -> Cohort:
    content["fields"] += [dict(CENTRE), dict(REGION), dict(WEIGHT), dict(ENTRY)]
    columns = {
        "centre": ["10", "2", "Metz", "2", "10", "Metz"],
        "region": ["N", "S", "", "N", "S", "N"],
        "weight": ["70", "65.5", "NA", "80", "90", "55"],
        "entry": ["01/02/2003", "31/12/2004", "", "05/06/2005", "01/01/2001", "01/01/2002"],
    }
    return make_cohort(table.assign(**{**columns, **changes}), parse_schema(content))


def test_strata_are_carried_and_are_no_predictors(content, table):
    # The last two of six patients have no known outcome and are left out.
    cohort = divided(content, table)
    assert list(cohort.X.columns) == ["age", "chol", "sex", "nyha"]
    assert list(cohort.strata.columns) == ["centre", "region", "weight", "entry"]
    assert len(cohort.strata) == len(cohort.y) == 4
    assert list(cohort.strata["centre"]) == ["10", "2", "Metz", "2"]
    assert list(cohort.strata["region"].cat.categories) == ["N", "S"]
    assert cohort.strata["region"].isna().tolist() == [False, False, True, False]
    assert np.array_equal(cohort.strata["weight"], [70, 65.5, np.nan, 80], equal_nan=True)
    assert cohort.strata["entry"].dt.year.dropna().tolist() == [2003, 2004, 2005]


def test_a_column_is_found_among_strata_and_predictors(content, table):
    cohort = divided(content, table)
    assert cohort.column("centre").equals(cohort.strata["centre"])
    assert cohort.column("age").equals(cohort.X["age"])
    with pytest.raises(KeyError, match="no column `center`; did you mean `centre`"):
        cohort.column("center")


def test_the_hash_sees_strata(content, table):
    first = divided(content, table)
    content["fields"] = content["fields"][:-4]
    other = divided(content, table, centre=["10", "2", "Metz", "3", "10", "Metz"])
    assert first.data_sha256 != other.data_sha256


def test_faults_of_strata_are_listed_without_values(content, table):
    with pytest.raises(CohortError) as caught:
        divided(
            content, table,
            region=["N", "S", "West", "N", "S", "N"], weight=["7", "65", "", "80", "90", "55"],
            entry=["2003-02-01", "", "", "", "", ""],
        )  # fmt: skip
    text = str(caught.value)
    assert "`region`" in text
    assert "`weight`" in text
    assert "`entry`" in text
    assert "West" not in text


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({**WEIGHT, "type": "string"}, "a numeric subgroup needs `type: integer`"),
        ({**CENTRE, "sb:kind": "binary"}, "at least two different codes"),
        ({**ENTRY, "format": ""}, "a date needs its `format`"),
        ({**ENTRY, "sb:kind": "nominal"}, "a date needs its `format`"),
        ({k: v for k, v in WEIGHT.items() if k != "sb:unit"}, "`sb:unit` is missing"),
    ],
)
def test_contradictions_in_the_schema_are_named(content, field, message):
    content["fields"].append(field)
    with pytest.raises(SpecError, match=message):
        parse_schema(content)


def test_two_clusters_are_allowed(content):
    content["fields"] += [dict(CENTRE), {**CENTRE, "name": "country"}]
    assert [field.name for field in parse_schema(content).strata] == ["centre", "country"]
