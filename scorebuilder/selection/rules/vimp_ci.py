"""Rule ``vimp_ci``: the lower limit of VIMP lies above 0."""

from __future__ import annotations

from scorebuilder.selection.rule import RULES, Decision, RuleInput


def vimp_ci(given: RuleInput) -> Decision:
    """
    Keep variables whose interval of VIMP lies above 0.

    Parameters
    ----------
    given : RuleInput
        What the forest says.

    Returns
    -------
    Decision
        True where the lower limit is > 0.
    """
    return Decision(
        selected=(given.ranking["vimp_lower"] > 0.0).to_numpy(),
        kept_because="interval of VIMP above 0",
        dropped_because="interval of VIMP not above 0",
        rule_text="kept if the lower limit of its permutation importance is above 0",
    )


RULES.register("vimp_ci", vimp_ci)
