import numpy as np
import pytest
from sklearn.base import clone

from scorebuilder.core.errors import ModelError, StatisticalWarning
from scorebuilder.score.risk_groups import RiskGroups, make_risk_bands, make_risk_groups


def test_tertiles_by_hand():
    # Shares below 1, 2, 3: 1/3, 2/3, 1, so the cuts are 1 and 2.
    groups = make_risk_groups(np.array([0, 0, 1, 1, 2, 2]), "tertiles", maximum=3)
    assert groups == RiskGroups((1, 2), ("low", "intermediate", "high"))
    assert groups.bands(3) == [("low", 0, 0), ("intermediate", 1, 1), ("high", 2, 3)]


def test_tertiles_that_fall_together_make_two_groups():
    groups = make_risk_groups(np.array([0] * 5 + [10] * 5), "tertiles", maximum=10)
    assert len(groups.labels) == len(groups.cut_points) + 1
    assert set(groups.group(np.array([0, 10]))) == {0, len(groups.cut_points)}


def test_given_cut_points():
    groups = make_risk_groups(np.array([0]), [4], maximum=10)
    assert groups.labels == ("low", "high")
    assert groups.group([3, 4]).tolist() == [0, 1]
    assert make_risk_groups(np.array([0]), [2, 4, 6], maximum=10).labels[-1] == "group 4"


@pytest.mark.parametrize("cuts", [[0], [11], [3, 3]])
def test_wrong_cut_points_are_refused(cuts):
    with pytest.raises(ValueError, match=r"cut points must lie|strictly ascending"):
        make_risk_groups(np.array([0, 5]), cuts, maximum=10)


def test_limits_of_absolute_risk_by_hand():
    # H0 = 0.1; risk 0.1 is at log(-log(0.9) / 0.1) = log(1.0536) = 0.052, nearest threshold 0 (2
    # points); risk 0.2 at log(2.2314) = 0.803, nearest 1 (3 points).
    thresholds = np.array([-1.0, 0.0, 1.0, 2.0])
    groups = make_risk_bands(thresholds, [0.1, 0.2], cumulative_hazard=0.1)
    assert groups == RiskGroups((2, 3), ("below 10%", "10% to 20%", "20% and above"))
    assert groups.bands(4)[1] == ("10% to 20%", 2, 2)


def test_limits_that_no_points_value_separates():
    thresholds = np.array([-1.0, 0.0, 1.0, 2.0])
    with pytest.raises(ModelError, match=r"no points value separates patients at the risk 0\.9"):
        make_risk_bands(thresholds, [0.1, 0.9], cumulative_hazard=0.1)
    with pytest.warns(StatisticalWarning, match="one group fewer"):
        groups = make_risk_bands(thresholds, [0.1, 0.11, 0.2], cumulative_hazard=0.1)
    assert groups.labels == ("below 10%", "11% to 20%", "20% and above")


def test_a_builder_forms_groups_by_risk(small_score):
    limits = {"risk": (0.1, 0.4), "horizon": 365.25}
    builder = clone(small_score.builder).set_params(risk_groups=limits)
    builder.fit(small_score.cohort.X, small_score.cohort.y)
    assert builder.groups_.labels == ("below 10%", "10% to 40%", "40% and above")
    group = builder.predict_group(small_score.cohort.X)
    risk = builder.predict_risk(small_score.cohort.X, horizon=365.25)
    assert risk[group == 0].mean() < 0.1 < risk[group == 1].mean() < 0.4 < risk[group == 2].mean()
