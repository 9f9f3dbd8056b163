"""A short hash of each part of an artifact, so that an error can name the part that was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import rfc8785

from scorebuilder.core.canonical import sha256

SEAL_LENGTH = 16
"""Hexadecimal characters; they find an accident, the two whole hashes find an attack."""
UNSEALED = ("artifact_sha256", "core_id", "seals")
ENTRY_BY_ENTRY = ("predictors", "terms", "baseline", "points", "risk_groups", "reference")
"""Lists of the scoring part whose entries have a seal each."""


def _parts(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if key in UNSEALED:
            continue
        if key not in ("scoring", "evidence") or not isinstance(value, dict):
            yield key, value
            continue
        for part, inside in value.items():
            path = f"{key}/{part}"
            if part in ENTRY_BY_ENTRY and isinstance(inside, list):
                yield from ((f"{path}/{row}", entry) for row, entry in enumerate(inside))
            else:
                yield path, inside


def make_seals(content: Mapping[str, Any]) -> dict[str, str]:
    """
    Hash each part of an artifact.

    Parameters
    ----------
    content : mapping
        The artifact, with or without hashes.

    Returns
    -------
    dict
        Path of the part (``scoring/terms/3``, counted from 0) -> first characters of the SHA-256 of
        its canonical JSON (RFC 8785).
    """
    return {path: sha256(rfc8785.dumps(part))[:SEAL_LENGTH] for path, part in _parts(content)}


def changed_parts(content: Mapping[str, Any]) -> list[str]:
    """
    Find the parts that do not fit their seal.

    Parameters
    ----------
    content : mapping
        The artifact as read.

    Returns
    -------
    list of str
        Paths in alphabetical order, also of parts that were added or removed; empty when all fit,
        or when the artifact has no seals.
    """
    stated = content.get("seals")
    if not isinstance(stated, dict):
        return []
    found = make_seals(content)
    return sorted(path for path in {*stated, *found} if stated.get(path) != found.get(path))
