"""The whole way without MLflow, and MLflow without a network."""

import subprocess
import sys

from scorebuilder.core.canonical import sha256

OFFLINE = """
import socket, sys
tried = []

def refuse(*arguments, **options):
    tried.append(arguments)
    raise OSError("no network here")

socket.getaddrinfo = socket.create_connection = refuse
plain = socket.socket.connect
socket.socket.connect = lambda self, address: (
    plain(self, address) if self.family == socket.AF_UNIX else refuse(address)
)
import json, pathlib, time
from scorebuilder.tracking.tracker import record_once
from scorebuilder.tracking.trackers import TRACKERS

run_dir, store = pathlib.Path(sys.argv[1]), sys.argv[2]
summary = json.loads((run_dir / "summary.json").read_text())
assert record_once(TRACKERS["mlflow"](store), summary, run_dir)
import mlflow
mlflow.set_tracking_uri(store)
mlflow.set_registry_uri(store)
mlflow.pyfunc.load_model("models:/tiny-score@score-0-1-0")
time.sleep(1)  # what is sent in the background is sent by now
assert not tried, tried
"""


def test_the_whole_study_runs_where_mlflow_cannot_be_imported(finished_run):
    for name in ("score.json", "report.html", "summary.json", "run.json"):
        assert (finished_run / name).stat().st_size > 0
    for line in (finished_run / "SHA256SUMS").read_text().splitlines():
        expected, _, name = line.partition("  ")
        assert sha256((finished_run / name).read_bytes()) == expected


def test_recording_and_loading_ask_no_network(run_dir, fresh_store):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OFFLINE, str(run_dir), f"sqlite:///{fresh_store}"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
