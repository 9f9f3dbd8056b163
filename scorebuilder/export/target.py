"""What a target language is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scorebuilder.core.registry import Registry
from scorebuilder.score.artifact import ScoreArtifact


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
        ``write(artifact) -> {file name: text}``.
    """

    name: str
    label: str
    write: Callable[[ScoreArtifact], dict[str, str]]


TARGETS: Registry[Target] = Registry("export target", "scorebuilder.export.targets")
"""All targets by name."""


def export_score(artifact: ScoreArtifact, target: str) -> dict[str, str]:
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
        File name -> text.

    Raises
    ------
    KeyError
        If there is no such target; names those there are.
    """
    return TARGETS[target].write(artifact)
