"""Any change of an artifact is refused, and its place is named."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from scorebuilder.core.errors import ArtifactError
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.layout import WIDTH, lay_out
from scorebuilder.score.seals import changed_parts, make_seals


def test_by_hand() -> None:
    content = {"title": "a", "scoring": {"terms": [{"x": 1}, {"x": 2}], "risk_table": []}}
    seals = make_seals(content)
    assert set(seals) == {"title", "scoring/terms/0", "scoring/terms/1", "scoring/risk_table"}
    changed = {"title": "a", "scoring": {"terms": [{"x": 1}, {"x": 3}], "risk_table": []}}
    assert changed_parts(changed | {"seals": seals}) == ["scoring/terms/1"]
    fewer = {"title": "a", "scoring": {"terms": [{"x": 1}], "risk_table": []}, "seals": seals}
    assert changed_parts(fewer) == ["scoring/terms/1"]


def numbers(content: Any, path: tuple[Any, ...] = ()) -> Any:
    """Paths of all numbers of the scoring part."""
    if isinstance(content, int | float) and not isinstance(content, bool):
        yield path
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in items:
            yield from numbers(value, (*path, key))


def test_every_changed_digit_of_the_scoring_part_is_refused_at_its_place(small_score: Any) -> None:
    content = small_score.artifact.content
    paths = list(numbers(content["scoring"]))
    assert len(paths) > 100
    for path in paths:
        changed = copy.deepcopy(content)
        inside = changed["scoring"]
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = inside[path[-1]] * (1 + 1e-12) + 1e-12
        with pytest.raises(ArtifactError) as caught:
            ScoreArtifact.from_content(changed)
        assert f"changed at scoring/{path[0]}" in str(caught.value)
        if path[0] == "terms":
            assert f"scoring/terms/{path[1]}:" in str(caught.value)


def test_changed_seals_do_not_hide_a_change(small_score: Any) -> None:
    content = copy.deepcopy(small_score.artifact.content)
    content["scoring"]["terms"][0]["coefficient"] += 1e-9
    content["seals"] = make_seals(content)
    with pytest.raises(ArtifactError, match="the scoring part was changed: `core_id`"):
        ScoreArtifact.from_content(content)


def test_every_truncation_is_refused(small_score: Any) -> None:
    text = small_score.artifact.to_json()
    for length in range(0, len(text) - 2, max(1, len(text) // 97)):
        with pytest.raises(ArtifactError):
            ScoreArtifact.from_json(text[:length])


def test_text_is_for_readers_and_reads_back_exactly(small_score: Any) -> None:
    text = small_score.artifact.to_json()
    assert json.loads(text) == small_score.artifact.content
    assert lay_out(json.loads(text)) == text
    assert text.endswith("}\n")
    for line in text.splitlines():
        assert len(line) <= WIDTH or line.count('":') <= 1
        assert line.count('"coefficient"') <= 1
    with pytest.raises(ValueError, match="JSON compliant"):
        lay_out({"a": float("nan")})
