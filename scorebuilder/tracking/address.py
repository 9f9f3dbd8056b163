"""The addresses that a tracking store may have; none of them holds a password."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

SQLITE = "sqlite:///"
POSTGRESQL = "postgresql+psycopg://"
SERVERS = ("http://", "https://")


def check_address(address: str) -> None:
    """
    Refuse an address that no store has, or that holds a password.

    Parameters
    ----------
    address : str
        From a spec or the command line.

    Raises
    ------
    ValueError
        With what is allowed; the address is not quoted, it may hold a password.
    """
    if not address.startswith((SQLITE, POSTGRESQL, *SERVERS)):
        message = "must start with sqlite:///, postgresql+psycopg://, http:// or https://"
        raise ValueError(message)
    if address.startswith(SQLITE):
        return
    parts = urlsplit(address)
    if address.startswith(SERVERS) and "@" in parts.netloc:
        message = "must hold no user or password; set MLFLOW_TRACKING_USERNAME and _PASSWORD"
        raise ValueError(message)
    secret = any("password" in name.lower() for name, _ in parse_qsl(parts.query))
    if ":" in parts.netloc.rpartition("@")[0] or secret:
        message = "must hold no password; set PGPASSWORD, or write it into ~/.pgpass"
        raise ValueError(message)
