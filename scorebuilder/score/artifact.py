"""The score as one JSON document: identity, meaning, scoring part, evidence, and two hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import rfc8785

from scorebuilder.core.canonical import dump_json, sha256
from scorebuilder.core.errors import ArtifactError

SCHEMA_VERSION = 1
OUTPUT_LICENCE = "MIT"


@lru_cache(maxsize=1)
def artifact_schema() -> dict[str, Any]:
    """
    Return the JSON Schema that every artifact fulfils.

    Returns
    -------
    dict
        JSON Schema 2020-12.
    """
    text = files("scorebuilder.score").joinpath("artifact.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def fingerprint(content: Any) -> str:
    """
    SHA-256 of the canonical JSON (RFC 8785) of some content.

    Parameters
    ----------
    content : object
        Anything that JSON can hold.

    Returns
    -------
    str
        64 hexadecimal characters, the same in every language that implements RFC 8785.
    """
    return sha256(rfc8785.dumps(content))


def seal(content: Mapping[str, Any]) -> ScoreArtifact:
    """
    Add both hashes to an artifact's content.

    Parameters
    ----------
    content : mapping
        The artifact without ``core_id`` and ``artifact_sha256``.

    Returns
    -------
    ScoreArtifact
        Checked against the JSON Schema.
    """
    whole = dict(content)
    whole["core_id"] = fingerprint(whole["scoring"])
    whole["artifact_sha256"] = fingerprint(whole)
    return ScoreArtifact.from_content(whole)


@dataclass(frozen=True)
class ScoreArtifact:
    """
    A score that can be stored, compared and applied without the data it came from.

    Attributes
    ----------
    content : dict
        The JSON document.
    """

    content: dict[str, Any]

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> ScoreArtifact:
        """
        Check a document and wrap it.

        Parameters
        ----------
        content : mapping
            The whole JSON document.

        Returns
        -------
        ScoreArtifact
            Ready to score.

        Raises
        ------
        ArtifactError
            If the document does not fulfil the JSON Schema, or a hash does not fit its content.
        """
        import jsonschema

        document = dict(content)
        if document.get("schema_version") != SCHEMA_VERSION:
            message = (
                f"the artifact must have schema_version {SCHEMA_VERSION}; this version of "
                "scorebuilder reads no other"
            )
            raise ArtifactError(message)
        validator = jsonschema.Draft202012Validator(artifact_schema())
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
        if error is not None:
            where = "/".join(str(part) for part in error.absolute_path) or "the top level"
            message = f"the artifact breaks its schema at {where} (rule `{error.validator}`)"
            raise ArtifactError(message)
        body = {key: value for key, value in document.items() if key != "artifact_sha256"}
        if fingerprint(document["scoring"]) != document["core_id"]:
            message = "the scoring part was changed: `core_id` does not fit it; refuse to use it"
            raise ArtifactError(message)
        if fingerprint(body) != document["artifact_sha256"]:
            message = (
                "the artifact was changed: `artifact_sha256` does not fit it; refuse to use it"
            )
            raise ArtifactError(message)
        return cls(document)

    @classmethod
    def from_json(cls, text: str) -> ScoreArtifact:
        """
        Read an artifact from JSON text.

        Parameters
        ----------
        text : str
            The content of a ``score.json``.

        Returns
        -------
        ScoreArtifact
            Checked.

        Raises
        ------
        ArtifactError
            If the text is not JSON, breaks the schema, or was changed.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            message = f"the artifact is not JSON: {error.msg} in line {error.lineno}"
            raise ArtifactError(message) from None
        if not isinstance(content, dict):
            message = "the artifact must be a JSON object"
            raise ArtifactError(message)
        return cls.from_content(content)

    def to_json(self) -> str:
        """
        Write the artifact: sorted keys, shortest floats, LF line ends.

        Returns
        -------
        str
            The same bytes for the same score.
        """
        return dump_json(self.content)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole artifact."""
        return str(self.content["artifact_sha256"])

    @property
    def scoring(self) -> dict[str, Any]:
        """The part that turns a patient into points and risk."""
        scoring: dict[str, Any] = self.content["scoring"]
        return scoring

    @property
    def predictors(self) -> list[str]:
        """Names of the inputs."""
        return [str(predictor["id"]) for predictor in self.scoring["predictors"]]

    @property
    def horizons(self) -> list[float]:
        """Days, ascending."""
        return [float(row["horizon"]) for row in self.scoring["baseline"]]
