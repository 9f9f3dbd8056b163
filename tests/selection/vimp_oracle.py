"""Importance by plain loops, from its definition: every patient is walked anew each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

MASK = 2**64 - 1


def goes_left(trees, node: int, code: int, missing: int) -> bool:
    """Side of a code at a node."""
    cut = int(trees.cut[node])
    if cut < 0:
        word = int(trees.level_sets[-1 - cut, code // 64])
        return bool(word >> (code % 64) & 1)
    return bool(trees.missing_left[node]) if code == missing else code <= cut


def walk(trees, tree: int, side: Callable[[int], bool]) -> int:
    """Terminal node of a patient who goes left where `side` says so."""
    node = int(trees.root[tree])
    while trees.left[node] >= 0:
        node = int(trees.left[node]) + (0 if side(node) else 1)
    return node


def coin(seed: int, patient: int, node: int) -> bool:
    """The side that a coin chooses, in whole numbers of any size."""
    word = seed
    for part in (patient, node):
        word = (word + (part + 1) * 0x9E3779B97F4A7C15) & MASK
        word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        word ^= word >> 31
    return word >> 63 == 1


def terminal_nodes(trees, tree, codes, rows, *, columns=(), donors=None, seed=None):
    """
    Terminal node of each row; `columns` take the donors' values, or with a seed a random child.
    """
    missing = int(np.iinfo(codes.dtype).max)
    reached = []
    for place, row in enumerate(rows):

        def side(node, place=place, row=row):
            column = int(trees.feature[node])
            source = row
            if column in columns:
                if seed is not None:
                    return coin(seed, int(row), node)
                source = donors[place]
            return goes_left(trees, node, int(codes[source, column]), missing)

        reached.append(walk(trees, tree, side))
    return np.array(reached)


def hazard(forest, node: int, time: float) -> float:
    """Cumulative hazard of a terminal node at a time."""
    curve = forest.leaves_.curve(node, forest.times_.size)
    before = int(np.sum(forest.times_ <= time))
    return float(curve[before - 1]) if before else 0.0


def ensemble(forest, trees: Iterable[int], *, columns=(), donors_of=None, seed_of=None, times=None):
    """
    Mean out-of-bag prediction over some trees, and how many trees each patient has.

    Rounded to far more digits than a prediction has, so that equal sums are ties of a C-index
    however they came about.
    """
    codes = forest.codes_
    n_values = 1 if times is None else len(times)
    total, count = np.zeros((len(codes), n_values)), np.zeros(len(codes))

    def value(node):
        if times is None:
            return forest.leaves_.mortality[node]
        return np.array([hazard(forest, node, time) for time in times])

    for tree in trees:
        rows = forest.out_of_bag(tree)
        reached = terminal_nodes(forest.trees_, tree, codes, rows)
        if columns:
            reached = terminal_nodes(
                forest.trees_, tree, codes, rows, columns=columns,
                donors=None if donors_of is None else donors_of(tree, rows),
                seed=None if seed_of is None else seed_of(tree),
            )  # fmt: skip
        for row, node in zip(rows, reached, strict=True):
            total[row] += value(node)
            count[row] += 1
    mean = total / np.maximum(count, 1)[:, None]
    return np.round(mean, 11 if times is None else 13), count
