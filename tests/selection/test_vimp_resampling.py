"""VIMP of forests grown anew: on subsamples, and on permuted outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import ModelError
from scorebuilder.core.seeds import generator, seed_of
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.selection.vimp import permutation_vimp
from scorebuilder.selection.vimp_null import vimp_permutation_test
from scorebuilder.selection.vimp_subsample import (
    Subsampling,
    subsample_error,
    vimp_subsample_interval,
)
from scorebuilder.survival.outcome import make_outcome


@pytest.fixture(scope="module")
def forest(patients):
    return SurvivalForest(40, min_samples_leaf=10, n_times=40).fit(*patients)


def test_errors_by_hand() -> None:
    values, vimp = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0]]), np.array([4.0, 1.0, 1.0])
    # b = 25 of n = 100: spread around the mean 1 and 0, times 1/4; around vimp (9 + 1)/2 = 5 and
    # 1, times 25/75. No subsample split on the third.
    error = subsample_error(values, vimp, (100, 25), method="subsample")
    np.testing.assert_allclose(error, [0.5, 0.0, np.nan])
    error = subsample_error(values, vimp, (100, 25), method="delete_d_jackknife")
    np.testing.assert_allclose(error, [np.sqrt(5 / 3), np.sqrt(1 / 3), np.nan])
    with pytest.raises(ValueError, match="`fraction` leaves none of the 8 patients out"):
        subsample_error(values, vimp, (8, 8), method="delete_d_jackknife")


def test_a_rare_column_that_no_subsample_can_split_is_not_selected() -> None:
    random = np.random.default_rng(3)
    X = pd.DataFrame({"x": random.normal(size=400), "rare": (np.arange(400) < 40).astype(float)})
    time = random.exponential(np.exp(-1.2 * X["x"]))
    y = make_outcome(np.ones(400), time + 0.01)
    selector = RSFSelector(
        n_estimators=30, max_features=None, vimp_error="subsample", random_state=1
    ).fit(X, y)
    rare = selector.ranking_.set_index("variable").loc["rare"]
    assert np.isnan(rare["vimp_lower"])
    assert not rare["selected"]


def test_subsamples_hold_the_same_share_of_events(patients, forest) -> None:
    _, y = patients
    sampling = Subsampling.plan(forest, 0.4)
    n_events = int(y["event"].sum())
    for number in range(5):
        rows = sampling.rows(number, 3)
        assert np.all(np.diff(rows) > 0)
        assert rows.size == sampling.size
        assert y["event"][rows].sum() == round(0.4 * n_events)
    assert not np.array_equal(sampling.rows(0, 3), sampling.rows(1, 3))
    # 60 events by default
    assert Subsampling.plan(forest, None).sizes[1] == 60


def test_interval_is_that_of_forests_on_the_subsamples(patients, forest) -> None:
    X, y = patients
    result = vimp_subsample_interval(forest, X, y, n_subsamples=3, fraction=0.5, random_state=2)
    sampling = Subsampling.plan(forest, 0.5)
    for number in range(3):
        rows = sampling.rows(number, 2)
        part = X.iloc[rows].reset_index(drop=True)
        seed = seed_of(2, "vimp subsample", "forest", number)
        again = SurvivalForest(40, min_samples_leaf=10, n_times=40, random_state=seed)
        seed = seed_of(2, "vimp subsample", "permute", number)
        vimp = permutation_vimp(again.fit(part, y[rows]), part, y[rows], random_state=seed)
        np.testing.assert_array_equal(result.subsample_vimp[number], vimp[:, 0])
    np.testing.assert_array_equal(result.vimp, permutation_vimp(forest, X, y, random_state=2)[:, 0])
    lower, upper = result.interval(confidence=0.9)
    known = np.mean(result.subsample_vimp != 0.0, axis=0) >= 0.8
    assert 1 < known.sum() < known.size
    np.testing.assert_array_equal(np.isfinite(upper), known)
    np.testing.assert_allclose(((upper + lower) / 2)[known], result.vimp[known])
    np.testing.assert_allclose((upper - lower) / 2, 1.6448536269514722 * result.standard_error)
    assert (result.n_patients, result.subsample_size) == (300, sampling.size)
    with pytest.raises(ValueError, match="`confidence` must lie between 0 and 1; got 2"):
        result.interval(confidence=2)


def test_workers_do_not_matter(patients, forest) -> None:
    X, y = patients
    options = {
        "n_estimators": 10, "measure": "brier", "horizon": 5.0, "random_state": 4,
        "groups": {"signal": ["strong", "middling"], "noise": ["noise_1", "noise_2"]},
    }  # fmt: skip
    one, two = (
        vimp_subsample_interval(forest, X, y, n_subsamples=4, n_jobs=jobs, **options)
        for jobs in (1, 2)
    )
    assert one.names == ("signal", "noise")
    assert one.standard_error.tobytes() == two.standard_error.tobytes()
    one, two = (
        vimp_permutation_test(forest, X, y, n_permutations=4, n_jobs=jobs, **options)
        for jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert one["variable"].tolist() == ["signal", "noise"]


def test_competing_events_and_weights_are_taken_along(patients) -> None:
    X, y = patients
    other = ~y["event"] & (X["noise_1"] > 0).to_numpy()
    weight = np.where(X["coin"] > 0, 2.0, 1.0)
    forest = SurvivalForest(20, min_samples_leaf=10).fit(X, y, weight, competing=other)
    result = vimp_subsample_interval(forest, X, y, n_subsamples=2, fraction=0.5, random_state=2)
    rows = Subsampling.plan(forest, 0.5).rows(0, 2)
    assert other[rows].sum() == round(0.5 * other.sum())
    part = X.iloc[rows].reset_index(drop=True)
    again = SurvivalForest(
        20, min_samples_leaf=10, random_state=seed_of(2, "vimp subsample", "forest", 0)
    ).fit(part, y[rows], weight[rows], competing=other[rows])
    seed = seed_of(2, "vimp subsample", "permute", 0)
    vimp = permutation_vimp(again, part, y[rows], random_state=seed)[:, 0]
    np.testing.assert_array_equal(result.subsample_vimp[0], vimp)


def test_p_values_are_small_for_effects_only(patients, forest) -> None:
    X, y = patients
    table = vimp_permutation_test(forest, X, y, n_permutations=29, random_state=1)
    assert table["variable"].tolist() == list(X.columns)
    assert table["p_value"][0] == 1 / 30
    assert table["p_normal"][0] < 1e-6
    assert (table["p_value"][2:] > 0.04).all()
    # standard deviations lie around 0.02, so that a mean of 29 is off by 0.004
    assert table["null_mean"].abs().max() < 0.015
    assert table["null_sd"].between(0.003, 0.04).all()


def test_the_null_moves_patients_as_a_whole(patients, forest) -> None:
    X, y = patients
    table = vimp_permutation_test(forest, X, y, n_permutations=1, random_state=6)
    order = generator(6, "vimp null", "order", 0).permutation(300)
    moved = X.iloc[order].reset_index(drop=True)
    again = SurvivalForest(
        40, min_samples_leaf=10, n_times=40, random_state=seed_of(6, "vimp null", "forest", 0)
    ).fit(moved, y)
    seed = seed_of(6, "vimp null", "permute", 0)
    vimp = permutation_vimp(again, moved, y, random_state=seed)[:, 0]
    np.testing.assert_array_equal(table["null_mean"], vimp)
    expected = np.where(vimp >= table["vimp"], 1.0, 0.5)
    np.testing.assert_array_equal(table["p_value"], expected)
    assert table["p_normal"].isna().all()  # one permutation has no spread


def test_refusals(patients, forest) -> None:
    X, y = patients
    with pytest.raises(ValueError, match='"subsample", "delete_d_jackknife"; got "bootstrap"'):
        vimp_subsample_interval(forest, X, y, method="bootstrap")
    with pytest.raises(ValueError, match="`n_subsamples` must be at least 2; got 1"):
        vimp_subsample_interval(forest, X, y, n_subsamples=1)
    with pytest.raises(ValueError, match="`fraction` must lie between 0 and 1; got 1"):
        vimp_subsample_interval(forest, X, y, fraction=1.0)
    with pytest.raises(ModelError, match=r"events; VIMP in it needs at least 30\. Raise"):
        vimp_subsample_interval(forest, X, y, fraction=0.1)
    with pytest.raises(ValueError, match="`strata` belong to all patients"):
        vimp_subsample_interval(forest, X, y, strata=np.ones(300))
    with pytest.raises(ValueError, match="`n_permutations` must be at least 1; got 0"):
        vimp_permutation_test(forest, X, y, n_permutations=0)
    with pytest.raises(ValueError, match="`strata` tie values to patients"):
        vimp_permutation_test(forest, X, y, strata=np.ones(300))
