"""Instability of predictions: by hand, and what must hold of any rebuilt models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import calibration_curve
from scorebuilder.validation.prediction_instability import (
    calibration_instability,
    class_instability,
    risk_instability,
)


def test_mean_absolute_error_by_hand() -> None:
    risk = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.4, 0.4, 0.4, 0.4])
    again = np.array([[0.2] * 5 + [0.4] * 5, [0.0] * 5 + [0.1] * 5, [0.1] * 5 + [0.4] * 5])
    # First five: |0.1|, |-0.1|, 0 -> 0.2 / 3; last five: 0, 0.3, 0 -> 0.1.
    found = risk_instability(risk, again, bins=2)
    assert found.mean == pytest.approx((0.2 / 3 + 0.1) / 2)
    assert found.median == pytest.approx((0.2 / 3 + 0.1) / 2)  # halfway between the two halves
    assert found.largest_bin == pytest.approx(0.1)
    assert found.bins["n"].tolist() == [5, 5]
    assert found.bins["risk"].tolist() == pytest.approx([0.1, 0.4])
    assert found.bins["median"].tolist() == pytest.approx([0.1, 0.4])
    # Of 15 values in the first bin the 2.5th centile lies at place 0.35 of 0..14: 0.0.
    assert found.bins["lower"].tolist() == pytest.approx([0.0, 0.1])
    assert found.bins["upper"].tolist() == pytest.approx([0.2, 0.4])


@given(st.integers(0, 10**6), st.integers(5, 120), st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_no_row_tells_of_fewer_than_five_patients(seed: int, n: int, n_replicates: int) -> None:
    random = np.random.default_rng(seed)
    risk = random.choice(random.random(1 + n // 3), size=n)
    again = random.random((n_replicates, n))
    found = risk_instability(risk, again)
    assert found.bins["n"].min() >= 5
    assert found.bins["n"].sum() == n
    assert found.bins["risk"].is_monotonic_increasing
    order = random.permutation(n)
    other = risk_instability(risk[order], again[:, order])
    assert other.mean == pytest.approx(found.mean)
    same = risk_instability(risk, np.tile(risk, (n_replicates, 1)))
    assert same.mean == same.upper == same.largest_bin == 0.0


def test_classes_by_hand() -> None:
    points = np.array([3.0, 5.0, 0.0, np.nan])
    again = np.array([[3.0, 6.0, 2.0, 1.0], [3.0, 5.0, np.nan, 1.0]])
    # Compared: 3-3, 5-6, 0-2, 3-3, 5-5: two of five differ, one by two; two of three patients ever.
    found = class_instability(points, again)
    assert found.changed == pytest.approx(2 / 5)
    assert found.changed_by_two == pytest.approx(1 / 5)
    assert found.ever_changed == pytest.approx(2 / 3)
    assert found.n_compared == 5
    with pytest.raises(UndefinedMetricError, match="no patient was placed"):
        class_instability(points, np.full((2, 4), np.nan))


def test_calibration_of_rebuilt_models_by_hand() -> None:
    # Nobody is censored before 2: observed risk is the share of events by 2 in each group.
    time = np.array([1.0, 3, 3, 3, 3, 1, 1, 1, 3, 3])
    y = make_outcome(time < 2, time)
    risk = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5])
    found = calibration_instability(y, np.stack([risk, risk / 2]), horizon=2.0, groups=2)
    assert found["replicate"].tolist() == [0, 0, 1, 1]
    assert found["observed"].tolist() == pytest.approx([0.2, 0.6, 0.2, 0.6])
    assert found["predicted"].tolist() == pytest.approx([0.1, 0.5, 0.05, 0.25])


def test_calibration_agrees_with_kaplan_meier_in_groups() -> None:
    """Two estimates of the same risk; with independent censoring they differ by noise only."""
    random = np.random.default_rng(2)
    risk = random.uniform(0.05, 0.6, 8000)
    event_time = random.exponential(1.0, 8000) / -np.log1p(-risk)
    censoring = random.uniform(0.3, 3.0, 8000)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    curve = calibration_curve(y, risk, horizon=1.0)
    found = calibration_instability(y, risk[None], horizon=1.0)
    np.testing.assert_allclose(found["predicted"], curve["predicted"], rtol=1e-12)
    # Standard error of either in 800 patients is about 0.02; they share most of it.
    np.testing.assert_allclose(found["observed"], curve["observed"], atol=0.02)


def test_what_has_no_value_says_why() -> None:
    risk = np.linspace(0.1, 0.9, 8)
    with pytest.raises(UndefinedMetricError, match="at least two are needed"):
        risk_instability(risk, risk[None])
    with pytest.raises(UndefinedMetricError, match="4 patients are too few"):
        risk_instability(risk[:4], np.tile(risk[:4], (2, 1)))
    with pytest.raises(UndefinedMetricError, match="some patients have no prediction"):
        risk_instability(risk, np.full((2, 8), np.nan))
    with pytest.raises(ValueError, match="must have shape"):
        risk_instability(risk, risk)
