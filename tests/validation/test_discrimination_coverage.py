"""Intervals of discrimination and overall performance cover; censoring is undone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.metric import METRICS, estimate_metric

N_PATIENTS, N_RUNS, HORIZON = 500, 400, 1.0
N_TRUTH = 200_000
CENSORING = 1.3
"""Mean of the exponential censoring times: a quarter of the events by the horizon are not seen."""

# Limits that 400 runs at 95 % leave once in 1,000 times: some 20 figures are judged.
LOWEST, HIGHEST = binom.ppf([0.0005, 0.9995], N_RUNS, 0.95) / N_RUNS

COVERED = ("auc", "c_index", "c_index_truncated", "uno_c_truncated", "brier", "scaled_brier")
"""Uno's C over all follow-up is left out: its estimand needs somebody followed for ever."""


def draw(n, random, *, censored=True):
    """Exponential times; a true risk and a poorer one."""
    marker, noise = random.normal(size=n), random.normal(size=n)
    time = random.exponential(np.exp(-marker))
    end = random.exponential(CENSORING, n) if censored else np.full(n, 1e6)
    y = make_outcome(time <= end, np.minimum(time, end))
    return y, -np.expm1(-np.exp(marker)), -np.expm1(-np.exp(0.7 * marker + 0.7 * noise))


@pytest.fixture(scope="module")
def truth():
    return draw(N_TRUTH, np.random.default_rng(1), censored=False)


@pytest.fixture(scope="module")
def runs():
    random = np.random.default_rng(2)
    return [draw(N_PATIENTS, random) for _ in range(N_RUNS)]


def target(name, truth):
    """Value in 200,000 uncensored patients, for Harrell's C in as many censored ones."""
    if name.startswith("c_index"):
        truth = draw(N_TRUTH, np.random.default_rng(3))
    return truth


@pytest.mark.slow
@pytest.mark.parametrize("name", COVERED)
def test_intervals_of_metrics_cover(name, truth, runs):
    y, risk, _ = target(name, truth)
    true = METRICS[name].function(None, y, risk, horizon=HORIZON).value
    inside = 0
    for y, risk, _ in runs:
        lower, upper = METRICS[name].function(None, y, risk, horizon=HORIZON).limits(lowest=-1.0)
        inside += lower <= true <= upper
    assert LOWEST <= inside / N_RUNS <= HIGHEST


@pytest.mark.slow
@pytest.mark.parametrize("name", [*COVERED, "c_index_compare_c"])
def test_intervals_of_contrasts_cover(name, truth, runs):
    y, new, old = target(name, truth)
    metric = name.removesuffix("_compare_c")
    true = np.subtract(
        *(METRICS[metric].function(None, y, risk, horizon=HORIZON).value for risk in (new, old))
    )
    inside = 0
    for y, new, old in runs:
        found = CONTRASTS[name].function(y, new, old, horizon=HORIZON)
        inside += found.lower <= true <= found.upper
    assert LOWEST <= inside / N_RUNS <= HIGHEST


@pytest.mark.slow
def test_intervals_of_rates_cover(truth, runs):
    y, risk, _ = truth
    rates = ("sensitivity", "specificity", "ppv", "npv")
    exact = classification_at(y, risk, threshold=0.6, horizon=HORIZON)
    true = {rate: getattr(exact, rate).value for rate in rates}
    inside = dict.fromkeys(rates, 0)
    for y, risk, _ in runs:
        found = classification_at(y, risk, threshold=0.6, horizon=HORIZON)
        for rate in rates:
            limits = getattr(found, rate)
            inside[rate] += limits.lower <= true[rate] <= limits.upper
    assert all(LOWEST <= count / N_RUNS <= HIGHEST for count in inside.values()), inside


@pytest.mark.slow
def test_censored_estimates_converge_to_the_uncensored_truth(truth):
    # The same 200,000 patients, a quarter of their events censored. Weighted measures stay within
    # four standard errors; Harrell's C and the AUC without weights move away.
    y, risk, _ = truth
    end = np.random.default_rng(4).exponential(CENSORING, N_TRUTH)
    seen = make_outcome(y["time"] <= end, np.minimum(y["time"], end))
    for name in ("auc", "uno_c_truncated", "brier", "scaled_brier"):
        whole = estimate_metric(name, y, risk, horizon=HORIZON)
        found = estimate_metric(name, seen, risk, horizon=HORIZON)
        assert abs(found.value - whole.value) < 4.0 * found.standard_error
    for name in ("c_index", "auc_binary"):
        whole = estimate_metric(name, y, risk, horizon=HORIZON)
        found = estimate_metric(name, seen, risk, horizon=HORIZON)
        assert abs(found.value - whole.value) > 4.0 * found.standard_error


@pytest.mark.slow
@pytest.mark.parametrize("name", ["auc", "auc_event_free", "brier", "wolbers_c"])
def test_intervals_cover_with_competing_risks(name):
    def cohort(n, random, *, censored=True):
        marker = random.normal(size=n)
        event, other = random.exponential(np.exp(-marker)), random.exponential(1.5, n)
        end = random.exponential(CENSORING, n) if censored else np.full(n, 1e6)
        time = np.minimum(np.minimum(event, other), end)
        rate = np.exp(marker)
        risk = rate / (rate + 2 / 3) * -np.expm1(-(rate + 2 / 3) * HORIZON)
        return make_outcome(time == event, time), time == other, risk

    random = np.random.default_rng(5)
    y, competing, risk = cohort(N_TRUTH, random, censored=False)
    options = {"horizon": HORIZON, "competing": competing}
    true = estimate_metric(name, y, risk, **options).value
    inside = 0
    for _ in range(N_RUNS):
        y, competing, risk = cohort(N_PATIENTS, random)
        options = {"horizon": HORIZON, "competing": competing}
        lower, upper = estimate_metric(name, y, risk, **options).limits()
        inside += lower <= true <= upper
    assert LOWEST <= inside / N_RUNS <= HIGHEST
