"""Proportional hazards test: R, and a known violation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.modelling import CoxRegression, MFPCox
from scorebuilder.modelling.assumptions import proportional_hazards_test
from scorebuilder.survival.outcome import make_outcome

FOLDER = Path(__file__).parents[1] / "reference" / "mfp"
REFERENCE = json.loads((FOLDER / "ph_test.json").read_text())


@pytest.mark.parametrize("transform", ["identity", "km", "log"])
def test_as_in_r(transform):
    data = pd.read_csv(FOLDER / "data" / "lung_ties.csv")
    expected = REFERENCE["lung_ties"][transform]
    X = data[expected["term"][:-1]].astype(float)
    y = make_outcome(data["event"], data["time"])
    table = proportional_hazards_test(CoxRegression().fit(X, y), X, y, transform=transform)
    assert table["term"].tolist() == expected["term"]
    assert table["df"].tolist() == expected["df"]
    np.testing.assert_allclose(table["chisq"], expected["chisq"], rtol=1e-8)
    np.testing.assert_allclose(table["p"], expected["p"], rtol=1e-8)


def test_an_effect_that_ends_is_found():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2, 1500).astype(float)
    time = rng.exponential(1.0, 1500)
    # Hazard ratio exp(1) until time 0.5, then 1.
    early = rng.exponential(1.0 / np.exp(x))
    time = np.where(early < 0.5, early, 0.5 + time)
    X = pd.DataFrame({"x": x, "z": rng.normal(size=1500)})
    y = make_outcome(np.ones(1500, dtype=bool), time)
    table = proportional_hazards_test(CoxRegression().fit(X, y), X, y).set_index("term")
    assert table.loc["x", "p"] < 1e-6
    assert table.loc["z", "p"] > 0.001


def test_mfp_models_and_edges():
    data = pd.read_csv(FOLDER / "data" / "veteran.csv")
    X = data[["karno", "age", "diagtime"]].astype(float)
    y = make_outcome(data["status"], data["time"])
    model = MFPCox(keep=("age",)).fit(X, y)
    table = proportional_hazards_test(model, X, y)
    assert table["term"].tolist() == [*model.coef_.index, "GLOBAL"]
    assert table["p"].between(0, 1).all()
    empty = MFPCox().fit(X[["age"]], y)
    assert proportional_hazards_test(empty, X, y).empty
    with pytest.raises(ValueError, match="`transform` must be one of"):
        proportional_hazards_test(model, X, y, transform="rank")
    y["time"] = 5.0
    with pytest.raises(UndefinedMetricError, match="all events happen at one time"):
        proportional_hazards_test(model, X, y)
