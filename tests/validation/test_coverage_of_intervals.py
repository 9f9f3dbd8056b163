"""Intervals cover the truth at their rate; a useless marker reclassifies nobody in new data."""

from __future__ import annotations

import numpy as np
import pytest

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import calibration_in_the_large, calibration_slope
from scorebuilder.validation.contrasts.idi import idi
from scorebuilder.validation.contrasts.nri_continuous import nri_continuous
from scorebuilder.validation.decision_curve import decision_curve, net_benefit_difference

RUNS, N, HORIZON, THRESHOLD = 500, 300, 1.0, 0.3


def cohort(random, n, *, censored=True):
    one, two = random.normal(size=n), random.normal(size=n)
    rate = np.exp(-1.0 + 0.7 * one + 0.5 * two)
    time = random.exponential(1.0 / rate)
    limit = random.exponential(3.0, n) if censored else np.full(n, 1e6)
    y = make_outcome(time <= limit, np.minimum(time, limit))
    # the old risk is that of a patient with the mean of what it does not know
    return y, -np.expm1(-rate), -np.expm1(-np.exp(-0.875 + 0.7 * one))


@pytest.mark.slow
def test_intervals_cover_at_their_rate():
    random = np.random.default_rng(20260101)
    y, new, old = cohort(random, 400_000, censored=False)
    nri = nri_continuous(y, new, old, horizon=HORIZON)
    benefit = [
        decision_curve(y, risk, horizon=HORIZON, thresholds=[THRESHOLD])["net_benefit"][0]
        for risk in (new, old)
    ]
    truth = {
        "oe": 1.0,
        "slope": 1.0,
        "events": nri.part("events").value,
        "nonevents": nri.part("nonevents").value,
        "idi": idi(y, new, old, horizon=HORIZON).value,
        "net_benefit": benefit[0] - benefit[1],
    }
    covered = dict.fromkeys(truth, 0)
    for _ in range(RUNS):
        y, new, old = cohort(random, N)
        nri = nri_continuous(y, new, old, horizon=HORIZON)
        found = {
            "oe": calibration_in_the_large(y, new, horizon=HORIZON),
            "slope": calibration_slope(y, new),
            "events": nri.part("events"),
            "nonevents": nri.part("nonevents"),
            "idi": idi(y, new, old, horizon=HORIZON),
            "net_benefit": net_benefit_difference(
                y, new, old, horizon=HORIZON, threshold=THRESHOLD
            ),
        }
        for key, value in truth.items():
            covered[key] += found[key].lower <= value <= found[key].upper
    # 500 runs know 95 % with a standard error of 1 %; four of them, and 1 % for 300 patients
    for key, count in covered.items():
        assert count / RUNS == pytest.approx(0.95, abs=0.04), key


@pytest.mark.slow
def test_a_useless_marker_adds_nothing_in_new_data():
    random = np.random.default_rng(7)
    scaled = {"nri": [], "idi": []}
    for _ in range(RUNS):
        y, risk, _ = cohort(random, N)
        # a marker without effect that leaves the expected risk as it is: sign and size at random
        noise = 0.05 * risk * (1.0 - risk) * random.choice([-1.0, 1.0], N)
        for key, function in (("nri", nri_continuous), ("idi", idi)):
            found = function(y, risk + noise, risk, horizon=HORIZON)
            scaled[key].append(found.value / found.standard_error)
    # standardised values: mean 0 with standard error 1 / sqrt(500) = 0.045, spread 1 (0.03)
    for key, values in scaled.items():
        assert abs(np.mean(values)) < 0.18, key
        assert np.std(values) == pytest.approx(1.0, abs=0.13), key
