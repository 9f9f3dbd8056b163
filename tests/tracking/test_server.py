"""The record through a tracking server, which keeps the files itself."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pandas as pd
import pytest

from scorebuilder.cli.main import main


@pytest.fixture
def server(fresh_store, tmp_path):
    """Address of a server that runs on this computer as long as the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{fresh_store}"]
    command += ["--artifacts-destination", str(tmp_path / "kept")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 200
        while not answers(address) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def answers(address):
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_run_is_registered_through_a_server_and_read_back(
    server, run_dir, load_model, tmp_path, capsys
):
    for is_new in (True, False):
        with pytest.raises(SystemExit) as caught:
            main(["register", str(run_dir), "--uri", server, "--alias", "champion", "--json"])
        answer = json.loads(capsys.readouterr().out)  # MLflow says nothing on stdout
        assert (caught.value.code or 0, answer["registered"]) == (0, is_new)
    model = load_model(server, "models:/tiny-score@champion")
    assert model.predict(pd.DataFrame({"age": [70], "sex": [2]}))["points"].tolist() == [2]
    assert any(path.name == "score.json" for path in (tmp_path / "kept").rglob("*"))
