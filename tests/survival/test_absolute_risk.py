import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.survival.absolute_risk import absolute_risk


def test_by_hand():
    # H0 = 0.5: eta = 0 gives 1 - exp(-0.5), eta = ln 2 gives 1 - exp(-1).
    found = absolute_risk(np.array([0.0, np.log(2.0)]), 0.5)
    np.testing.assert_allclose(found, [1 - np.exp(-0.5), 1 - np.exp(-1.0)], rtol=1e-15)


def test_extreme_predictors_stay_probabilities_without_a_warning():
    found = absolute_risk(np.array([-1e6, 1e6, np.nan]), 0.1)
    np.testing.assert_array_equal(found, [0.0, 1.0, np.nan])
    np.testing.assert_array_equal(absolute_risk(np.array([1e6, np.nan]), 0.0), [0.0, np.nan])


@given(st.floats(0, 50), st.floats(-50, 50), st.floats(0, 5))
def test_risk_rises_with_both_and_stays_in_range(hazard, predictor, step):
    low = absolute_risk(np.array([predictor]), hazard)[0]
    assert 0.0 <= low <= 1.0
    assert low <= absolute_risk(np.array([predictor + step]), hazard)[0]
    assert low <= absolute_risk(np.array([predictor]), hazard + step)[0]
