"""Rule ``top_k``: the variables with the largest VIMP."""

from __future__ import annotations

from scorebuilder.selection.rule import RULES, Decision, RuleInput


def top_k(given: RuleInput) -> Decision:
    """
    Keep the `top_k` first variables of the ranking; all if there are no more.

    Parameters
    ----------
    given : RuleInput
        What the forest says.

    Returns
    -------
    Decision
        True for ranks 1 to `top_k`.

    Raises
    ------
    ValueError
        If `top_k` is below 1.
    """
    if given.top_k < 1:
        message = f"`top_k` must be at least 1; got {given.top_k}"
        raise ValueError(message)
    return Decision(
        selected=(given.ranking["rank"] <= given.top_k).to_numpy(),
        kept_because=f"among the {given.top_k} largest VIMP",
        dropped_because=f"not among the {given.top_k} largest VIMP",
        rule_text=f"the {given.top_k} most important are kept",
    )


RULES.register("top_k", top_k)
