"""What grows trees: the seam behind which engines can be exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from scorebuilder.core.registry import Registry
from scorebuilder.selection.arrays import CodeArray
from scorebuilder.selection.bags import Bags
from scorebuilder.selection.binning import Binning
from scorebuilder.selection.growth_settings import GrowthSettings
from scorebuilder.selection.leaves import LeafJumps
from scorebuilder.selection.placed_outcome import PlacedOutcome
from scorebuilder.selection.trees import TreeArrays


@dataclass(frozen=True)
class GrownForest:
    """
    What an engine hands back.

    Attributes
    ----------
    trees : TreeArrays
        The nodes.
    leaves : LeafJumps
        What the terminal nodes predict.
    binning : Binning
        How values become the codes that the nodes test.
    codes : ndarray of shape (n_patients, n_features)
        The development patients as the nodes see them.
    bags : Bags
        The samples of the trees.
    """

    trees: TreeArrays
    leaves: LeafJumps
    binning: Binning
    codes: CodeArray
    bags: Bags


class Engine(Protocol):
    """Grows the trees of a forest: samples, splits, terminal nodes."""

    def __call__(
        self, X: pd.DataFrame, outcome: PlacedOutcome, settings: GrowthSettings
    ) -> GrownForest:
        """Grow on (n_patients, n_features) values with times placed on the grid."""
        ...


ENGINES: Registry[Engine] = Registry("forest engine", "scorebuilder.selection.engines")
ORDERED_ENGINES = frozenset({"scikit-survival"})
"""Engines that have no columns without order, and see the levels of every factor as numbers."""
