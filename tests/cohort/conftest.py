"""A small made-up cohort and its schema, as a file's content."""

from __future__ import annotations

import copy
from typing import Any

import pandas as pd
import pytest

from scorebuilder.cohort.schema import CohortSchema
from scorebuilder.cohort.schema_file import parse_schema

CONTENT: dict[str, Any] = {
    "name": "small",
    "sb:time_unit": "mo",
    "dialect": {"missingValues": ["", "NA", "-9"]},
    "fields": [
        {"name": "patient", "type": "string", "sb:role": "id"},
        {"name": "months", "type": "number", "sb:role": "time"},
        {"name": "death", "type": "integer", "sb:role": "event"},
        {
            "name": "age", "type": "integer", "title": "Age", "sb:role": "predictor",
            "sb:kind": "numeric", "sb:unit": "a", "sb:hard_min": 18, "sb:hard_max": 110,
            "sb:group": "clinical",
        },
        {
            "name": "chol", "type": "number", "sb:role": "predictor", "sb:kind": "numeric",
            "sb:unit": "mmol/L", "sb:source_unit": "mg/dL", "sb:analyte": "cholesterol",
            "sb:group": "laboratory",
        },
        {
            "name": "sex", "type": "string", "sb:role": "predictor", "sb:kind": "binary",
            "sb:levels": [{"code": "1", "label": "male"}, {"code": "2", "label": "female"}],
            "sb:reference": "2",
        },
        {
            "name": "nyha", "type": "string", "sb:role": "predictor", "sb:kind": "ordinal",
            "sb:levels": [{"code": "1"}, {"code": "2"}, {"code": "3"}],
        },
        {"name": "note", "type": "string", "sb:role": "exclude"},
    ],
}  # fmt: skip


@pytest.fixture
def content() -> dict[str, Any]:
    return copy.deepcopy(CONTENT)


@pytest.fixture
def schema() -> CohortSchema:
    return parse_schema(copy.deepcopy(CONTENT), source="small.yaml")


@pytest.fixture
def table() -> pd.DataFrame:
    """Six patients as text; the fifth has no time, the last no event indicator."""
    return pd.DataFrame(
        {
            "patient": ["p1", "p2", "p3", "p4", "p5", "p6"],
            "months": ["12", "24", "6.5", "36", "NA", "8"],
            "death": ["1", "0", "1", "0", "1", ""],
            "age": ["61", "55", " 70 ", "-9", "48", "66"],
            "chol": ["193.35", "232.02", "", "154.68", "200", "210"],
            "sex": ["1", "2", "2", "1", "1", "NA"],
            "nyha": ["1", "3", "2", "2", "1", "1"],
        },
        dtype=object,
    )
