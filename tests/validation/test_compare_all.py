"""Several models in one table: by hand, against the single functions, and what must not change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import calibration_in_the_large, calibration_slope
from scorebuilder.validation.compare_all import COLUMNS, ComparedModel, _holm, compare_all
from scorebuilder.validation.contrast import Contrast, ContrastPart, normal_contrast
from scorebuilder.validation.contrast_over_repeats import contrast_over_repeats
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.over_repeats import RepeatEstimate, average_over_repeats
from scorebuilder.validation.performance import evaluate_fixed
from scorebuilder.validation.resampling import stratified_folds

HORIZON = 800.0


def study(n=400, repeats=2, seed=1):
    random = np.random.default_rng(seed)
    marker = random.normal(size=n)
    event_time = random.exponential(1500 * np.exp(-marker))
    censoring = random.exponential(2500, n)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    folds = stratified_folds(y["event"], folds=4, repeats=repeats, random_state=1)

    def model(name, noise):
        noisy = marker + noise * random.normal(size=(repeats, n))
        return ComparedModel(
            name, name, noisy, np.clip(1 - np.exp(-HORIZON / 1500 * np.exp(noisy)), 1e-6, 1 - 1e-6)
        )

    return y, folds, [model("good", 0.1), model("fair", 0.6), model("poor", 2.0)]


def pick(table, model, measure, against="", threshold=None):
    rows = table[(table.model == model) & (table.against == against) & (table.measure == measure)]
    if threshold is not None:
        rows = rows[rows.threshold == threshold]
    return rows.iloc[0]


def test_a_models_numbers_are_those_of_the_single_functions():
    y, folds, models = study()
    table = compare_all(y, folds, models, horizon=HORIZON, thresholds=[0.2])
    assert list(table.columns) == list(COLUMNS)
    for model in models:
        for metric in ("auc", "brier", "scaled_brier"):
            found = evaluate_fixed(y, model.risk, folds, horizon=HORIZON, metric=metric)
            row = pick(table, model.name, metric)
            assert (row.value, row.lower, row.upper) == (found.value, found.lower, found.upper)
        ratio = [calibration_in_the_large(y, r, horizon=HORIZON).ratio for r in model.risk]
        assert pick(table, model.name, "observed_expected").value == pytest.approx(np.mean(ratio))
        slope = [calibration_slope(y, r).upper for r in model.risk]
        assert pick(table, model.name, "slope").upper == pytest.approx(np.mean(slope))
        curves = [decision_curve(y, r, horizon=HORIZON, thresholds=[0.2]) for r in model.risk]
        benefit = np.mean([curve["net_benefit"][0] for curve in curves])
        assert pick(table, model.name, "net_benefit").value == pytest.approx(benefit, abs=1e-14)


def test_a_difference_is_that_of_the_two_numbers_beside_it():
    y, folds, models = study()
    table = compare_all(y, folds, models, horizon=HORIZON, thresholds=[0.1, 0.3])
    pairs = table[(table.against != "") & table.first_value.notna()]
    assert set(pairs.model) == {"good"}
    np.testing.assert_allclose(pairs.value, pairs.first_value - pairs.second_value, atol=1e-14)
    assert pick(table, "good", "auc", "poor").lower > 0
    # All models judge the same patients, so that the two numbers are the models' own.
    own = pick(table, "poor", "auc").value
    assert pick(table, "good", "auc", "poor").second_value == own


def test_reclassification_stands_beside_with_its_parts_apart():
    y, folds, models = study()
    table = compare_all(y, folds, models, horizon=HORIZON, thresholds=[0.2, 0.4])
    for measure in ("nri_continuous", "nri_categorical", "idi"):
        rows = table[(table.measure == measure) & (table.against == "poor")]
        assert rows.part.tolist() == ["", "events", "nonevents"]
        assert rows.value.notna().all()
    nri = table[(table.measure == "nri_categorical") & (table.against == "poor")]
    whole, events, others = nri.value
    assert whole == pytest.approx(events + others)


def test_the_same_model_twice_has_no_difference_and_no_p():
    y, folds, models = study()
    twin = ComparedModel("twin", "twin", models[0].marker, models[0].risk)
    table = compare_all(y, folds, [models[0], twin], horizon=HORIZON, thresholds=[0.2])
    for measure in ("auc", "c_index", "brier", "net_benefit"):
        row = pick(table, "good", measure, "twin")
        assert (row.value, row.lower, row.upper) == (0.0, 0.0, 0.0)
        assert pd.isna(row.p)
        assert "no sampling error" in row.reason


def test_holm_by_hand():
    # 4 x 0.01, 3 x 0.02, 2 x 0.03 (not below what came before), 0.5; the missing one is no test.
    p = _holm(pd.Series([0.02, np.nan, 0.01, 0.5, 0.03]))
    np.testing.assert_allclose(p, [0.06, np.nan, 0.04, 0.5, 0.06])
    assert np.isnan(_holm(pd.Series([np.nan]))).all()


def test_holm_is_taken_over_the_pairs_of_a_measure():
    y, folds, models = study()
    table = compare_all(y, folds, models, horizon=HORIZON, thresholds=[0.2])
    rows = table[(table.against != "") & (table.measure == "auc")]
    np.testing.assert_allclose(rows.p_holm, _holm(rows.p))
    assert table[table.against == ""].p_holm.isna().all()


def test_points_are_ranked_and_have_no_level_of_risk():
    y, folds, models = study()
    points = ComparedModel("points", "points", np.round(models[1].marker * 2))
    table = compare_all(y, folds, [models[0], points], horizon=HORIZON, thresholds=[0.2])
    assert 0.5 < pick(table, "points", "auc").value < 1
    for measure in ("brier", "observed_expected", "slope", "ici", "net_benefit"):
        assert pd.isna(pick(table, "points", measure).value)
        assert pick(table, "points", measure).reason == "points are no risk"
    assert pick(table, "good", "net_benefit", "points").reason == "points are no risk"


def test_models_are_compared_on_the_patients_whom_both_can_judge():
    y, folds, models = study()
    some = models[1].risk.copy()
    some[:, :100] = np.nan
    partial = ComparedModel("partial", "partial", some, some)
    table = compare_all(y, folds, [models[0], partial], horizon=HORIZON)
    assert pick(table, "good", "auc").n == 400
    row = pick(table, "good", "auc", "partial")
    assert row.n == 300
    subset = np.arange(400) >= 100
    one = evaluate_fixed(y, models[0].risk, folds, horizon=HORIZON, metric="auc", subset=subset)
    assert row.first_value == one.value


def test_with_few_events_nothing_is_stated():
    y, folds, models = study()
    some = models[1].risk.copy()
    some[:, 8:] = np.nan
    table = compare_all(
        y, folds, [models[0], ComparedModel("tiny", "tiny", some, some)], horizon=HORIZON
    )
    assert "at least 10 are needed" in pick(table, "good", "auc", "tiny").reason
    assert table[table.against == "tiny"].value.isna().all()


def test_every_missing_number_has_its_reason():
    y, folds, models = study()
    constant = ComparedModel("same", "same", np.zeros(400), np.full(400, 0.3))
    table = compare_all(y, folds, [*models, constant], horizon=HORIZON, thresholds=[0.2])
    assert table.loc[table.value.isna(), "reason"].notna().all()
    assert "the same for every patient" in pick(table, "same", "slope").reason


@settings(max_examples=10)
@given(seed=st.integers(0, 99), unit=st.sampled_from([1 / 365.25, 24.0]))
def test_order_of_patients_and_unit_of_time_change_nothing(seed, unit):
    y, folds, models = study(n=120, repeats=1)
    order = np.random.default_rng(seed).permutation(120)
    other = make_outcome(y["event"][order], y["time"][order] * unit)
    moved = [ComparedModel(m.name, m.label, m.marker[:, order], m.risk[:, order]) for m in models]
    first = compare_all(y, folds, models, horizon=HORIZON, thresholds=[0.2])
    second = compare_all(other, folds[:, order], moved, horizon=HORIZON * unit, thresholds=[0.2])
    for column in ("value", "lower", "upper", "p", "p_holm"):
        # Sums in another order differ by rounding; Newton's method stops at 1e-9.
        np.testing.assert_allclose(first[column], second[column], atol=1e-7)


def test_wrong_names_are_refused():
    y, folds, models = study()
    with pytest.raises(ValueError, match="different names"):
        compare_all(y, folds, [models[0], models[0]], horizon=HORIZON)
    with pytest.raises(ValueError, match="names no model: other"):
        compare_all(y, folds, models, horizon=HORIZON, pairs=[("good", "other")])


# Averages over repeats


def test_average_by_hand():
    values = [RepeatEstimate(0.2, np.array([1.0, -1.0])), RepeatEstimate(0.4, np.array([1.0, 1.0]))]
    found = average_over_repeats(values.__getitem__, 2, with_p=True)
    # Mean influence (1, 0): error sqrt(1) / 2.
    assert (found.value, found.lower) == pytest.approx((0.3, 0.3 - 1.959964 * 0.5), abs=1e-6)
    assert found.p == pytest.approx(0.5485, abs=1e-4)


def test_contrasts_keep_their_parts_apart():
    def function(y, new, old, *, horizon, competing=None):
        del y, horizon, competing
        gain = float(np.mean(new - old))
        return normal_contrast(gain, 0.1, parts=(ContrastPart("events", gain * 2, 0.2),))

    contrast = Contrast("made_up", function, "Made up")
    y = make_outcome([1, 0], [1, 2])
    new, old = np.array([[0.4, 0.4], [0.6, 0.6]]), np.zeros((2, 2))
    found = contrast_over_repeats(contrast, y, new, old, horizon=1.0)
    assert found[""].value == pytest.approx(0.5)
    assert found["events"].value == pytest.approx(1.0)
    assert found[""].upper - found[""].value == pytest.approx(0.1959964, abs=1e-6)
    assert found["events"].p is None
