"""
Time of the measures of discrimination and overall performance: ours, and those of other programs.

    taskset -c 0 python experiments/benchmarks/metrics.py --json metrics.json

The cohort is synthetic (31,752 patients, whole days, six scores). One thread; each round runs every
program once, after a first run that is not counted, and the figure is the median over the rounds.
The ratio is the other program's time by ours, for the same measure; `yields` says what each gives
beyond the value. A program that is not installed has no row.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from r_programs import run_r
from threadpoolctl import threadpool_limits

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.classification import classification_at
from scorebuilder.validation.concordance import harrell_c, uno_c
from scorebuilder.validation.contrast import CONTRASTS
from scorebuilder.validation.difference import pairwise_differences
from scorebuilder.validation.integrated import integrated_brier
from scorebuilder.validation.metric import estimate_metric

N_SCORES = 6
HORIZON = 5 * 365.25
OURS = "scorebuilder"

Call = Callable[[], Any]


def cohort(n: int) -> tuple[Outcome, dict[str, FloatArray]]:
    """Simulate patients followed for up to ten years, a tenth with the event, and six risks."""
    random = np.random.default_rng(1)
    marker = random.normal(size=n)
    event = random.exponential(36_000.0 * np.exp(-marker))
    end = random.uniform(400.0, 3652.5, n)
    y = make_outcome(event <= end, np.ceil(np.minimum(event, end)))
    scores = {
        f"score {k + 1}": 1.0 / (1.0 + np.exp(3.0 - marker - random.normal(0.0, 0.3 * k, n)))
        for k in range(N_SCORES)
    }
    return y, scores


def our_calls(y: Outcome, scores: dict[str, FloatArray]) -> dict[str, tuple[str, Call]]:
    """Return what each measure yields, and the call."""
    risk, other = scores["score 1"], scores["score 2"]
    times = np.linspace(365.25, HORIZON, 10)
    risks = risk[:, np.newaxis] * np.linspace(0.2, 1.0, 10)
    return {
        "C": ("SE, counts", lambda: harrell_c(y, risk)),
        "Uno's C": ("SE, counts", lambda: uno_c(y, risk, until=HORIZON)),
        "difference of C": (
            "SE, P",
            lambda: CONTRASTS["c_index"].function(y, risk, other, horizon=HORIZON),
        ),
        "difference of C (U-statistic)": (
            "SE, P",
            lambda: CONTRASTS["c_index_compare_c"].function(y, risk, other, horizon=HORIZON),
        ),
        "AUC(t)": ("SE", lambda: estimate_metric("auc", y, risk, horizon=HORIZON)),
        "AUC(t) of 6 scores, 15 tests": (
            "SE, P",
            lambda: pairwise_differences(y, scores, metric="auc", horizon=HORIZON),
        ),
        "AUC(t), Brier of 6 scores, tests": (
            "SE, P",
            lambda: [
                pairwise_differences(y, scores, metric=metric, horizon=HORIZON)
                for metric in ("auc", "brier")
            ],
        ),
        "Brier": ("SE", lambda: estimate_metric("brier", y, risk, horizon=HORIZON)),
        "integrated Brier, 10 times": (
            "SE",
            lambda: integrated_brier(y, risks, times=times, rule="trapezoid"),
        ),
        "sensitivity, specificity, PPV, NPV": (
            "SE",
            lambda: classification_at(y, risk, threshold=0.1, horizon=HORIZON),
        ),
    }


def library_calls(
    y: Outcome, scores: dict[str, FloatArray]
) -> dict[tuple[str, str], tuple[str, Call]]:
    """Return what the Python libraries yield, and the calls."""
    from lifelines.utils import concordance_index
    from sksurv import metrics

    risk = scores["score 1"]
    train = make_outcome(y["event"], np.where(y["event"], y["time"], y["time"] * (1 + 1e-12)))
    times = np.linspace(365.25, HORIZON, 10)
    survival = 1.0 - risk[:, np.newaxis] * np.linspace(0.2, 1.0, 10)
    return {
        ("C", "lifelines"): ("", lambda: concordance_index(y["time"], -risk, y["event"])),
        ("C", "scikit-survival"): (
            "counts",
            lambda: metrics.concordance_index_censored(y["event"], y["time"], risk, tied_tol=0),
        ),
        ("Uno's C", "scikit-survival"): (
            "counts",
            lambda: metrics.concordance_index_ipcw(
                train, y, risk, tau=HORIZON * (1 + 1e-13), tied_tol=0
            ),
        ),
        ("AUC(t)", "scikit-survival"): (
            "",
            lambda: metrics.cumulative_dynamic_auc(train, y, risk, HORIZON, tied_tol=0),
        ),
        ("AUC(t) of 6 scores, 15 tests", "scikit-survival"): (
            "six values, no test",
            lambda: [
                metrics.cumulative_dynamic_auc(train, y, score, HORIZON, tied_tol=0)
                for score in scores.values()
            ],
        ),
        ("Brier", "scikit-survival"): (
            "",
            lambda: metrics.brier_score(train, y, survival[:, -1], HORIZON),
        ),
        ("integrated Brier, 10 times", "scikit-survival"): (
            "",
            lambda: metrics.integrated_brier_score(train, y, survival, times),
        ),
    }


R_SURVIVAL = """
suppressMessages(library(survival))
d <- read.csv(commandArgs(TRUE)[1])
clock <- function(f) median(sapply(1:4, function(i) system.time(f())[["elapsed"]])[-1])
cat(clock(function() concordance(Surv(time, event) ~ a, d, reverse = TRUE)), "\\n")
cat(clock(function() concordance(Surv(time, event) ~ a, d, reverse = TRUE,
                                 timewt = "n/G2", ymax = {horizon})), "\\n")
a <- coxph(Surv(time, event) ~ a, d, init = 1, iter.max = 0)
b <- coxph(Surv(time, event) ~ b, d, init = 1, iter.max = 0)
cat(clock(function() concordance(a, b)), "\\n")
cat(as.character(packageVersion("survival")), "\\n")
"""
R_SCORE = """
suppressMessages({library(survival); library(riskRegression)})
d <- read.csv(commandArgs(TRUE)[1])
risks <- lapply(c("a", "b", "c", "d", "e", "f"), function(name) d[[name]])
names(risks) <- paste("score", 1:6)
score <- function(risks, metrics, contrasts) function()
  Score(risks, Surv(time, event) ~ 1, d, times = {horizon}, metrics = metrics, null.model = FALSE,
        cens.model = "km", contrasts = contrasts)
once <- function(f) system.time(suppressMessages(f()))[["elapsed"]]
cat(once(score(risks[1], "auc", FALSE)), "\\n")
cat(once(score(risks, "auc", TRUE)), "\\n")
cat(once(score(risks[1], "brier", FALSE)), "\\n")
cat(once(score(risks, c("auc", "brier"), TRUE)), "\\n")
cat(as.character(packageVersion("riskRegression")), "\\n")
"""
R_PROGRAMS = {
    "survival": (R_SURVIVAL, ("C", "Uno's C", "difference of C")),
    "riskRegression": (
        R_SCORE,
        ("AUC(t)", "AUC(t) of 6 scores, 15 tests", "Brier", "AUC(t), Brier of 6 scores, tests"),
    ),
}
"""Script and measures of each package; each call of `Score` takes seconds, so it is timed once."""


def r_times(
    y: Outcome, scores: dict[str, FloatArray]
) -> tuple[dict[tuple[str, str], float], dict[str, str]]:
    """Seconds by measure and R package, and the packages' versions; nothing of what is missing."""
    seconds: dict[tuple[str, str], float] = {}
    versions: dict[str, str] = {}
    table = pd.DataFrame({"time": y["time"], "event": y["event"].astype(int)})
    for column, score in zip("abcdef", scores.values(), strict=True):
        table[column] = score
    for package, (text, measures) in R_PROGRAMS.items():
        printed = run_r(package, text.replace("{horizon}", repr(HORIZON)), table)
        if printed is None:
            continue
        *found, versions[f"R {package}"] = printed
        for measure, second in zip(measures, found, strict=True):
            seconds[(measure, f"R {package}")] = float(second)
    return seconds, versions


def seconds_of(call: Call) -> float:
    """Run once and return the time."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Time everything and print one row per measure and program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=31_752)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    y, scores = cohort(options.n)
    calls = {(measure, OURS): call for measure, call in our_calls(y, scores).items()}
    calls |= library_calls(y, scores)
    found: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for each in range(options.rounds + 1):
            for key, (_, call) in calls.items():
                seconds = seconds_of(call)
                if each:
                    found[key].append(seconds)
    rows = {key: (calls[key][0], median(seconds)) for key, seconds in found.items()}
    r_seconds, r_versions = r_times(y, scores)
    rows |= {key: ("SE, P" if "test" in key[0] else "SE", s) for key, s in r_seconds.items()}
    table = [
        {
            "measure": measure,
            "program": program,
            "yields": yields,
            "seconds": seconds,
            "ratio": seconds / rows[(measure, OURS)][1],
        }
        for (measure, program), (yields, seconds) in rows.items()
    ]
    table.sort(key=lambda row: list(our_calls(y, scores)).index(row["measure"]))
    text = f"{options.n:,} patients, {int(y['event'].sum()):,} events"
    print(f"{text}, {len(list(combinations(scores, 2)))} pairs of scores")
    print(pd.DataFrame(table).round(4).to_string(index=False))
    if options.json:
        versions = {name: version(name) for name in ("lifelines", "scikit-survival", "numba")}
        versions |= r_versions
        record = {
            "n": options.n,
            "events": int(y["event"].sum()),
            "rounds": options.rounds,
            "machine": platform.processor() or platform.machine(),
            "versions": versions,
            "results": table,
        }
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
