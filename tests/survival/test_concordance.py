"""Harrell's C: numbers from R, by hand, against all pairs, and its invariances."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.concordance import (
    ConcordanceCounter,
    concordance_influence,
    harrell_concordance,
)
from scorebuilder.survival.outcome import make_outcome

REFERENCE = Path(__file__).parents[1] / "reference" / "concordance"
EXPECTED = json.loads((REFERENCE / "expected.json").read_text(encoding="utf-8"))
CASES = [(case, model) for case in EXPECTED for model in ("old", "new")]


def read_case(case: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"{case}.csv", float_precision="round_trip")


def all_pairs(y, marker) -> tuple[int, int, int, float, np.ndarray]:
    """Definition by two loops; influence by summing over the pairs that hold each patient."""
    event, time = y["event"], y["time"]
    n = len(y)
    pairs = [
        (i, j, 1.0 if marker[i] > marker[j] else 0.5 if marker[i] == marker[j] else 0.0)
        for i in range(n)
        for j in range(n)
        if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j]))
    ]
    h = np.array([pair[2] for pair in pairs])
    c = h.mean()
    influence = np.zeros(n)
    for i, j, value in pairs:
        influence[i] += (value - c) / len(pairs)
        influence[j] += (value - c) / len(pairs)
    return int((h == 1).sum()), int((h == 0).sum()), int((h == 0.5).sum()), c, influence


@st.composite
def outcomes_and_markers(draw):
    n = draw(st.integers(2, 25))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    time = draw(st.lists(st.integers(1, 8), min_size=n, max_size=n))
    marker = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    return make_outcome(event, time), np.array(marker, dtype=float)


def comparable(y) -> bool:
    first = y["time"][y["event"]].min() if y["event"].any() else np.inf
    return bool(np.any(y["time"] > first) or np.any((y["time"] == first) & ~y["event"]))


@pytest.mark.parametrize(("case", "model"), CASES)
def test_agrees_with_r_survival(case: str, model: str) -> None:
    expected = EXPECTED[case][model]
    data = read_case(case)
    y = make_outcome(data["event"], data["time"])
    marker = data[f"risk_{model}"].to_numpy()
    if expected["c"] is None:
        with pytest.raises(UndefinedMetricError, match="no comparable pair"):
            harrell_concordance(y, marker)
        return
    result = harrell_concordance(y, marker)
    counts = (result.concordant, result.discordant, result.tied_marker)
    assert counts == (expected["concordant"], expected["discordant"], expected["tied_x"])
    assert result.comparable == sum(counts)
    # 1e-12: no iteration, only sums
    assert result.c_index == pytest.approx(expected["c"], abs=1e-12)
    c_index, influence = concordance_influence(y, marker)
    assert c_index == pytest.approx(expected["c"], abs=1e-12)
    assert np.sqrt(np.sum(influence**2)) == pytest.approx(expected["se"], abs=1e-12)


def test_by_hand() -> None:
    # events of a (t=1) and c (t=3), d (t=3); b censored at 3, e censored at 2
    # comparable: a-b a-c a-d a-e, c-b, d-b (c-d tied in time; e is censored before c and d)
    # markers a=2 b=1 c=2 d=0 e=3: a-b 1, a-c 1/2, a-d 1, a-e 0, c-b 1, d-b 0 -> 3.5/6
    y = make_outcome([1, 0, 1, 1, 0], [1, 3, 3, 3, 2])
    marker = np.array([2.0, 1.0, 2.0, 0.0, 3.0])
    result = harrell_concordance(y, marker)
    assert (result.concordant, result.discordant, result.tied_marker) == (3, 2, 1)
    assert result.c_index == pytest.approx(3.5 / 6, abs=1e-15)
    # influence: (sum of h - C x pairs) / 6 with C = 7/12
    # a: (2.5 - 4C)/6, b: (2 - 3C)/6, c: (1.5 - 2C)/6, d: (1 - 2C)/6, e: (0 - C)/6
    c = 7 / 12
    expected = np.array([2.5 - 4 * c, 2 - 3 * c, 1.5 - 2 * c, 1 - 2 * c, -c]) / 6
    np.testing.assert_allclose(concordance_influence(y, marker)[1], expected, atol=1e-15)


@settings(deadline=None)  # the first call compiles
@given(outcomes_and_markers())
def test_equals_all_pairs(case) -> None:
    y, marker = case
    if not comparable(y):
        with pytest.raises(UndefinedMetricError):
            harrell_concordance(y, marker)
        return
    concordant, discordant, tied, c, influence = all_pairs(y, marker)
    result = harrell_concordance(y, marker)
    counts = (result.concordant, result.discordant, result.tied_marker)
    assert counts == (concordant, discordant, tied)
    assert result.c_index == pytest.approx(c, abs=1e-14)
    np.testing.assert_allclose(concordance_influence(y, marker)[1], influence, atol=1e-14)


@settings(deadline=None)  # the first call compiles
@given(outcomes_and_markers(), st.randoms(use_true_random=False))
def test_invariances(case, random) -> None:
    y, marker = case
    if not comparable(y):
        return
    counter = ConcordanceCounter(y)
    c = counter(marker)
    assert counter(np.exp(marker / 2)) == c  # monotone
    assert counter(-marker) == pytest.approx(1 - c, abs=1e-14)
    order = np.array(random.sample(range(len(y)), len(y)))
    permuted_c, permuted = concordance_influence(y[order], marker[order])
    assert permuted_c == pytest.approx(c, abs=1e-14)
    np.testing.assert_allclose(permuted, concordance_influence(y, marker)[1][order], atol=1e-14)
    scaled = make_outcome(y["event"], y["time"] / 365.25)
    assert harrell_concordance(scaled, marker).c_index == c


@settings(deadline=None)  # the first call compiles
@given(outcomes_and_markers(), st.data())
def test_include_is_a_subset(case, data) -> None:
    y, marker = case
    chosen = data.draw(st.lists(st.booleans(), min_size=len(y), max_size=len(y)))
    include = np.array(chosen)
    if not include.any() or not comparable(y[include]):
        return
    hidden = np.where(include, marker, np.nan)
    counter = ConcordanceCounter(y)
    alone = harrell_concordance(y[include], marker[include])
    assert counter.counts(hidden, include=include) == alone
    _, influence = counter.influence(hidden, include=include)
    np.testing.assert_array_equal(influence[~include], 0.0)


def test_no_tolerance_for_ties() -> None:
    y = make_outcome([1, 0], [1, 2])
    assert harrell_concordance(y, np.array([0.1 + 1e-15, 0.1])).c_index == 1.0


def test_refuses_nan_and_other_lengths() -> None:
    y = make_outcome([1, 0, 1], [1, 2, 3])
    with pytest.raises(ValueError, match="must not be NaN; 1 of 3"):
        harrell_concordance(y, np.array([1.0, np.nan, 2.0]))
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        harrell_concordance(y, np.array([1.0, 2.0]))
