"""The score as one JSON document: identity, meaning, scoring part, evidence, and two hashes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import rfc8785

from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import ArtifactError
from scorebuilder.score.layout import lay_out
from scorebuilder.score.seals import changed_parts, make_seals

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
    Add the seals of the parts and both hashes to an artifact's content.

    Parameters
    ----------
    content : mapping
        The artifact; hashes that it has are made again.

    Returns
    -------
    ScoreArtifact
        Checked against the JSON Schema.
    """
    whole = {key: value for key, value in content.items() if key != "artifact_sha256"}
    whole["core_id"] = fingerprint(whole["scoring"])
    whole["seals"] = make_seals(whole)
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
        _check_version(document)
        try:
            _check_hashes(document)
        except rfc8785.CanonicalizationError:
            message = "the artifact holds a number that JSON cannot exchange, such as 2^60"
            raise ArtifactError(message) from None
        validator = jsonschema.Draft202012Validator(artifact_schema())
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
        if error is not None:
            where = "/".join(str(part) for part in error.absolute_path) or "the top level"
            message = f"the artifact breaks its schema at {where} (rule `{error.validator}`)"
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
            content = json.loads(
                text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeats
            )
        except json.JSONDecodeError as error:
            ends = error.pos >= len(text.rstrip())
            message = (
                f"the artifact ends in line {error.lineno} before it is complete; copy it again"
                if ends or "Unterminated" in error.msg
                else f"the artifact is not JSON: {error.msg} in line {error.lineno}"
            )
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
        return lay_out(self.content)

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


def _refuse_constant(name: str) -> float:
    message = f"the artifact must hold finite numbers only; it holds {name}"
    raise ArtifactError(message)


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        message = f"the artifact states the same key twice: {', '.join(repeated)}"
        raise ArtifactError(message)
    return content


def _check_version(document: Mapping[str, Any]) -> None:
    found = document.get("schema_version")
    if found == SCHEMA_VERSION and not isinstance(found, bool):
        return
    later = isinstance(found, int) and found > SCHEMA_VERSION
    message = (
        f"the artifact must have schema_version {SCHEMA_VERSION}; this version of scorebuilder "
        f"reads no other{'. It is of a later one: update scorebuilder' if later else ''}"
    )
    raise ArtifactError(message)


def _check_hashes(document: Mapping[str, Any]) -> None:
    """Refuse a changed document, and name the part; what lacks the hashes fails the schema."""
    if not {"scoring", "core_id", "artifact_sha256"} <= set(document):
        return
    body = {key: value for key, value in document.items() if key != "artifact_sha256"}
    places = changed_parts(document)
    where = f" at {', '.join(places[:5])}{' and elsewhere' if len(places) > 5 else ''}"
    place = where if places else ""
    if fingerprint(document["scoring"]) != document["core_id"]:
        message = (
            f"the scoring part was changed{place}: `core_id` does not fit it; do not use it, and "
            "get the file again from where it was published"
        )
        raise ArtifactError(message)
    if places or fingerprint(body) != document["artifact_sha256"]:
        message = (
            f"the artifact was changed{place}: `artifact_sha256` does not fit it; do not use it, "
            "and get the file again from where it was published"
        )
        raise ArtifactError(message)
