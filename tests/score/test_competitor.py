"""Models of another kind on the same candidates: prepared inside the fit, and honest of limits."""

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.core.errors import ModelError, StatisticalWarning
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.elastic_net_cox import ElasticNetCox
from scorebuilder.score.competitor import Competitor, _independent
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.resampling import cross_validate

MODELS = {
    "linear": (CoxRegression(), "indicators"),
    "net": (ElasticNetCox(n_alphas=10, inner_folds=3), "indicators"),
    "forest": (SurvivalForest(20, min_samples_leaf=10, random_state=1), "codes"),
}


def patients(n=240, seed=5):
    random = np.random.default_rng(seed)
    stage = pd.Categorical.from_codes(random.integers(0, 3, n), ["a", "b", "c"], ordered=True)
    X = pd.DataFrame({"age": random.normal(60, 10, n), "stage": stage})
    X.loc[random.random(n) < 0.1, "age"] = np.nan
    slope = 0.05 * (X["age"].fillna(60) - 60) + 0.5 * X["stage"].cat.codes
    event_time = random.exponential(900 * np.exp(-slope))
    censoring = random.exponential(1500, n)
    return X, make_outcome(event_time <= censoring, np.minimum(event_time, censoring))


@pytest.mark.parametrize("name", MODELS)
def test_it_predicts_risks_out_of_fold(name):
    X, y = patients()
    model, columns = MODELS[name]
    build = Competitor(CohortImputer(), model, columns=columns)
    found = cross_validate(build, X, y, folds=3, repeats=1, horizons=(300.0, 700.0), random_state=1)
    assert np.all((found.risk >= 0) & (found.risk <= 1))
    assert np.all(found.risk[..., 0] <= found.risk[..., 1])
    assert np.isfinite(found.marker).all()


def test_the_outcome_of_a_patient_never_reaches_its_own_prediction():
    X, y = patients()
    build = Competitor(CohortImputer(), CoxRegression())
    settings = {"folds": 3, "repeats": 1, "horizons": (500.0,), "random_state": 1}
    first = cross_validate(build, X, y, **settings)
    held_out = first.folds[0] == 0
    other = y.copy()
    other["time"][held_out] = np.random.default_rng(2).permutation(other["time"][held_out])
    second = cross_validate(build, X, other, **settings)
    np.testing.assert_array_equal(first.risk[0, held_out], second.risk[0, held_out])


def test_columns_without_an_estimate_are_left_out_and_named():
    X, y = patients()
    no_event = ~y["event"]
    X["rare"] = pd.Categorical(np.where(no_event & (np.arange(240) < 30), "1", "0"), ["0", "1"])
    X["twice"] = 2 * X["age"]
    with pytest.warns(StatisticalWarning, match=r"`twice`|`rare\[1\]`"):
        model = Competitor(CohortImputer(), CoxRegression()).fit(X, y)
    assert model.columns_ == ["age", "stage[>=b]", "stage[>=c]"]


def test_dependent_columns_by_hand():
    # The third is the sum of the first two, the fourth is constant, the fifth is new.
    values = np.array([[1.0, 0, 1, 7, 0], [0, 1, 1, 7, 0], [0, 0, 0, 7, 1], [1, 1, 2, 7, 0]])
    assert _independent(values).tolist() == [True, True, False, False, True]


def test_missing_values_need_an_imputer_and_a_model_needs_a_column():
    X, y = patients()
    with pytest.raises(ValueError, match="1 columns have missing values"):
        Competitor(None, CoxRegression()).fit(X, y)
    with pytest.raises(ModelError, match="no column varies"):
        Competitor(None, CoxRegression()).fit(pd.DataFrame({"a": np.ones(240)}), y)
    with pytest.raises(ValueError, match="`columns` must be one of"):
        Competitor(None, CoxRegression(), columns="dummies").fit(X.dropna(), y)
