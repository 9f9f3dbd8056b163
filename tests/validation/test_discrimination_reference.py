"""Every measure of discrimination and overall performance equals R, degenerate cases included."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.concordance import harrell_c, uno_c
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.integrated import integrated_brier
from scorebuilder.validation.ipcw import cohort_risk
from scorebuilder.validation.metric import METRICS, estimate_metric
from scorebuilder.validation.metrics.auc import auc_estimate
from scorebuilder.validation.metrics.brier import brier_estimate

FOLDER = Path(__file__).resolve().parent.parent / "reference" / "metrics"
EXPECTED = json.loads((FOLDER / "expected_discrimination.json").read_text())
DEGENERATE = json.loads((FOLDER / "degenerate_expected.json").read_text())

# Sums of some thousand terms without iteration; R prints 17 digits.
CLOSE = 1e-12
# Two-sided P values: rounding of z, magnified in the tail.
CLOSE_P = 1e-10
# The errors of timeROC are those of a slightly different expansion, apart by O(1/n).
TIMEROC = 1e-3
MODELS = ("old", "new")
EVERY = [(name, model) for name in EXPECTED for model in MODELS]
ONE_CAUSE = [(name, model) for name, model in EVERY if not name.endswith("_cr")]
COMPETING = [(name, model) for name, model in EVERY if name.endswith("_cr")]
WITH_BRIER = [(name, model) for name, model in EVERY if "brier" in EXPECTED[name]["models"][model]]
"""R refuses the others; the degenerate cases say what is due there."""
WITH_CONTRAST = [
    (name, key)
    for name in EXPECTED
    for key in ("auc", "c_index", "uno_c_truncated", "brier")
    if key in EXPECTED[name]["contrasts"]
]
WITH_GRID = [(name, model) for name, model in EVERY if "grid" in EXPECTED[name]]


@cache
def case(name: str) -> dict[str, Any]:
    table = pd.read_csv(FOLDER / f"{name}.csv", float_precision="round_trip")
    if "weight" in table:
        table = table.loc[table.index.repeat(table["weight"])].reset_index(drop=True)
    competing = (table["event"] == 2).to_numpy()
    return {
        "y": make_outcome(table["event"] == 1, table["time"]),
        "competing": competing if competing.any() else None,
        "horizon": float(EXPECTED[name]["horizon"]),
        **{model: table[f"risk_{model}"].to_numpy() for model in MODELS},
    }


@cache
def grid_risk(name: str, model: str) -> Any:
    table = pd.read_csv(FOLDER / f"{name}_grid.csv", float_precision="round_trip")
    return table[[column for column in table if column.startswith(f"{model}_")]].to_numpy()


def check(found: float | None, expected: float | None, tolerance: float = CLOSE) -> None:
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("name", "model"), ONE_CAUSE)
@pytest.mark.parametrize("key", ["harrell_c", "harrell_c_truncated", "uno_c", "uno_c_tau"])
def test_concordance(name, model, key):
    at, expected = case(name), EXPECTED[name]["models"][model][key]
    measure = harrell_c if key.startswith("harrell") else uno_c
    until = np.inf if key in ("harrell_c", "uno_c") else at["horizon"]
    if expected["c"] is None:
        with pytest.raises(UndefinedMetricError, match="no comparable pair"):
            measure(at["y"], at[model], until=until)
        return
    found = measure(at["y"], at[model], until=until)
    check(found.c_index, expected["c"])
    check(found.standard_error, expected["se"])
    if name == "deg_one_event" and measure is uno_c:
        return  # R leaves the only weight out of the counts
    counts = (found.concordant, found.discordant, found.tied_marker)
    counts = (*counts, found.tied_time, found.tied_both)
    assert counts == pytest.approx(expected["counts"], rel=CLOSE)


@pytest.mark.parametrize(("name", "model"), [at for at in ONE_CAUSE if at[0] != "deg_no_events"])
def test_somers_d_has_twice_the_error(name, model):
    expected = EXPECTED[name]["models"][model]["somers_d"]
    found = harrell_c(case(name)["y"], case(name)[model])
    check(found.somers_d, expected["value"])
    check(2.0 * found.standard_error, expected["se"])


@pytest.mark.parametrize("model", MODELS)
def test_concordance_with_case_weights(model):
    table = pd.read_csv(FOLDER / "weights.csv", float_precision="round_trip")
    y, weight = make_outcome(table["event"], table["time"]), table["weight"].to_numpy()
    expected, risk = EXPECTED["weights"]["weighted"][model], table[f"risk_{model}"].to_numpy()
    until = float(EXPECTED["weights"]["horizon"])
    for found, value in (
        (harrell_c(y, risk, case_weight=weight), expected["harrell_c"]),
        (uno_c(y, risk, case_weight=weight, until=until), expected["uno_c_tau"]),
    ):
        check(found.c_index, value["c"])
        check(found.standard_error, value["se"])
        counts = (found.concordant, found.discordant, found.tied_marker)
        counts = (*counts, found.tied_time, found.tied_both)
        assert counts == pytest.approx(value["counts"], rel=CLOSE)


@pytest.mark.parametrize(("name", "model"), EVERY)
def test_auc(name, model):
    at, expected = case(name), EXPECTED[name]["models"][model].get("auc")
    options = {"horizon": at["horizon"], "competing": at["competing"]}
    if expected is None or expected["value"] is None:
        with pytest.raises(UndefinedMetricError, match="horizon"):
            auc_estimate(None, at["y"], at[model], **options)
        return
    found = auc_estimate(None, at["y"], at[model], **options)
    known = auc_estimate(None, at["y"], at[model], **options, conservative=True)
    check(found.value, expected["value"])
    check(found.standard_error, expected["se"])
    check(known.standard_error, expected["se_known"])
    assert found.limits() == pytest.approx((expected["lower"], expected["upper"]), abs=CLOSE)
    strict = EXPECTED[name]["models"][model]["auc_strict"]
    found = auc_estimate(None, at["y"], at[model], **options, strict=True)
    check(found.value, strict["value"])
    check(found.standard_error, strict["se"], TIMEROC)


@pytest.mark.parametrize(("name", "model"), WITH_BRIER)
def test_brier(name, model):
    at, expected = case(name), EXPECTED[name]["models"][model]["brier"]
    options = {"horizon": at["horizon"], "competing": at["competing"]}
    found = brier_estimate(None, at["y"], at[model], **options)
    known = brier_estimate(None, at["y"], at[model], **options, conservative=True)
    check(found.value, expected["value"])
    check(found.standard_error, expected["se"])
    check(known.standard_error, expected["se_known"])
    everybody = np.full(at["y"].size, cohort_risk(at["y"], **options))
    null = brier_estimate(None, at["y"], np.clip(everybody, 0.0, 1.0), **options)
    check(null.value, EXPECTED[name]["null_brier"]["value"])
    check(null.standard_error, EXPECTED[name]["null_brier"]["se"])
    if expected["ipa"] is None:
        with pytest.raises(UndefinedMetricError, match="makes no error"):
            estimate_metric("scaled_brier", at["y"], at[model], **options)
    else:
        scaled = estimate_metric("scaled_brier", at["y"], at[model], **options)
        check(scaled.value, expected["ipa"])


@pytest.mark.parametrize(("name", "model"), ONE_CAUSE)
def test_classification(name, model):
    at, expected = case(name), EXPECTED[name]["models"][model]["classification"]
    options = {"threshold": expected["cutpoint"], "horizon": at["horizon"], "strict": True}
    if at["horizon"] > at["y"]["time"].max():
        with pytest.raises(UndefinedMetricError, match="past the longest follow-up"):
            classification_at(at["y"], at[model], **options)
        return
    found = classification_at(at["y"], at[model], **options)
    rates = {"sens": found.sensitivity, "spec": found.specificity}
    rates |= {"ppv": found.ppv, "npv": found.npv}
    for key, rate in rates.items():
        check(rate.value, expected[key])
        check(rate.standard_error, expected[f"se_{key}"], TIMEROC)
        assert (rate.reason is None) == (rate.value is not None)


@pytest.mark.parametrize(("name", "model"), WITH_GRID)
def test_grid_of_times(name, model):
    at, expected = case(name), EXPECTED[name]["models"][model]["grid"]
    times, risks = EXPECTED[name]["grid"], grid_risk(name, model)
    for metric in ("auc", "brier"):
        for k, time in enumerate(times):
            found = estimate_metric(
                metric, at["y"], risks[:, k], horizon=float(time), competing=at["competing"]
            )
            check(found.value, expected[metric][k])
            check(found.standard_error, expected[f"{metric}_se"][k])
    options = {"times": times, "competing": at["competing"]}
    check(integrated_brier(at["y"], risks, **options).value, expected["integrated_brier"])
    if "integrated_brier_trapezoid" in expected:
        found = integrated_brier(at["y"], risks, **options, rule="trapezoid")
        check(found.value, expected["integrated_brier_trapezoid"])


@pytest.mark.parametrize(("name", "model"), COMPETING)
def test_competing_risks(name, model):
    at, expected = case(name), EXPECTED[name]["models"][model]
    options = {"horizon": at["horizon"], "competing": at["competing"]}
    event_free = estimate_metric("auc_event_free", at["y"], at[model], **options)
    check(event_free.value, expected["auc_event_free"]["value"])
    check(event_free.standard_error, expected["auc_event_free"]["se"], TIMEROC)
    wolbers = estimate_metric("wolbers_c", at["y"], at[model], **options)
    check(wolbers.value, expected["wolbers_c"])
    for key, competing in (
        ("harrell_c_as_censored", None),
        ("harrell_c_outliving", at["competing"]),
    ):
        found = harrell_c(at["y"], at[model], competing=competing)
        check(found.c_index, expected[key]["c"])
        check(found.standard_error, expected[key]["se"])


@pytest.mark.parametrize(("name", "key"), WITH_CONTRAST)
def test_contrasts(name, key):
    at, expected = case(name), EXPECTED[name]["contrasts"][key]
    options = {"horizon": at["horizon"]}
    if at["competing"] is not None:
        options["competing"] = at["competing"]
    if expected["value"] is None:
        with pytest.raises(UndefinedMetricError):
            CONTRASTS[key].function(at["y"], at["new"], at["old"], **options)
        return
    found = CONTRASTS[key].function(at["y"], at["new"], at["old"], **options)
    check(found.value, expected["value"])
    check(found.standard_error, expected["se"])
    check(found.lower, expected["lower"])
    check(found.upper, expected["upper"])
    check(found.p, expected["p"], CLOSE_P)
    assert (found.reason is None) == (found.p is not None)


@pytest.mark.parametrize(("name", "model"), WITH_BRIER)
def test_brier_against_the_null_model(name, model):
    at, expected = case(name), EXPECTED[name]["contrasts"][f"brier_null_{model}"]
    options = {"horizon": at["horizon"], "competing": at["competing"]}
    everybody = np.clip(np.full(at["y"].size, cohort_risk(at["y"], **options)), 0.0, 1.0)
    found = CONTRASTS["brier"].function(at["y"], at[model], everybody, **options)
    check(found.value, expected["value"])
    check(found.standard_error, expected["se"])
    check(found.p, expected["p"], CLOSE_P)


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.endswith("_cr")])
def test_u_statistic_of_two_c_indexes(name):
    at, expected = case(name), EXPECTED[name]["contrasts"]["c_index_compare_c"]
    contrast = CONTRASTS["c_index_compare_c"].function
    if expected["value"] is None:
        with pytest.raises(UndefinedMetricError, match="no comparable pair"):
            contrast(at["y"], at["new"], at["old"], horizon=at["horizon"])
        return
    found = contrast(at["y"], at["new"], at["old"], horizon=at["horizon"])
    check(found.value, expected["value"])
    check(found.p, expected["p"], CLOSE_P)
    if expected["variance"] < -CLOSE:
        assert found.standard_error is None
        assert found.reason == "the estimated variance is below 0: too few patients"
    else:
        assert found.standard_error**2 == pytest.approx(expected["variance"], abs=1e-14)


def test_delong():
    at, expected = case("deg_no_censoring"), EXPECTED["deg_no_censoring"]["contrasts"]["auc_binary"]
    found = CONTRASTS["auc_binary"].function(at["y"], at["new"], at["old"], horizon=at["horizon"])
    variance = np.array(expected["variance"])  # R has the old one first
    for k, name in enumerate(("old", "new")):
        check(found.part(name).value, expected[name])
        check(found.part(name).standard_error ** 2, variance[k, k])
    spread = variance[0, 0] + variance[1, 1] - 2.0 * variance[0, 1]
    check(found.standard_error**2, spread)
    check(found.p, expected["p"], CLOSE_P)
    assert found.part("left_out").value == 0.0


MEASURES = {
    "harrell_c": "c_index",
    "harrell_c_truncated": "c_index_truncated",
    "uno_c": "uno_c",
    "uno_c_tau": "uno_c_truncated",
    "auc_t": "auc",
    "brier_t": "brier",
    "ipa_t": "scaled_brier",
}
ROWS = [
    (name, row)
    for name, rows in DEGENERATE.items()
    for row in rows
    if row["measure"].split(".")[0] in MEASURES and row["expect"] is not None
]


@pytest.mark.parametrize(
    ("name", "row"), ROWS, ids=[f"{name}-{row['measure']}" for name, row in ROWS]
)
def test_degenerate_cases(name, row):
    at, (measure, *rest) = case(name), row["measure"].split(".")
    metric = MEASURES[measure]
    if rest and rest[0] == "difference":
        found = CONTRASTS[metric].function(at["y"], at["new"], at["old"], horizon=at["horizon"])
        field = {"se": found.standard_error, "p": found.p}[rest[1]] if rest[1:] else found.value
        check(field, None if row["expect"] == "undefined" else row["expect"])
        return
    function = METRICS[metric].function
    if isinstance(row["expect"], str):
        with pytest.raises(UndefinedMetricError):
            function(None, at["y"], at[row["model"]], horizon=at["horizon"])
        return
    found = function(None, at["y"], at[row["model"]], horizon=at["horizon"])
    check(found.standard_error if rest == ["se"] else found.value, row["expect"])


def test_every_measure_of_the_degenerate_cases_is_there():
    assert {row["measure"].split(".")[0] for _, row in ROWS} == set(MEASURES)
    assert len(ROWS) == 31
