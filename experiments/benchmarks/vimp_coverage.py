"""
How often intervals of permutation VIMP hold the value they should.

``python experiments/benchmarks/vimp_coverage.py`` draws cohorts with three variables that matter
and eight that do not, and reports for each kind of interval how often it covers 0 for a variable
without effect, how often its lower limit lies above 0, which is when the rule ``vimp_ci`` keeps the
variable, and how wide it is beside the spread over the cohorts. Figures in ``docs/selection.md``
come from the three designs that run without ``--patients``, in a few minutes on one core; intervals
from forests on subsamples, which cost as many forests, are added by ``--subsamples 30``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.vimp import permutation_vimp_with_error
from scorebuilder.selection.vimp_subsample import (
    METHODS,
    subsample_error,
    vimp_subsample_interval,
)
from scorebuilder.survival.outcome import make_outcome

SEED = 20261126
EFFECTS = {"strong": 0.8, "mid": 0.4, "effbin": 0.5}
"""Log hazard ratio, per standard deviation or of yes against no."""
NOISE = {
    "n1": "noise, continuous", "n2": "noise, continuous", "n3": "noise, continuous",
    "n4": "noise, continuous", "coin": "noise, binary", "coin2": "noise, binary",
    "rare": "noise, binary", "lev": "noise, few values",
}  # fmt: skip
SHARE = {"effbin": 0.5, "coin": 0.5, "coin2": 0.5, "rare": 0.15}
DESIGNS = ((300, 60, 2.0), (1000, 40, 2.0), (3000, 25, 0.27))
"""Patients, cohorts and longest follow-up."""
WIDTH = 2.0 * float(norm.ppf(0.975))


def sample(n_patients: int, longest: float, number: int) -> tuple[pd.DataFrame, Outcome]:
    """
    Draw normal, binary and few-valued columns, and times censored uniformly up to a longest one.

    About 60 % have the event with a longest time of 2, about 20 % with 0.27.
    """
    random = np.random.default_rng([SEED, n_patients, int(longest * 100), number])
    names = [*EFFECTS, *NOISE]
    X = pd.DataFrame(random.normal(size=(n_patients, len(names))), columns=names)
    for name, share in SHARE.items():
        X[name] = (X[name] < norm.ppf(share)).astype(float)
    X["lev"] = np.floor(X["lev"].abs() * 2)
    time = random.exponential(1.0 / np.exp(X[list(EFFECTS)].to_numpy() @ list(EFFECTS.values())))
    censoring = random.uniform(0.0, longest, n_patients)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring) + 1e-6)


def intervals(
    X: pd.DataFrame, y: Outcome, seed: int, settings: argparse.Namespace
) -> Iterator[tuple[str, FloatArray, FloatArray, FloatArray]]:
    """Yield name, VIMP and limits of each kind of interval in one cohort."""
    forest = SurvivalForest(settings.trees, random_state=seed, n_jobs=settings.jobs).fit(X, y)
    common = {"random_state": seed, "n_jobs": settings.jobs}
    for kind in ("ensemble", "blocks"):
        result = permutation_vimp_with_error(forest, X, y, kind=kind, **common)
        for error in ("trees", "total"):
            lower, upper = result.interval(error=error)
            yield f"{kind}, {error}", result.vimp.mean(axis=1), lower, upper
    if not settings.subsamples:
        return
    for fraction in settings.fractions:
        drawn = vimp_subsample_interval(
            forest, X, y, fraction=fraction, n_subsamples=settings.subsamples,
            n_estimators=settings.refit_trees, **common,
        )  # fmt: skip
        size = (drawn.n_patients, drawn.subsample_size)
        for method in METHODS:
            error = subsample_error(drawn.subsample_vimp, drawn.vimp, size, method=method)
            lower, upper = replace(drawn, standard_error=error).interval()
            yield f"{method}, b/n = {fraction}", drawn.vimp, lower, upper


def coverage(settings: argparse.Namespace) -> pd.DataFrame:
    """Draw all cohorts and count."""
    rows = []
    for number in range(settings.cohorts):
        X, y = sample(settings.patients, settings.longest, number)
        for name, vimp, lower, upper in intervals(X, y, number, settings):
            rows += list(zip([name] * len(vimp), X.columns, vimp, lower, upper, strict=True))
    table = pd.DataFrame(rows, columns=["interval", "variable", "vimp", "lower", "upper"])
    truth = table.groupby(["interval", "variable"])["vimp"].transform("mean")
    spread = table.groupby(["interval", "variable"])["vimp"].transform("std")
    target = truth.where(~table["variable"].isin(NOISE), 0.0)
    table["covers"] = (table["lower"] <= target) & (target <= table["upper"])
    table["above 0"] = table["lower"] > 0.0
    table["width"] = (table["upper"] - table["lower"]) / (WIDTH * spread)
    every = table[table["variable"].isin(NOISE)].assign(variable="noise, all")
    table["variable"] = table["variable"].replace(NOISE)
    columns = ["covers", "above 0", "width"]
    both = pd.concat([table, every])
    return both.groupby(["interval", "variable"], sort=False)[columns].mean()


def main() -> None:
    """Read the arguments, run, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--patients", type=int, help="of one design, instead of all three")
    parser.add_argument("--longest", type=float, default=2.0, help="longest follow-up")
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--subsamples", type=int, default=0)
    parser.add_argument("--refit-trees", type=int, default=200)
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.25, 0.5])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    settings = parser.parse_args()
    own = ((settings.patients, settings.cohorts, settings.longest),)
    tables = {}
    for design in own if settings.patients else DESIGNS:
        settings.patients, settings.cohorts, settings.longest = design
        tables[design[:2]] = coverage(settings)
        if not settings.json:
            print(f"{design[0]} patients, {design[1]} cohorts, followed for {design[2]:g}")
            print(tables[design[:2]].round(3).to_string(), flush=True)
    if settings.json:
        table = pd.concat(tables, names=["patients", "cohorts"])
        print(json.dumps(table.reset_index().to_dict(orient="records")))


if __name__ == "__main__":
    main()
