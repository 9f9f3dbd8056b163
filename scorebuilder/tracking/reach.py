"""Is the store there? Asked in seconds, before MLflow would try again for minutes."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

from scorebuilder.core.errors import MissingPartError
from scorebuilder.tracking.address import POSTGRESQL, SQLITE
from scorebuilder.tracking.mlflow_session import store_error

PATIENCE = 5
"""Seconds that a store may take to answer, or another program may hold it."""


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
    address = uri.replace(POSTGRESQL, "postgresql://", 1)
    try:
        psycopg.connect(address, connect_timeout=PATIENCE).close()
    except psycopg.Error as error:
        raise store_error(uri, error) from None


def _check_server(uri: str) -> None:
    parts = urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=PATIENCE).close()
    except OSError as error:
        raise store_error(uri, error) from None
