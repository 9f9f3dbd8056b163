"""From one version of a score to the next: status, review date, and the line of descent."""

from __future__ import annotations

from datetime import date
from typing import Any

from scorebuilder.core.errors import ArtifactVersionError, SpecError
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.version_rule import (
    LEVELS,
    claimed_level,
    find_changes,
    next_version,
    required_level,
)

TRANSITIONS = {
    "draft": ("research", "active", "withdrawn"),
    "research": ("active", "superseded", "withdrawn"),
    "active": ("research", "superseded", "withdrawn"),
    "superseded": ("withdrawn",),
    "withdrawn": (),
}
"""Where each status can lead; nothing comes back from withdrawn."""


def derive_version(
    parent: ScoreArtifact, changes: dict[str, Any], *, version: str, change: str
) -> ScoreArtifact:
    """
    Make a new version from another; the parent stays as it is.

    Parameters
    ----------
    parent : ScoreArtifact
        What it is made from.
    changes : dict
        Top-level keys that differ.
    version : str
        Of the new artifact.
    change : str
        Entry of the changelog.

    Returns
    -------
    ScoreArtifact
        ``derived_from`` is the fingerprint of the parent, and the changelog has one more entry.

    Raises
    ------
    ArtifactVersionError
        If the name stays and the version number says less than what changed.
    """
    content = {
        **parent.content,
        **changes,
        "version": version,
        "derived_from": parent.fingerprint,
        "changelog": [*parent.content["changelog"], {"version": version, "change": change}],
    }
    new = seal(content)
    if new.content["name"] == parent.content["name"]:
        check_version(parent, new)
    return new


def check_version(old: ScoreArtifact, new: ScoreArtifact) -> None:
    """
    Refuse a version number that says less than what changed.

    Parameters
    ----------
    old, new : ScoreArtifact
        Two versions of the same score.

    Raises
    ------
    ArtifactVersionError
        Names the first change that demands more, and the number that would do.
    """
    changes = find_changes(old, new)
    needed = required_level(changes)
    before, after = old.content["version"], new.content["version"]
    claimed = claimed_level(before, after)
    if LEVELS.index(claimed) >= LEVELS.index(needed):
        return
    message = (
        f"version {after} after {before} must be {next_version(before, needed)} or later: "
        f"{changes[0].text} ({changes[0].place}) is a {needed} change"
    )
    raise ArtifactVersionError(message)


def change_status(
    artifact: ScoreArtifact,
    *,
    to: str,
    reason: str,
    superseded_by: str = "",
    review_by: str = "",
) -> ScoreArtifact:
    """
    Make the version of a score that has another status.

    Parameters
    ----------
    artifact : ScoreArtifact
        The present version.
    to : str
        One of the keys of `TRANSITIONS`; the present status only to change the review date.
    reason : str
        Why; goes into the changelog.
    superseded_by : str
        Name and version that replace it; required for ``superseded``.
    review_by : str
        Day by which it has to be looked at again, ``2029-12-31``.

    Returns
    -------
    ScoreArtifact
        The next patch version, whose points and risks are bit-equal.

    Raises
    ------
    SpecError
        If the present status cannot lead to the new one, or something is missing.
    """
    present = artifact.content["status"]
    if not reason.strip():
        message = "a reason is required; it goes into the changelog"
        raise SpecError(message)
    if to not in TRANSITIONS:
        message = f"the status must be one of {', '.join(TRANSITIONS)}; got {to}"
        raise SpecError(message)
    if to not in TRANSITIONS[present] and not (to == present and review_by):
        possible = ", ".join(TRANSITIONS[present]) or "nothing"
        message = f"a score that is {present} can become {possible}; not {to}"
        raise SpecError(message)
    if (to == "superseded") != bool(superseded_by):
        message = "a superseded score, and no other, names the version that replaces it"
        raise SpecError(message)
    changes: dict[str, Any] = {"status": to}
    if superseded_by:
        changes["superseded_by"] = superseded_by
    if review_by:
        changes["review_by"] = _day(review_by)
    words = f"Status {present} -> {to}" if to != present else f"Review by {review_by}"
    return derive_version(
        artifact,
        changes,
        version=next_version(artifact.content["version"], "patch"),
        change=f"{words}: {reason.strip()}",
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        message = f"the review date must be a day, written as 2029-12-31; got {text}"
        raise SpecError(message) from None
