"""Is the store there, and are its tables? Asked in seconds, where MLflow would try for minutes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from scorebuilder.core.errors import MissingPartError
from scorebuilder.tracking.address import POSTGRESQL, SQLITE
from scorebuilder.tracking.mlflow_session import quiet, store_error

PATIENCE = 5
"""Seconds that a store may take to answer, or another program may hold it."""
LONGEST_SETUP = "120s"
"""So long one process waits for another that makes the tables of a new database."""
_KEY = 0x5C0B
"""Number of the lock under which processes take turns; any would do."""


def check_reachable(uri: str) -> None:
    """
    Make sure that a store answers and can be written to.

    Parameters
    ----------
    uri : str
        ``sqlite:///FILE``, ``postgresql+psycopg://...`` or the address of a server.

    Raises
    ------
    TrackingError
        If the file is locked or no database, or the server does not answer.
    MissingPartError
        If the driver of PostgreSQL is not installed.
    """
    if uri.startswith(SQLITE):
        _check_sqlite(uri)
    elif uri.startswith(POSTGRESQL):
        _check_postgresql(uri)
    else:
        _check_server(uri)


def _check_sqlite(uri: str) -> None:
    file = Path(uri.removeprefix(SQLITE))
    if not file.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=PATIENCE)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise store_error(uri, error) from None


def _check_postgresql(uri: str) -> None:
    try:
        import psycopg
    except ImportError:
        message = "a PostgreSQL store needs psycopg; run `pip install 'psycopg[binary]'`"
        raise MissingPartError(message) from None
    try:
        psycopg.connect(_address(uri), connect_timeout=PATIENCE).close()
    except psycopg.Error as error:
        raise store_error(uri, error) from None


def _check_server(uri: str) -> None:
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=PATIENCE).close()
    except OSError as error:
        raise store_error(uri, error) from None


def make_tables(uri: str) -> None:
    """
    Let MLflow make its tables in a new database; processes take turns.

    Parameters
    ----------
    uri : str
        Of a store that can be reached.

    Raises
    ------
    TrackingError
        If the store refuses.

    Notes
    -----
    Of two processes that make the tables of one database at the same time, MLflow lets one fail.
    """
    with quiet(uri), _turn(uri):
        import mlflow

        client = mlflow.MlflowClient(uri, uri)
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)


@contextlib.contextmanager
def _turn(uri: str) -> Iterator[None]:
    if uri.startswith(SQLITE):
        folder = os.open(Path(uri.removeprefix(SQLITE)).parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
    elif uri.startswith(POSTGRESQL):
        import psycopg

        try:
            connection = psycopg.connect(_address(uri), connect_timeout=PATIENCE, autocommit=True)
            with contextlib.closing(connection):
                connection.execute(f"SET lock_timeout = '{LONGEST_SETUP}'")
                connection.execute("SELECT pg_advisory_lock(%s)", (_KEY,))
                yield
        except psycopg.Error as error:
            raise store_error(uri, error) from None
    else:
        yield


def _address(uri: str) -> str:
    """Write the address as PostgreSQL's own library reads it."""
    return uri.replace(POSTGRESQL, "postgresql://", 1)
