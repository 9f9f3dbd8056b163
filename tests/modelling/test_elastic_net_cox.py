"""The elastic-net Cox model: its limits, its choice of the penalty, and what must not change."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import ModelError
from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.modelling.elastic_net_cox import ElasticNetCox
from scorebuilder.modelling.partial_likelihood import cox_partial_likelihood
from scorebuilder.survival.outcome import make_outcome


def patients(seed=1, n=300, effects=(0.9, -0.6, 0, 0, 0, 0)):
    random = np.random.default_rng(seed)
    X = pd.DataFrame(random.normal(size=(n, len(effects))), columns=list("abcdef"[: len(effects)]))
    event_time = random.exponential(1000 * np.exp(-X.to_numpy() @ np.asarray(effects)))
    censoring = random.exponential(2000, n)
    return X, make_outcome(event_time <= censoring, np.minimum(event_time, censoring))


def test_without_penalty_it_is_the_cox_model():
    X, y = patients()
    # The path ends at a penalty of 1e-4 times the largest; there only 1e-3 of shrinkage is left.
    _, path = ElasticNetCox()._path(X.to_numpy(), y, np.array([1e-6]))
    np.testing.assert_allclose(path[:, 0], CoxRegression(ties="breslow").fit(X, y).coef_, rtol=1e-3)


def test_the_penalty_is_the_best_in_patients_left_out():
    X, y = patients()
    model = ElasticNetCox(n_alphas=20, inner_folds=3, random_state=4).fit(X, y)
    z = (X - X.mean()) / X.std(ddof=0)
    fold = model._folds(y["event"])
    gain, reached = np.zeros(model.alphas_.size), model.alphas_.size
    for k in range(3):
        _, path = model._path(z.to_numpy()[fold != k], y[fold != k], model.alphas_)
        reached = min(reached, path.shape[1])
        for j in range(path.shape[1]):
            whole = cox_partial_likelihood(path[:, j], z.to_numpy(), y, ties="breslow")[0]
            part = cox_partial_likelihood(path[:, j], z[fold != k].to_numpy(), y[fold != k],
                                          ties="breslow")[0]  # fmt: skip
            gain[j] += whole - part
    np.testing.assert_allclose(model.gain_[:reached], gain[:reached], rtol=1e-9)
    assert np.all(model.gain_[reached:] == -np.inf)  # an inner path that ended has no gain there
    assert model.alpha_ == model.alphas_[np.argmax(gain[:reached])]


def test_it_shrinks_and_finds_what_matters():
    X, y = patients()
    model, plain = ElasticNetCox().fit(X, y), CoxRegression(ties="breslow").fit(X, y)
    assert np.abs(model.coef_).sum() < np.abs(plain.coef_).sum()
    assert set(np.abs(model.coef_).nlargest(2).index) == {"a", "b"}


def test_no_effect_leaves_a_risk_that_is_the_same_for_everybody():
    X, y = patients(seed=3, effects=(0.0, 0.0))
    model = ElasticNetCox().fit(X, y)
    assert np.ptp(model.predict_risk(X, horizon=500.0)) < 0.1


@given(factor=st.sampled_from([0.01, 7.0, 1000.0]), shift=st.sampled_from([-50.0, 0.0, 3.0]))
def test_units_of_a_column_change_no_prediction(factor, shift):
    X, y = patients(n=150, effects=(0.8, 0.0, -0.4))
    other = X.assign(a=X["a"] * factor + shift)
    settings = {"n_alphas": 10, "inner_folds": 3}
    first = ElasticNetCox(**settings).fit(X, y).predict_risk(X, horizon=700.0)
    second = ElasticNetCox(**settings).fit(other, y).predict_risk(other, horizon=700.0)
    # Coordinate descent stops at a relative change of 1e-7.
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_a_constant_column_has_no_effect():
    X, y = patients()
    model = ElasticNetCox(n_alphas=10, inner_folds=3).fit(X.assign(a=1.0), y)
    assert model.coef_["a"] == 0.0


def test_what_cannot_be_fitted_is_said():
    X, y = patients(n=60)
    with pytest.raises(ModelError, match="no column varies"):
        ElasticNetCox().fit(X * 0.0, y)
    few = make_outcome(np.arange(60) < 4, y["time"])
    with pytest.raises(ModelError, match="4 events for 10 inner folds"):
        ElasticNetCox().fit(X, few)
