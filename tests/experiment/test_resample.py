"""A study's refits: stopped and resumed, on a cluster or here, always with the same bytes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.load import load_cohort, load_schema
from scorebuilder.core.errors import MissingPartError, SpecError
from scorebuilder.experiment.clusters import read_clusters
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.run import run_experiment
from scorebuilder.experiment.spec import spec_sha256
from scorebuilder.experiment.spec_resampling import InternalExternalSpec

SPEC = """
name: whas-death
title: Death after myocardial infarction
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y]}
missing: {policy: impute}
candidates: {keep: [age]}
selection: {n_estimators: 10, rule: top_k, top_k: 3}
explanation: {forest_shap: false}
validation:
  folds: 3
  repeats: 2
  bootstrap: 5
  internal_external: {by: age, cuts: [65, 78]}
seed: 7
"""


@pytest.fixture(scope="module")
def spec_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "whas.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def command(spec_file, out, *more, jobs=1):
    parts = ["run", str(spec_file), "--out", str(out), "--jobs", str(jobs), *more]
    return [sys.executable, "-c", "from scorebuilder.cli.main import main; main()", *parts]


def run(spec_file, out, *more):
    return subprocess.run(
        command(spec_file, out, *more), capture_output=True, text=True, check=False
    )


def files_of(out):
    """Return all files but those that hold times."""
    folder = out / "whas-death" / "0.1.0"
    assert (folder / "SHA256SUMS").is_file()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("run.json", "SHA256SUMS")
    }


@pytest.fixture(scope="module")
def whole(spec_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole")
    done = run(spec_file, out)
    assert done.returncode == 0, done.stderr
    return out, done


def stop_when(process, folder, n_finished, kind):
    """Send a signal once so many refits are finished."""
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*.json"))) < n_finished:
        assert process.poll() is None, "the run ended before it was stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(kind)
    return process.wait(60)


def test_a_run_stopped_twice_goes_on_with_nothing_lost_and_the_same_bytes(
    spec_file, whole, tmp_path
):
    folds = tmp_path / "whas-death" / ".0.1.0.unfinished" / "folds"
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        # A shell lets what it starts in the background ignore the signal, and so on downwards.
        "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    }
    with subprocess.Popen(command(spec_file, tmp_path, jobs=2), **quiet) as process:
        assert stop_when(process, folds, 2, signal.SIGINT) == 130
    kept = {path.name: path.stat().st_mtime_ns for path in folds.glob("*.json")}
    assert len(kept) >= 2
    with subprocess.Popen(command(spec_file, tmp_path), **quiet) as process:
        wanted = max(8, len(kept) + 1)
        assert stop_when(process, folds, wanted, signal.SIGKILL) == -signal.SIGKILL
    after = {path.name: path.stat().st_mtime_ns for path in folds.glob("*.json")}
    assert kept.items() <= after.items(), "what was finished is not computed again"
    done = run(spec_file, tmp_path)
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path) == files_of(whole[0])


def test_progress_tells_how_many_are_done(whole):
    text = whole[1].stderr
    assert "cross-validation, 2 x 3 folds: 6 of 6" in text
    assert "bootstrap, 5 replicates: 6 of 6" in text
    assert "internal-external validation: 3 of 3" in text


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bytes(spec_file, whole, tmp_path):
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        executor = f"executor={{kind: dask, address: '{cluster.scheduler_address}'}}"
        done = run(spec_file, tmp_path, "--set", executor)
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path) == files_of(whole[0])


def test_summary_tables_and_page_show_what_was_resampled(whole):
    folder = whole[0] / "whas-death" / "0.1.0"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    optimism = summary["optimism"]
    assert optimism["n_replicates"] == 5
    auc = next(row for row in optimism["rows"] if row["metric"] == "auc")
    own = next(row for row in summary["validation"]["performance"] if row["metric"] == "auc")
    # The forest of the refit is that of the score, for its P values decide nothing.
    assert auc["apparent"] == pytest.approx(own["apparent"], abs=1e-12)
    assert auc["corrected"] == pytest.approx(auc["apparent"] - auc["optimism"], abs=1e-12)
    clusters = summary["internal_external"]["clusters"]
    labels = list(dict.fromkeys(row["cluster"] for row in clusters))
    assert labels == ["below 65", "65 to below 78", "78 or more"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in ("Apparent and corrected performance", "Over all clusters", ".632+"):
        assert text in page
    for name in (
        "optimism", "optimism_replicates", "internal_external", "internal_external_pooled",
    ):  # fmt: skip
        assert len(pd.read_csv(folder / "tables" / f"{name}.csv"))


def test_a_missing_part_stops_the_run_before_anything_is_fitted(spec_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    spec = load_spec(spec_file, overrides=("executor={kind: dask, address: 'tcp://a:1'}",))
    with pytest.raises(MissingPartError, match=r"scorebuilder\[dask\]") as caught:
        run_experiment(spec, out=tmp_path)
    assert caught.value.exit_code == 5
    assert not list(tmp_path.glob("**/folds"))


def test_where_it_runs_is_no_part_of_the_study(spec_file):
    here = load_spec(spec_file)
    there = load_spec(spec_file, overrides=("executor={kind: dask, address: 'tcp://a:1'}",))
    assert spec_sha256(here) == spec_sha256(there)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("validation.bootstrap=1", "must be 0, or at least 2"),
        ("executor={kind: dask, address: 'http://a'}", "must start with tcp:// or tls://"),
        ("executor={kind: dask}", "address"),
        ("validation.internal_external={cuts: [1]}", "by"),
        ("validation.internal_external={by: a, forward: true}", "needs periods in order"),
    ],
)
def test_wrong_settings_are_refused(spec_file, override, message):
    with pytest.raises(SpecError, match=message):
        load_spec(spec_file, overrides=(override,))


def whas(**strata) -> Cohort:
    cohort = load_cohort("builtin:whas500", load_schema("whas500"))
    for name, values in strata.items():
        cohort.strata[name] = values
    return cohort


def test_numbers_and_dates_are_cut_where_a_period_begins():
    cohort = whas(entry=pd.Series(pd.to_datetime(["2001-05-01", "2003-07-01", None] * 167)[:500]))
    found = read_clusters(InternalExternalSpec(by="entry", cuts=("2003-07-01",)), cohort)
    assert list(found[:3]) == ["before 2003-07-01", "from 2003-07-01", np.nan]
    age = cohort.X["age"]
    found = read_clusters(InternalExternalSpec(by="age", cuts=(65, 78)), cohort)
    assert (found == "78 or more").equals(age >= 78)
    assert (found == "below 65").equals(age < 65)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "agee"}, "no column `agee`; did you mean `age`"),
        ({"by": "age"}, "`age` is a number; say with `cuts` where it is divided"),
        ({"by": "age", "cuts": (70, 60)}, "`cuts` must ascend"),
        ({"by": "age", "cuts": ("2001-01-01",)}, "`cuts` of `age` must be numbers"),
        ({"by": "calendar time"}, "no column with `sb:role: time_zero_date`"),
        ({"by": "gender", "cuts": (1,)}, "`gender` is a factor and has no `cuts`"),
    ],
)
def test_clusters_that_do_not_fit_are_named(settings, message):
    with pytest.raises(SpecError, match=message):
        read_clusters(InternalExternalSpec(**settings), whas())


def test_a_factor_shows_its_labels():
    found = read_clusters(InternalExternalSpec(by="gender"), whas())
    assert list(found.cat.categories) == ["male", "female"]
