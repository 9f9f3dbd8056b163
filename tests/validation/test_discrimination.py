"""Discrimination and overall performance: by hand, competing risks, contrasts, oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sksurv.metrics import cumulative_dynamic_auc
from sksurv.metrics import integrated_brier_score as sksurv_integrated_brier

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.kaplan_meier import kaplan_meier
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.binary_auc import binary_auc
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.difference import metric_difference, pairwise_differences
from scorebuilder.validation.integrated import integrated_auc, integrated_brier
from scorebuilder.validation.ipcw import cohort_risk
from scorebuilder.validation.metric import METRICS, MetricEstimate, estimate_metric
from scorebuilder.validation.metrics.auc import auc_at, auc_estimate

CLOSE = 1e-12
OURS = (
    "auc",
    "auc_binary",
    "auc_event_free",
    "brier",
    "c_index",
    "c_index_compare_c",
    "c_index_truncated",
    "scaled_brier",
    "uno_c",
    "uno_c_truncated",
    "wolbers_c",
)
WITHOUT_COMPETING = ("uno_c", "uno_c_truncated")


def cohort(n, seed, *, ties=False):
    """Draw patients with competing events, a good and a poorer risk, censored or not."""
    random = np.random.default_rng(seed)
    marker = random.normal(size=n)
    event, other = random.exponential(np.exp(-marker)), random.exponential(2.5, n)
    censored = random.exponential(2.0, n)
    time = np.minimum(np.minimum(event, other), censored)
    y = make_outcome(time == event, np.ceil(time * 8) if ties else time)
    new = 1.0 / (1.0 + np.exp(-marker))
    old = 1.0 / (1.0 + np.exp(-marker - random.normal(0, 1.5, n)))
    return y, time == other, new, old


def test_auc_with_a_competing_event_by_hand():
    # Nobody is censored by 5. Case: patient 1. Controls: 2 (competing event), 3 and 4.
    # Patient 1 beats 2 and 3, not 4: 2/3; against event-free patients only 3 and 4: 1/2.
    y = make_outcome([1, 0, 0, 0], [1, 2, 9, 9])
    competing = np.array([False, True, False, False])
    risk = np.array([0.5, 0.3, 0.1, 0.6])
    assert auc_at(None, y, risk, horizon=5, competing=competing) == pytest.approx(2 / 3, abs=CLOSE)
    found = estimate_metric("auc_event_free", y, risk, horizon=5, competing=competing)
    assert found.value == pytest.approx(1 / 2, abs=CLOSE)
    # treated as censored, patient 2 is neither, which gives the same here
    assert auc_at(None, y, risk, horizon=5) == pytest.approx(1 / 2, abs=CLOSE)


def test_brier_and_null_model_with_a_competing_event_by_hand():
    # Patient 2 is censored at 2 among 4 at risk after the event at 1: G = 3/4 from 2 on.
    # Weights: case 1: 1; competing 3 (at 3): 4/3; beyond 5, patients 4, 5: 4/3. Incidence 1/5.
    # Brier = (0.1^2 + 4/3 (0.2^2 + 0.4^2 + 0.1^2)) / 5
    y = make_outcome([1, 0, 0, 0, 0], [1, 2, 3, 9, 9])
    competing = np.array([False, False, True, False, False])
    risk = np.array([0.9, 0.5, 0.2, 0.4, 0.1])
    found = estimate_metric("brier", y, risk, horizon=5, competing=competing)
    assert found.value == pytest.approx((0.01 + 4 / 3 * 0.21) / 5, abs=CLOSE)
    assert cohort_risk(y, horizon=5, competing=competing) == pytest.approx(0.2, abs=CLOSE)
    # null model: (0.8^2 + 4 * 0.2^2) / 5 = 0.16, the three controls weighing 4 in all
    scaled = estimate_metric("scaled_brier", y, risk, horizon=5, competing=competing)
    assert scaled.value == pytest.approx(1 - found.value / 0.16, abs=CLOSE)


@given(st.integers(0, 2**16), st.booleans())
def test_cohort_risk_is_the_incidence(seed, ties):
    y, competing, *_ = cohort(25, seed, ties=ties)
    horizon = float(np.median(y["time"]))
    nobody = np.zeros(25, bool)
    survival = 1.0 - float(kaplan_meier(y)(horizon))
    assert cohort_risk(y, horizon=horizon, competing=nobody) == pytest.approx(survival, abs=CLOSE)
    # Aalen-Johansen written out
    alive, incidence = 1.0, 0.0
    for time in np.unique(y["time"][y["time"] <= horizon]):
        at_risk, now = np.sum(y["time"] >= time), y["time"] == time
        incidence += alive * np.sum(now & y["event"]) / at_risk
        alive *= 1 - np.sum(now & (y["event"] | competing)) / at_risk
    found = cohort_risk(y, horizon=horizon, competing=competing)
    assert found == pytest.approx(incidence, abs=CLOSE)


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].with_competing])
def test_without_competing_events_nothing_changes(name):
    y, _, risk, _ = cohort(150, 5)
    plain = METRICS[name].function(None, y, risk, horizon=1.0)
    found = estimate_metric(name, y, risk, horizon=1.0, competing=np.zeros(150, bool))
    assert found.value == pytest.approx(plain.value, abs=CLOSE)
    np.testing.assert_allclose(found.influence, plain.influence, atol=1e-11)


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].with_competing])
def test_error_with_competing_events_is_that_of_the_jackknife(name):
    # Leaving each patient out gives the same error up to O(1/n): 200 patients, 3 %.
    y, competing, risk, _ = cohort(200, 6)
    full = estimate_metric(name, y, risk, horizon=1.0, competing=competing)
    left_out = np.empty(200)
    for patient in range(200):
        stay = np.arange(200) != patient
        left_out[patient] = estimate_metric(
            name, y[stay], risk[stay], horizon=1.0, competing=competing[stay]
        ).value
    error = np.sqrt(199 / 200 * np.sum((left_out - left_out.mean()) ** 2))
    assert full.standard_error == pytest.approx(error, rel=0.03)


def test_competing_events_need_weights_of_the_judged_patients():
    y, competing, risk, _ = cohort(30, 1)
    with pytest.raises(ValueError, match="the censoring distribution comes from `y_test`"):
        auc_estimate(y, y, risk, horizon=1.0, competing=competing)
    for name in WITHOUT_COMPETING:
        with pytest.raises(UndefinedMetricError, match=f"`{name}` has no version for competing"):
            estimate_metric(name, y, risk, horizon=1.0, competing=competing)


def test_classification_by_hand():
    # G = 3/4 from 2 on (patient 2 censored with 4 at risk); cases 1 (weight 1) and 3 (4/3),
    # controls 4, 5 (4/3). Positive at 0.4 or above: 1, 2, 3, 4.
    # Sensitivity 1, specificity 1/2, PPV (1 + 4/3) / (1 + 4/3 + 4/3) = 7/11, NPV 1.
    y = make_outcome([1, 0, 1, 0, 0], [1, 2, 3, 9, 9])
    risk = np.array([0.9, 0.5, 0.4, 0.4, 0.1])
    found = classification_at(y, risk, threshold=0.4, horizon=5)
    rates = (found.sensitivity, found.specificity, found.ppv, found.npv)
    assert [rate.value for rate in rates] == pytest.approx([1, 1 / 2, 7 / 11, 1], abs=CLOSE)
    assert found.n_positive == 4
    # above 0.4: patients 1 and 2
    strict = classification_at(y, risk, threshold=0.4, horizon=5, strict=True)
    assert strict.sensitivity.value == pytest.approx(1 / (7 / 3), abs=CLOSE)
    assert strict.n_positive == 2


def test_classification_says_what_is_undefined():
    y = make_outcome([1, 0, 0], [1, 9, 9])
    risk = np.array([0.5, 0.3, 0.1])
    nobody = classification_at(y, risk, threshold=0.9, horizon=5)
    assert nobody.sensitivity.value == 0.0
    assert nobody.ppv.reason == "nobody at or above the threshold has a known outcome"
    everybody = classification_at(y, risk, threshold=0.0, horizon=5)
    assert everybody.npv.reason == "nobody below the threshold has a known outcome"
    early = classification_at(y, risk, threshold=0.2, horizon=0.5)
    assert early.sensitivity.reason == early.ppv.reason == "no patient has the event by the horizon"
    assert early.sensitivity.value is early.sensitivity.standard_error is None
    with pytest.raises(ValueError, match="`threshold` must be finite"):
        classification_at(y, risk, threshold=np.nan, horizon=5)


def test_delong_by_hand():
    # Case 1 beats both controls, case 2 one of two: V01 = (1, 1/2), V10 = (1, 1/2), AUC 3/4.
    # Variances 1/8 each; SE^2 = 1/16 + 1/16 = 1/8.
    y = make_outcome([1, 1, 0, 0, 0], [1, 2, 9, 9, 3])
    found = binary_auc(y, np.array([0.9, 0.5, 0.1, 0.6, 0.7]), horizon=5)
    assert found.values[0] == 0.75
    assert found.standard_error(np.ones(1)) == pytest.approx(np.sqrt(1 / 8), abs=CLOSE)
    assert (found.n_cases, found.n_controls, found.n_left_out) == (2, 2, 1)
    assert found.influence[0, 4] == 0.0
    assert found.limits() == pytest.approx((0.75 - 1.959963984540054 / np.sqrt(8), 1.0))


def test_delong_with_one_case_has_no_error():
    y = make_outcome([1, 0, 0], [1, 9, 9])
    risk = np.array([0.9, 0.5, 0.1])
    found = CONTRASTS["auc_binary"].function(y, risk, -risk, horizon=5)
    assert found.value == 1.0
    assert found.standard_error is found.p is None
    assert found.reason == "DeLong's error needs two patients with the event and two without"


@pytest.mark.parametrize("name", OURS)
class TestEveryContrast:
    def test_is_the_difference_of_the_metric(self, name):
        y, _, new, old = cohort(120, 2)
        found = CONTRASTS[name].function(y, new, old, horizon=1.0)
        metric = name.removesuffix("_compare_c")
        values = [METRICS[metric].function(None, y, r, horizon=1.0).value for r in (new, old)]
        assert found.value == pytest.approx(values[0] - values[1], abs=CLOSE)
        assert [found.part(part).value for part in ("new", "old")] == pytest.approx(values)
        assert {part.name for part in found.parts} == set(dict(CONTRASTS[name].part_labels))
        assert found.lower < found.value < found.upper
        assert 0.0 < found.p < 1.0

    def test_exchange_changes_the_sign_only(self, name):
        y, _, new, old = cohort(120, 3)
        found = CONTRASTS[name].function(y, new, old, horizon=1.0)
        other = CONTRASTS[name].function(y, old, new, horizon=1.0)
        assert other.value == pytest.approx(-found.value, abs=CLOSE)
        assert other.standard_error == pytest.approx(found.standard_error, abs=CLOSE)
        assert other.p == pytest.approx(found.p, abs=1e-10)

    def test_equal_predictions_have_no_p(self, name):
        y, _, new, _ = cohort(120, 4)
        found = CONTRASTS[name].function(y, new, new, horizon=1.0)
        assert (found.value, found.standard_error) == (0.0, 0.0)
        assert found.p is None
        assert found.reason == "no sampling error: P is not defined"

    def test_competing_events_count_or_are_refused(self, name):
        y, competing, new, old = cohort(120, 5)
        options = {"horizon": 1.0, "competing": competing}
        if name in WITHOUT_COMPETING:
            with pytest.raises(UndefinedMetricError, match="no version for competing risks"):
                CONTRASTS[name].function(y, new, old, **options)
        else:
            found = CONTRASTS[name].function(y, new, old, **options)
            assert found.value != CONTRASTS[name].function(y, new, old, horizon=1.0).value

    def test_direction(self, name):
        assert CONTRASTS[name].name == name
        metric = METRICS[name.removesuffix("_compare_c")]
        assert CONTRASTS[name].greater_is_better == metric.greater_is_better
        assert CONTRASTS[name].ranks_only == metric.ranks_only
        assert CONTRASTS[name].whole_follow_up == metric.whole_follow_up


def test_contrasts_are_registered():
    assert set(OURS) <= set(CONTRASTS)
    y, _, new, old = cohort(50, 8)
    found = CONTRASTS["auc"].function(y, new, old, horizon=1.0)
    with pytest.raises(KeyError, match="unknown part `events`; known: new, old"):
        found.part("events")
    with pytest.raises(ValueError, match="needs the influence function of both"):
        metric_difference("auc", MetricEstimate(0.8), MetricEstimate(0.7))


def test_both_errors_of_the_c_index_agree():
    # Jackknife and U-statistic differ by O(1/n): 2 % at 400 patients.
    y, _, new, old = cohort(400, 9)
    jackknife, pairs = (
        CONTRASTS[name].function(y, new, old, horizon=1.0).standard_error
        for name in ("c_index", "c_index_compare_c")
    )
    assert jackknife == pytest.approx(pairs, rel=0.02)


@pytest.mark.parametrize("metric", ["auc", "brier", "c_index"])
def test_pairwise_differences(metric):
    y, competing, new, old = cohort(150, 10)
    predictions = {"a": old, "b": new, "c": (old + new) / 2}
    for other in (None, competing):
        table = pairwise_differences(y, predictions, metric=metric, horizon=1.0, competing=other)
        assert list(zip(table["old"], table["new"], strict=True)) == [
            ("a", "b"), ("a", "c"), ("b", "c"),
        ]  # fmt: skip
        for row in table.itertuples():
            found = CONTRASTS[metric].function(
                y, predictions[row.new], predictions[row.old], horizon=1.0, competing=other
            )
            values = (row.value, row.standard_error, row.lower, row.upper, row.p)
            expected = (found.value, found.standard_error, found.lower, found.upper, found.p)
            assert values == expected


def test_integrated_measures_are_those_of_scikit_survival():
    # scikit-survival uses G(T) for G(T-): censored times moved by 1e-12 make both the same.
    y, _, risk, _ = cohort(200, 11)
    times = np.quantile(y["time"], [0.1, 0.3, 0.5, 0.7])
    train = make_outcome(y["event"], np.where(y["event"], y["time"], y["time"] * (1 + 1e-12)))
    aucs, mean = cumulative_dynamic_auc(train, y, risk, times, tied_tol=0.0)
    found = [auc_at(None, y, risk, horizon=time) for time in times]
    assert found == pytest.approx(aucs, abs=CLOSE)
    assert integrated_auc(y, risk, times=times).value == pytest.approx(mean, abs=CLOSE)
    risks = risk[:, np.newaxis] * np.array([0.2, 0.4, 0.6, 0.8])
    expected = sksurv_integrated_brier(train, y, 1.0 - risks, times)
    found = integrated_brier(y, risks, times=times, rule="trapezoid")
    assert found.value == pytest.approx(expected, abs=CLOSE)


def test_error_of_integrated_measures_is_that_of_the_jackknife():
    # Leaving each patient out: O(1/n), 5 % (the weights of the times are held fixed in iAUC).
    y, competing, risk, _ = cohort(150, 12)
    times = np.quantile(y["time"], [0.2, 0.4, 0.6])
    risks = risk[:, np.newaxis] * np.array([0.3, 0.6, 0.9])
    for measure in (integrated_auc, integrated_brier):
        full = measure(y, risks, times=times, competing=competing)
        left_out = np.empty(150)
        for patient in range(150):
            stay = np.arange(150) != patient
            left_out[patient] = measure(
                y[stay], risks[stay], times=times, competing=competing[stay]
            ).value
        error = np.sqrt(149 / 150 * np.sum((left_out - left_out.mean()) ** 2))
        assert full.standard_error == pytest.approx(error, rel=0.05)


def test_integrated_measures_refuse_what_does_not_fit():
    y, _, risk, _ = cohort(40, 13)
    risks = np.column_stack((risk, risk))
    with pytest.raises(ValueError, match="`times` must be a strictly ascending list"):
        integrated_auc(y, risk, times=[1.0, 1.0])
    with pytest.raises(ValueError, match=r"shape \(40, 3\); got \(40, 2\)"):
        integrated_brier(y, risks, times=[0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="`rule` must be 'left' or 'trapezoid'; got 'right'"):
        integrated_brier(y, risks, times=[0.1, 0.2], rule="right")
    with pytest.raises(ValueError, match="two times or more"):
        integrated_brier(y, risks[:, :1], times=[0.1])
    with pytest.raises(UndefinedMetricError, match="no patient has the event by the last time"):
        integrated_auc(y, risk, times=[y["time"].min() / 2])


def test_limits_stay_within_the_range():
    assert MetricEstimate(0.5).limits() is None
    assert MetricEstimate(0.9, standard_error=0.2).limits()[1] == 1.0
    lower, upper = MetricEstimate(-0.1, standard_error=1.0).limits(lowest=-np.inf)
    assert (lower, upper) == pytest.approx((-0.1 - 1.959963984540054, 1.0))
