"""
Time of the survival forest and its permutation importance, against other programs, in one run.

    python experiments/benchmarks/forest.py --comprisk-python PEER/bin/python --json forest.json

The cohort is synthetic (31,752 patients, 34 columns, whole days). Every program tries 5 columns at
a node, leaves at least 15 patients in a terminal node, and has 2 threads; times lie on a grid of
150 but in the row that says otherwise. Each measurement is a process of its own, which compiles on
2,000 patients before it is timed; the programs take turns, and the figure is the median over the
rounds. Trees are as many as fill some seconds, and growth is stated per tree. Importance is
measured for the same number of trees in each program. The out-of-bag C-index, with the same number
of trees in all, says whether they did the same work, and so do the nodes of a tree. The packages
of R run once and with fewer trees, and state C themselves; one that is not installed is said not
to have run.

Differences that remain: `scorebuilder` judges all cuts between at most 255 codes at all times of
the grid, and its time includes the out-of-bag predictions; `scikit-survival` judges all cuts
between distinct values; `comprisk` tries 10 random cuts on 10 times by default, all on all times
where it is called exact, draws 63.2 % of the patients without replacement (as many different ones
as a bootstrap sample holds), and its importance is in units of Uno's C; `ranger` counts repeated
draws of a patient in the 15, and is timed without its out-of-bag predictions.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from scorebuilder.cohort.simulation import simulate_cohort
from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.selection.placed_outcome import place_outcome
from scorebuilder.selection.time_grid import TimeGrid
from scorebuilder.survival.concordance import ConcordanceCounter
from scorebuilder.survival.outcome import make_outcome

WORKER = Path(__file__).with_name("forest_worker.py")
OURS = "scorebuilder"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
ROWS = (
    # row, program, times, importance
    (OURS, "scorebuilder", "time", True),
    ("scikit-survival, 150 times", "scikit-survival", "cell", False),
    ("scikit-survival, all times", "scikit-survival", "time", False),
    ("comprisk, default", "comprisk", "time", True),
    ("comprisk, exact", "comprisk-exact", "time", False),
)
R_ROWS = {
    # row: package, times, random cuts tried for a column (0: all)
    "ranger, 150 times": ("ranger", "cell", 0),
    "ranger, all times": ("ranger", "time", 0),
    "randomForestSRC, default": ("randomForestSRC", "time", 10),
    "randomForestSRC, exact": ("randomForestSRC", "time", 0),
}
R_SCRIPT = """
a <- commandArgs(TRUE); trees <- as.integer(a[2]); jobs <- as.integer(a[4])
options(rf.cores = jobs, mc.cores = jobs)
library(survival)
suppressMessages(library(a[5], character.only = TRUE))
d <- read.csv(a[1])
if (a[6] == "cell") d$time <- d$cell
d$cell <- NULL
grow <- function(n, permute, rows = TRUE) if (a[5] == "ranger")
  ranger(Surv(time, event) ~ ., d[rows, ], num.trees = n, mtry = 5, min.node.size = 15,
    num.threads = jobs, importance = if (permute) "permutation" else "none", oob.error = FALSE,
    verbose = FALSE, seed = 1) else
  rfsrc(Surv(time, event) ~ ., d[rows, ], ntree = n, mtry = 5, nodesize = 15,
    nsplit = as.integer(a[3]), ntime = 150, importance = if (permute) "permute" else "none",
    seed = -1)
few <- grow(2, TRUE, seq_len(min(2000, nrow(d))))
s <- system.time(f <- grow(trees, FALSE))[["elapsed"]]
v <- system.time(grow(trees, TRUE))[["elapsed"]]
if (a[5] == "ranger") {
  nodes <- mean(sapply(f$forest$child.nodeIDs, function(x) length(x[[1]])))
  error <- ranger(Surv(time, event) ~ ., d, num.trees = as.integer(a[7]), mtry = 5,
    min.node.size = 15, num.threads = jobs, verbose = FALSE, seed = 1)$prediction.error
} else {
  nodes <- sum(f$leaf.count * 2 - 1) / trees
  error <- get.cindex(d$time, d$event, rfsrc(Surv(time, event) ~ ., d, ntree = as.integer(a[7]),
    mtry = 5, nodesize = 15, nsplit = as.integer(a[3]), ntime = 150, seed = -1)$predicted.oob)
}
cat(sprintf('{"grow_s": [%.4f], "grow_and_vimp_s": [%.4f], "oob_c_index": %.4f, ', s, v, 1 - error))
cat(sprintf('"nodes_per_tree": %.1f, "version": "%s"}', nodes, as.character(packageVersion(a[5]))))
"""


def write_cohort(folder: Path, n: int) -> Outcome:
    """Write columns, events, times in days and times as cells of the grid; return the outcome."""
    frame = simulate_cohort("stress-cmr", n=n, seed=1)
    columns = frame.drop(columns=["patient", "time", "event"]).astype(float)
    y = make_outcome(frame["event"], frame["time"])
    placed = place_outcome(y, TimeGrid.from_outcome(y, n_times=150))
    arrays = {
        "X": columns.to_numpy(),
        "event": y["event"],
        "time": y["time"],
        "cell": placed.cell.astype(float),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    columns.assign(time=y["time"], event=y["event"].astype(int), cell=placed.cell).to_csv(
        folder / "cohort.csv", index=False
    )
    return y


def ask(python: str, task: dict[str, Any]) -> dict[str, Any]:
    """Run the worker in a process of its own."""
    done = subprocess.run(
        [python, str(WORKER), json.dumps(task)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    if done.returncode:
        message = f"{task['program']} failed:\n{done.stderr[-2000:]}"
        raise RuntimeError(message)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def c_index(y: Outcome, risk: FloatArray) -> float:
    """Return Harrell's C of the patients who have an out-of-bag prediction."""
    return float(ConcordanceCounter(y)(risk, include=~np.isnan(risk)))


def measure(
    python: str,
    row: tuple[str, str, str, bool],
    folder: Path,
    y: Outcome,
    arguments: argparse.Namespace,
    known: dict[str, Any],
) -> dict[str, Any]:
    """Take one round of one row; `known` is the record of the rounds before."""
    _, program, times, vimp = row
    task = {
        "program": program,
        "data": str(folder),
        "time": times,
        "n_jobs": arguments.threads,
        "seconds": arguments.seconds,
        "n_trees": known.get("n_trees", 0),
        "vimp": False,
        "risk": "",
    }
    found = ask(python, task)
    record = known or {**found, "grow_s": [], "grow_and_vimp_s": []}
    record["grow_s"].append(found["grow_s"])
    if not known:
        risk = str(folder / "risk.npy")
        ask(python, {**task, "n_trees": arguments.oob_trees, "risk": risk})
        record["oob_c_index"] = c_index(y, np.load(risk))
    if vimp:
        both = ask(python, {**task, "n_trees": arguments.vimp_trees, "vimp": True})
        record["grow_and_vimp_s"].append(both["grow_s"] + both["vimp_s"])
        record["peak_with_vimp_mb"] = both["peak_with_vimp_mb"]
    return record


def packages_of_r(folder: Path, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Time the R packages that are there; one round, with trees of their own number."""
    script = folder / "forest.R"
    script.write_text(R_SCRIPT)
    trees, for_c = str(arguments.r_trees), str(arguments.oob_trees)
    rows: dict[str, dict[str, Any]] = {}
    for row, (package, times, n_cuts) in R_ROWS.items():
        if not shutil.which("Rscript"):
            rows[row] = {"not_run": "there is no Rscript"}
            continue
        task = [trees, str(n_cuts), str(arguments.threads), package, times, for_c]
        done = subprocess.run(
            ["Rscript", str(script), str(folder / "cohort.csv"), *task],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            rows[row] = {"not_run": " ".join(done.stderr.split()) or "R failed"}
            continue
        rows[row] = json.loads(done.stdout.splitlines()[-1]) | {"n_trees": arguments.r_trees}
        print(f"once: {row}", file=sys.stderr)
    return rows


def with_ratios(rows: dict[str, dict[str, Any]], vimp_trees: int) -> None:
    """Add medians per tree, and how many times as long as ours they are."""
    for row, record in rows.items():
        if "grow_s" in record:
            record["grow_ms_per_tree"] = 1e3 * median(record["grow_s"]) / record["n_trees"]
        if record.get("grow_and_vimp_s"):
            both = median(record["grow_and_vimp_s"])
            trees = record["n_trees"] if row in R_ROWS else vimp_trees
            record["grow_and_vimp_ms_per_tree"] = 1e3 * both / trees
    for record in rows.values():
        for what in ("grow", "grow_and_vimp"):
            key = f"{what}_ms_per_tree"
            if key in record:
                record[f"{what}_ratio"] = record[key] / rows[OURS][key]


def show(rows: dict[str, dict[str, Any]]) -> None:
    """Print the table."""
    print(
        f"{'':28} {'trees':>6} {'ms/tree':>8} {'ratio':>6} {'+VIMP':>8} {'ratio':>6} {'C':>6} "
        f"{'nodes':>6} {'peak MB':>8}"
    )
    for row, record in rows.items():
        if "not_run" in record:
            print(f"{row:28} not run: {record['not_run']}")
            continue
        cells = [
            format(record[key], style) if key in record else "-".rjust(int(style.split(".")[0]))
            for key, style in (
                ("n_trees", "6.0f"),
                ("grow_ms_per_tree", "8.1f"),
                ("grow_ratio", "6.2f"),
                ("grow_and_vimp_ms_per_tree", "8.1f"),
                ("grow_and_vimp_ratio", "6.2f"),
                ("oob_c_index", "6.3f"),
                ("nodes_per_tree", "6.0f"),
                ("peak_mb", "8.0f"),
            )
        ]
        print(f"{row:28} {' '.join(cells)}")


def main() -> None:
    """Run, print, and store on request."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--n", type=int, default=31_752)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0, help="that growth should take")
    parser.add_argument("--vimp-trees", type=int, default=200, help="trees of the importance")
    parser.add_argument("--oob-trees", type=int, default=50, help="trees of the C-index")
    parser.add_argument("--r-trees", type=int, default=20, help="trees of the R packages")
    parser.add_argument("--comprisk-python", help="interpreter that has comprisk 0.8")
    parser.add_argument("--json", type=Path, help="file for the figures")
    arguments = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        y = write_cohort(folder, arguments.n)
        for number in range(arguments.rounds):
            for row in ROWS:
                python = sys.executable
                if row[1].startswith("comprisk"):
                    if not arguments.comprisk_python:
                        rows[row[0]] = {"not_run": "no --comprisk-python was given"}
                        continue
                    python = arguments.comprisk_python
                known = rows.get(row[0], {})
                rows[row[0]] = measure(python, row, folder, y, arguments, known)
                print(f"round {number + 1}: {row[0]}", file=sys.stderr)
        rows |= packages_of_r(folder, arguments)
    with_ratios(rows, arguments.vimp_trees)
    print(f"{arguments.n} patients, {int(y['event'].sum())} events, {arguments.threads} threads")
    show(rows)
    if arguments.json:
        machine = (
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        settings = {key: value for key, value in vars(arguments).items() if key != "json"}
        figures = {"settings": settings, "machine": machine, "rows": rows}
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
