from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from scorebuilder.cohort.encode import DesignColumn, FactorEncoder, level_codes


def frame_of(sex: list[str | None], grade: list[str | None], age: list[float]) -> pd.DataFrame:
    grades = pd.CategoricalDtype(["1", "2", "3"], ordered=True)
    return pd.DataFrame(
        {
            "sex": pd.Categorical(sex, categories=["2", "1"]),
            "age": np.asarray(age, dtype=float),
            "grade": pd.Categorical(grade, dtype=grades),
        }
    )


def test_by_hand() -> None:
    frame = frame_of(["1", "2", None], ["3", "2", "1"], [50.0, np.nan, 70.0])
    encoder = FactorEncoder()
    design = encoder.fit_transform(frame)
    assert list(design.columns) == ["sex[1]", "age", "grade[>=2]", "grade[>=3]"]
    # Reference of sex is 2; grade 2 reaches the first step only, grade 3 both.
    expected = [[1, 50, 1, 1], [0, np.nan, 1, 0], [np.nan, 70, 0, 0]]
    np.testing.assert_array_equal(design.to_numpy(), np.array(expected, dtype=float))
    assert encoder.columns_["grade[>=2]"] == DesignColumn("grade", ("2", "3"))
    assert encoder.columns_["grade[>=3]"] == DesignColumn("grade", ("3",))
    assert encoder.columns_["sex[1]"] == DesignColumn("sex", ("1",))
    assert encoder.columns_["age"] == DesignColumn("age", None)
    assert encoder.design_columns("grade") == ["grade[>=2]", "grade[>=3]"]
    assert encoder.get_feature_names_out().tolist() == list(design.columns)
    np.testing.assert_array_equal(
        level_codes(frame).to_numpy(),
        np.array([[1, 50, 2], [0, np.nan, 1], [np.nan, 70, 0]], dtype=float),
    )


sexes = st.sampled_from(["1", "2", None])
grades = st.sampled_from(["1", "2", "3", None])
ages = st.one_of(st.floats(18, 110), st.just(float("nan")))
rows = st.lists(st.tuples(sexes, grades, ages), min_size=1, max_size=20)


@given(rows, st.randoms(use_true_random=False))
def test_levels_come_back_and_order_does_not_matter(
    rows: list[tuple[str | None, str | None, float]], random: object
) -> None:
    frame = frame_of(*(list(column) for column in zip(*rows, strict=True)))
    encoder = FactorEncoder().fit(frame)
    design = encoder.transform(frame)
    # Round trip: the number of steps reached is the level; the indicators name the level.
    steps = design[encoder.design_columns("grade")].sum(axis=1, skipna=False)
    np.testing.assert_array_equal(steps.to_numpy(), level_codes(frame)["grade"].to_numpy())
    np.testing.assert_array_equal(design["sex[1]"].to_numpy(), level_codes(frame)["sex"].to_numpy())
    np.testing.assert_array_equal(design["age"].to_numpy(), frame["age"].to_numpy())
    # Each patient is encoded alone: order of rows and of columns, and other rows, do not matter.
    turned = frame.iloc[::-1][["grade", "sex", "age"]]
    pd.testing.assert_frame_equal(encoder.transform(turned), design.iloc[::-1])
    pd.testing.assert_frame_equal(encoder.transform(frame.iloc[:1]), design.iloc[:1])
    pd.testing.assert_frame_equal(FactorEncoder().fit(frame.iloc[:1]).transform(frame), design)


def test_wrong_frames() -> None:
    frame = frame_of(["1", "2"], ["3", "2"], [50.0, 60.0])
    with pytest.raises(NotFittedError, match="call fit"):
        FactorEncoder().transform(frame)
    encoder = FactorEncoder().fit(frame)
    with pytest.raises(ValueError, match="missing: age"):
        encoder.transform(frame[["sex", "grade"]])
    with pytest.raises(ValueError, match=r"`X\['sex'\]` must hold the levels 2, 1"):
        encoder.transform(frame.assign(sex=pd.Categorical(["1", "2"])))
    with pytest.raises(ValueError, match=r"`X\['age'\]` must hold numbers"):
        encoder.transform(frame.assign(age=pd.Categorical(["1", "2"])))
    with pytest.raises(KeyError, match="no predictor `bmi`"):
        encoder.design_columns("bmi")
    assert not hasattr(clone(encoder), "columns_")
