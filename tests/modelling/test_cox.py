"""Cox regression: R, statsmodels, lifelines, by hand, and what cannot be fitted."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.base import clone
from statsmodels.duration.hazard_regression import PHReg

from scorebuilder.core.errors import ConvergenceError, ModelError, StatisticalWarning
from scorebuilder.modelling import CoxRegression
from scorebuilder.survival.outcome import make_outcome

FOLDER = Path(__file__).parents[1] / "reference" / "mfp"
REFERENCE = json.loads((FOLDER / "cox_fits.json").read_text())
UNDEFINED = {
    "collinear_exact": "not defined for ab",
    "constant_column": "not defined for k",
    "near_collinear_1e6": "not defined for near2",
    "separation": "coefficients of z grow",
    "one_event_extreme": "coefficients of x1 grow",
}


def load(name):
    case = REFERENCE[name]
    data = pd.read_csv(FOLDER / "data" / f"{case['data']}.csv")
    if case["subset"]:
        data = data.query(case["subset"]).reset_index(drop=True)
    if name == "veteran_strata":
        data["cell"] = data["cell_small"] + 2 * data["cell_adeno"] + 3 * data["cell_large"]
    options = {
        option: None if case[key] is None else data[case[key]]
        for option, key in (
            ("strata", "strata"),
            ("sample_weight", "weights"),
            ("offset", "offset"),
        )
    }
    return data[case["x"]].astype(float), make_outcome(data["status"], data["time"]), options


def fit(name, ties):
    X, y, options = load(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        return CoxRegression(ties=ties).fit(X, y, **options)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", sorted(set(REFERENCE) - set(UNDEFINED) - {"no_event"}))
def test_fit_as_in_r(name, ties):
    expected = REFERENCE[name]["fits"][ties]
    model = fit(name, ties)
    np.testing.assert_allclose(model.coef_, list(expected["coefficients"].values()), rtol=1e-8)
    np.testing.assert_allclose(np.diag(model.covariance_), expected["variance_diagonal"], rtol=1e-8)
    assert model.log_likelihood_ == pytest.approx(expected["loglik"], abs=1e-9)
    assert model.null_log_likelihood_ == pytest.approx(expected["loglik_null"], abs=1e-9)
    baseline = expected["baseline"]
    at_zero = np.exp(-float(model.coef_ @ model.center_))
    if baseline["strata"] is None:
        hazard = model.baseline_cumulative_hazard_(baseline["time"])
    else:
        hazard = np.array(
            [
                model.baseline_by_stratum_[label.split("=")[1]](time)
                for label, time in zip(baseline["strata"], baseline["time"], strict=True)
            ]
        )
    np.testing.assert_allclose(hazard * at_zero, baseline["cumhaz"], rtol=1e-8)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", sorted(UNDEFINED))
def test_undefined_coefficients_are_named(name, ties):
    with pytest.raises(ConvergenceError, match=UNDEFINED[name]):
        fit(name, ties)


def test_no_event():
    with pytest.raises(ModelError, match="at least one event"):
        fit("no_event", "efron")


def test_by_hand():
    # Times 1 (event, x = 1), 2 (event, x = 0), 3 (censored, x = 1). With h = exp(b):
    # l = log h - log(2h + 1) - log(h + 1); dl/db = 1 - 2h/(2h + 1) - h/(h + 1) = 0
    # gives 1/(2h + 1) = h/(h + 1), 2 h^2 = 1, h = 1/sqrt(2).
    X = pd.DataFrame({"x": [1.0, 0.0, 1.0]})
    model = CoxRegression().fit(X, make_outcome([1, 1, 0], [1, 2, 3]))
    h = 1 / np.sqrt(2)
    assert model.coef_["x"] == pytest.approx(np.log(h), abs=1e-10)
    information = 2 * h / (2 * h + 1) ** 2 + h / (h + 1) ** 2
    assert model.covariance_.loc["x", "x"] == pytest.approx(1 / information, rel=1e-8)
    # H0 at x = 0 is 1/(2h + 1) + 1/(h + 1); survival of x = 1 at time 2 is exp(-h H0).
    survival = model.predict_survival_function(X.iloc[:1], [0.5, 2.0])
    expected = np.exp(-h * (1 / (2 * h + 1) + 1 / (h + 1)))
    np.testing.assert_allclose(survival, [[1.0, expected]], rtol=1e-9)
    np.testing.assert_allclose(model.predict_risk(X.iloc[:1], horizon=2.0), [1 - expected])


def random_data(seed, n_patients=150):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_patients, 4)), columns=list("abcd"))
    X["d"] = (X["d"] > 0).astype(float)
    time = rng.exponential(np.exp(-X["a"] * 0.7 + X["d"] * 0.5))
    y = make_outcome(rng.random(n_patients) < 0.7, np.ceil(time * 10))
    return X, y


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_same_as_statsmodels(ties):
    X, y = random_data(5)
    strata = (X.pop("d") > 0).astype(int)
    model = CoxRegression(ties=ties).fit(X, y, strata=strata)
    oracle = PHReg(y["time"], X, status=y["event"], strata=strata, ties=ties).fit(
        method="newton", tol=1e-10, disp=0
    )
    np.testing.assert_allclose(model.coef_, oracle.params, rtol=1e-6)
    np.testing.assert_allclose(model.log_likelihood_, oracle.llf, rtol=1e-9)


def test_same_as_lifelines():
    X, y = random_data(6)
    model = CoxRegression().fit(X, y)
    table = X.assign(time=y["time"], event=y["event"])
    oracle = CoxPHFitter().fit(table, "time", "event", fit_options={"precision": 1e-9})
    # The oracle stops while its steps are still about 1e-6.
    np.testing.assert_allclose(model.coef_, oracle.params_, atol=1e-5)
    np.testing.assert_allclose(model.covariance_, oracle.variance_matrix_, atol=1e-6)


def test_order_unit_and_scale():
    X, y = random_data(7)
    model = CoxRegression().fit(X, y)
    order = np.random.default_rng(0).permutation(len(X))
    years = y[order]
    years["time"] /= 365.25
    other = CoxRegression().fit((1000 * X.iloc[order] - 7).reset_index(drop=True), years)
    np.testing.assert_allclose(1000 * other.coef_, model.coef_, rtol=1e-8)
    np.testing.assert_allclose(other.predict(1000 * X - 7), model.predict(X), atol=1e-9)
    risk = model.predict_risk(X, horizon=8.0)
    np.testing.assert_allclose(
        other.predict_risk(1000 * X - 7, horizon=8.0 / 365.25), risk, rtol=1e-8
    )


def test_same_bytes_on_each_run():
    X, y = random_data(8)
    first, second = CoxRegression().fit(X, y), clone(CoxRegression()).fit(X, y)
    assert first.coef_.to_numpy().tobytes() == second.coef_.to_numpy().tobytes()
    assert first.covariance_.to_numpy().tobytes() == second.covariance_.to_numpy().tobytes()


def test_stratified_predictions_need_the_stratum():
    X, y = random_data(9)
    strata = np.where(X.pop("d") > 0, "yes", "no")
    model = CoxRegression().fit(X, y, strata=strata)
    with pytest.raises(ModelError, match="the fit was stratified"):
        model.predict_risk(X, horizon=5.0)
    with pytest.raises(ModelError, match="1 labels without a baseline"):
        model.predict_risk(X.iloc[:1], horizon=5.0, strata=["other"])
    risk = model.predict_risk(X, horizon=5.0, strata=strata)
    by_hand = 1 - np.exp(-model.baseline_by_stratum_["no"](5.0) * np.exp(model.predict(X)))
    np.testing.assert_allclose(risk[strata == "no"], by_hand[strata == "no"], rtol=1e-12)


def test_input_errors():
    X, y = random_data(10)
    broken = X.copy()
    broken.loc[3, "a"] = np.nan
    broken.loc[[4, 5], "c"] = np.inf
    with pytest.raises(ValueError, match=r"missing or infinite values: a \(1\), c \(2\)"):
        CoxRegression().fit(broken, y)
    with pytest.raises(TypeError, match="must be a pandas DataFrame"):
        CoxRegression().fit(X.to_numpy(), y)
    with pytest.raises(TypeError, match="column `a` must be numeric"):
        CoxRegression().fit(X.assign(a="x"), y)
    with pytest.raises(ValueError, match="150 rows for 149 patients"):
        CoxRegression().fit(X, y[1:])
    with pytest.raises(ValueError, match="distinct column names; repeated: a"):
        CoxRegression().fit(X.rename(columns={"b": "a"}), y)
    with pytest.raises(ValueError, match="missing: b, d"):
        CoxRegression().fit(X, y).predict(X[["a", "c"]])


def test_warns_of_fewer_events_than_columns():
    X, y = load("one_event")[:2]
    with pytest.warns(StatisticalWarning, match="1 events for 1 columns"):
        CoxRegression().fit(X, y)
