"""Time of the whole comparison table: six models, 31,752 patients, ten folds.

Run it from the checkout: ``python experiments/benchmarks/comparison.py``. The stated limit is 10 s.
Where R's riskRegression is installed, `ratio` is the time of its `Score` (AUC and Brier score of
the six models with all tests, without folds, calibration, reclassification or net benefit) by that
of our whole table with all pairs.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd
from r_programs import run_r

from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.compare_all import ComparedModel, compare_all
from scorebuilder.validation.resampling import stratified_folds

N_PATIENTS, N_MODELS, FOLDS = 31_752, 6, 10
HORIZON, THRESHOLDS, LIMIT = 3652.5, (0.05, 0.1, 0.2), 10.0

R_SCORE = """
suppressMessages({library(survival); library(riskRegression)})
d <- read.csv(commandArgs(TRUE)[1])
risks <- as.list(d[, -(1:2)])
cat(system.time(suppressMessages(
  Score(risks, Surv(time, event) ~ 1, d, times = {horizon}, metrics = c("auc", "brier"),
        cens.model = "km", contrasts = TRUE)))[["elapsed"]])
"""


def patients() -> tuple[np.ndarray, np.ndarray, list[ComparedModel]]:
    """Invented patients, about 8 % with the event, and models of falling quality."""
    random = np.random.default_rng(20260101)
    marker = random.normal(0.0, 1.0, N_PATIENTS)
    event_time = random.exponential(60_000 * np.exp(-marker))
    censoring = random.uniform(500, 6000, N_PATIENTS)
    y = make_outcome(event_time <= censoring, np.ceil(np.minimum(event_time, censoring)))
    folds = stratified_folds(y["event"], folds=FOLDS, repeats=1, random_state=1)
    models = []
    for place in range(N_MODELS):
        noisy = marker + 0.3 * place * random.normal(size=(1, N_PATIENTS))
        risk = np.clip(1.0 - np.exp(-HORIZON / 60_000 * np.exp(noisy)), 1e-9, 1 - 1e-9)
        models.append(ComparedModel(f"model {place}", f"Model {place}", noisy, risk))
    return y, folds, models


def main() -> int:
    """Time the table against the reference, and with all pairs."""
    y, folds, models = patients()
    small = [ComparedModel(m.name, m.label, m.marker[:, :500], m.risk[:, :500]) for m in models]
    compare_all(y[:500], folds[:, :500], small[:2], horizon=HORIZON, thresholds=THRESHOLDS)
    names = [model.name for model in models]
    every = [(a, b) for place, a in enumerate(names) for b in names[place + 1 :]]
    seconds = {}
    for label, pairs in (("reference", None), ("all_pairs", every)):
        started = time.perf_counter()
        table = compare_all(y, folds, models, horizon=HORIZON, thresholds=THRESHOLDS, pairs=pairs)
        seconds[label] = round(time.perf_counter() - started, 2)
    table_of_r = pd.DataFrame({"time": y["time"], "event": y["event"].astype(int)})
    for model in models:
        table_of_r[model.name.replace(" ", "_")] = model.risk[0]
    printed = run_r("riskRegression", R_SCORE.replace("{horizon}", repr(HORIZON)), table_of_r)
    ratio = None if printed is None else round(float(printed[0]) / seconds["all_pairs"], 2)
    told = {
        "n_patients": N_PATIENTS, "n_events": int(y["event"].sum()), "n_models": N_MODELS,
        "folds": FOLDS, "rows": len(table), "seconds": seconds, "limit": LIMIT,
        "ratio": ratio,
    }  # fmt: skip
    sys.stdout.write(json.dumps(told) + "\n")
    return 0 if seconds["reference"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
