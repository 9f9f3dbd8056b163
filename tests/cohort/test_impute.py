from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.errors import ModelError


def frame_of(sex: list[str | None], age: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sex": pd.Categorical(sex, categories=["2", "1"]),
            "age": np.asarray(age, dtype=float),
        }
    )


def test_by_hand() -> None:
    # Median of 40, 50, 90 is 50; both sexes stand twice, so the first level (2) fills.
    frame = frame_of(["1", "2", None, "1", "2"], [40.0, 90.0, 50.0, np.nan, np.nan])
    imputer = CohortImputer().fit(frame)
    assert imputer.fill_values_ == {"sex": "2", "age": 50.0}
    assert imputer.n_missing_ == {"sex": 1, "age": 2}
    filled = imputer.transform(frame)
    assert filled["age"].tolist() == [40.0, 90.0, 50.0, 50.0, 50.0]
    assert filled["sex"].tolist() == ["1", "2", "2", "1", "2"]
    assert filled.dtypes.equals(frame.dtypes)
    assert frame["age"].isna().sum() == 2
    assert imputer.get_feature_names_out().tolist() == ["sex", "age"]


sexes = st.sampled_from(["1", "2", None])
ages = st.one_of(st.floats(18, 110), st.just(float("nan")))
rows = st.lists(st.tuples(sexes, ages), min_size=0, max_size=20)


@given(rows)
def test_known_cells_stay_and_no_cell_is_missing(rows: list[tuple[str | None, float]]) -> None:
    known = [("1", 30.0), ("2", 60.0)]
    frame = frame_of(*(list(column) for column in zip(*known, *rows, strict=True)))
    imputer = CohortImputer().fit(frame)
    filled = imputer.transform(frame)
    assert not filled.isna().to_numpy().any()
    for name in frame:
        there = frame[name].notna()
        assert filled.loc[there, name].tolist() == frame.loc[there, name].tolist()
        assert set(filled.loc[~there, name]) <= {imputer.fill_values_[name]}
    # The order of patients does not matter, and a second filling changes nothing.
    assert CohortImputer().fit(frame.iloc[::-1]).fill_values_ == imputer.fill_values_
    pd.testing.assert_frame_equal(imputer.transform(filled), filled)
    again = clone(imputer).fit_transform(frame)
    pd.testing.assert_frame_equal(again, filled)


def test_fill_values_come_from_the_fitted_patients() -> None:
    imputer = CohortImputer().fit(frame_of(["1", "1"], [40.0, 60.0]))
    assert imputer.transform(frame_of([None], [np.nan]))["age"].tolist() == [50.0]


def test_wrong_arguments() -> None:
    frame = frame_of(["1", None], [np.nan, np.nan])
    with pytest.raises(ModelError, match="no value is known for age"):
        CohortImputer().fit(frame)
    with pytest.raises(ValueError, match="`strategy` must be one of median; got `mean`"):
        CohortImputer("mean").fit(frame)
    with pytest.raises(NotFittedError, match="call fit"):
        CohortImputer().transform(frame)
    with pytest.raises(ValueError, match="missing: age"):
        CohortImputer().fit(frame.assign(age=1.0)).transform(frame[["sex"]])
