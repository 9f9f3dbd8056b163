"""Made-up patients have values as the cohort measures them, and stand among the key results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.report.sections.key_results import context
from scorebuilder.report.summary_model import _rounded
from scorebuilder.report.words import times


@pytest.mark.parametrize(
    ("measured", "value", "shown"),
    [
        ([1.0, 8.0, np.nan], 8.504, 9.0),
        ([60.5, 71.0], 81.26, 81.3),
        ([0.88, 1.07], 1.4184, 1.42),
        ([1 / 3, 2.0], 0.123456, 0.123456),
    ],
)
def test_a_number_gets_the_decimals_of_the_cohort(
    measured: list[float], value: float, shown: float
) -> None:
    assert _rounded(pd.Series(measured), value) == shown


def test_a_level_stays() -> None:
    assert _rounded(pd.Series(["a", "b"], dtype="category"), "a") == "a"


def test_the_first_screen_says_what_patients_would_get(example_summary: dict[str, Any]) -> None:
    horizon = example_summary["score"]["main_horizon"]
    found = example_summary["model"]["worked_patients"]
    rows = context(example_summary, {})["examples"]
    assert len(rows) == len(found) > 0
    for row, patient in zip(rows, found, strict=True):
        risk = next(item["risk"] for item in patient["risks"] if item["horizon"] == horizon)
        assert row["risk"] == f"{100 * risk:.1f}\N{NO-BREAK SPACE}%"
        assert row["points"] == str(patient["points"])
        assert len(row["values"]) == len({step["label"] for step in patient["steps"]})


def test_how_often() -> None:
    assert [times(value) for value in (1, 2, 50)] == ["once", "twice", "50 times"]
