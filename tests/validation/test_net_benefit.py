"""Net benefit: equal to the definition and to R, by hand, difference with its error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.event_risk import event_risk
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.decision_curve import decision_curve, net_benefit_difference
from tests.validation.reference_cases import (
    COMPETING,
    FOLLOWED,
    PAST_FOLLOW_UP,
    number,
    patients,
)

# sums of products without iteration
POINT = 1e-12
COLUMNS = {
    "true_positive": "tp_rate",
    "false_positive": "fp_rate",
    "net_benefit": "net_benefit",
    "standardised": "standardized_net_benefit",
}


def numbers(values):
    return np.array([np.nan if number(value) is None else number(value) for value in values])


@pytest.mark.parametrize("name", FOLLOWED + COMPETING)
@pytest.mark.parametrize("model", ["old", "new"])
def test_curve_is_that_of_the_definition(name, model):
    found = patients(name)
    expected = found.expected["decision_curve"]
    curve = decision_curve(
        found.y,
        found.risk(model),
        horizon=found.horizon,
        thresholds=found.settings["thresholds"],
        competing=found.competing if name in COMPETING else None,
    )
    for column, key in COLUMNS.items():
        if key not in expected[model]:
            continue
        wanted, ours = numbers(expected[model][key]), curve[column].to_numpy()
        defined = np.isfinite(wanted)
        # R's package has nothing where no positive is seen before, or followed to, the horizon
        np.testing.assert_allclose(ours[defined], wanted[defined], atol=POINT)
    wanted = numbers(expected["all"]["net_benefit"])
    np.testing.assert_allclose(curve["net_benefit_all"].to_numpy(), wanted, atol=POINT)
    odds = curve["threshold"] / (1.0 - curve["threshold"])
    avoided = (curve["net_benefit"] - curve["net_benefit_all"]) / odds
    np.testing.assert_allclose(curve["interventions_avoided"], avoided, atol=POINT)
    assert curve["reason"].isna().all()


def test_past_the_follow_up_is_refused():
    found = patients(PAST_FOLLOW_UP)
    with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
        net_benefit_difference(found.y, found.new, found.old, horizon=found.horizon, threshold=0.2)


def test_competing_net_benefit_by_hand():
    # positives are patients 1 to 3 of 4, all seen: one event, one competing event
    # e = 1/3: NB = 3/4 (1/3 - 2/3 x 0.25) = 0.125; all: 1/4 - 3/4 x 0.25 = 0.0625
    y = make_outcome([1, 0, 0, 0], [1, 2, 9, 9])
    competing = np.array([False, True, False, False])
    risk = np.array([0.9, 0.5, 0.3, 0.1])
    curve = decision_curve(y, risk, horizon=5, thresholds=[0.2], competing=competing)
    assert curve["net_benefit"][0] == pytest.approx(0.125)
    assert curve["net_benefit_all"][0] == pytest.approx(0.0625)
    assert curve["standardised"][0] == pytest.approx(0.5)
    assert curve["interventions_avoided"][0] == pytest.approx(0.25)
    difference = net_benefit_difference(
        y, risk, None, horizon=5, threshold=0.2, competing=competing
    )
    assert difference.value == pytest.approx(0.0625)


def test_positives_without_follow_up_keep_their_last_risk():
    # the only positive has the event in one of two: patient 2 is censored at 2
    y = make_outcome([1, 0, 0, 0], [1, 2, 9, 9])
    curve = decision_curve(y, np.array([0.9, 0.9, 0.1, 0.1]), horizon=5, thresholds=[0.5, 0.05])
    assert curve["followed"].tolist() == [False, True]
    assert curve["net_benefit"][0] == pytest.approx(0.5 * 0.5 - 0.5 * 0.5)


rows = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 2), st.integers(0, 8)), min_size=2, max_size=25
)


@given(rows, st.lists(st.integers(1, 15), min_size=1, max_size=6), st.integers(1, 6))
def test_one_pass_is_the_plain_definition(patient_rows, sixteenths, horizon):
    time, kind, eighths = (np.array(column) for column in zip(*patient_rows, strict=True))
    horizon = min(horizon, int(time.max()))
    y, other, risk = make_outcome(kind == 1, time.astype(float)), kind == 2, eighths / 8.0
    thresholds = np.array(sixteenths) / 16.0
    for competing in (None, other):
        curve = decision_curve(y, risk, horizon=horizon, thresholds=thresholds, competing=competing)
        for threshold, ours in zip(thresholds, curve["net_benefit"], strict=True):
            positive = risk >= threshold
            wanted = 0.0
            if positive.any():
                among = None if competing is None else competing[positive]
                e = event_risk(y[positive], horizon, competing=among).risk
                wanted = positive.mean() * (e - (1 - e) * threshold / (1 - threshold))
            assert ours == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("name", ["pbc", "melanoma_cr"])
def test_error_of_the_difference_is_that_of_the_jackknife(name):
    found = patients(name)
    competing = found.competing if name in COMPETING else None
    n = len(found.y)

    def at(kept):
        return net_benefit_difference(
            found.y[kept],
            found.new[kept],
            found.old[kept],
            horizon=found.horizon,
            threshold=0.3,
            competing=None if competing is None else competing[kept],
        )

    whole = at(np.arange(n))
    left = np.array([at(np.delete(np.arange(n), row)).value for row in range(n)])
    jackknife = np.sqrt((n - 1) / n * np.sum((left - left.mean()) ** 2))
    # both are consistent; they differ by terms of order 1 / n
    assert whole.standard_error == pytest.approx(jackknife, rel=0.02)
    curves = [
        decision_curve(found.y, risk, horizon=found.horizon, thresholds=[0.3], competing=competing)[
            "net_benefit"
        ][0]
        for risk in (found.new, found.old)
    ]
    assert whole.value == pytest.approx(curves[0] - curves[1], abs=1e-13)


def test_equal_predictions_have_no_difference_and_no_p():
    found = patients("deg_old_equals_new")
    result = net_benefit_difference(
        found.y, found.new, found.old, horizon=found.horizon, threshold=0.2
    )
    assert (result.value, result.standard_error, result.p) == (0.0, 0.0, None)
    assert "not defined" in result.reason
