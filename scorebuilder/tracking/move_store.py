"""After a store was moved: its database learns where its files lie now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scorebuilder.core.errors import SpecError
from scorebuilder.tracking.address import POSTGRESQL, SQLITE
from scorebuilder.tracking.mlflow_session import quiet, require_mlflow
from scorebuilder.tracking.reach import check_reachable

PLACES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}
"""Columns in which MLflow 3 keeps whole paths; it has no command of its own to change them."""


def move_artifacts(address: str, artifacts: Path | None = None) -> tuple[int, str]:
    """
    Write the present folder of the logged files into a store.

    Parameters
    ----------
    address : str
        ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
    artifacts : Path, optional
        Where the files lie now; by default ``mlartifacts`` beside a SQLite file.

    Returns
    -------
    changed : int
        Places that were rewritten, in one transaction; 0 when all were right.
    folder : str
        Address of the present folder.

    Raises
    ------
    SpecError
        If the folder does not exist or is not given, or the store is a tracking server.
    TrackingError
        If the store refuses; it is then as it was.
    """
    require_mlflow()
    if not address.startswith((SQLITE, POSTGRESQL)):
        message = "`--uri` must name a SQLite file or a PostgreSQL database; a server moves itself"
        raise SpecError(message)
    if address.startswith(SQLITE):
        file = Path(address.removeprefix(SQLITE)).absolute()
        if not file.is_file():
            message = f"there is no store at {file}"
            raise SpecError(message)
        address, artifacts = f"{SQLITE}{file}", artifacts or file.parent / "mlartifacts"
    if artifacts is None or not artifacts.is_dir():
        message = f"`--artifacts` must be the present folder of the files; {artifacts} is none"
        raise SpecError(message)
    new = artifacts.absolute().as_uri()
    check_reachable(address)
    with quiet(address):
        return _rewrite(address, new), new


def _rewrite(address: str, new: str) -> int:
    import sqlalchemy as sql

    engine = sql.create_engine(address)
    try:
        with engine.begin() as connection:
            tables = sql.MetaData()
            tables.reflect(connection, only=list(PLACES))
            old = _former_places(connection, tables)
            changed = 0
            for table, columns in PLACES.items():
                for name in columns:
                    column = tables.tables[table].c[name]
                    for place in sorted(old - {new}):
                        statement = (
                            sql.update(tables.tables[table])
                            .where(
                                sql.or_(
                                    column == place, column.startswith(f"{place}/", autoescape=True)
                                )
                            )
                            .values(
                                {name: sql.literal(new) + sql.func.substr(column, len(place) + 1)}
                            )
                        )
                        changed += connection.execute(statement).rowcount
            return changed
    finally:
        engine.dispose()


def _former_places(connection: Any, tables: Any) -> set[str]:
    """Folders of the experiments that this package made; those of others are left alone."""
    import sqlalchemy as sql

    experiments, runs = tables.tables["experiments"], tables.tables["runs"]
    tags = sql.Table("tags", tables, autoload_with=connection)
    ours = (
        sql.select(experiments.c.artifact_location)
        .join(runs, runs.c.experiment_id == experiments.c.experiment_id)
        .join(tags, tags.c.run_uuid == runs.c.run_uuid)
        .where(tags.c.key.startswith("scorebuilder."))
        .distinct()
    )
    found = {row[0] for row in connection.execute(ours) if row[0]}
    return {place for place in found if place.startswith("file:")}
