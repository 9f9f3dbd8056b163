"""
How often intervals of permutation VIMP hold the value they should.

``python experiments/benchmarks/vimp_coverage.py`` draws cohorts with three variables that matter
and eight that do not, and reports for each kind of interval how often it covers 0 for a variable
without effect, how often its lower limit lies above 0, which is when the rule ``vimp_ci`` keeps the
variable, and how wide it is beside the spread over the cohorts. The last rows count cohorts: in how
many the lower limit of any variable without effect lies above 0. With ``--null`` no variable has an
effect. Figures in ``docs/selection.md`` come from the designs that run without ``--patients``, in a
few minutes each on one core; intervals from forests on subsamples, which cost as many forests, are
added by ``--subsamples 30``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

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
NULL_DESIGNS = ((300, 400, 2.0), (1000, 200, 2.0))
"""Patients, cohorts and longest follow-up."""
KEYS = ["interval", "confidence", "variable"]


def sample(
    n_patients: int, longest: float, number: int, *, null: bool = False
) -> tuple[pd.DataFrame, Outcome]:
    """
    Draw normal, binary and few-valued columns, and times censored uniformly up to a longest one.

    About 60 % have the event with a longest time of 2, about 20 % with 0.27.
    """
    random = np.random.default_rng([SEED, n_patients, int(longest * 100), number])
    effects = [0.0 if null else effect for effect in EFFECTS.values()]
    names = [*EFFECTS, *NOISE]
    X = pd.DataFrame(random.normal(size=(n_patients, len(names))), columns=names)
    for name, share in SHARE.items():
        X[name] = (X[name] < norm.ppf(share)).astype(float)
    X["lev"] = np.floor(X["lev"].abs() * 2)
    time = random.exponential(1.0 / np.exp(X[list(EFFECTS)].to_numpy() @ effects))
    censoring = random.uniform(0.0, longest, n_patients)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring) + 1e-6)


def intervals(
    X: pd.DataFrame, y: Outcome, seed: int, settings: argparse.Namespace
) -> Iterator[tuple[str, float, FloatArray, FloatArray, FloatArray]]:
    """Yield name, confidence, VIMP and limits of each kind of interval in one cohort."""
    forest = SurvivalForest(settings.trees, random_state=seed, n_jobs=settings.jobs).fit(X, y)
    common = {"random_state": seed, "n_jobs": settings.jobs}
    for kind in ("ensemble", "blocks"):
        result = permutation_vimp_with_error(forest, X, y, kind=kind, **common)
        for error, confidence in product(("trees", "total"), settings.confidence):
            lower, upper = result.interval(confidence=confidence, error=error)
            yield f"{kind}, {error}", confidence, result.vimp.mean(axis=1), lower, upper
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
            for confidence in settings.confidence:
                lower, upper = replace(drawn, standard_error=error).interval(confidence=confidence)
                yield f"{method}, b/n = {fraction}", confidence, drawn.vimp, lower, upper


def coverage(settings: argparse.Namespace) -> pd.DataFrame:
    """Draw all cohorts and count."""
    without = [*(EFFECTS if settings.null else ()), *NOISE]
    tables = []
    for number in range(settings.cohorts):
        X, y = sample(settings.patients, settings.longest, number, null=settings.null)
        tables += [
            pd.DataFrame(
                {
                    "interval": name, "confidence": confidence, "cohort": number,
                    "variable": X.columns, "vimp": vimp, "lower": lower, "upper": upper,
                }
            )
            for name, confidence, vimp, lower, upper in intervals(X, y, number, settings)
        ]  # fmt: skip
    table = pd.concat(tables, ignore_index=True)
    drawn = table.groupby(KEYS)["vimp"]
    noise = table["variable"].isin(without)
    target = drawn.transform("mean").where(~noise, 0.0)
    table["covers"] = (table["lower"] <= target) & (target <= table["upper"])
    table["above 0"] = table["lower"] > 0.0
    normal = norm.ppf(0.5 + table["confidence"] / 2.0) * drawn.transform("std")
    table["width"] = (table["upper"] - table["lower"]) / (2.0 * normal)
    every = table[noise].assign(variable="without effect, each")
    cohorts = every.groupby(["interval", "confidence", "cohort"], as_index=False, sort=False)
    any_of = cohorts.agg({"covers": "all", "above 0": "any"})
    table["variable"] = table["variable"].replace(NOISE)
    both = pd.concat([table, every, any_of.assign(variable="without effect, any in a cohort")])
    return both.groupby(KEYS, sort=False)[["covers", "above 0", "width"]].mean()


def main() -> None:
    """Read the arguments, run, print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--null", action="store_true", help="no variable has an effect")
    parser.add_argument("--patients", type=int, help="of one design, instead of all")
    parser.add_argument("--longest", type=float, default=2.0, help="longest follow-up")
    parser.add_argument("--cohorts", type=int, default=60)
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--subsamples", type=int, default=0)
    parser.add_argument("--refit-trees", type=int, default=200)
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.25, 0.5])
    parser.add_argument("--confidence", type=float, nargs="+", default=[0.95])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    settings = parser.parse_args()
    own = ((settings.patients, settings.cohorts, settings.longest),)
    tables = {}
    several = NULL_DESIGNS if settings.null else DESIGNS
    for design in own if settings.patients else several:
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
