"""What a target language is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from scorebuilder.core.errors import MissingPartError, SpecError
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
        Module without which it cannot be written; the package's extra is called like the target.
    """

    name: str
    label: str
    write: Callable[[ScoreArtifact], Files]
    usage: str = ""
    requires: str | None = None


TARGETS: Registry[Target] = Registry("export target", "scorebuilder.export.targets")
"""All targets by name."""


def choose_targets(wanted: Sequence[str]) -> list[str]:
    """
    Find the targets that are asked for, before anything is written.

    Parameters
    ----------
    wanted : sequence of str
        Names in `TARGETS`, or ``all``.

    Returns
    -------
    list of str
        Names, each once.

    Raises
    ------
    SpecError
        If there is no such target; names those there are.
    MissingPartError
        If a target needs a module that is not installed.
    """
    unknown = sorted(set(wanted) - set(TARGETS) - {"all"})
    if unknown:
        message = f"unknown {', '.join(unknown)}; known: all, {', '.join(TARGETS)}"
        raise SpecError(message)
    chosen = list(TARGETS) if "all" in wanted else list(dict.fromkeys(wanted))
    for name in chosen:
        module = TARGETS[name].requires
        if module and find_spec(module) is None:
            message = f"the target `{name}` needs {module}: pip install 'scorebuilder[{name}]'"
            raise MissingPartError(message)
    return chosen


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
