"""A frozen model in other patients: the numbers of Rotterdam -> GBSG, by hand, and undefined."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.modelling import MFPCox
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.explained_variation import royston_d
from scorebuilder.validation.external import (
    Development,
    FrozenPredictions,
    case_mix,
    group_hazard_ratios,
    validate_externally,
)
from scorebuilder.validation.misspecification import misspecification_test

FOLDER = Path(__file__).parents[1] / "reference" / "mfp"
REFERENCE = json.loads((FOLDER / "external_validation.json").read_text())
NAMES = sorted(REFERENCE)
YEARS = (1095.75, 1826.25)


@cache
def frozen(name):
    """Linear predictors (centred, rounded so that ties are ties), outcomes, terms and hazard."""
    case = REFERENCE[name]
    tables = {
        w: pd.read_csv(FOLDER / "data" / f"{case[w]}.csv") for w in ("development", "validation")
    }
    model = MFPCox(ties=case["ties"], select_alpha=case["select"], fp_alpha=case["alpha"])
    by_variable = isinstance(case["df"], dict)
    model.set_params(**{"max_df_by" if by_variable else "max_df": case["df"]})
    found = {}
    for which, table in tables.items():
        X = table[case["variables"]].astype(float)
        y = make_outcome(table["status"], table["time"])
        if which == "development":
            model.fit(X, y)
        terms = pd.DataFrame({t.column: t.values(X[t.variable].to_numpy()) for t in model.terms_})
        found[which] = (np.round(model.predict(X), 10), y, terms)
    return found, model


@pytest.mark.parametrize("which", ["development", "validation"])
@pytest.mark.parametrize("name", NAMES)
def test_separation_is_that_of_r(name, which):
    index, y, _ = frozen(name)[0][which]
    expected = REFERENCE[name][f"{which}_performance"]["royston_d"]["tied_scores_averaged"]
    found = royston_d(y, index, ties=REFERENCE[name]["ties"])
    assert found.d == pytest.approx(expected["D"], abs=1e-7)
    assert found.standard_error == pytest.approx(expected["se"], rel=1e-6)
    assert found.r2_d == pytest.approx(expected["R2_D"], abs=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_the_joint_test_is_that_of_r(name):
    found, model = frozen(name)
    _, y, terms = found["validation"]
    joint = misspecification_test(
        y,
        terms.to_numpy(),
        np.array([term.coefficient for term in model.terms_]),
        ties=REFERENCE[name]["ties"],
    )
    wanted = REFERENCE[name]["validation_offset_tests"]["joint_misspecification"]
    assert joint.chi2 == pytest.approx(wanted["chisq"], abs=1e-5)
    assert (joint.df, joint.p) == (wanted["df"], pytest.approx(wanted["p"], abs=1e-6))


@pytest.mark.parametrize("which", ["development", "validation"])
@pytest.mark.parametrize("name", NAMES)
def test_hazard_ratios_of_groups_are_those_of_r(name, which):
    found, _ = frozen(name)
    cuts = np.round(np.quantile(found["development"][0], [0.16, 0.5, 0.84]), 10)
    index, y, _ = found[which]
    group = np.searchsorted(cuts, index, side="left")
    rows = group_hazard_ratios(
        y, group, ["g1", "g2", "g3", "g4"], reference=1, ties=REFERENCE[name]["ties"]
    )
    expected = REFERENCE[name][f"{which}_group_hr"]
    ours = {row["label"]: row["log_hazard_ratio"] for row in rows if row["label"] != "g2"}
    assert ours == pytest.approx(expected["log_hr_vs_group2"], abs=1e-7)
    errors = [row["standard_error"] for row in rows if row["label"] != "g2"]
    np.testing.assert_allclose(errors, expected["se"], rtol=1e-6)
    assert rows[1]["hazard_ratio"] == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_table(name):
    found, model = frozen(name)
    index, y, terms = found["validation"]
    coefficients = np.array([term.coefficient for term in model.terms_])
    hazard = model.baseline_cumulative_hazard_
    risk = {h: 1 - np.exp(-float(hazard(h)) * np.exp(index)) for h in YEARS}
    own = found["development"][0]
    development = Development(
        n=own.size, mean=own.mean(), sd=own.std(ddof=1), quantiles={},
        baseline_hazard=hazard, last=np.inf, ties=REFERENCE[name]["ties"],
    )  # fmt: skip
    predictions = FrozenPredictions(index, risk, terms.to_numpy(), coefficients)
    table = validate_externally(y, predictions, development=development, thresholds=[0.5])
    assert table["reason"].isna().all()
    value = table[table.horizon.isna()].set_index("measure")["value"]
    expected = REFERENCE[name]["validation_performance"]
    assert value["c_index"] == pytest.approx(expected["harrell_c"]["c"], abs=1e-9)
    assert value["uno_c"] == pytest.approx(expected["uno_c"]["c"], abs=1e-9)
    assert value["slope"] == pytest.approx(expected["slope"]["coef"], abs=1e-7)
    assert value["royston_d"] == pytest.approx(
        expected["royston_d"]["tied_scores_averaged"]["D"], abs=1e-7
    )
    slope = table[table["measure"] == "slope"].iloc[0]
    wanted = REFERENCE[name]["validation_offset_tests"]["slope_minus_one"]
    assert slope.standard_error == pytest.approx(wanted["se"], rel=1e-6)
    assert slope.chi2 == pytest.approx(wanted["chisq"], abs=1e-6)
    assert slope.p == pytest.approx(wanted["p"], abs=1e-6)
    poisson = REFERENCE[name]["poisson_recalibration"]
    assert value["poisson_slope"] == pytest.approx(poisson["slope"], abs=1e-6)
    ratio = poisson["events"] / poisson["expected"]
    assert value["poisson_observed_expected"] == pytest.approx(ratio, rel=1e-7)
    overall = REFERENCE[name]["validation_overall"]
    for horizon, predicted, observed in zip(
        YEARS, overall["predicted_3y_5y"], overall["kaplan_meier_3y_5y"], strict=True
    ):
        rows = table[table.horizon == horizon].set_index("measure")
        ratio = (1 - observed) / (1 - predicted)
        assert rows.loc["observed_expected", "value"] == pytest.approx(ratio, rel=1e-7)
        assert rows.loc["observed_expected", "events"] == np.sum(
            y["event"] & (y["time"] <= horizon)
        )
    assert (table["n"] == 686).all()


def test_the_true_model_passes_and_a_wrong_one_does_not():
    random = np.random.default_rng(8)
    n = 2000
    x = random.normal(size=(n, 2))
    event_time, censoring = random.exponential(np.exp(-x @ [0.8, -0.5])), random.exponential(2, n)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    assert misspecification_test(y, x, np.array([0.8, -0.5])).p > 0.01
    wrong = misspecification_test(y, x, np.array([0.8, 0.0]))
    assert wrong.p < 1e-6
    assert np.argmax(np.abs(wrong.changes)) == 1


def test_case_mix_by_hand():
    development = Development(100, 1.0, 2.0, {}, lambda at: at, 1.0)
    rows = case_mix(np.array([1.0, 3.0]), development)
    # Means 2 and 1; standard deviations root 2 and 2.
    assert rows[0]["difference"] == 1.0
    assert rows[0]["upper"] - 1.0 == pytest.approx(1.959964 * np.sqrt(2 / 2 + 4 / 100), abs=1e-6)
    assert rows[1]["difference"] == pytest.approx(np.sqrt(2) / 2)
    assert "development patients" in case_mix(np.array([1.0, 3.0]), None)[0]["reason"]


def test_what_is_undefined_has_its_reason():
    n = 60
    y = make_outcome(np.arange(n) % 3 == 0, np.arange(1, n + 1))
    same = np.full(n, 0.4)
    predictions = FrozenPredictions(np.zeros(n), {30.0: same}, np.zeros((n, 1)), np.ones(1))
    table = validate_externally(y, predictions)
    missing = table[table["value"].isna()]
    assert missing["reason"].notna().all()
    reasons = dict(zip(missing["measure"], missing["reason"], strict=True))
    assert "same for every patient" in reasons["slope"]
    assert "does not tell" in reasons["poisson_slope"]
    assert set(reasons) >= {"slope", "misspecification", "royston_d", "r2_d", "ici"}


def test_terms_that_determine_one_another_have_no_joint_test():
    _, y, terms = frozen(NAMES[0])[0]["validation"]
    twice = np.column_stack([terms.iloc[:, 0], terms.iloc[:, 0] * 2 + 1])
    with pytest.raises(UndefinedMetricError, match="determine others"):
        misspecification_test(y, twice, np.ones(2))


def test_groups_without_events_have_no_ratio():
    y = make_outcome([1, 0, 1, 1, 0, 0], [1, 5, 3, 4, 5, 6])
    rows = group_hazard_ratios(y, np.array([0, 0, 2, 2, 1, 1]), ["low", "middle", "high", "top"])
    assert [row["reason"] for row in rows] == [None, "no event in the group", None, "no patients"]
    rows = group_hazard_ratios(y, np.array([0, 0, 2, 2, 1, 1]), ["a", "b", "c"], reference=1)
    assert "the reference" in rows[0]["reason"]
