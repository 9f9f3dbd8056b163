"""What a selection rule is given and hands back, and the registry of rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scorebuilder.core.arrays import BoolArray
from scorebuilder.core.registry import Registry

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RuleInput:
    """
    What the forest says about the variables it was grown on.

    Attributes
    ----------
    ranking : DataFrame
        One row per variable by descending VIMP: variable, vimp, vimp_lower, vimp_upper,
        minimal_depth, rank (1 is first).
    top_k : int
        For the rule ``top_k``.
    minimal_depth_threshold : float
        For the rule ``minimal_depth``.
    """

    ranking: pd.DataFrame
    top_k: int
    minimal_depth_threshold: float


@dataclass(frozen=True)
class Decision:
    """
    What a rule decides, row by row of the ranking.

    Attributes
    ----------
    selected : ndarray of bool of shape (n_variables,)
        Whether the variable stays.
    kept_because, dropped_because : str
        The reason in words, for those that stay and those that go.
    rule_text : str
        The whole rule in words, with its numbers, for the reader of a report: what was needed to
        stay.
    """

    selected: BoolArray
    kept_because: str
    dropped_because: str
    rule_text: str


class Rule(Protocol):
    """Decides which variables stay."""

    def __call__(self, given: RuleInput) -> Decision:
        """Decide from the ranking alone; variables that must stay are added afterwards."""
        ...


RULES: Registry[Rule] = Registry("selection rule", "scorebuilder.selection.rules")
