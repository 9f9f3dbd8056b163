"""A store that fails costs nothing: the run folder is whole, and is indexed later."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys

import pytest

from scorebuilder.cli.main import main
from scorebuilder.core.canonical import sha256

FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from scorebuilder.cli.main import main
import numpy, mlflow, mlflow.pyfunc  # whose own caches are no matter of this test
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
main(["register", sys.argv[1], "--uri", sys.argv[2], "--json"])
"""
"""Nothing can be written beyond 16 KiB of a file, so that the store, of 1 MB, fails midway."""


@pytest.fixture
def run_copy(run_dir, tmp_path):
    return shutil.copytree(run_dir, tmp_path / "run")


def hashes(folder):
    return {path: sha256(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


def register(capsys, run_dir, uri):
    with pytest.raises(SystemExit) as caught:
        main(["register", str(run_dir), "--uri", uri, "--json"])
    return caught.value.code or 0, json.loads(capsys.readouterr().out)


def assert_told(code, answer, *words):
    message = answer["error"]["message"]
    assert code == 1
    assert message.startswith("the run folder is complete, but its record in")
    assert "`scorebuilder register RUN_DIR --uri URI`" in message
    assert any(word in message for word in words), message


def test_locked_store_is_told_and_indexed_later(run_copy, fresh_store, capsys, monkeypatch):
    monkeypatch.setattr("scorebuilder.tracking.reach.PATIENCE", 0.2)
    before, uri = hashes(run_copy), f"sqlite:///{fresh_store}"
    holder = sqlite3.connect(fresh_store)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        assert_told(*register(capsys, run_copy, uri), "database is locked")
    finally:
        holder.close()
    assert hashes(run_copy) == before
    code, answer = register(capsys, run_copy, uri)
    assert (code, answer["registered"]) == (0, True)


def test_damaged_database_is_told(run_copy, fresh_store, capsys):
    before = hashes(run_copy)
    content = fresh_store.read_bytes()
    fresh_store.write_bytes(b"x" * 100 + content[100:])
    assert_told(*register(capsys, run_copy, f"sqlite:///{fresh_store}"), "not a database")
    fresh_store.write_bytes(content[:5000])
    assert_told(*register(capsys, run_copy, f"sqlite:///{fresh_store}"), "malformed", "disk image")
    assert hashes(run_copy) == before


def test_full_disk_is_told_and_indexed_later(run_copy, fresh_store, capsys):
    before, uri = hashes(run_copy), f"sqlite:///{fresh_store}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FULL_DISK, str(run_copy), uri],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout, done.stderr
    assert_told(done.returncode, json.loads(done.stdout), "full", "disk I/O error", "too large")
    assert hashes(run_copy) == before
    code, answer = register(capsys, run_copy, uri)
    assert (code, answer["registered"]) == (0, True)


def test_server_that_is_down_is_told_at_once(run_copy, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert_told(*register(capsys, run_copy, f"http://127.0.0.1:{port}"), "Connection refused")


def test_unknown_postgresql_is_told_at_once(run_copy, tmp_path, capsys):
    uri = f"postgresql+psycopg:///none?host={tmp_path}"
    with pytest.raises(SystemExit) as caught:
        main(["register", str(run_copy), "--uri", uri, "--artifacts", str(tmp_path), "--json"])
    assert_told(caught.value.code, json.loads(capsys.readouterr().out), "OperationalError")


def test_a_run_survives_its_store(finished_run, study, fresh_store, tmp_path, capsys):
    """The whole command: the store is damaged, the run is whole; later it is only indexed."""
    out = shutil.copytree(finished_run.parent.parent, tmp_path / "reports")
    run_dir = out / finished_run.relative_to(finished_run.parent.parent)
    before, content = hashes(run_dir), fresh_store.read_bytes()
    fresh_store.write_text("this is no database")
    spec = study.spec(f'{{mlflow: "sqlite:///{fresh_store}"}}')
    for good in (False, True):
        if good:
            fresh_store.write_bytes(content)
        with pytest.raises(SystemExit) as caught:
            main(["run", str(spec), "--out", str(out), "--jobs", "1", "--json"])
        answer = json.loads(capsys.readouterr().out)
        if good:
            assert (caught.value.code or 0, answer["already_finished"]) == (0, True)
        else:
            assert_told(caught.value.code, answer, "not a database")
        assert hashes(run_dir) == before
