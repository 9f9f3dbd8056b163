"""What a version number has to say about a change: major, minor or patch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.verdict import judge_patients

LEVELS = ("none", "patch", "minor", "major")
"""Ascending."""
INPUT_KEYS = ("id", "type", "unit", "hard_range")
SAME_MEANING = ("outcome", "time_zero", "population")


@dataclass(frozen=True)
class Change:
    """
    One difference between two versions.

    Attributes
    ----------
    level : str
        Smallest step of the version number that may say it, of `LEVELS`.
    place : str
        Where in the artifact.
    text : str
        In words.
    """

    level: str
    place: str
    text: str


def parse_version(version: str) -> tuple[int, int, int]:
    """
    Split a version number.

    Parameters
    ----------
    version : str
        For example ``1.2.3``.

    Returns
    -------
    tuple of int
        Major, minor, patch.
    """
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch


def next_version(version: str, level: str) -> str:
    """
    Raise a version number.

    Parameters
    ----------
    version : str
        For example ``1.2.3``.
    level : {"patch", "minor", "major"}
        Which part.

    Returns
    -------
    str
        Smaller parts are 0.

    Examples
    --------
    >>> next_version("1.2.3", "minor")
    '1.3.0'
    """
    major, minor, patch = parse_version(version)
    if level == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}"


def claimed_level(old: str, new: str) -> str:
    """
    Tell which part of the version number was raised.

    Parameters
    ----------
    old, new : str
        Version numbers.

    Returns
    -------
    str
        Of `LEVELS`; ``none`` when the new number is not above the old one.
    """
    first, second = parse_version(old), parse_version(new)
    if second <= first:
        return "none"
    return next(
        level
        for level, a, b in zip(("major", "minor", "patch"), first, second, strict=True)
        if a != b
    )


def find_changes(old: ScoreArtifact, new: ScoreArtifact) -> list[Change]:
    """
    List what differs between two versions, with what each difference demands.

    Parameters
    ----------
    old, new : ScoreArtifact
        The versions.

    Returns
    -------
    list of Change
        The most demanding first. Empty for equal artifacts.

    Notes
    -----
    Major: other inputs, units, levels, outcome or time zero, a dropped horizon, other points or
    risk groups for any test vector of either version. Minor: other risk, linear predictor or
    warning for any vector, an added horizon, another risk table, another card with the same
    points. Patch: anything else, with every vector bit-equal.
    """
    checks: tuple[Callable[[ScoreArtifact, ScoreArtifact], Iterator[Change]], ...] = (
        _inputs, _meaning, _horizons, _vectors, _card, _rest,
    )  # fmt: skip
    changes = [change for check in checks for change in check(old, new)]
    return sorted(changes, key=lambda change: -LEVELS.index(change.level))


def required_level(changes: list[Change]) -> str:
    """
    Give the smallest step of the version number that may say all changes.

    Parameters
    ----------
    changes : list of Change
        From `find_changes`.

    Returns
    -------
    str
        Of `LEVELS`.
    """
    return max((change.level for change in changes), key=LEVELS.index, default="none")


def _inputs(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    before = {item["id"]: item for item in old.scoring["predictors"]}
    after = {item["id"]: item for item in new.scoring["predictors"]}
    for name in before.keys() - after.keys():
        yield Change("major", f"scoring/predictors/{name}", "input removed")
    for name in after.keys() - before.keys():
        yield Change("major", f"scoring/predictors/{name}", "input added")
    for name in before.keys() & after.keys():
        for key in INPUT_KEYS:
            if before[name][key] != after[name][key]:
                yield Change("major", f"scoring/predictors/{name}/{key}", f"other {key}")
        codes = [[level["code"] for level in item[name]["levels"]] for item in (before, after)]
        if codes[0] != codes[1]:
            yield Change("major", f"scoring/predictors/{name}/levels", "other levels")


def _meaning(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    for key in SAME_MEANING:
        if old.content["meaning"][key] != new.content["meaning"][key]:
            level = "patch" if key == "population" else "major"
            yield Change(level, f"meaning/{key}", f"other {key.replace('_', ' ')}")


def _horizons(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    for horizon in sorted(set(old.horizons) - set(new.horizons)):
        yield Change("major", "scoring/baseline", f"horizon of {horizon:g} days dropped")
    for horizon in sorted(set(new.horizons) - set(old.horizons)):
        yield Change("minor", "scoring/baseline", f"horizon of {horizon:g} days added")


def vector_inputs(*artifacts: ScoreArtifact) -> list[dict[str, Any]]:
    """
    Gather the inputs of all test vectors.

    Parameters
    ----------
    *artifacts : ScoreArtifact
        Scores.

    Returns
    -------
    list of dict
        Inputs.
    """
    return [
        vector["inputs"]
        for artifact in artifacts
        for vector in artifact.content["evidence"]["test_vectors"]
    ]


def _vectors(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    inputs = vector_inputs(old, new)
    shared = [h for h in old.horizons if h in new.horizons]
    first, second = judge_patients(old, inputs), judge_patients(new, inputs)
    demands = {"status": "major", "refusals": "major", "points": "major", "group": "major",
               "linear_predictor": "minor", "warnings": "minor"}  # fmt: skip
    for key, level in demands.items():
        count = sum(a[key] != b[key] for a, b in zip(first, second, strict=True))
        if count:
            what = key.replace("_", " ")
            yield Change(
                level, "evidence/test_vectors", f"other {what} in {count} of {len(inputs)}"
            )
    for horizon in shared:
        k, m = old.horizons.index(horizon), new.horizons.index(horizon)
        count = sum(
            a["risk"] is not None and b["risk"] is not None and a["risk"][k] != b["risk"][m]
            for a, b in zip(first, second, strict=True)
        )
        if count:
            text = f"other risk by {horizon:g} days in {count} of {len(inputs)}"
            yield Change("minor", "evidence/test_vectors", text)


def _card(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    before, after = old.content.get("card"), new.content.get("card")
    if before == after:
        return
    if before is None or after is None:
        level = "minor" if before is None else "major"
        yield Change(level, "card", "points card added" if before is None else "card removed")
    elif before["predictors"] != after["predictors"]:
        yield Change("major", "card/predictors", "other points on the card")
    else:
        yield Change("minor", "card", "other risk of the card's totals")


def _rest(old: ScoreArtifact, new: ScoreArtifact) -> Iterator[Change]:
    done = ("version", "core_id", "artifact_sha256", "seals", "scoring", "card", "meaning")
    for key in sorted({*old.content, *new.content} - {*done}):
        if old.content.get(key) != new.content.get(key):
            yield Change("patch", key, f"other {key.replace('_', ' ')}")
    for part in sorted(old.scoring):
        if old.scoring[part] != new.scoring[part]:
            level = "patch" if part == "predictors" else "minor"
            yield Change(level, f"scoring/{part}", f"other {part.replace('_', ' ')}")
    for key in old.content["meaning"]:
        if key not in SAME_MEANING and old.content["meaning"][key] != new.content["meaning"][key]:
            yield Change("patch", f"meaning/{key}", f"other {key.replace('_', ' ')}")
