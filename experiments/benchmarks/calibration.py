"""Time of the calibration table and the decision curves of six scores in 31,752 patients."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import (
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
)
from scorebuilder.validation.calibration_pseudo import pseudo_intercept, pseudo_slope
from scorebuilder.validation.categorical_nri import nri_categorical
from scorebuilder.validation.contrasts.idi import idi
from scorebuilder.validation.contrasts.nri_continuous import nri_continuous
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.explained_variation import royston_d
from scorebuilder.validation.grouped_calibration import calibration_grouped
from scorebuilder.validation.likelihood_indexes import nested_likelihood

N_PATIENTS, N_SCORES, HORIZON = 31_752, 6, 5.0


def main() -> None:
    """Write one line per measure: seconds for all scores."""
    random = np.random.default_rng(20260101)
    truth = random.normal(size=N_PATIENTS)
    event_time = random.exponential(20.0 * np.exp(-truth))
    censoring = random.uniform(1.0, 12.0, N_PATIENTS)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    predictors = [truth + 0.1 * k * random.normal(size=N_PATIENTS) for k in range(N_SCORES)]
    risks = [-np.expm1(-0.25 * np.exp(0.7 * predictor)) for predictor in predictors]
    thresholds = np.linspace(0.01, 0.99, 100)
    measures: dict[str, Callable[[int], object]] = {
        "observed / expected": lambda k: calibration_in_the_large(y, risks[k], horizon=HORIZON),
        "slope": lambda k: calibration_slope(y, risks[k]),
        "smooth": lambda k: calibration_smooth(y, risks[k], horizon=HORIZON),
        "groups": lambda k: calibration_grouped(y, risks[k], horizon=HORIZON),
        "pseudo intercept": lambda k: pseudo_intercept(y, risks[k], horizon=HORIZON),
        "pseudo slope": lambda k: pseudo_slope(y, risks[k], horizon=HORIZON),
        "Royston D": lambda k: royston_d(y, predictors[k]),
        "delta chi-square": lambda k: nested_likelihood(y, predictors[k], predictors[k - 1]),
        "continuous NRI": lambda k: nri_continuous(y, risks[k], risks[k - 1], horizon=HORIZON),
        "categorical NRI": lambda k: nri_categorical(
            y, risks[k], risks[k - 1], horizon=HORIZON, cut_points=[0.1, 0.2]
        ),
        "IDI": lambda k: idi(y, risks[k], risks[k - 1], horizon=HORIZON),
        "decision curve, 100 thresholds": lambda k: decision_curve(
            y, risks[k], horizon=HORIZON, thresholds=thresholds
        ),
    }
    total = 0.0
    for label, measure in measures.items():
        begin = time.perf_counter()
        for k in range(N_SCORES):
            measure(k)
        seconds = time.perf_counter() - begin
        total += seconds
        sys.stdout.write(f"{label:32s} {seconds:7.3f} s\n")
    sys.stdout.write(f"{'all':32s} {total:7.3f} s\n")


if __name__ == "__main__":
    main()
