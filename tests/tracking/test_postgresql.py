"""The same record in a real PostgreSQL, started for these tests: a socket, no network."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from scorebuilder.cli.main import main
from scorebuilder.core.errors import SpecError
from scorebuilder.tracking.move_store import move_artifacts
from scorebuilder.tracking.tracker import record_once
from scorebuilder.tracking.trackers import TRACKERS

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]


class Cluster:
    """A database server in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.data = folder, folder / "data"
        self.bin = PROGRAMS[0]
        self.as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self.as_owner:
            shutil.chown(folder, "postgres")
        self.call("initdb", "-D", self.data, "-U", "tracker", "-A", "trust", "-E", "UTF8", "-N")
        self.start()
        self.call("createdb", "-h", folder, "-U", "tracker", "index")
        self.uri = f"postgresql+psycopg://tracker@/index?host={folder}"

    def call(self, program, *arguments):
        command = [*self.as_owner, str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(
            command, check=False, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self):
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        log = self.folder / "log"
        self.call("pg_ctl", "-D", self.data, "-w", "-l", log, "-o", options, "start")

    def stop(self):
        self.call("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def cluster():
    # Not below pytest's folders: their owner lets nobody in, and a socket has a short path.
    folder = Path(tempfile.mkdtemp(prefix="sb-pg-", dir="/tmp"))
    server = None
    try:
        server = Cluster(folder)
        yield server
    finally:
        if server is not None:
            with contextlib.suppress(AssertionError):
                server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "mlartifacts"


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments), "--json"])
    return caught.value.code or 0, json.loads(capsys.readouterr().out)


CHAMPION = "models:/tiny-score@champion"


def test_two_processes_then_alias_move_and_a_server_that_is_down(
    cluster, files, race, run_dir, tiny, load_model, tmp_path, capsys
):
    """One test, because a server and MLflow's tables take seconds to make."""
    results = race([run_dir, run_dir], cluster.uri, str(files))
    assert sorted(out.strip() for out, _, _ in results) == ["lost", "won"], "\n".join(
        err[-1500:] for _, err, _ in results
    )

    given = ("register", run_dir, "--uri", cluster.uri, "--artifacts", files)
    code, answer = call(capsys, *given, "--alias", "champion")
    assert (code, answer["registered"]) == (0, False)
    frame = pd.DataFrame({"age": pd.array([70, None], dtype="Int64"), "sex": [2, 1]})
    table = load_model(cluster.uri, CHAMPION).predict(frame)
    assert table["points"][0] == 2
    assert table["refusals"].tolist() == ["", "age missing"]

    moved = tmp_path / "mlartifacts"
    shutil.move(files, moved)
    assert move_artifacts(cluster.uri, moved)[0] >= 5
    pd.testing.assert_frame_equal(load_model(cluster.uri, CHAMPION).predict(frame), table)

    tracker = TRACKERS["mlflow"](cluster.uri, str(moved))
    assert not record_once(tracker, tiny.summary, run_dir)
    cluster.stop()
    code, answer = call(capsys, *given[:-1], moved)
    assert code == 1
    assert "the run folder is complete, but its record in postgresql" in answer["error"]["message"]
    cluster.start()
    code, answer = call(capsys, *given[:-1], moved, "--alias", "site-x")
    assert (code, answer["alias"]) == (0, "site-x")


def test_a_database_server_needs_a_folder_for_the_files():
    with pytest.raises(SpecError, match="needs a folder for its files"):
        TRACKERS["mlflow"]("postgresql+psycopg:///index")
