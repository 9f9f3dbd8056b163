"""
Which variables: survival forest, permutation VIMP, minimal depth, selector, stability.

Names are looked up at first use, so that importing the room costs nothing. The function
``minimal_depth`` is imported from the module of the same name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scorebuilder.selection.forest import SurvivalForest
    from scorebuilder.selection.minimal_depth import minimal_depth_threshold
    from scorebuilder.selection.selector import RSFSelector
    from scorebuilder.selection.stability import selection_stability
    from scorebuilder.selection.vimp import permutation_vimp

__all__ = [
    "RSFSelector",
    "SurvivalForest",
    "minimal_depth_threshold",
    "permutation_vimp",
    "selection_stability",
]

_HOME = {
    "RSFSelector": "selector",
    "SurvivalForest": "forest",
    "minimal_depth_threshold": "minimal_depth",
    "permutation_vimp": "vimp",
    "selection_stability": "stability",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        message = f"module `{__name__}` has no attribute `{name}`"
        raise AttributeError(message)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
