"""How trees are grown, with words and shares translated into numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from scorebuilder.core.seeds import check_seed

SPLIT_RULES = ("logrank", "logrank_score", "extra")
CATEGORICAL_SPLITS = ("ordered", "subset")


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
        Fewest distinct patients in a terminal node; a node with fewer than twice as many is not
        split.
    max_depth : int or None
        Most splits between root and terminal node.
    n_bins : int
        Most codes of a column.
    n_draws : int
        Size of a tree's bootstrap sample; 0 grows every tree on all patients.
    split_rule : str
        One of `SPLIT_RULES`.
    categorical : sequence of str
        Columns without order.
    categorical_split : str
        One of `CATEGORICAL_SPLITS`.
    random_state : int
        Seed.
    n_jobs : int
        Workers; the trees do not depend on it.
    """

    n_estimators: int
    max_features: int
    min_samples_leaf: int
    max_depth: int | None
    n_bins: int
    n_draws: int
    split_rule: str
    categorical: Sequence[str]
    categorical_split: str
    random_state: int
    n_jobs: int

    def __post_init__(self) -> None:
        """Refuse settings that make no sense."""
        for name in ("n_estimators", "min_samples_leaf", "n_bins", "max_depth"):
            value: Any = getattr(self, name)
            if name == "max_depth" and value is None:
                continue
            if not isinstance(value, Integral) or value < 1:
                message = f"`{name}` must be a whole number of at least 1; got {value!r}"
                raise ValueError(message)
        check_seed(self.random_state)
        if self.split_rule not in SPLIT_RULES:
            known = ", ".join(SPLIT_RULES)
            message = f"`split_rule` must be one of {known}; got {self.split_rule!r}"
            raise ValueError(message)
        if self.categorical_split not in CATEGORICAL_SPLITS:
            known = ", ".join(CATEGORICAL_SPLITS)
            message = f"`categorical_split` must be one of {known}; got {self.categorical_split!r}"
            raise ValueError(message)


def tried_features(max_features: str | float | int | None, n_features: int) -> int:
    """
    Translate `max_features` into a number of columns.

    Parameters
    ----------
    max_features : {"sqrt", "log2"}, int, float or None
        As in `SurvivalForest`.
    n_features : int
        Columns offered.

    Returns
    -------
    int
        In 1..n_features; fractions are rounded down.

    Raises
    ------
    ValueError
        If it is another word, or outside its range.
    """
    if max_features is None:
        return n_features
    if isinstance(max_features, str):
        if max_features not in ("sqrt", "log2"):
            message = f'`max_features` must be "sqrt", "log2" or a number; got "{max_features}"'
            raise ValueError(message)
        root = np.sqrt(n_features) if max_features == "sqrt" else np.log2(n_features)
        return max(1, int(root))
    share = _share("max_features", max_features)
    if share is None:
        return min(int(max_features), n_features)
    return max(1, int(share * n_features))


def drawn_patients(max_samples: float | int | None, n_patients: int) -> int:
    """
    Translate `max_samples` into a number of draws.

    Parameters
    ----------
    max_samples : int, float or None
        As in `SurvivalForest`.
    n_patients : int
        Patients to draw from.

    Returns
    -------
    int
        In 1..n_patients.

    Raises
    ------
    ValueError
        If it is outside its range.
    """
    if max_samples is None:
        return n_patients
    share = _share("max_samples", max_samples)
    if share is None:
        return min(int(max_samples), n_patients)
    return max(1, round(share * n_patients))


def _share(name: str, value: Any) -> float | None:
    """Return a share; None if the value is a whole number; refuse all else."""
    if isinstance(value, Integral):
        if int(value) >= 1:
            return None
    elif isinstance(value, float | np.floating) and 0 < value <= 1:
        return float(value)
    message = f"`{name}` must be a whole number of at least 1 or a share in (0, 1]; got {value!r}"
    raise ValueError(message)
