"""
Agreement of the survival forest with the random survival forest of scikit-survival.

``python experiments/benchmarks/forest_agreement.py`` takes each of eight public cohorts (of the
largest a fixed sample), and for each seed grows both forests with the same settings on the same
patients, so that nothing but the seed varies. It reports mean differences (ours minus theirs) of
the out-of-bag C-index and of the out-of-bag integrated Brier score, with 90 % intervals over the
seeds: two forests agree where the interval lies within the margin of 0.005. Theirs is grown on the
same time grid, or with ``--own-times`` on its own times. The rank correlation of VIMP compares the
means over the seeds of our permutation VIMP and of one by a plain loop over their trees.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import warnings
from pathlib import Path

# One core for everything, set before NumPy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd
from scipy.stats import spearmanr, t
from sksurv.datasets import load_flchain, load_veterans_lung_cancer
from sksurv.ensemble import RandomSurvivalForest
from sksurv.metrics import integrated_brier_score

from scorebuilder.cohort.load import load_dataset
from scorebuilder.selection.forest import SurvivalForest
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.selection.vimp import permutation_vimp
from scorebuilder.selection.vimp_walk import OutOfBagWalk
from scorebuilder.survival.concordance import harrell_concordance
from scorebuilder.survival.outcome import make_outcome

FOLDER = Path(__file__).parents[2] / "tests" / "reference" / "forest"
FURTHER = ("framingham",)
"""Read from the package SurvSet, where it is installed; nothing else here needs it."""
COHORTS = ("smart", "rotterdam", "gbsg", "whas500", "veteran", "pbc", "flchain", "nafld")
MARGIN = 0.005
MOST_PATIENTS = 4000


def cohort(name: str):
    """Return numeric columns and the outcome of one cohort, missing values as they are."""
    if name in {"smart", "rotterdam", "gbsg", "whas500"}:
        frame, schema = load_dataset(name)
        roles = {field.name: field.role for field in schema.read_fields}
        X = frame[[column for column in frame if roles[column] == "predictor"]]
        event, days = frame["event"], frame["time"]
    elif name == "veteran":
        X, y = load_veterans_lung_cancer()
        event, days = y["Status"], y["Survival_in_days"]
    elif name == "flchain":
        X, y = load_flchain()
        X = X.drop(columns="chapter")  # the cause of death
        event, days = y["death"], y["futime"]
    elif name == "framingham":
        from SurvSet.data import SurvLoader

        frame = SurvLoader().load_dataset(ds_name="Framingham")["df"]
        X = frame.drop(columns=["pid", "event", "time"])
        event, days = frame["event"], frame["time"]
    else:
        frame = pd.read_csv(FOLDER / f"{name}.csv")
        X = frame.drop(columns=["time", "status"])
        event, days = frame["status"] == (2 if name == "pbc" else 1), frame["time"]
    days = np.asarray(days, dtype=float)
    known = days > 0
    coded = {c: X[c] if X[c].dtype.kind in "fiub" else _numbers(X[c]) for c in X}
    table = pd.DataFrame(coded).astype(float)[known].reset_index(drop=True)
    return table, make_outcome(np.asarray(event, dtype=float)[known] == 1, days[known])


def _numbers(column: pd.Series) -> pd.Series:
    """Codes of the levels in their order, missing as NaN."""
    codes = column.astype("category").cat.codes.astype(float)
    return codes.where(codes >= 0)


def capped(X: pd.DataFrame, y):
    """Return all patients, or of a larger cohort always the same sample."""
    if len(y) <= MOST_PATIENTS:
        return X, y
    rows = np.sort(np.random.default_rng(len(y)).permutation(len(y))[:MOST_PATIENTS])
    return X.iloc[rows].reset_index(drop=True), y[rows]


def judged(y, mortality, hazard, times) -> dict[str, float]:
    """Return C and integrated Brier score of out-of-bag predictions; survival is exp(-hazard)."""
    seen = ~np.isnan(mortality)
    inside = seen & (y["time"] < y["time"].max())  # the censoring weights end there
    return {
        "oob_c": harrell_concordance(y[seen], mortality[seen]).c_index,
        "oob_ibs": integrated_brier_score(y, y[inside], np.exp(-hazard[inside]), times),
    }


def judging_times(y) -> np.ndarray:
    """Thirty times between the 10th and 80th centile of the event times."""
    return np.linspace(*np.quantile(y["time"][y["event"]], [0.1, 0.8]), 30)


def ours(X, y, settings: dict, seed: int, *, vimp: bool):
    """Grow and judge our forest; VIMP of its columns."""
    forest = SurvivalForest(random_state=seed, **settings).fit(X, y)
    times = judging_times(y)
    walk = OutOfBagWalk(forest, times=times, random_state=seed)
    total, count = walk.predictions(np.arange(settings["n_estimators"]))
    found = judged(y, forest.oob_prediction_, total / np.maximum(count, 1)[:, None], times)
    return found, permutation_vimp(forest, X, y, random_state=seed)[:, 0] if vimp else None


def theirs(X, y, settings: dict, seed: int, *, vimp: bool, grid: bool):
    """Grow and judge the forest of scikit-survival, on our time grid or on its own times."""
    forest, place = their_forest(X, y, settings, seed, grid=grid)
    times = judging_times(y)
    column = np.searchsorted(forest.unique_times_, place(times), side="right") - 1
    values = X.to_numpy(dtype=np.float32)
    total, count = np.zeros((len(y), times.size)), np.zeros(len(y))
    for tree, sample in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        rows = np.setdiff1d(np.arange(len(y)), sample)
        hazard = np.where(column < 0, 0.0, tree.tree_.value[:, column, 0])
        total[rows] += hazard[tree.tree_.apply(values[rows])]
        count[rows] += 1
    found = judged(y, forest.oob_prediction_, total / np.maximum(count, 1)[:, None], times)
    return found, their_vimp(forest, X, y, seed) if vimp else None


def their_forest(X, y, settings: dict, seed: int, *, grid: bool):
    """Return the fitted forest, and what turns a time into one of its own."""
    times = TimeGrid.from_outcome(y, n_times=settings["n_times"])
    outcome = make_outcome(y["event"], times.place(y) + 1.0) if grid else y
    forest = RandomSurvivalForest(
        settings["n_estimators"],
        min_samples_leaf=settings["min_samples_leaf"],
        max_features=settings["max_features"],
        oob_score=True,
        random_state=seed,
        n_jobs=1,
    ).fit(X.to_numpy(), outcome)
    if grid:
        return forest, lambda when: np.searchsorted(times.times, when, side="right") + 1.0
    return forest, lambda when: when


def their_vimp(forest: RandomSurvivalForest, X: pd.DataFrame, y, seed: int) -> np.ndarray:
    """Permute each column out of bag, tree by tree, and return the drop of the ensemble's C."""
    random = np.random.default_rng(seed)
    values = X.to_numpy(dtype=np.float32)
    n, p = values.shape
    total, count = np.zeros((p + 1, n)), np.zeros(n)
    for tree, sample in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        rows = np.setdiff1d(np.arange(n), sample)
        mortality = tree.tree_.value[:, :, 0].sum(axis=1)
        donors = random.permutation(rows)
        count[rows] += 1
        for column in range(p + 1):  # the last stays as it is
            changed = values[rows]
            if column < p:
                changed[:, column] = values[donors, column]
            total[column, rows] += mortality[tree.tree_.apply(changed)]
    seen = count > 0
    c = [harrell_concordance(y[seen], risk[seen] / count[seen]).c_index for risk in total]
    return c[-1] - np.array(c[:-1])


def vimp_agreement(columns, our: list[np.ndarray], their: list[np.ndarray]) -> dict:
    """Return rank correlations of mean VIMP: of both forests, and of halves of each."""
    mean_our, mean_their = np.mean(our, axis=0), np.mean(their, axis=0)
    return {
        "between": float(spearmanr(mean_our, mean_their).statistic),
        "ours_with_itself": _halves(our),
        "theirs_with_itself": _halves(their),
        "vimp": {
            str(name): [round(float(a), 5), round(float(b), 5)]
            for name, a, b in zip(columns, mean_our, mean_their, strict=True)
        },
    }


def _halves(runs: list[np.ndarray]) -> float:
    """Rank correlation of the means over every other run."""
    return float(spearmanr(np.mean(runs[::2], axis=0), np.mean(runs[1::2], axis=0)).statistic)


def difference(values: list[float]) -> dict:
    """Return the mean and its 90 % interval over the seeds."""
    mean, half = np.mean(values), 0.0
    if len(values) > 1:
        half = t.ppf(0.95, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    low, high = mean - half, mean + half
    return {
        "mean": float(mean),
        "low": float(low),
        "high": float(high),
        "agrees": bool(low > -MARGIN and high < MARGIN),
    }


def compare(name: str, settings: dict, arguments: argparse.Namespace) -> dict:
    """Compare the forests in one cohort."""
    X, y = capped(*cohort(name))
    if not arguments.missing:
        X = X.fillna(X.median())
    vimp = not arguments.no_vimp
    our, their = [], []
    for seed in range(arguments.seeds):
        our.append(ours(X, y, settings, seed, vimp=vimp))
        their.append(theirs(X, y, settings, seed, vimp=vimp, grid=not arguments.own_times))
    levels = [[found for found, _ in runs] for runs in (our, their)]
    metrics = levels[0][0]
    result = {
        "n": len(y),
        "events": int(y["event"].sum()),
        "columns": X.shape[1],
        "ours": {m: float(np.mean([each[m] for each in levels[0]])) for m in metrics},
        "difference": {
            m: difference([a[m] - b[m] for a, b in zip(*levels, strict=True)]) for m in metrics
        },
    }
    if vimp and arguments.seeds > 1:
        result["vimp"] = vimp_agreement(X.columns, [v for _, v in our], [v for _, v in their])
    return result


def show(name: str, result: dict) -> None:
    """Print the figures of one cohort."""
    print(
        f"\n{name}: {result['events']} events in {result['n']} patients, {result['columns']} "
        f"columns; {result['seconds']:.0f} s"
    )
    for metric, d in result["difference"].items():
        word = "agrees" if d["agrees"] else "not shown to agree"
        interval = f"({d['low']:+.5f} to {d['high']:+.5f})"
        level = result["ours"][metric]
        print(f"  {metric:8} ours {level:.4f}, difference {d['mean']:+.5f} {interval} {word}")
    if "vimp" in result:
        v = result["vimp"]
        print(
            f"  VIMP, rank correlation {v['between']:.3f}; of halves of the seeds: ours "
            f"{v['ours_with_itself']:.3f}, theirs {v['theirs_with_itself']:.3f}"
        )


def main() -> None:
    """Compare in the cohorts asked for, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "cohorts", nargs="*", default=COHORTS, help="some of " + ", ".join(COHORTS + FURTHER)
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--no-vimp", action="store_true")
    parser.add_argument("--own-times", action="store_true", help="theirs without our time grid")
    parser.add_argument("--missing", action="store_true", help="grow on missing values as they are")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = {
        "n_estimators": arguments.trees,
        "min_samples_leaf": 15,
        "max_features": "sqrt",
        "n_times": 150,
    }
    results = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in arguments.cohorts:
            begin = time.perf_counter()
            result = compare(name, settings, arguments)
            results[name] = result | {"seconds": time.perf_counter() - begin}
            if not arguments.json:
                show(name, results[name])
                sys.stdout.flush()
    if arguments.json:
        print(json.dumps({"settings": settings, "margin": MARGIN, "cohorts": results}, indent=1))


if __name__ == "__main__":
    main()
