"""Factors without order in stage 1 of the pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.encode import level_codes, nominal_factors
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.survival.outcome import make_outcome


@pytest.fixture(scope="module")
def patients():
    """Levels a and c of `site` carry a third of the hazard of b and d; the other columns none."""
    random = np.random.default_rng(11)
    site = pd.Categorical(random.choice(list("abcd"), 400))
    X = pd.DataFrame(
        {
            "site": site,
            "stage": pd.Categorical(random.choice(["1", "2", "3"], 400), ordered=True),
            "sex": pd.Categorical(random.choice(["f", "m"], 400)),
            "age": random.normal(60, 10, 400),
        }
    )
    time = random.exponential(np.where(site.codes % 2 == 1, 1.0, 3.0)) + 0.01
    return X, make_outcome(time <= 2.0, np.minimum(time, 2.0))


def fitted(patients, engine="native", **settings):
    selector = RSFSelector(
        engine=engine, n_estimators=40, rule="top_k", top_k=1, random_state=1, **settings
    )
    return ScoreBuilder(None, selector, MFPCox(), horizons=(1.0,)).fit(*patients)


def test_only_more_than_two_levels_without_order_are_nominal(patients) -> None:
    assert nominal_factors(patients[0]) == ["site"]


def test_the_forest_of_the_pipeline_takes_them_as_unordered(patients) -> None:
    builder = fitted(patients)
    forest = builder.selector_.forest_
    kinds = dict(zip(forest.binning_.names, forest.binning_.columns, strict=True))
    assert {name: bins.levels is not None for name, bins in kinds.items()} == {
        "site": True, "stage": False, "sex": False, "age": False,
    }  # fmt: skip
    assert builder.selected_ == ["site"]
    X, y = patients
    by_hand = RSFSelector(**builder.selector_.get_params()).set_params(
        categorical_features=("site",)
    )
    table = by_hand.fit(level_codes(X), y).ranking_
    pd.testing.assert_frame_equal(table, builder.selector_.ranking_)


def test_one_split_separates_levels_that_no_order_of_the_codes_does(patients) -> None:
    forest = fitted(patients, max_depth=1, max_features=4).selector_.forest_
    codes = pd.DataFrame({"site": np.arange(4.0), "stage": 0.0, "sex": 0.0, "age": 60.0})
    risk = forest.predict(codes)
    assert risk[[1, 3]].min() > 1.5 * risk[[0, 2]].max()


def test_what_the_selector_names_itself_stays(patients) -> None:
    builder = fitted(patients, categorical_features=("stage", "site"))
    assert builder.selector_.categorical_features == ("stage", "site")
    assert fitted(patients, categorical_features=("stage",)).selector_.categorical_features == (
        "stage",
        "site",
    )


def test_an_engine_without_unordered_columns_sees_the_codes(patients) -> None:
    builder = fitted(patients, engine="scikit-survival")
    assert all(bins.levels is None for bins in builder.selector_.forest_.binning_.columns)
    assert builder.selector_.categorical_features == ()
