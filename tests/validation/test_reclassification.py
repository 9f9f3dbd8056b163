"""Reclassification and IDI: equal to R, by hand, errors by jackknife, useless marker near 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.categorical_nri import (
    categorical_nri,
    nri_categorical,
    reclassification_table,
)
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.contrasts.idi import idi
from scorebuilder.validation.contrasts.idi_model_based import idi_model_based
from scorebuilder.validation.contrasts.median_difference import median_difference
from scorebuilder.validation.contrasts.nri_continuous import nri_continuous, nri_continuous_ipcw
from tests.validation.reference_cases import (
    COMPETING,
    FOLLOWED,
    PAST_FOLLOW_UP,
    SURVIVAL,
    number,
    patients,
)

# sums of some hundred terms without iteration
POINT = 1e-12
NRI_KEYS = {
    "nri_events": "events",
    "nri_nonevents": "nonevents",
    "p_up_case": "up_events",
    "p_down_case": "down_events",
    "p_up_control": "up_nonevents",
    "p_down_control": "down_nonevents",
}
IDI_KEYS = {"idi_events": "events", "idi_nonevents": "nonevents"}
# R takes cases before the horizon only and 1 / G(T), on a grid: equal to 1e-3 without ties
TIED = ("deg_censoring_tied_with_events", "deg_tiny", "lung_ties", "weights", "deg_ties")


def same(value, expected, tolerance=POINT):
    if expected is None:
        assert value is None
    else:
        assert value == pytest.approx(expected, abs=tolerance)


def agrees(estimate, expected, total, keys):
    same(estimate.value, number(expected[total]))
    for key, name in keys.items():
        same(estimate.part(name).value, number(expected[key]))
        assert (estimate.part(name).reason is None) == (estimate.part(name).value is not None)
    assert estimate.value is not None or estimate.reason


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize(("ours", "theirs"), [("km", "km"), ("ipcw", "ipw")])
def test_categorical_nri_is_that_of_r(name, ours, theirs):
    found = patients(name)
    contrast = categorical_nri(found.settings["cut_points"], estimator=ours)
    estimate = contrast.function(found.y, found.new, found.old, horizon=found.horizon)
    agrees(estimate, found.expected["nri_categorical"][theirs], "nri", NRI_KEYS)


@pytest.mark.parametrize("name", FOLLOWED)
def test_continuous_nri_is_that_of_r(name):
    found, expected = patients(name), patients(name).expected["nri_continuous"]
    arguments = (found.y, found.new, found.old)
    agrees(nri_continuous(*arguments, horizon=found.horizon), expected["km"], "nri", NRI_KEYS)
    weighted = nri_continuous_ipcw(*arguments, horizon=found.horizon)
    agrees(weighted, expected["ipw"], "nri", NRI_KEYS)


@pytest.mark.parametrize("name", FOLLOWED)
def test_idi_is_that_of_the_definition(name):
    found, expected = patients(name), patients(name).expected["idi"]
    estimate = idi(found.y, found.new, found.old, horizon=found.horizon)
    agrees(estimate, expected["ipcw_exact"], "idi", IDI_KEYS)


@pytest.mark.parametrize("name", SURVIVAL)
def test_model_based_idi_is_that_of_the_definition(name):
    found, expected = patients(name), patients(name).expected["idi"]["model_based"]
    estimate = idi_model_based(found.y, found.new, found.old, horizon=found.horizon)
    agrees(estimate, expected, "idi", {"r2_old": "old", "r2_new": "new"})


@pytest.mark.parametrize("name", [name for name in FOLLOWED if name not in TIED])
def test_difference_of_medians_is_that_of_r(name):
    found = patients(name)
    expected = number(found.expected["idi"]["survIDINRI"]["median_diff"])
    estimate = median_difference(found.y, found.new, found.old, horizon=found.horizon)
    if name == "deg_horizon_at_last_event":
        # R counts the event at the horizon as a control; there is none
        assert estimate.value is None
        assert "free of the event" in estimate.reason
        return
    # R's grid has 2,000 points over the range of the change, at most 2 wide
    same(estimate.value, expected, 1e-3)


@pytest.mark.parametrize("name", COMPETING)
def test_nri_with_competing_risks_is_that_of_the_definition(name):
    found = patients(name)
    estimate = nri_categorical(
        found.y,
        found.new,
        found.old,
        horizon=found.horizon,
        cut_points=found.settings["cut_points"],
        competing=found.competing,
    )
    keys = {key: NRI_KEYS[key] for key in ("nri_events", "nri_nonevents")}
    agrees(estimate, found.expected["nri"], "nri", keys)


@pytest.mark.parametrize("name", FOLLOWED)
def test_reclassification_table_is_that_of_r(name):
    found, expected = patients(name), patients(name).expected["reclassification_table"]
    cuts = found.settings["cut_points"]
    table = reclassification_table(
        found.y, found.new, found.old, horizon=found.horizon, cut_points=cuts
    )
    size = len(cuts) + 1
    for column, key in {
        "n": "n",
        "observed": "km_risk",
        "events": "expected_events",
        "nonevents": "expected_nonevents",
    }.items():
        ours = table[column].to_numpy(dtype=np.float64).reshape(size, size)
        np.testing.assert_allclose(ours, np.array(expected[key], dtype=np.float64), atol=1e-12)
    assert (table["reason"].isna() == table["observed"].notna()).all()


def test_past_the_follow_up_is_refused():
    found = patients(PAST_FOLLOW_UP)
    for contrast in (*CONTRASTS.values(), categorical_nri([0.2])):
        # Pairs up to the horizon are there whoever is followed to it.
        pairs = {"c_index_truncated", "uno_c_truncated", "wolbers_c"}
        if contrast.name in pairs | {"idi_model_based"} or contrast.whole_follow_up:
            continue
        with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
            contrast.function(found.y, found.new, found.old, horizon=found.horizon)


def test_what_has_no_version_for_competing_risks_says_so():
    y = make_outcome([1, 0], [1, 2])
    risk, competing = np.array([0.2, 0.4]), np.array([False, True])
    with pytest.raises(UndefinedMetricError, match="competing"):
        nri_continuous_ipcw(y, risk, risk, horizon=1, competing=competing)
    with pytest.raises(UndefinedMetricError, match="competing"):
        categorical_nri([0.3], estimator="ipcw").function(
            y, risk, risk, horizon=1, competing=competing
        )
    with pytest.raises(ValueError, match="ascending"):
        categorical_nri([0.3, 0.3])


def test_competing_idi_by_hand():
    # nobody censored: the case gains 0.2; competing event and event-free change by -0.1 and 0
    y = make_outcome([1, 0, 0], [1, 2, 9])
    new, old = np.array([0.5, 0.1, 0.2]), np.array([0.3, 0.2, 0.2])
    found = idi(y, new, old, horizon=5, competing=np.array([False, True, False]))
    assert found.part("events").value == pytest.approx(0.2)
    assert found.part("nonevents").value == pytest.approx(-0.05)
    assert found.value == pytest.approx(0.25)


FUNCTIONS = {
    "nri": nri_continuous,
    "nri_ipcw": nri_continuous_ipcw,
    "categories": categorical_nri([0.1, 0.3]).function,
    "categories_ipcw": categorical_nri([0.1, 0.3], estimator="ipcw").function,
    "idi": idi,
    "idi_model_based": idi_model_based,
}


JACKKNIFED = [("pbc", key) for key in FUNCTIONS] + [
    ("melanoma_cr", key) for key in FUNCTIONS if not key.endswith("ipcw")
]


@pytest.mark.parametrize(("name", "key"), JACKKNIFED)
def test_errors_are_those_of_the_jackknife(name, key):
    found, function = patients(name), FUNCTIONS[key]
    competing = found.competing if name == "melanoma_cr" else None
    n = len(found.y)

    def at(rows):
        other = None if competing is None else competing[rows]
        return function(
            found.y[rows],
            found.new[rows],
            found.old[rows],
            horizon=found.horizon,
            competing=other,
        )

    whole = at(np.arange(n))
    without = [at(np.delete(np.arange(n), row)) for row in range(n)]
    for names in (None, *(part.name for part in whole.parts)):
        pick = (lambda found: found) if names is None else (lambda found, k=names: found.part(k))
        left = np.array([pick(found).value for found in without])
        jackknife = np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2))
        # both are consistent; they differ by terms of order 1 / n
        assert pick(whole).standard_error == pytest.approx(jackknife, rel=0.04)


@given(st.permutations(range(12)), st.sampled_from([0.5, 30.4375]))
def test_order_of_patients_and_unit_of_time_do_not_matter(order, unit):
    rng = np.random.default_rng(0)
    y = make_outcome(rng.random(12) < 0.6, rng.integers(1, 9, 12).astype(float))
    new, old = rng.random(12), rng.random(12)
    moved = make_outcome(y["event"][list(order)], y["time"][list(order)] * unit)
    for function in FUNCTIONS.values():
        one = function(y, new, old, horizon=4.0)
        two = function(moved, new[list(order)], old[list(order)], horizon=4.0 * unit)
        assert two.value == pytest.approx(one.value, abs=1e-12)
        assert two.standard_error == pytest.approx(one.standard_error, abs=1e-12)


def test_swapping_the_predictions_changes_the_sign():
    found = patients("whas500")
    for function in FUNCTIONS.values():
        one = function(found.y, found.new, found.old, horizon=found.horizon)
        two = function(found.y, found.old, found.new, horizon=found.horizon)
        assert two.value == pytest.approx(-one.value, abs=1e-14)
        assert two.standard_error == pytest.approx(one.standard_error, abs=1e-14)
