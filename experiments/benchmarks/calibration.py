"""
Time of the calibration table and the decision curves of six scores in 31,752 patients.

    python experiments/benchmarks/calibration.py

Run it from the checkout. The ratio is the time of R's survival by ours, for the same measure,
written with its fastest functions (`royston` itself also sums over all pairs of patients, in
minutes). Other measures, or a machine without R, have no ratio.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from r_programs import run_r

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.calibration import (
    calibration_in_the_large,
    calibration_slope,
    calibration_smooth,
)
from scorebuilder.validation.calibration_distance import calibration_distances
from scorebuilder.validation.calibration_pseudo import pseudo_intercept, pseudo_slope
from scorebuilder.validation.categorical_nri import nri_categorical
from scorebuilder.validation.contrasts.idi import idi
from scorebuilder.validation.contrasts.nri_continuous import nri_continuous
from scorebuilder.validation.decision_curve import decision_curve
from scorebuilder.validation.explained_variation import royston_d
from scorebuilder.validation.grouped_calibration import calibration_grouped
from scorebuilder.validation.likelihood_indexes import nested_likelihood

N_PATIENTS, N_SCORES, HORIZON = 31_752, 6, 5.0

R_SURVIVAL = """
suppressMessages({library(survival); library(splines)})
d <- read.csv(commandArgs(TRUE)[1])
clock <- function(f) { start <- proc.time()[["elapsed"]]; for (k in 1:6) f(k)
                       proc.time()[["elapsed"]] - start }
s <- Surv(d$time, d$event)
lp <- function(k) d[[paste0("lp", k)]]
cll <- function(k) log(-log(1 - d[[paste0("risk", k)]]))
before <- function(k) if (k == 1) 6 else k - 1
cat(clock(function(k) summary(survfit(s ~ 1), times = {horizon})), "\n")
cat(clock(function(k) { x <- cll(k); coxph(s ~ x); coxph(s ~ x, init = 1, iter.max = 0) }), "\n")
cat(clock(function(k) {
  x <- cll(k)
  fit <- coxph(s ~ ns(x, knots = quantile(x, 0.5), Boundary.knots = quantile(x, c(0.1, 0.9))))
  base <- basehaz(fit, centered = TRUE)
  1 - exp(-max(base$hazard[base$time <= {horizon}]) * exp(fit$linear.predictors)) }), "\n")
cat(clock(function(k) {
  x <- lp(k); x <- x * sign(coef(coxph(s ~ x)))
  z <- qnorm((rank(x) - 0.375) / (length(x) + 0.25)); coxph(s ~ z) }), "\n")
cat(clock(function(k) { a <- lp(k); b <- lp(before(k))
                        anova(coxph(s ~ a), coxph(s ~ a + b)) }), "\n")
"""
MEASURES_OF_R = ("observed / expected", "slope", "smooth", "Royston D", "delta chi-square")


def _r_seconds(
    y: Outcome, predictors: list[FloatArray], risks: list[FloatArray]
) -> dict[str, float]:
    """Seconds of R's survival for all scores, by measure."""
    table = pd.DataFrame({"time": y["time"], "event": y["event"].astype(int)})
    for k in range(N_SCORES):
        table[f"lp{k + 1}"], table[f"risk{k + 1}"] = predictors[k], risks[k]
    printed = run_r("survival", R_SURVIVAL.replace("{horizon}", repr(HORIZON)), table)
    if printed is None:
        return {}
    return dict(zip(MEASURES_OF_R, map(float, printed), strict=True))


def main() -> None:
    """Write one line per measure: seconds for all scores, and the ratio to R."""
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
        "smooth, intervals": lambda k: calibration_distances(y, risks[k], horizon=HORIZON),
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
    by_r = _r_seconds(y, predictors, risks)
    total = 0.0
    for label, measure in measures.items():
        begin = time.perf_counter()
        for k in range(N_SCORES):
            measure(k)
        seconds = time.perf_counter() - begin
        total += seconds
        told = (
            f"   R {by_r[label]:7.3f} s, ratio {by_r[label] / seconds:6.1f}"
            if label in by_r
            else ""
        )
        sys.stdout.write(f"{label:32s} {seconds:7.3f} s{told}\n")
    sys.stdout.write(f"{'all':32s} {total:7.3f} s\n")


if __name__ == "__main__":
    main()
