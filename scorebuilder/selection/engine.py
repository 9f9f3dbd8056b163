"""What grows trees: the seam behind which engines can be exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scorebuilder.core.arrays import BoolArray, IntArray
from scorebuilder.core.registry import Registry
from scorebuilder.selection.trees import Float32Array, TreeArrays


@dataclass(frozen=True)
class GrowthSettings:
    """
    How trees are grown.

    Attributes
    ----------
    n_estimators : int
        Number of trees.
    max_features : int
        Columns tried at each node.
    min_samples_leaf : int
        Fewest patients, counted with their multiplicity in the bootstrap sample, in a terminal
        node; a node with fewer than twice as many is not split.
    max_depth : int or None
        Most splits between root and terminal node.
    random_state : int
        Seed.
    n_jobs : int
        Workers; the trees do not depend on it.
    """

    n_estimators: int
    max_features: int
    min_samples_leaf: int
    max_depth: int | None
    random_state: int
    n_jobs: int


class Engine(Protocol):
    """Grows the trees of a forest: bootstrap samples, log-rank splits."""

    def __call__(
        self,
        values: Float32Array,
        cell: IntArray,
        event: BoolArray,
        *,
        settings: GrowthSettings,
    ) -> TreeArrays:
        """Grow on complete values (n_patients, n_features) with times placed on the grid."""
        ...


ENGINES: Registry[Engine] = Registry("forest engine", "scorebuilder.selection.engines")
