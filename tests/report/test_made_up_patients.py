"""Made-up patients have values as the cohort measures them, and stand among the key results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.report.made_up_patients import rounded, typical_patients
from scorebuilder.report.sections.key_results import context
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
    assert rounded(pd.Series(measured), value) == shown


def test_values_of_one_patient_do_not_contradict_one_another() -> None:
    """Risk rises with age; the menopause comes at 50: a quarter up 37, three quarters up 62."""
    age = np.arange(25.0, 75.0).repeat(10)
    stage = np.where(age < 50, "pre", "post")
    X = pd.DataFrame({"age": age, "stage": pd.Categorical(stage, ["post", "pre"])})
    young, old = typical_patients(X, 0.1 * age)
    assert (young["stage"], old["stage"]) == ("pre", "post")
    assert young["age"] == pytest.approx(25 + 0.25 * 50, abs=1)
    assert old["age"] == pytest.approx(25 + 0.75 * 50, abs=1)


def test_few_patients_make_up_nobody() -> None:
    X = pd.DataFrame({"age": np.arange(12.0)})
    assert typical_patients(X, X["age"].to_numpy()) == []
    assert typical_patients(pd.DataFrame({"age": np.ones(99)}), np.ones(99)) == [{"age": 1.0}]


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
