"""Versions: what a change demands, status, lineage, and one winner for a name."""

from __future__ import annotations

import copy
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scorebuilder.core.errors import ArtifactVersionError, SpecError
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.difference import (
    coefficient_difference,
    curve_difference,
    risk_difference,
)
from scorebuilder.score.lifecycle import TRANSITIONS, change_status, derive_version
from scorebuilder.score.store import load_artifact, save_artifact, version_folder
from scorebuilder.score.version_rule import (
    claimed_level,
    find_changes,
    next_version,
    required_level,
)


def changed(artifact: ScoreArtifact, change: Any) -> ScoreArtifact:
    content = copy.deepcopy(artifact.content)
    change(content)
    return seal(content)


def nothing(_: Any) -> None:
    pass


def title(content: Any) -> None:
    content["title"] = "other words"


def label(content: Any) -> None:
    content["scoring"]["predictors"][0]["label"] = "other words"


def baseline(content: Any) -> None:
    content["scoring"]["baseline"][0]["survival"] *= 0.99


def last_bit_of_baseline(content: Any) -> None:
    row = content["scoring"]["baseline"][0]
    row["survival"] = float(np.nextafter(row["survival"], 0.0))


def horizon(content: Any) -> None:
    content["scoring"]["baseline"].append({"horizon": 2000.0, "survival": 0.5})


def soft_range(content: Any) -> None:
    content["scoring"]["predictors"][0]["soft_range"][1] -= 20.0


def fewer_horizons(content: Any) -> None:
    del content["scoring"]["baseline"][1]


def unit(content: Any) -> None:
    content["scoring"]["predictors"][0]["unit"] = "mo"


def outcome(content: Any) -> None:
    content["meaning"]["outcome"] = "another"


def coefficient(content: Any) -> None:
    content["scoring"]["terms"][0]["coefficient"] *= 1.5


def groups(content: Any) -> None:
    content["scoring"]["risk_groups"][0]["label"] = "tiny"


@pytest.mark.parametrize(
    ("change", "level"),
    [
        (nothing, "none"),
        (title, "patch"),
        (label, "patch"),
        (baseline, "minor"),
        (last_bit_of_baseline, "minor"),
        (horizon, "minor"),
        (soft_range, "minor"),
        (fewer_horizons, "major"),
        (unit, "major"),
        (outcome, "major"),
        (coefficient, "major"),
        (groups, "major"),
    ],
)
def test_what_a_change_demands(small_score: Any, change: Any, level: str) -> None:
    new = changed(small_score.artifact, change)
    assert required_level(find_changes(small_score.artifact, new)) == level


def test_version_numbers_by_hand() -> None:
    assert claimed_level("1.2.3", "1.2.4") == "patch"
    assert claimed_level("1.2.3", "1.3.0") == "minor"
    assert claimed_level("1.2.3", "2.0.0") == "major"
    assert claimed_level("1.2.3", "1.2.3") == claimed_level("1.2.3", "0.9.9") == "none"
    assert [next_version("1.2.3", level) for level in ("patch", "minor", "major")] == [
        "1.2.4", "1.3.0", "2.0.0",
    ]  # fmt: skip


def test_a_number_that_says_too_little_is_refused(small_score: Any) -> None:
    scoring = copy.deepcopy(small_score.artifact.scoring)
    scoring["baseline"][0]["survival"] *= 0.99
    message = r"version 1\.0\.1 after 1\.0\.0 must be 1\.1\.0 or later: .* is a minor change"
    with pytest.raises(ArtifactVersionError, match=message):
        derive_version(
            small_score.artifact, {"scoring": scoring}, version="1.0.1", change="lower risk"
        )
    new = derive_version(
        small_score.artifact, {"scoring": scoring}, version="1.1.0", change="lower risk"
    )
    assert new.content["derived_from"] == small_score.artifact.fingerprint
    assert new.content["changelog"][-1] == {"version": "1.1.0", "change": "lower risk"}
    assert len(new.content["changelog"]) == 2


def test_a_status_is_a_patch_with_equal_vectors(small_score: Any) -> None:
    new = change_status(small_score.artifact, to="withdrawn", reason="an error was found")
    assert new.content["status"] == "withdrawn"
    assert new.content["version"] == "1.0.1"
    assert new.content["core_id"] == small_score.artifact.content["core_id"]
    assert new.content["changelog"][-1]["change"] == (
        "Status research -> withdrawn: an error was found"
    )
    assert small_score.artifact.content["status"] == "research"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "draft", "reason": "x"}, "can become active, superseded, withdrawn; not draft"),
        ({"to": "gone", "reason": "x"}, "the status must be one of"),
        ({"to": "active", "reason": " "}, "a reason is required"),
        ({"to": "superseded", "reason": "x"}, "names the version that replaces it"),
        ({"to": "active", "reason": "x", "superseded_by": "b 1.0.0"}, "names the version that"),
        ({"to": "active", "reason": "x", "review_by": "31.12."}, "must be a day, written as"),
        ({"to": "research", "reason": "x"}, "not research"),
    ],
)
def test_wrong_transitions_are_refused(
    small_score: Any, options: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        change_status(small_score.artifact, **options)


def test_nothing_comes_back_from_withdrawn(small_score: Any) -> None:
    gone = change_status(small_score.artifact, to="withdrawn", reason="x")
    for to in TRANSITIONS:
        with pytest.raises(SpecError, match=r"can become nothing|names the version"):
            change_status(gone, to=to, reason="x")


def test_review_date_can_change_alone(small_score: Any) -> None:
    new = change_status(
        small_score.artifact, to="research", reason="seen again", review_by="2029-12-31"
    )
    assert new.content["review_by"] == "2029-12-31"
    assert new.content["version"] == "1.0.1"


def test_differences_of_a_doubled_curve(small_score: Any) -> None:
    def doubled(content: Any) -> None:
        for term in content["scoring"]["terms"]:
            if term["predictor"] == "age":
                term["coefficient"] *= 2.0

    new = changed(small_score.artifact, doubled)
    rows = {row["term"]: row for row in coefficient_difference(small_score.artifact, new)}
    age = [row for term, row in rows.items() if term.startswith("age")]
    assert all(row["new"] == 2.0 * row["old"] and row["scaled_alike"] for row in age)
    curves = {row["predictor"]: row for row in curve_difference(small_score.artifact, new)}
    assert curves["age"]["largest"] > 0.1
    assert all(row["largest"] == 0.0 for name, row in curves.items() if name != "age")
    for row in risk_difference(small_score.artifact, new):
        assert row["lowest"] < 0.0 < row["highest"]
    same = risk_difference(small_score.artifact, small_score.artifact)
    assert [(row["lowest"], row["highest"]) for row in same] == [(0.0, 0.0)] * 2


def register(folder: Path, artifact: ScoreArtifact, results: Any) -> None:
    try:
        save_artifact(artifact, folder)
        results.put("stored")
    except ArtifactVersionError:
        results.put("refused")


def test_of_two_processes_one_wins(small_score: Any, tmp_path: Path) -> None:
    versions = [
        changed(small_score.artifact, lambda content, n=n: content.update(title=f"title {n}"))
        for n in range(4)
    ]
    context = multiprocessing.get_context("fork")
    results: Any = context.Queue()
    workers = [
        context.Process(target=register, args=(tmp_path, version, results)) for version in versions
    ]
    for worker in workers:
        worker.start()
    found = sorted(results.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join()
    assert found == ["refused", "refused", "refused", "stored"]
    assert load_artifact(tmp_path).fingerprint in {version.fingerprint for version in versions}
    assert [path.name for path in tmp_path.iterdir()] == ["score.json"]


def test_a_full_disk_leaves_the_stored_version(
    small_score: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_artifact(small_score.artifact, tmp_path / "1.0.0")
    before = (tmp_path / "1.0.0" / "score.json").read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    new = change_status(small_score.artifact, to="active", reason="x")
    folder = version_folder(tmp_path / "1.0.0", small_score.artifact, "1.0.1")
    with pytest.raises(OSError, match="No space left"):
        save_artifact(new, folder)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "1.0.0" / "score.json").read_bytes() == before


def test_a_damaged_file_is_never_replaced(small_score: Any, tmp_path: Path) -> None:
    (tmp_path / "score.json").write_text("{", encoding="utf-8")
    with pytest.raises(ArtifactVersionError, match="holds another artifact"):
        save_artifact(small_score.artifact, tmp_path)
    assert (tmp_path / "score.json").read_text(encoding="utf-8") == "{"
