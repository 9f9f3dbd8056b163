"""Programs that stay open while many tests use them: a database cluster and a browser."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def postgresql_connection() -> Iterator[Any]:
    """A cluster of its own, reached through a socket in a temporary folder and over no network."""
    import psycopg

    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.fail("the queries run in PostgreSQL; apt-get install -y postgresql")
    place = Path(tempfile.mkdtemp(prefix="sb-pg-"))  # short, for the socket, and open to its user
    root = getpass.getuser() == "root"
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    if root:  # the server refuses to run as root
        shutil.chown(place, "postgres")
    start = [*as_user, str(programs[-1] / "pg_ctl"), "-D", str(place / "data")]

    def control(*arguments: str, check: bool = True) -> None:
        quiet = subprocess.DEVNULL
        subprocess.run([*start, *arguments], check=check, stdout=quiet, stderr=quiet, cwd=place)

    made = "--auth=trust --encoding=UTF8 --locale=C.UTF-8 --username=postgres --no-sync"
    control("initdb", "-o", made)
    options = f"-c listen_addresses='' -c unix_socket_directories='{place}' -c fsync=off"
    control("-w", "-l", str(place / "log"), "-o", options, "start")
    try:
        with psycopg.connect(
            host=str(place), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            yield connection
    finally:
        control("-m", "immediate", "stop", check=False)
        shutil.rmtree(place, ignore_errors=True)
