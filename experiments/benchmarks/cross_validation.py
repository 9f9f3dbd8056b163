"""
Time and memory of the whole pipeline's cross-validation, on SMART or on simulated stress CMR.

    python experiments/benchmarks/cross_validation.py smart --jobs 2
    python experiments/benchmarks/cross_validation.py stress-cmr --jobs 2
    python experiments/benchmarks/cross_validation.py smart --one-fold --profile

The settings are those of `experiments/smart.yaml` with 1,000 trees, 5 repeats of 10 folds. Stress
CMR has 31,752 patients and 34 candidates. `--one-fold` fits and predicts one fold in one thread and
extrapolates its processor time to all folds on `--jobs` cores; kernels are compiled before.
Memory is the peak of this process and of its largest worker.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from joblib.externals.loky import get_reusable_executor

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.simulation import simulate_cohort
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.preflight import check_fit, read_cohort
from scorebuilder.experiment.spec import ExperimentSpec
from scorebuilder.validation.folds import stratified_folds
from scorebuilder.validation.refit import Refit, Refitting
from scorebuilder.validation.resampling import cross_validate

ROOT = Path(__file__).parents[2]
N_STRESS_CMR = 31_752


def study(name: str, folder: Path, n: int) -> ExperimentSpec:
    """Return the spec of `experiments/smart.yaml` for a cohort, with 1,000 trees."""
    settings = ["selection.n_estimators=1000", "baselines=[]", "incremental={}", "subgroups=[]"]
    if name == "stress-cmr":
        data, schema = folder / "stress_cmr.csv", ROOT / "data_schemas" / "stress_cmr.yaml"
        frame = simulate_cohort("stress-cmr", n=n, seed=1)
        whole = [name for name, column in frame.items() if (column == column.round()).all()]
        frame.astype(dict.fromkeys(whole, "int64")).to_csv(data, index=False)
        settings += [
            f"cohort.data={data}", f"cohort.schema={schema}", "outcome={horizons: [5y]}",
        ]  # fmt: skip
    else:
        settings += [f"cohort.schema={ROOT / 'data_schemas' / 'smart.yaml'}"]
    return load_spec(ROOT / "experiments" / "smart.yaml", settings)


def peak_gigabytes() -> dict[str, float]:
    """Return the peak memory of this process and of its largest worker, which must have ended."""
    get_reusable_executor().shutdown(wait=True)
    return {
        "this_process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "largest_worker": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
    }


def one_fold(spec: ExperimentSpec, cohort: Cohort, options: argparse.Namespace) -> dict[str, Any]:
    """Fit and predict one fold in this process, after a small one that compiles the kernels."""
    candidates = list(check_fit(spec, cohort))
    build = make_builder(spec, candidates, for_folds=True)
    X, y = cohort.X[candidates], cohort.y
    few = np.sort(np.random.default_rng(1).choice(len(y), min(1500, len(y)), replace=False))
    inside = stratified_folds(y["event"], folds=10, repeats=1, random_state=1)[0] == 0
    work = Refitting({"": build}, X, y, spec.outcome.horizons, {})
    work(Refit("warm", "", "", few, few[:100]))
    fold = Refit("fold", "", "", np.flatnonzero(~inside), np.flatnonzero(inside))
    profile = cProfile.Profile() if options.profile else None
    wall, processor = time.perf_counter(), time.process_time()
    content = profile.runcall(work, fold) if profile else work(fold)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    if profile:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(45)
    if "failed" in content:
        raise SystemExit(content["failed"])
    n_folds = options.folds * options.repeats
    return {
        "fold_processor_seconds": processor,
        "fold_wall_seconds": wall,
        "extrapolated_minutes": processor * n_folds / options.jobs / 60,
    }


def all_folds(spec: ExperimentSpec, cohort: Cohort, options: argparse.Namespace) -> dict[str, Any]:
    """Cross-validate in `--jobs` processes."""
    candidates = list(check_fit(spec, cohort))
    started = time.perf_counter()
    cross_validate(
        make_builder(spec, candidates, for_folds=True),
        cohort.X[candidates],
        cohort.y,
        folds=options.folds,
        repeats=options.repeats,
        horizons=spec.outcome.horizons,
        random_state=1,
        n_jobs=options.jobs,
        progress=lambda: print(".", end="", flush=True, file=sys.stderr),
    )
    return {"minutes": (time.perf_counter() - started) / 60}


def main() -> None:
    """Run one benchmark and print its figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cohort", choices=["smart", "stress-cmr"])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--patients", type=int, default=N_STRESS_CMR)
    parser.add_argument("--one-fold", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spec = study(options.cohort, Path(folder), options.patients)
        cohort = read_cohort(spec)
    measure = one_fold if options.one_fold else all_folds
    figures = measure(spec, cohort, options)
    shape = {"patients": len(cohort.y), "candidates": cohort.X.shape[1]}
    print(json.dumps({**shape, **figures, "peak_gigabytes": peak_gigabytes()}, indent=2))


if __name__ == "__main__":
    main()
