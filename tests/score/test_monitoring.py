"""Aggregates of the development patients: right shares, and no small cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.score.monitoring import (
    _level_shares,
    bin_counts,
    bin_edges,
    development_aggregates,
    rounded,
    share_of,
)


def test_bins_by_hand() -> None:
    # Edges 1 and 3: 0 and 1 are not above 1; 2 and 3 not above 3; 4 is above.
    assert bin_counts(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), [1.0, 3.0]).tolist() == [2, 2, 1]
    assert rounded(123456.0) == 123500.0


def test_deciles_of_a_hundred_patients() -> None:
    values = np.arange(1.0, 101.0)
    counts = bin_counts(values, bin_edges(values))
    assert len(counts) == 10
    assert counts.tolist() == [10.0] * 10


def test_a_value_that_most_share_makes_few_bins() -> None:
    values = np.concatenate([np.zeros(90), np.arange(1.0, 11.0)])
    edges = bin_edges(values)
    assert edges == [0.0]
    assert bin_edges(np.zeros(50)) == []


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=5, max_size=200))
def test_no_bin_is_small(values: list[float]) -> None:
    array = np.array(values)
    counts = bin_counts(array, bin_edges(array))
    assert counts.sum() == len(values)
    assert len(counts) == 1 or counts.min() >= 5


def test_shares_of_one_to_four_patients_are_not_told() -> None:
    flags = np.zeros(20, dtype=bool)
    assert share_of(flags) == 0.0
    flags[:4] = True
    assert share_of(flags) is None
    flags[4] = True
    assert share_of(flags) == 0.25


def test_rare_levels_share_a_cell() -> None:
    found = _level_shares([90, 3, 6, 1], ["a", "b", "c", "d"])
    # d (1) and b (3) make 4, still small; with c they make 10.
    assert found == [
        {"codes": ["a"], "share": 0.9},
        {"codes": ["b", "c", "d"], "share": 0.1},
    ]


def test_artifact_holds_them(small_score: Any) -> None:
    held = small_score.artifact.content["monitoring"]
    assert held == development_aggregates(small_score.artifact, small_score.cohort.X)
    assert held["n"] == 500
    lp = small_score.builder.predict(small_score.cohort.X)
    assert held["linear_predictor"]["mean"] == pytest.approx(np.mean(lp), abs=1e-12)
    assert held["linear_predictor"]["sd"] == pytest.approx(np.std(lp, ddof=1), abs=1e-12)
    for entry in held["predictors"]:
        shares = entry.get("shares") or [level["share"] for level in entry["levels"]]
        assert sum(shares) == pytest.approx(1.0, abs=1e-12)
        assert min(shares) * 500 >= 5 - 1e-9
