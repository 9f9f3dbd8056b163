"""Risk by points: no small count, none that follows from a total, observed risk never falling."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, SMALLEST_CELL
from scorebuilder.score.artifact import seal
from scorebuilder.score.public_risk import public_risk_rows
from scorebuilder.score.risk_table import MINIMUM_PATIENTS
from scorebuilder.survival.outcome import make_outcome

GROUPS = [(0, 2), (3, 5), (6, 8)]


def rows_of(counts: list[int], events: list[int], groups: Any = GROUPS) -> list[dict[str, Any]]:
    """So many patients at 0, 1, ... points; events at day 1, all others followed to day 9."""
    points = np.repeat(np.arange(len(counts)), counts)
    event = np.concatenate([np.arange(n) < d for n, d in zip(counts, events, strict=True)])
    y = make_outcome(event, np.where(event, 1.0, 9.0))
    risk = ((points + 1) / 20)[:, None]
    return public_risk_rows(points, risk, y, groups=groups, horizons=[5.0])


def test_neighbours_are_joined_until_there_are_ten_by_hand() -> None:
    # Points 2 (4 patients) is the last of its group and joins point 1: 40 + 4 = 44 patients, mean
    # risk (40 x 0.10 + 4 x 0.15) / 44, observed (4 + 1) / 44. Points 7 and 8 (3 + 8) join.
    rows = rows_of([12, 40, 4, 30, 30, 30, 20, 3, 8], [0, 4, 1, 6, 6, 6, 8, 2, 6])
    assert [row["points"] for row in rows] == list(range(9))
    assert [row["band"] for row in rows[:3]] == [[0, 0], [1, 2], [1, 2]]
    assert [row["band"] for row in rows[6:]] == [[6, 6], [7, 8], [7, 8]]
    assert rows[1]["n"] == rows[2]["n"] == 44
    assert rows[2]["predicted"] == pytest.approx((40 * 0.1 + 4 * 0.15) / 44)
    assert rows[2]["observed"] == pytest.approx(5 / 44)
    assert rows[8]["observed"] == pytest.approx(8 / 11)
    # None of 12: the upper limit solves (1 - p)^12 = 0.025.
    assert (rows[0]["observed"], rows[0]["lower"]) == (0.0, 0.0)
    assert (1 - rows[0]["upper"]) ** 12 == pytest.approx(0.025)


def test_observed_risk_that_falls_is_pooled_and_says_so_by_hand() -> None:
    # 5 of 20, 3 of 20, 10 of 20: the first two are pooled, 8 of 40; counts and predictions stay.
    rows = rows_of([20, 20, 20], [5, 3, 10], groups=[(0, 2)])
    assert [row["pooled"] for row in rows] == [[0, 1], [0, 1], [2, 2]]
    assert [row["observed"] for row in rows] == pytest.approx([0.2, 0.2, 0.5])
    assert [row["n"] for row in rows] == [20, 20, 20]
    assert [row["predicted"] for row in rows] == pytest.approx([0.05, 0.1, 0.15])


def test_everybody_with_the_event_has_an_interval() -> None:
    rows = rows_of([20, 12], [5, 12], groups=[(0, 1)])
    assert rows[1]["observed"] == rows[1]["upper"] == 1.0
    assert rows[1]["lower"] ** 12 == pytest.approx(0.025)


def test_a_group_of_few_is_hidden_and_takes_another_band_along() -> None:
    rows = rows_of([40, 30, 50, 60, 20, 2, 1], [4, 3, 5, 6, 2, 1, 0], [(0, 1), (2, 4), (5, 6)])
    assert [row["n"] for row in rows] == [40, 30, 50, 60, None, None, None]
    small = rows[6]
    assert (small["reason"], small["predicted"], small["observed"]) == (
        HIDDEN_COMPLEMENT, None, None,
    )  # fmt: skip
    assert rows[4]["observed"] is None
    assert rows[4]["predicted"] == pytest.approx(0.25)


def test_a_group_of_nobody_says_so() -> None:
    rows = rows_of([0, 0, 50, 60], [0, 0, 5, 6], [(0, 1), (2, 3)])
    assert [row["n"] for row in rows] == [0, 0, 50, 60]
    assert rows[0]["reason"] == "no patients"


counts = st.lists(st.integers(0, 30), min_size=9, max_size=9)


@given(counts, st.integers(0, 2**32 - 1))
def test_nothing_small_and_nothing_falling(numbers: list[int], seed: int) -> None:
    if sum(numbers) == 0:
        return
    random = np.random.default_rng(seed)
    rows = rows_of(numbers, [int(random.integers(0, n + 1)) for n in numbers])
    assert all(row["n"] in (None, 0) or row["n"] >= SMALLEST_CELL for row in rows)
    for first, last in GROUPS:
        inside = rows[first : last + 1]
        total = sum(numbers[first : last + 1])
        if total >= MINIMUM_PATIENTS:
            assert all(row["n"] is None or row["n"] >= MINIMUM_PATIENTS for row in inside)
        bands = {tuple(row["band"]): row["n"] for row in inside}
        open_counts = [n for n in bands.values() if n is not None]
        # What is left of a group's total is nothing, or the whole of it, or no small count.
        left = total - sum(open_counts)
        assert left == 0 or not open_counts or left >= SMALLEST_CELL
    runs: list[list[float]] = [[]]
    for row in rows:
        if row["reason"] == HIDDEN_COMPLEMENT:
            runs.append([])
        elif row["observed"] is not None:
            runs[-1].append(row["observed"])
    assert all(run == sorted(run) for run in runs)
    predicted = [row["predicted"] for row in rows if row["predicted"] is not None]
    assert all(np.diff(predicted) >= -1e-12)


def test_an_artifact_with_hidden_bands_keeps_its_schema(small_score: Any) -> None:
    content = copy.deepcopy(small_score.artifact.content)
    del content["artifact_sha256"], content["core_id"]
    content["scoring"]["risk_table"] = rows_of([1, 2, 0, 50, 60, 20, 30, 30, 30], [0] * 9)
    assert seal(content).scoring["risk_table"][0]["n"] is None


def test_a_score_shows_ten_patients_or_more_in_every_row(small_score: Any) -> None:
    rows = small_score.artifact.scoring["risk_table"]
    for horizon in small_score.artifact.horizons:
        found = [row for row in rows if row["horizon"] == horizon]
        assert [row["points"] for row in found] == list(range(11))
        assert sum({tuple(r["band"]): r["n"] for r in found}.values()) == 500
        observed = [row["observed"] for row in found]
        assert observed == sorted(observed)
