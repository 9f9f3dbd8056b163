"""One version of a score, one version of the registered model: of two processes one wins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebuilder.core.errors import ArtifactVersionError, SpecError
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.tracking.mlflow_model import log_score
from scorebuilder.tracking.mlflow_session import quiet
from scorebuilder.tracking.tracker import AlreadyRecordedError

TAGS = ("name", "version", "status", "core_id", "artifact_sha256")
"""Of the artifact, on each version of the registered model."""


@dataclass(frozen=True)
class Registered:
    """
    A score in the registry.

    Attributes
    ----------
    model : str
        Name of the registered model.
    number : str
        Its version there, counted by MLflow.
    model_id : str or None
        Of the logged model.
    """

    model: str
    number: str
    model_id: str | None


def model_name(artifact: ScoreArtifact) -> str:
    """
    Name the registered model of a score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score; versions of a site belong to the model of the score that they come from.

    Returns
    -------
    str
        The name up to the first slash, which MLflow does not take.
    """
    return str(artifact.content["name"]).partition("/")[0]


def version_alias(artifact: ScoreArtifact) -> str:
    """
    Name the alias that always leads to this version.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    str
        ``score-1-0-0``, or ``site-paris-1-0-0`` of ``NAME/site-paris``.
    """
    site = str(artifact.content["name"]).partition("/")[2].replace("/", "-")
    return re.sub(r"[^\w-]", "-", f"{site or 'score'}-{artifact.content['version']}")


def find_version(client: Any, artifact: ScoreArtifact) -> Registered | None:
    """
    Look a version up in the registry.

    Parameters
    ----------
    client : mlflow.MlflowClient
        Of the store.
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    Registered or None
        The first registration of this name and version.

    Raises
    ------
    ArtifactVersionError
        If another artifact was registered under this version.
    """
    model, content = model_name(artifact), artifact.content
    mine = (content["name"], content["version"])
    rows: list[Any] = []
    page: str | None = ""
    while page is not None:
        found = client.search_model_versions(f"name='{model}'", page_token=page or None)
        rows += found
        page = found.token or None
    rows = [row for row in rows if (row.tags.get("name", model), row.tags.get("version")) == mine]
    if not rows:
        return None
    first = min(rows, key=lambda row: int(row.version))
    if first.tags.get("artifact_sha256") != content["artifact_sha256"]:
        message = (
            f"{content['name']} {content['version']} is registered with another artifact (version "
            f"{first.version} of the model `{model}`); raise `version`, a registered version never "
            "changes"
        )
        raise ArtifactVersionError(message)
    return Registered(model, str(first.version), first.model_id)


def register_version(client: Any, artifact: ScoreArtifact, file: Path) -> Registered:
    """
    Log the score into the open run and register it, unless that was done before.

    Parameters
    ----------
    client : mlflow.MlflowClient
        Of the store, which is also the present one of MLflow.
    artifact : ScoreArtifact
        The score.
    file : Path
        Its ``score.json``.

    Returns
    -------
    Registered
        The one registration of this version.

    Raises
    ------
    AlreadyRecordedError
        If another process registered the same artifact at the same time and was first.
    ArtifactVersionError
        If another artifact has this version.

    Notes
    -----
    MLflow numbers the versions of a model without gaps, and tags are written with the number. Who
    finds a lower number of the same score version after writing its own has lost, and takes its
    own back; the lowest number finds none, so exactly one process wins.
    """
    import mlflow

    known = find_version(client, artifact)
    if known is None:
        info = log_score(artifact, file)
        tags = {key: str(artifact.content[key]) for key in TAGS}
        made = mlflow.register_model(info.model_uri, model_name(artifact), tags=tags)
        mine = str(made.version)
        try:
            known = find_version(client, artifact)
        except ArtifactVersionError:
            client.delete_model_version(made.name, mine)
            raise
        if known is None or known.number != mine:
            client.delete_model_version(made.name, mine)
            message = (
                f"{artifact.content['name']} {artifact.content['version']} was registered by "
                "another process at the same time; its record stands, this one was withdrawn"
            )
            raise AlreadyRecordedError(message)
    client.set_registered_model_alias(known.model, version_alias(artifact), known.number)
    return known


def check_alias(artifact: ScoreArtifact, alias: str) -> None:
    """
    Refuse an alias that MLflow would not take, or that would lead to a withdrawn score.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    alias : str
        Such as ``champion`` or ``site-paris``.

    Raises
    ------
    SpecError
        With what is allowed.
    """
    reserved = alias.lower() == "latest" or re.fullmatch(r"[vV]\d+", alias)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", alias) or reserved:
        message = (
            "`--alias` must be letters, digits, hyphens and underscores, and not `latest` or "
            f"`v` with a number; got `{alias}`"
        )
        raise SpecError(message)
    if artifact.content["status"] == "withdrawn":
        message = (
            f"{artifact.content['name']} {artifact.content['version']} is withdrawn; an alias must "
            "not lead to it"
        )
        raise SpecError(message)


def set_alias(uri: str, artifact: ScoreArtifact, alias: str) -> Registered:
    """
    Let an alias lead to a registered score; it leads nowhere else from then on.

    Parameters
    ----------
    uri : str
        Of the store.
    artifact : ScoreArtifact
        The score, registered before.
    alias : str
        Such as ``champion``.

    Returns
    -------
    Registered
        What the alias leads to.

    Raises
    ------
    SpecError
        If the alias is refused, or the score is not registered.
    ArtifactVersionError
        If another artifact has this version.
    TrackingError
        If the store refuses.
    """
    check_alias(artifact, alias)
    with quiet(uri):
        import mlflow

        client = mlflow.MlflowClient(uri, uri)
        known = find_version(client, artifact)
        if known is not None:
            client.set_registered_model_alias(known.model, alias, known.number)
    if known is None:
        message = f"this version is not registered in {uri}; register it first"
        raise SpecError(message)
    return known
