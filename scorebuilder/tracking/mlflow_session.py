"""How MLflow is spoken to: nothing sent home, nothing said, and its errors told as ours."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from scorebuilder.core.errors import MissingPartError
from scorebuilder.tracking.tracker import TrackingError

REMEDY = "Mend the store, then run `scorebuilder register RUN_DIR --uri URI`; nothing is recomputed"


def telemetry_off() -> None:
    """Switch off what MLflow would send home, and its bars; must come before its import."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"


def require_mlflow() -> None:
    """
    Make sure that MLflow can be imported, without importing it.

    Raises
    ------
    MissingPartError
        If MLflow is not installed.
    """
    telemetry_off()
    if importlib.util.find_spec("mlflow") is None:
        message = (
            "tracking asks for MLflow, which is not installed; run "
            "`pip install 'scorebuilder[mlflow]'` or set `tracking: none`"
        )
        raise MissingPartError(message)


@contextlib.contextmanager
def quiet(uri: str) -> Iterator[None]:
    """
    Silence what MLflow is known to say, and name the store when it fails.

    Parameters
    ----------
    uri : str
        Of the store.

    Yields
    ------
    None
        Nothing.

    Raises
    ------
    TrackingError
        Where MLflow, its database or the disk fails inside.
    """
    try:
        aside = io.StringIO()
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stderr(aside),
            contextlib.redirect_stdout(aside),
        ):
            _ignore_known_warnings()
            import mlflow  # noqa: F401 - its import sets the level of its loggers

            with _silenced("mlflow"), _silenced("alembic"):
                yield
    except _store_errors() as error:
        raise store_error(uri, error) from error


def store_error(uri: str, error: Exception) -> TrackingError:
    """
    Say what failed, where, and what to do.

    Parameters
    ----------
    uri : str
        Of the store.
    error : Exception
        Of MLflow, its database or the disk.

    Returns
    -------
    TrackingError
        With the first line of the error only; statements of the database stay out of it.
    """
    first = (str(error).strip().splitlines() or [""])[0]
    message = (
        f"the run folder is complete, but its record in {uri} failed: "
        f"{type(error).__name__}: {first[:300]}. {REMEDY}"
    )
    return TrackingError(message)


@contextlib.contextmanager
def _silenced(name: str) -> Iterator[None]:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _ignore_known_warnings() -> None:
    known = (
        "The ``noload`` loader strategy is deprecated",  # MLflow's own use of SQLAlchemy
        ".*Any type hint is inferred as AnyType",  # about its own classes, at its import
    )
    for message in known:
        warnings.filterwarnings("ignore", message=message)


def _store_errors() -> tuple[type[Exception], ...]:
    """List the errors of a store; those of the libraries are known once they are imported."""
    found: list[type[Exception]] = [OSError]
    names = {"mlflow.exceptions": "MlflowException", "sqlalchemy.exc": "SQLAlchemyError"}
    for module, name in names.items():
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)
