"""A damaged file of a forest is refused before a compiled walk leaves its arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scorebuilder.core.errors import ModelError
from scorebuilder.selection.forest import SurvivalForest

from .conftest import simulate  # isort: skip


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Arrays of a small forest of ordered columns and one without order."""
    X, y = simulate(120, 21)
    forest = SurvivalForest(4, n_times=20, categorical_features=("levels",)).fit(X, y)
    path = tmp_path_factory.mktemp("forest") / "whole.npz"
    forest.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    assert (arrays["trees_cut"] < 0).any()
    assert SurvivalForest.load(path).predict(X).shape == (120,)
    return arrays


def refused(contents, tmp_path, changes, message) -> None:
    path = tmp_path / "forest.npz"
    np.savez(path, **(contents | changes))
    with pytest.raises(ModelError, match=f"`forest.npz` is damaged: {message}"):
        SurvivalForest.load(path)


def changed(values, place, value):
    return np.r_[values[:place], np.array([value], values.dtype), values[place:][1:]]


def first(condition) -> int:
    return int(np.flatnonzero(condition)[0])


@pytest.mark.parametrize("child", ["itself", "last of the tree", "of the next tree", "largest"])
def test_children_lie_behind_their_parent_in_its_tree(contents, tmp_path, child) -> None:
    left, root = contents["trees_left"], contents["trees_root"]
    parent = first(left >= 0)
    # the right child is the node behind the left one: the last node of a tree cannot be left
    values = {
        "itself": parent,
        "last of the tree": root[1] - 1,
        "of the next tree": root[1],
        "largest": np.iinfo(np.int32).max,
    }
    changes = {"trees_left": changed(left, parent, values[child])}
    refused(contents, tmp_path, changes, "its children are not sound")


@pytest.mark.parametrize(
    ("name", "split", "value", "message"),
    [
        ("trees_feature", "any", 7, "its features"),
        ("trees_feature", "any", -1, "its features"),
        ("trees_cut", "ordered", -1, "its cuts"),
        ("trees_cut", "unordered", 3, "its cuts"),
        ("trees_cut", "unordered", np.iinfo(np.int32).min, "its level sets"),
    ],
)
def test_what_a_node_tests_exists(contents, tmp_path, name, split, value, message) -> None:
    inner, cut = contents["trees_left"] >= 0, contents["trees_cut"]
    where = {"any": inner, "ordered": inner & (cut >= 0), "unordered": cut < 0}[split]
    changes = {name: changed(contents[name], first(where), value)}
    refused(contents, tmp_path, changes, message)


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("times", 0, np.nan, "its grid"),
        ("times", 1, 1e9, "its grid"),
        ("thresholds_0", 0, np.inf, "its thresholds"),
        ("thresholds_0", 0, np.nan, "its thresholds"),
        ("trees_root", 0, 1, "its roots"),
        ("trees_root", 1, 10**6, "its roots"),
        ("leaves_start", 1, 10**9, "its leaves"),
        ("leaves_at", 0, 20, "its jumps"),
        ("leaves_at", 0, -1, "its jumps"),
        ("leaves_jump", 0, np.nan, "its jumps"),
        ("leaves_mortality", 0, np.inf, "its jumps"),
    ],
)
def test_numbers_lie_in_their_range(contents, tmp_path, name, place, value, message) -> None:
    refused(contents, tmp_path, {name: changed(contents[name], place, value)}, message)


@pytest.mark.parametrize("name", ["trees_cut", "trees_missing_left", "leaves_mortality"])
def test_every_node_has_its_numbers(contents, tmp_path, name) -> None:
    message = "its leaves" if name.startswith("leaves") else "its nodes"
    refused(contents, tmp_path, {name: contents[name][:-1]}, message)


def test_types_and_names_are_those_of_the_format(contents, tmp_path) -> None:
    wider = {"trees_left": contents["trees_left"].astype(np.int64)}
    refused(contents, tmp_path, wider, "its types are not sound")
    refused(contents, tmp_path, {"trees_other": np.zeros(2)}, ".*other")
    head = json.loads(contents["head"].tobytes())
    for entry, message in (
        ({"codes": {"type": "uint16", "single_precision": False}}, "its codes"),
        ({"settings": {"n_bins": 256, "code": "x"}}, ".*code"),
        ({"columns": head["columns"][:-1]}, "its columns"),
        ({"levels": [None] * 30}, ".*thresholds_7"),
    ):
        text = json.dumps(head | entry).encode()
        refused(contents, tmp_path, {"head": np.frombuffer(text, np.uint8)}, message)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.99])
def test_a_file_with_a_wrong_byte_is_refused(contents, tmp_path, place) -> None:
    path = tmp_path / "forest.npz"
    np.savez_compressed(path, **contents)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ModelError):
        SurvivalForest.load(path)
