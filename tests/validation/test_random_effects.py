"""Random-effects summary: by hand, against published numbers, and its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.random_effects import random_effects


def test_equal_errors_by_hand():
    # Effects 1, 2, 3, 6 with error 1 each: mean 3, variance (4 + 1 + 0 + 9) / 3 = 14/3. With equal
    # errors REML is variance - 1 = 11/3, all weights 3/14, q = 1, se = sqrt(14/3 / 4).
    found = random_effects([1.0, 2.0, 3.0, 6.0], [1.0] * 4)
    assert found.mean == pytest.approx(3.0)
    assert found.between == pytest.approx(11 / 3)
    assert found.standard_error == pytest.approx(np.sqrt(14 / 12))
    assert found.i_squared == pytest.approx((11 / 3) / (14 / 3))
    assert found.upper == pytest.approx(3.0 + stats.t.ppf(0.975, 3) * np.sqrt(14 / 12))
    wide = stats.t.ppf(0.975, 2) * np.sqrt(11 / 3 + 14 / 12)
    assert (found.predicted_lower, found.predicted_upper) == pytest.approx((3 - wide, 3 + wide))


def test_no_spread_keeps_the_ordinary_error():
    # Effects 1.0 and 1.1 with error 1: no variance between, q < 1 counts as 1.
    found = random_effects([1.0, 1.1], [1.0, 1.0])
    assert found.between == 0.0
    assert found.standard_error == pytest.approx(np.sqrt(0.5))
    assert found.predicted_lower is None


def test_published_trials_of_bcg_vaccine():
    # Thirteen trials (Colditz 1994), log relative risk; restricted maximum likelihood gives
    # tau2 = 0.3132 and mean -0.7145 (R package metafor, `rma(yi, vi, data = dat)`).
    cases = np.array([
        [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619],
        [33, 5036, 47, 5761], [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892],
        [29, 7470, 45, 7232], [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ], dtype=float)  # fmt: skip
    ill, well, ill_control, well_control = cases.T
    ratio = np.log(ill / (ill + well)) - np.log(ill_control / (ill_control + well_control))
    variance = 1 / ill - 1 / (ill + well) + 1 / ill_control - 1 / (ill_control + well_control)
    found = random_effects(ratio, np.sqrt(variance))
    assert found.between == pytest.approx(0.3132, abs=5e-5)
    assert found.mean == pytest.approx(-0.7145, abs=5e-5)
    assert found.i_squared == pytest.approx(0.9222, abs=5e-5)


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.05, 2)), min_size=3, max_size=12),
    st.floats(0.1, 10),
    st.floats(-5, 5),
)
def test_units_and_origin_do_not_matter(pairs, factor, shift):
    effects, errors = np.array(pairs).T
    one = random_effects(effects, errors)
    two = random_effects(effects * factor + shift, errors * factor)
    # The root is found to 1e-14; its square root and differences of close numbers lose half.
    assert two.mean == pytest.approx(one.mean * factor + shift, abs=1e-6)
    assert two.standard_error == pytest.approx(one.standard_error * factor, rel=1e-6)
    assert one.predicted_lower <= one.mean <= one.predicted_upper
    assert effects.min() - 1e-9 <= one.mean <= effects.max() + 1e-9


def test_what_cannot_be_pooled_is_said():
    with pytest.raises(UndefinedMetricError, match="1 clusters have an estimate"):
        random_effects([1.0], [0.1])
    with pytest.raises(ValueError, match="`standard_errors` above 0"):
        random_effects([1.0, 2.0], [0.1, 0.0])
    with pytest.raises(ValueError, match="must match"):
        random_effects([1.0, 2.0], [0.1])
