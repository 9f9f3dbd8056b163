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
    return Decision(
        selected=np.ones(len(given.ranking), dtype=np.bool_),
        kept_because="the rule keeps all",
        dropped_because="",
        rule_text="all kept",
    )


RULES.register("all", all_candidates)
