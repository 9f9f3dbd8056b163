"""Risk by a horizon: equal to R, by hand, derivative by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.survival.outcome import make_outcome
from tests.validation.reference_cases import COMPETING, FOLLOWED, patients


@pytest.mark.parametrize("name", FOLLOWED)
def test_kaplan_meier_and_its_error_are_those_of_r(name):
    found, expected = patients(name), patients(name).expected["km"]["log"]
    estimate = event_risk(found.y, found.horizon)
    assert estimate.complement == pytest.approx(expected["surv"], abs=1e-13)
    assert estimate.risk == pytest.approx(1.0 - expected["surv"], abs=1e-13)
    if isinstance(expected["se"], float):
        assert estimate.standard_error == pytest.approx(expected["se"], abs=1e-13)


@pytest.mark.parametrize("name", COMPETING)
def test_aalen_johansen_and_its_error_are_those_of_r(name):
    found, expected = patients(name), patients(name).expected["aalen_johansen"]
    estimate = event_risk(found.y, found.horizon, competing=found.competing)
    assert estimate.risk == pytest.approx(expected["cif1"], abs=1e-13)
    assert estimate.standard_error == pytest.approx(expected["se1"], abs=1e-13)


def test_by_hand():
    # event at 1 (4 at risk), competing at 2 (3), censored at 3, event at 4 (1 at risk)
    # S: 3/4, then 3/4 x 2/3 = 1/2, then 0; F1 = 1/4 + 1/2 x 1/1 = 3/4
    y = make_outcome([1, 0, 0, 1], [1, 2, 3, 4])
    competing = np.array([False, True, False, False])
    assert event_risk(y, 4, competing=competing).risk == pytest.approx(0.75, abs=1e-15)
    assert event_risk(y, 3.5, competing=competing).risk == pytest.approx(0.25, abs=1e-15)
    assert event_risk(y, 0.5).risk == 0.0


def test_past_the_follow_up_the_last_value_is_marked():
    y = make_outcome([1, 0], [1, 2])
    assert event_risk(y, 2).followed
    assert not event_risk(y, 3).followed
    assert event_risk(make_outcome([1, 1], [1, 2]), 3).followed
    with pytest.raises(UndefinedMetricError, match="no patient"):
        event_risk(y[:0], 1)


patient_lists = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=2, max_size=12)


@given(patient_lists, st.integers(1, 6))
def test_derivative_is_that_of_one_more_copy_of_a_patient(rows, horizon):
    time, kind = (np.array(column) for column in zip(*rows, strict=True))
    copies = 400
    many_y = make_outcome(np.repeat(kind == 1, copies), np.repeat(time.astype(float), copies))
    many_c = np.repeat(kind == 2, copies)
    base = event_risk(many_y, horizon, competing=many_c)
    # the derivative with respect to the weight of patient 0, whose copies weigh 1/copies
    more = event_risk(
        np.append(many_y, many_y[:1]), horizon, competing=np.append(many_c, many_c[:1])
    )
    fewer = event_risk(many_y[1:], horizon, competing=many_c[1:])
    slope = (more.risk - fewer.risk) / 2 * copies
    y = make_outcome(kind == 1, time.astype(float))
    derivative = event_risk(y, horizon, competing=kind == 2).derivative
    # central difference of step 1/400: error of order (1/400)^2 times the third derivative
    assert slope == pytest.approx(derivative[0], abs=1e-3)
    assert base.derivative.sum() == pytest.approx(0.0, abs=1e-12)


@given(patient_lists, st.integers(1, 6))
def test_without_competing_events_it_is_kaplan_meier(rows, horizon):
    time, kind = (np.array(column) for column in zip(*rows, strict=True))
    y = make_outcome(kind == 1, time.astype(float))
    nobody = np.zeros(len(y), dtype=bool)
    plain, competing = event_risk(y, horizon), event_risk(y, horizon, competing=nobody)
    assert plain.risk == pytest.approx(competing.risk, abs=1e-14)
    np.testing.assert_allclose(plain.derivative, competing.derivative, atol=1e-14)
    if time.max() >= horizon:
        expected = survival_at(y, horizon)
        assert plain.complement == pytest.approx(expected.survival, abs=1e-14)
        assert plain.standard_error == pytest.approx(expected.standard_error, abs=1e-14)
