"""Weighted concordance: pair by pair, influence by differences, by hand, refusals."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.censoring import CensoringDistribution
from scorebuilder.survival.competing_concordance import competing_concordance
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import (
    check_competing,
    ended_outcome,
    make_outcome,
    outliving_outcome,
)
from scorebuilder.survival.pair_concordance import pair_concordance, uno_event_weight
from scorebuilder.survival.pair_covariance import pair_covariance

# Sums of a few dozen terms.
CLOSE = 1e-12
# Central differences with a step of 1e-5: truncation 1e-10, rounding 1e-11.
BY_DIFFERENCE = 1e-8

patients = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(0, 4), st.integers(1, 3)),
    min_size=3,
    max_size=14,
)


def h(first: float, second: float) -> float:
    return 1.0 if first > second else 0.5 if first == second else 0.0


def weighted_c(y, marker, event_weight, case_weight, until) -> float:
    """Plain sum over all ordered pairs."""
    won = pairs = 0.0
    for i, j in permutations(range(y.size), 2):
        if not y["event"][i] or y["time"][i] > until:
            continue
        later = y["time"][i] < y["time"][j]
        if later or (y["time"][i] == y["time"][j] and not y["event"][j]):
            weight = event_weight[i] * case_weight[i] * case_weight[j]
            won += weight * h(marker[i], marker[j])
            pairs += weight
    return won / pairs


@given(patients)
def test_pairs_weights_and_influence(rows):
    y = make_outcome([row[0] == 1 for row in rows], [row[1] for row in rows])
    marker = np.array([row[2] for row in rows], dtype=float)
    weight = np.array([row[3] for row in rows], dtype=float)
    events = uno_event_weight(y, case_weight=weight)
    try:
        found = pair_concordance(y, marker, event_weight=events, case_weight=weight, until=4.0)
    except UndefinedMetricError:
        with pytest.raises(ZeroDivisionError):
            weighted_c(y, marker, events, weight, 4.0)
        return
    assert found.c_index == pytest.approx(weighted_c(y, marker, events, weight, 4.0), abs=CLOSE)
    assert np.sum(weight * found.influence) == pytest.approx(0.0, abs=CLOSE)
    for patient in range(y.size):
        step = np.zeros(y.size)
        step[patient] = 1e-5
        up, down = (weighted_c(y, marker, events, weight + s, 4.0) for s in (step, -step))
        assert found.influence[patient] == pytest.approx((up - down) / 2e-5, abs=BY_DIFFERENCE)


@given(patients)
def test_case_weights_are_repeated_patients(rows):
    y = make_outcome([row[0] == 1 for row in rows], [row[1] for row in rows])
    marker = np.array([row[2] for row in rows], dtype=float)
    weight = np.array([row[3] for row in rows])
    many, markers = np.repeat(y, weight), np.repeat(marker, weight)
    weighted = CensoringDistribution().fit(y, case_weight=weight).survival_
    repeated = CensoringDistribution().fit(many).survival_
    np.testing.assert_allclose(weighted(y["time"]), repeated(y["time"]), atol=CLOSE)
    np.testing.assert_allclose(
        uno_event_weight(y, case_weight=weight)[y["event"]],
        uno_event_weight(many)[np.cumsum(weight) - 1][y["event"]],
        rtol=CLOSE,
    )
    try:
        found = pair_concordance(many, markers)
    except UndefinedMetricError:
        return
    assert found.comparable == pytest.approx(harrell_concordance(many, markers).comparable)
    weighted_found = pair_concordance(y, marker, case_weight=weight)
    # a patient is comparable with no copy of himself, unlike two patients
    assert weighted_found.c_index == pytest.approx(found.c_index, abs=CLOSE)
    assert weighted_found.concordant == found.concordant
    assert weighted_found.discordant == found.discordant


@given(patients)
def test_counts_are_those_of_the_integer_kernel(rows):
    y = make_outcome([row[0] == 1 for row in rows], [row[1] for row in rows])
    marker = np.array([row[2] for row in rows], dtype=float)
    try:
        plain = harrell_concordance(y, marker)
    except UndefinedMetricError:
        return
    found = pair_concordance(y, marker)
    assert (found.concordant, found.discordant, found.tied_marker) == (
        plain.concordant,
        plain.discordant,
        plain.tied_marker,
    )
    both = sum(
        y["event"][i] and y["event"][j] and y["time"][i] == y["time"][j]
        for i in range(y.size)
        for j in range(i)
    )
    assert found.tied_time + found.tied_both == both


def test_counts_by_hand():
    # Events at 1, 2, 2, 2 with markers 4, 3, 3, 1; one censored at 2 with marker 3.
    # The event at 1 beats all four. Each event at 2 is comparable with the censored one:
    # tied, tied, discordant. Pairs among the events at 2: one with equal markers, two without.
    y = make_outcome([1, 1, 1, 1, 0], [1, 2, 2, 2, 2])
    found = pair_concordance(y, np.array([4.0, 3.0, 3.0, 1.0, 3.0]))
    assert (found.concordant, found.tied_marker, found.discordant) == (4.0, 2.0, 1.0)
    assert (found.tied_time, found.tied_both) == (2.0, 1.0)
    assert found.c_index == 5.0 / 7.0
    assert found.somers_d == pytest.approx(3.0 / 7.0, abs=CLOSE)


def competing_c(y, competing, marker, until, case_weight) -> float:
    """Plain sum over all ordered pairs; infinite weights stay in."""
    censoring = CensoringDistribution().fit(ended_outcome(y, competing)).survival_
    before, after = censoring.before(y["time"]), censoring(y["time"])
    won = pairs = 0.0
    ended = y["event"] | competing
    for i, j in permutations(range(y.size), 2):
        if not y["event"][i] or y["time"][i] > until:
            continue
        later = y["time"][i] < y["time"][j]
        if later or (y["time"][i] == y["time"][j] and not ended[j]):
            weight = 1.0 / (before[i] * after[i]) if after[i] else np.inf
        elif competing[j]:
            weight = 1.0 / (before[i] * before[j])
        else:
            continue
        weight *= case_weight[i] * case_weight[j]
        won += weight * h(marker[i], marker[j])
        pairs += weight
    return won / pairs


@given(patients)
def test_competing_pairs_and_influence(rows):
    y = make_outcome([row[0] == 1 for row in rows], [row[1] for row in rows])
    competing = np.array([row[0] == 2 for row in rows])
    marker, ones = np.array([row[2] for row in rows], dtype=float), np.ones(y.size)
    try:
        found, influence = competing_concordance(y, competing, marker, until=5.0)
    except UndefinedMetricError as error:
        if "infinite" in str(error):
            # infinity / infinity, or 0 / infinity where such pairs are all discordant
            with np.errstate(invalid="ignore"):
                value = competing_c(y, competing, marker, 5.0, ones)
            assert np.isnan(value) or value == 0.0
        else:
            with pytest.raises(ZeroDivisionError):
                competing_c(y, competing, marker, 5.0, ones)
        return
    assert found == pytest.approx(competing_c(y, competing, marker, 5.0, ones), abs=CLOSE)
    assert influence.sum() == pytest.approx(0.0, abs=CLOSE)
    for patient in range(y.size):
        step = np.zeros(y.size)
        step[patient] = 1e-5
        up, down = (competing_c(y, competing, marker, 5.0, ones + s) for s in (step, -step))
        assert influence[patient] == pytest.approx((up - down) / 2e-5, abs=BY_DIFFERENCE)


def test_without_censoring_and_competing_events_it_is_harrell():
    random = np.random.default_rng(4)
    y = make_outcome(np.ones(60, bool), random.integers(1, 30, 60))
    marker = random.integers(0, 9, 60).astype(float)
    found, _ = competing_concordance(y, np.zeros(60, bool), marker)
    assert found == pytest.approx(harrell_concordance(y, marker).c_index, abs=CLOSE)


@given(patients)
def test_covariance_is_that_of_all_pairs(rows):
    y = make_outcome([row[0] == 1 for row in rows], [row[1] for row in rows])
    markers = [np.array([row[k] for row in rows], dtype=float) for k in (2, 3)]
    n = y.size
    kernels = np.zeros((3, n, n))
    for i, j in permutations(range(n), 2):
        order = (y["time"][i], not y["event"][i]), (y["time"][j], not y["event"][j])
        first = i if order[0] < order[1] else j
        if order[0] == order[1] or not y["event"][first]:
            continue
        sign = -1.0 if first == i else 1.0
        kernels[0, i, j] = 1.0
        for k, marker in enumerate(markers):
            kernels[k + 1, i, j] = sign * np.sign(marker[j] - marker[i])
    if n < 4 or not kernels[0].any():
        with pytest.raises(UndefinedMetricError, match=r"needs 4 patients|no comparable pair"):
            pair_covariance(y, *markers)
        return
    cov = np.zeros((3, 3))
    for u in range(3):
        for v in range(3):
            rowwise = np.sum(kernels[u].sum(axis=1) * kernels[v].sum(axis=1))
            cov[u, v] = 4 * rowwise - 2 * np.sum(kernels[u] * kernels[v])
            cov[u, v] -= 2 * (2 * n - 3) * kernels[u].sum() * kernels[v].sum() / (n * (n - 1))
    cov /= n * (n - 1) * (n - 2) * (n - 3)
    x, *means = kernels.sum(axis=(1, 2)) / (n * (n - 1))
    gradient = np.array([[-means[0] / x**2, 1 / x, 0], [-means[1] / x**2, 0, 1 / x]]) / 2
    expected = gradient @ cov @ gradient.T
    found = pair_covariance(y, *markers)
    assert (found.first, found.second) == pytest.approx([(m / x + 1) / 2 for m in means], abs=CLOSE)
    values = (found.first_variance, found.second_variance, found.covariance)
    assert values == pytest.approx((expected[0, 0], expected[1, 1], expected[0, 1]), abs=CLOSE)
    spread = expected[0, 0] + expected[1, 1] - 2 * expected[0, 1]
    assert found.difference_variance == pytest.approx(spread, abs=CLOSE)


def test_refusals():
    y = make_outcome([1, 0, 1], [1, 2, 3])
    marker = np.array([3.0, 2.0, 1.0])
    with pytest.raises(ValueError, match=r"`marker` must have shape \(3,\) as `y` does; got \(2,"):
        pair_concordance(y, marker[:2])
    with pytest.raises(ValueError, match="`marker` must not be NaN; 3 of 3 values are"):
        pair_concordance(y, marker * np.nan)
    with pytest.raises(ValueError, match=r"`case_weight` must have shape \(3,\)"):
        pair_concordance(y, marker, case_weight=[1.0])
    with pytest.raises(ValueError, match="`case_weight` must be finite and positive; 2 values"):
        pair_concordance(y, marker, case_weight=[1.0, 0.0, np.inf])
    with pytest.raises(ValueError, match="`competing` must be an array of bool"):
        check_competing(y, np.array([0, 1, 0]))
    with pytest.raises(ValueError, match="1 patients have both"):
        outliving_outcome(y, np.array([True, False, False]))
