"""What a target language is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scorebuilder.core.registry import Registry
from scorebuilder.score.artifact import ScoreArtifact

Files = Mapping[str, str | bytes]
"""File name -> text, or bytes of a format that is no text."""


@dataclass(frozen=True)
class Target:
    """
    A language in which scores are written.

    Attributes
    ----------
    name : str
        Key in `TARGETS`.
    label : str
        For lists.
    write : callable
        ``write(artifact) -> {file name: text or bytes}``; the same bytes for the same score.
    usage : str
        One line: how the files are used, and how they check themselves.
    requires : str or None
        Extra of the package without which it cannot be written.
    """

    name: str
    label: str
    write: Callable[[ScoreArtifact], Files]
    usage: str = ""
    requires: str | None = None


TARGETS: Registry[Target] = Registry("export target", "scorebuilder.export.targets")
"""All targets by name."""


def export_score(artifact: ScoreArtifact, target: str) -> dict[str, str | bytes]:
    """
    Write a score in another language.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    target : str
        Name in `TARGETS`.

    Returns
    -------
    dict
        File name -> text or bytes.

    Raises
    ------
    KeyError
        If there is no such target; names those there are.
    """
    return dict(TARGETS[target].write(artifact))
