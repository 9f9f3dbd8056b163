"""Optimism and bootstrap intervals on stored resamples: equal to R."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from scorebuilder.modelling.cox import CoxRegression
from scorebuilder.validation.calibration import calibration_in_the_large, calibration_slope
from scorebuilder.validation.categorical_nri import nri_categorical
from scorebuilder.validation.contrasts.idi import idi
from scorebuilder.validation.contrasts.nri_continuous import nri_continuous
from scorebuilder.validation.likelihood_indexes import likelihood_indexes, recalibration_indexes
from scorebuilder.validation.metrics.auc import auc_at
from scorebuilder.validation.metrics.brier import brier_at
from scorebuilder.validation.metrics.c_index import c_index
from tests.validation.reference_cases import FOLDER, patients

STORED = json.loads((FOLDER / "expected_bootstrap.json").read_text())
# everything goes through a Cox fit; the optimism averages 25 of them
FITTED = 1e-8


@cache
def performances(name):
    """Apparent performance, and that of each resample's model in the resample and the data."""
    found, stored = patients(name), STORED[name]
    X, y = found.table[stored["covariates"]].astype(np.float64), found.y

    def judge(model, rows):
        outcome, columns = y[rows], X.iloc[rows]
        predictor = model.predict(columns)
        risk = model.predict_risk(columns, horizon=stored["horizon"])
        shifts = recalibration_indexes(outcome, predictor)
        return {
            "c_harrell": c_index(outcome, predictor),
            "slope": calibration_slope(outcome, risk, linear_predictor=predictor).slope,
            "r2_nagelkerke": likelihood_indexes(outcome, predictor).r2_nagelkerke,
            "d_index": shifts.d_index,
            "u_index": shifts.u_index,
            "q_index": shifts.q_index,
            "g_index": shifts.g_index,
            "auc_t": auc_at(None, outcome, risk, horizon=stored["horizon"]),
            "brier_t": brier_at(None, outcome, risk, horizon=stored["horizon"]),
            "oe": calibration_in_the_large(outcome, risk, horizon=stored["horizon"]).ratio,
        }

    everybody = np.arange(len(y))
    apparent = judge(CoxRegression().fit(X, y), everybody)
    inside, outside = [], []
    for rows in np.array(stored["index"]):
        resampled = X.iloc[rows].reset_index(drop=True)
        model = CoxRegression().fit(resampled, y[rows])
        inside.append(judge(model, rows))
        outside.append(judge(model, everybody))
    return apparent, inside, outside


@pytest.mark.parametrize("name", STORED)
def test_optimism_is_that_of_r(name):
    expected = STORED[name]["optimism"]
    apparent, inside, outside = performances(name)
    for key, value in apparent.items():
        assert value == pytest.approx(expected["apparent"][key], rel=FITTED, abs=FITTED)
        drops = [one[key] - two[key] for one, two in zip(inside, outside, strict=True)]
        optimism = float(np.mean(drops))
        assert optimism == pytest.approx(expected["optimism"][key], rel=1e-7, abs=FITTED)
        assert value - optimism == pytest.approx(expected["corrected"][key], rel=FITTED, abs=FITTED)
    for computed, stored in ((inside, "first3_boot"), (outside, "first3_orig")):
        for ours, theirs in zip(computed[:3], expected[stored], strict=True):
            for key, value in ours.items():
                assert value == pytest.approx(theirs[key], rel=FITTED, abs=FITTED)


@pytest.mark.parametrize("name", STORED)
def test_bootstrap_of_reclassification_is_that_of_r(name):
    found, stored = patients(name), STORED[name]
    expected = stored["reclassification"]

    def judge(rows):
        arguments = (found.y[rows], found.new[rows], found.old[rows])
        categories = nri_categorical(
            *arguments, horizon=stored["horizon"], cut_points=stored["cut_points"]
        )
        return {
            "nri_cat": categories.value,
            "nri_cat_events": categories.part("events").value,
            "nri_cat_nonevents": categories.part("nonevents").value,
            "nri_cont": nri_continuous(*arguments, horizon=stored["horizon"]).value,
            "idi_ipcw": idi(*arguments, horizon=stored["horizon"]).value,
        }

    estimate = judge(np.arange(len(found.y)))
    samples = [judge(rows) for rows in np.array(stored["index"])]
    for key, value in estimate.items():
        values = np.array([sample[key] for sample in samples])
        np.testing.assert_allclose(values, expected["samples"][key], atol=1e-12)
        assert value == pytest.approx(expected["estimate"][key], abs=1e-12)
        assert np.std(values, ddof=1) == pytest.approx(expected["sd"][key], abs=1e-12)
        lower, upper = np.quantile(values, (0.025, 0.975))
        assert lower == pytest.approx(expected["lower_percentile"][key], abs=1e-12)
        assert upper == pytest.approx(expected["upper_percentile"][key], abs=1e-12)
        # our standard error is that of many resamples: 25 know theirs to some 14 %
        if key == "idi_ipcw":
            error = idi(found.y, found.new, found.old, horizon=stored["horizon"]).standard_error
            assert error == pytest.approx(float(np.std(values, ddof=1)), rel=0.45)
