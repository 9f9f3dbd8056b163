"""Estimators are judged by scikit-learn through `score`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.modelling import CoxRegression, MFPCox
from scorebuilder.selection import SurvivalForest
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(3)
    X = pd.DataFrame(rng.normal(size=(240, 3)), columns=["a", "b", "c"])
    time = rng.exponential(np.exp(-X["a"])) + 0.01
    return X, make_outcome(rng.random(240) < 0.7, time)


@pytest.mark.parametrize(
    "estimator", [SurvivalForest(20, random_state=1), CoxRegression(), MFPCox()]
)
def test_folds_are_judged_by_harrells_c(patients, estimator) -> None:
    X, y = patients
    folds = KFold(3)
    found = cross_val_score(estimator, X, y, cv=folds)
    for value, (train, test) in zip(found, folds.split(X), strict=True):
        risk = estimator.fit(X.iloc[train], y[train]).predict(X.iloc[test])
        assert value == harrell_concordance(y[test], risk).c_index > 0.6


def test_a_grid_is_searched(patients) -> None:
    X, y = patients
    search = GridSearchCV(SurvivalForest(15, random_state=1), {"min_samples_leaf": [15, 90]}, cv=3)
    assert search.fit(X, y).best_params_ == {"min_samples_leaf": 15}


def test_without_an_event_there_is_no_score(patients) -> None:
    X, y = patients
    fitted = CoxRegression().fit(X, y)
    with pytest.raises(UndefinedMetricError):
        fitted.score(X, make_outcome(np.zeros(240), y["time"]))
