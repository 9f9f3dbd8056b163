"""
Survival trees by plain loops, written from their definition: no codes, no running sums.

Nothing here is fast. Each split is a set of patients that go left, and each statistic is computed
from that set alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

TIE = 1e-9
"""Statistics this close, relative to the largest, are equal: sums in another order differ less."""


@dataclass(frozen=True)
class Patients:
    """What a tree is grown on: values, outcome on the time grid, weight (0: not in the sample)."""

    X: pd.DataFrame
    cell: np.ndarray
    event: np.ndarray
    weight: np.ndarray
    n_times: int
    categorical: tuple[str, ...] = ()
    subsets: bool = False

    def values(self, name: str) -> np.ndarray:
        """Numbers with NaN, or for a categorical column objects with None."""
        if name in self.categorical:
            return self.X[name].astype(object).where(self.X[name].notna(), None).to_numpy()
        return self.X[name].to_numpy(dtype=float, na_value=np.nan)

    def threshold(self, name: str, middle: float) -> float:
        """Midway between the values of all patients, in or out of the sample, around a middle."""
        values = self.values(name)
        values = values[~np.isnan(values)]
        return float(values[values <= middle].max() + values[values > middle].min()) / 2


@dataclass(frozen=True)
class Split:
    """One way to split a node; `left` are places among the rows of the node."""

    name: str
    threshold: float | None
    missing_left: bool
    left: np.ndarray
    statistic: float


def risk_sets(cell: np.ndarray, event: np.ndarray, weight: np.ndarray):
    """Cells with events, and who is at risk in each and who has the event there: (n, n_cells)."""
    cells = np.unique(cell[event & (weight > 0)])
    return cells, cell[:, None] >= cells, event[:, None] & (cell[:, None] == cells)


def log_rank(cell: np.ndarray, event: np.ndarray, weight: np.ndarray, left: np.ndarray) -> float:
    """U^2 / V of the log-rank test between the patients on the left and the others."""
    _, at_risk, failing = risk_sets(cell, event, weight)
    y, d = weight @ at_risk, weight @ failing
    y1, d1 = (weight * left) @ at_risk, (weight * left) @ failing
    u = (d1 - y1 * d / y).sum()
    some = y > 1
    y, d, y1 = y[some], d[some], y1[some]
    v = (d * (y - d) / (y**2 * (y - 1)) * (y1 * y - y1**2)).sum()
    return float(u**2 / v) if v > 1e-9 else 0.0


def hazard_jumps(
    cell: np.ndarray, event: np.ndarray, weight: np.ndarray, n_times: int
) -> np.ndarray:
    """Increments of the Nelson-Aalen estimate at the grid times."""
    jumps = np.zeros(n_times)
    cells, at_risk, failing = risk_sets(cell, event, weight)
    jumps[cells - 1] = (weight @ failing) / (weight @ at_risk)
    return jumps


def log_rank_scores(
    cell: np.ndarray, event: np.ndarray, weight: np.ndarray, n_times: int
) -> np.ndarray:
    """Event minus the Nelson-Aalen hazard at the end of follow-up, for each patient."""
    hazard = np.concatenate([[0.0], np.cumsum(hazard_jumps(cell, event, weight, n_times))])
    return event - hazard[cell]


def standardised_scores(scores: np.ndarray, weight: np.ndarray, left: np.ndarray) -> float:
    """Square of the standardised sum of scores on the left (Hothorn and Lausen 2003)."""
    total = weight.sum()
    mean = (weight * scores).sum() / total
    variance = (weight * (scores - mean) ** 2).sum() / (total - 1)
    on_left = weight[left].sum()
    expected_variance = on_left * (1 - on_left / total) * variance
    if expected_variance < 1e-12:
        return 0.0
    return ((weight * scores)[left].sum() - on_left * mean) ** 2 / expected_variance


class Node:
    """The patients of a node, and all ways to split them."""

    def __init__(self, patients: Patients, rows: np.ndarray, *, least: int, rule: str) -> None:
        self.patients, self.rows, self.least, self.rule = patients, rows, least, rule
        self.cell, self.event = patients.cell[rows], patients.event[rows]
        self.weight = patients.weight[rows]
        self.scores = log_rank_scores(self.cell, self.event, self.weight, patients.n_times)

    def hazard_jumps(self) -> np.ndarray:
        """Nelson-Aalen of the node."""
        return hazard_jumps(self.cell, self.event, self.weight, self.patients.n_times)

    def statistic(self, left: np.ndarray) -> float:
        """Of one set of patients, by the rule; 0 where a child would be too small."""
        if min(left.sum(), (~left).sum()) < self.least:
            return 0.0
        if self.rule == "logrank_score":
            return standardised_scores(self.scores, self.weight, left)
        return log_rank(self.cell, self.event, self.weight, left)

    def splits(self) -> list[Split]:
        """All splits with a statistic above 0, in the order in which ties are resolved."""
        if self.rows.size < 2 * self.least:
            return []
        found = [split for name in self.patients.X.columns for split in self._of_column(name)]
        return [split for split in found if split.statistic > 1e-12]

    def _of_column(self, name: str) -> Iterator[Split]:
        values = self.patients.values(name)[self.rows]
        if name in self.patients.categorical:
            for left in self._level_sets(values):
                yield Split(name, None, False, left, self.statistic(left))
            return
        missing = np.isnan(values)
        known = np.unique(values[~missing])
        middles = [*(known[:-1] + 0.5 * (known[1:] - known[:-1])), np.inf]
        for missing_left in (False, True) if missing.any() else (False,):
            for middle in middles:
                left = np.where(missing, missing_left, values <= middle)
                if left.all() or not left.any():
                    continue
                threshold = self.patients.threshold(name, middle) if middle < np.inf else np.inf
                yield Split(name, threshold, missing_left, left, self.statistic(left))

    def _level_sets(self, values: np.ndarray) -> Iterator[np.ndarray]:
        """Missing is a level, the last; its place in the order is that of its score."""
        known = sorted({value for value in values if value is not None})
        levels = known + [None] * any(value is None for value in values)
        of_level = [np.array([value == level for value in values]) for level in levels]
        if self.patients.subsets:
            for size in range(1, len(levels)):
                for chosen in combinations(range(len(levels) - 1), size):
                    yield np.any([of_level[j] for j in chosen], axis=0)
            return
        mean = [np.average(self.scores[here], weights=self.weight[here]) for here in of_level]
        order = sorted(range(len(levels)), key=lambda j: mean[j])
        for size in range(1, len(levels)):
            yield np.any([of_level[j] for j in order[:size]], axis=0)


def best_splits(splits: list[Split]) -> list[Split]:
    """Those whose statistic is the largest up to rounding."""
    largest = max(split.statistic for split in splits)
    return [split for split in splits if split.statistic >= largest * (1 - TIE)]


@dataclass(frozen=True)
class Tree:
    """A grown tree: a split with two subtrees, or the hazard of a terminal node."""

    rows: np.ndarray
    jumps: np.ndarray
    split: Split | None = None
    children: tuple[Tree, Tree] | None = None

    def size(self) -> int:
        """Number of nodes."""
        return 1 if self.children is None else 1 + sum(child.size() for child in self.children)

    def terminal(self) -> Iterator[Tree]:
        """Walk over the terminal nodes, from the left."""
        if self.children is None:
            yield self
        else:
            for child in self.children:
                yield from child.terminal()


def grow(
    patients: Patients, *, least: int, rule: str = "logrank", max_depth: int | None = None
) -> Tree:
    """Grow a tree on all columns; of equal splits the first is taken."""

    def below(rows: np.ndarray, depth: int) -> Tree:
        node = Node(patients, rows, least=least, rule=rule)
        splits = [] if depth == max_depth else node.splits()
        if not splits:
            return Tree(rows, node.hazard_jumps())
        split = best_splits(splits)[0]
        children = (below(rows[split.left], depth + 1), below(rows[~split.left], depth + 1))
        return Tree(rows, node.hazard_jumps(), split, children)

    return below(np.flatnonzero(patients.weight > 0), 0)


@dataclass(frozen=True)
class ForestNode:
    """A node of a fitted forest, read from its arrays and walked on values, not on codes."""

    number: int
    name: str
    threshold: float | None
    levels: frozenset | None
    missing_left: bool

    def goes_left(self, values: np.ndarray) -> np.ndarray:
        """Which patients go left, by their values of the column."""
        if self.levels is not None:
            return np.array([value in self.levels for value in values], dtype=bool)
        return np.where(np.isnan(values), self.missing_left, values <= self.threshold)


def read_node(forest, number: int) -> ForestNode | None:
    """Node of a forest by its number; None if it is terminal."""
    trees, binning = forest.trees_, forest.binning_
    if trees.left[number] < 0:
        return None
    column = int(trees.feature[number])
    bins, cut = binning.columns[column], int(trees.cut[number])
    threshold = levels = None
    if cut >= 0:
        threshold = float(bins.thresholds[cut]) if cut < bins.thresholds.size else np.inf
    else:
        words = trees.level_sets[-1 - cut]
        codes = {c for c in range(256) if (int(words[c // 64]) >> (c % 64)) & 1}
        levels = frozenset(
            [level for code, level in enumerate(bins.levels) if code in codes]
            + ([None] if 255 in codes else [])
        )
    missing_left = bool(trees.missing_left[number])
    return ForestNode(number, binning.names[column], threshold, levels, missing_left)


def walk(forest, tree: int, patients: Patients, rows: np.ndarray) -> np.ndarray:
    """Terminal node of each row."""
    reached = np.full(rows.size, forest.trees_.root[tree])
    columns = {name: patients.values(name)[rows] for name in patients.X.columns}
    while True:
        inner = [number for number in np.unique(reached) if forest.trees_.left[number] >= 0]
        if not inner:
            return reached
        for number in inner:
            node, here = read_node(forest, number), reached == number
            left = node.goes_left(columns[node.name][here])
            reached[here] = forest.trees_.left[number] + np.where(left, 0, 1)
