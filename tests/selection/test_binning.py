"""Codes of values: thresholds between neighbours, missing values, levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.selection.binning import bin_columns, code_values


def test_few_values_keep_a_code_each() -> None:
    X = pd.DataFrame({"x": [3.0, 1.0, np.nan, 2.0, 3.0]})
    binning = bin_columns(X, n_bins=256, categorical=[])
    assert binning.columns[0].thresholds.tolist() == [1.5, 2.5]
    assert binning.codes(X)[:, 0].tolist() == [2, 0, 255, 1, 2]
    assert binning.codes(pd.DataFrame({"x": [-9.0, 1.5, 9.0]}))[:, 0].tolist() == [0, 0, 2]


def test_many_values_share_codes_evenly() -> None:
    X = pd.DataFrame({"x": np.random.default_rng(0).permutation(10_000) ** 2.0})
    binning = bin_columns(X, n_bins=11, categorical=[])
    counts = np.bincount(binning.codes(X)[:, 0])
    assert counts.tolist() == [1000] * 10


def test_a_frequent_value_does_not_take_the_codes_of_others() -> None:
    x = np.r_[np.zeros(9000), np.arange(1, 1001)]
    binning = bin_columns(pd.DataFrame({"x": x}), n_bins=256, categorical=[])
    codes = binning.codes(pd.DataFrame({"x": x}))[:, 0]
    assert codes[0] == 0
    assert codes[9000] > 0
    assert 20 <= binning.columns[0].n_codes <= 255


def test_a_code_stands_for_the_middle_of_its_values() -> None:
    X = pd.DataFrame({"x": [4.0, 1.0, np.nan, 2.0, 4.0, 8.0], "sex": list("fmfmfm")})
    binning = bin_columns(X, n_bins=4, categorical=["sex"])
    values = code_values(X, binning, binning.codes(X))
    assert binning.codes(X)[:, 0].tolist() == [1, 0, 255, 0, 1, 2]
    assert values[0, :4].tolist() == [1.5, 4.0, 8.0, 0.0]
    assert not values[1].any()


@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=400), st.integers(3, 256))
def test_codes_keep_the_order(values, n_bins) -> None:
    X = pd.DataFrame({"x": values})
    binning = bin_columns(X, n_bins=n_bins, categorical=[])
    codes = binning.codes(X)[:, 0].astype(int)
    order = np.argsort(values)
    assert np.all(np.diff(codes[order]) >= 0)
    assert codes.max() <= n_bins - 2
    for j, threshold in enumerate(binning.columns[0].thresholds):
        np.testing.assert_array_equal(np.array(values) <= threshold, codes <= j)


def test_neighbouring_floats_are_told_apart() -> None:
    x = [1.0, np.nextafter(1.0, 2.0)]
    binning = bin_columns(pd.DataFrame({"x": x}), n_bins=256, categorical=[])
    assert binning.codes(pd.DataFrame({"x": x}))[:, 0].tolist() == [0, 1]


def test_levels() -> None:
    X = pd.DataFrame({"site": ["b", None, "a", "b"]})
    binning = bin_columns(X, n_bins=256, categorical=["site"])
    assert binning.columns[0].levels == ("a", "b")
    assert binning.codes(X)[:, 0].tolist() == [1, 255, 0, 1]
    assert binning.codes(pd.DataFrame({"site": ["c"]}))[:, 0].tolist() == [255]
    many = pd.DataFrame({"id": np.arange(300)})
    with pytest.raises(ValueError, match="`id` has 300 levels; at most 255"):
        bin_columns(many, n_bins=256, categorical=["id"])


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "holds dates or times"),
        (pd.to_timedelta(["1d", "2d"]), "its levels must be texts or finite numbers"),
        (pd.cut(pd.Series([1.0, 5.0]), [0, 3, 6]), "holds Interval"),
        ([np.inf, 1.0], "holds an infinite number"),
        ([b"a", b"b"], "holds bytes"),
    ],
)
def test_levels_that_no_file_can_hold_are_refused(levels, problem) -> None:
    X = pd.DataFrame({"site": levels})
    with pytest.raises(ValueError, match=problem):
        bin_columns(X, n_bins=256, categorical=("site",))


def test_truth_values_are_numbers_in_any_table() -> None:
    X = pd.DataFrame({"ill": [True, False, True]})
    binning = bin_columns(X, n_bins=256, categorical=("ill",))
    for same in (X, X.astype(int), X.astype(float), X.astype("boolean")):
        assert binning.codes(same)[:, 0].tolist() == [1, 0, 1]
    numbers = bin_columns(X.astype(int), n_bins=256, categorical=("ill",))
    assert numbers.codes(X)[:, 0].tolist() == [1, 0, 1]
