import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scorebuilder.core.errors import ModelError
from scorebuilder.score.points import PointsScale, make_points


def test_thresholds_by_hand():
    # Anchors 0 and 10 (quantiles 0 and 1); threshold k of 10 lies at (k - 0.5) / 10 of the way:
    # 0.5, 1.5, ..., 9.5.
    scale = make_points(np.array([0.0, 4.0, 10.0]), maximum=10, anchors=(0.0, 1.0))
    assert scale.thresholds == pytest.approx([k - 0.5 for k in range(1, 11)], abs=1e-12)


def test_a_tie_with_a_threshold_counts_as_reached():
    scale = PointsScale((0.0, 1.0), (0.01, 0.99))
    assert scale.points(np.array([-1e-300, 0.0, 1.0, np.nextafter(1.0, 0)])).tolist() == [
        0,
        1,
        2,
        1,
    ]


@given(arrays(np.float64, 30, elements=st.floats(-50, 50), unique=True))
def test_points_rise_with_the_linear_predictor_and_stay_in_range(linear_predictor):
    points = make_points(linear_predictor).points(np.sort(linear_predictor))
    assert points.min() >= 0
    assert points.max() <= 10
    assert np.all(np.diff(points) >= 0)


@given(arrays(np.float64, 20, elements=st.floats(-5, 5), unique=True), st.integers(-8, 8))
def test_points_do_not_change_when_the_linear_predictor_is_moved(linear_predictor, shift):
    # Powers of two times small numbers: no rounding moves a patient over a threshold.
    moved = linear_predictor * 2.0**shift
    assert make_points(moved).points(moved).tolist() == (
        make_points(linear_predictor).points(linear_predictor).tolist()
    )


def test_equal_anchors_are_refused():
    with pytest.raises(ModelError, match="quantiles of the linear predictor are equal"):
        make_points(np.zeros(5))


def test_thresholds_must_ascend():
    with pytest.raises(ValueError, match="strictly ascending"):
        PointsScale((1.0, 1.0), (0.0, 1.0))
