import numpy as np
import pytest

from scorebuilder.score.risk_groups import RiskGroups, make_risk_groups


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
