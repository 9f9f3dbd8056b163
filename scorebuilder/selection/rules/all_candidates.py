"""Rule ``all``: every candidate stays; the forest only ranks."""

from __future__ import annotations

import numpy as np

from scorebuilder.selection.rule import RULES, Decision, RuleInput


def all_candidates(given: RuleInput) -> Decision:
    """
    Keep every variable.

    Parameters
    ----------
    given : RuleInput
        What the forest says.

    Returns
    -------
    Decision
        All True.
    """
    return Decision(np.ones(len(given.ranking), dtype=np.bool_), "the rule keeps all", "")


RULES.register("all", all_candidates)
