"""Executors: the same bytes everywhere; a lost worker costs a retry, nothing else."""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import sys

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from sklearn.base import BaseEstimator

from scorebuilder.core.errors import MissingPartError, ModelError, SpecError
from scorebuilder.survival.outcome import make_outcome
from scorebuilder.validation.bootstrap_optimism import bootstrap_optimism
from scorebuilder.validation.executor import EXECUTORS
from scorebuilder.validation.resampling import cross_validate

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class RateModel(BaseEstimator):
    """Follows one column; ends its own process when it first meets a patient, if it is told to."""

    def __init__(self, kill_file=None, fails=False, n_jobs=4):
        self.kill_file = kill_file
        self.fails = fails
        self.n_jobs = n_jobs

    def fit(self, X, y):
        if self.fails:
            message = "the likelihood has no finite maximum"
            raise ModelError(message)
        if self.kill_file is not None and os.path.exists(self.kill_file):  # noqa: PTH110
            os.unlink(self.kill_file)  # noqa: PTH108
            os.kill(os.getpid(), signal.SIGKILL)
        self.rate_ = y["event"].sum() / y["time"].sum()
        self.coef_ = np.corrcoef(X["a"], y["event"])[0, 1]
        return self

    def predict(self, X):
        return self.coef_ * X["a"].to_numpy()

    def predict_risk(self, X, *, horizon):
        return -np.expm1(-self.rate_ * horizon * np.exp(self.predict(X)))

    def fold_record(self):
        return {"coef": float(self.coef_)}


def cohort(n=120):
    random = np.random.default_rng(1)
    X = pd.DataFrame(random.normal(size=(n, 2)), columns=["a", "b"])
    time, censoring = random.exponential(np.exp(-X["a"].to_numpy())), random.exponential(1.5, n)
    return X, make_outcome(time <= censoring, np.minimum(time, censoring))


SETTINGS = {"folds": 4, "repeats": 2, "horizons": (0.5, 1.0), "random_state": 7}


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as started:
        yield started


def dask(cluster, **settings):
    return EXECUTORS["dask"](address=cluster.scheduler_address, **settings)


def as_bytes(result):
    return (result.risk.tobytes(), result.marker.tobytes(), json.dumps(result.records))


def test_folds_on_dask_give_the_bytes_of_this_machine(cluster):
    X, y = cohort()
    kept = {}

    class Cache:
        def get(self, name):
            return kept.get(name)

        def put(self, name, content):
            kept[name] = content

    local = cross_validate(RateModel(), X, y, **SETTINGS)
    far = cross_validate(RateModel(), X, y, **SETTINGS, executor=dask(cluster), cache=Cache())
    assert as_bytes(far) == as_bytes(local)
    assert len(kept) == 8


def test_replicates_on_dask_give_the_numbers_of_this_machine(cluster):
    X, y = cohort(80)
    settings = {"n_replicates": 6, "horizons": (0.5,), "random_state": 7}
    local = bootstrap_optimism(RateModel(), X, y, **settings)
    far = bootstrap_optimism(RateModel(), X, y, **settings, executor=dask(cluster))
    assert far.estimates == local.estimates
    pd.testing.assert_frame_equal(far.replicates, local.replicates, check_exact=True)


def test_a_killed_worker_costs_a_retry_and_nothing_else(cluster, tmp_path):
    X, y = cohort()
    mark = tmp_path / "kill"
    mark.touch()
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        before = set(client.run(os.getpid).values())
        far = cross_validate(
            RateModel(kill_file=str(mark)), X, y, **SETTINGS, executor=dask(cluster)
        )
        client.wait_for_workers(2, timeout=20)
        after = set(client.run(os.getpid).values())
    assert not mark.exists()
    assert len(before - after) == 1, "one worker process was killed"
    assert as_bytes(far) == as_bytes(cross_validate(RateModel(), X, y, **SETTINGS))


@pytest.mark.slow
def test_data_lost_with_the_only_worker_are_sent_again(tmp_path):
    X, y = cohort()
    mark = tmp_path / "kill"
    mark.touch()
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as alone:
        build = RateModel(kill_file=str(mark))
        far = cross_validate(build, X, y, **SETTINGS, executor=dask(alone))
    assert not mark.exists()
    assert as_bytes(far) == as_bytes(cross_validate(RateModel(), X, y, **SETTINGS))


def test_a_build_that_fails_on_a_worker_is_named(cluster):
    X, y = cohort()
    with pytest.raises(ModelError, match=r"repeat ., fold .: the likelihood has no finite"):
        cross_validate(RateModel(fails=True), X, y, **SETTINGS, executor=dask(cluster))


def test_workers_with_other_code_are_refused(cluster):
    X, y = cohort()
    own = os.getpid()

    def version():
        return "here" if os.getpid() == own else "there"

    executor = dask(cluster, code_version=version)
    with pytest.raises(SpecError, match="2 of 2 workers run another version of the code"):
        cross_validate(RateModel(), X, y, **SETTINGS, executor=executor)


def test_no_scheduler_is_said_with_its_remedy():
    X, y = cohort()
    executor = EXECUTORS["dask"](address="tcp://127.0.0.1:9", timeout=1.0)
    with pytest.raises(SpecError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"):
        cross_validate(RateModel(), X, y, **SETTINGS, executor=executor)


def test_without_dask_the_remedy_is_said(monkeypatch):
    X, y = cohort()
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingPartError, match=r"pip install 'scorebuilder\[dask\]'") as caught:
        cross_validate(
            RateModel(), X, y, **SETTINGS, executor=EXECUTORS["dask"](address="tcp://a:1")
        )
    assert caught.value.exit_code == 5


def test_the_extra_that_the_remedy_names_exists(checkout):
    text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    assert "\ndask = [" in text
    assert importlib.metadata.version("distributed")


def test_every_executor_registers_itself():
    assert list(EXECUTORS) == ["dask", "local"]
