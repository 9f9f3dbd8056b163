"""Rule ``vimp_ci``: the lower limit of VIMP lies above 0."""

from __future__ import annotations

from scorebuilder.selection.rule import RULES, Decision, RuleInput


def vimp_ci(given: RuleInput) -> Decision:
    r"""
    Keep variables whose interval of VIMP lies above 0.

    Parameters
    ----------
    given : RuleInput
        What the forest says.

    Returns
    -------
    Decision
        True where the lower limit is > 0.

    Notes
    -----
    Each variable has its own interval. With ``vimp_error="total"`` and a confidence of 0.95 one
    without effect passes in 2.5 % of cohorts in which none has any, and some variable of p in
    nearly :math:`1 - 0.975^p` of them; fewer beside strong variables. A confidence of
    :math:`1 - 2\alpha / p` holds the second rate at :math:`\alpha`. Measured in
    ``docs/selection.md``.
    """
    lower = given.ranking["vimp_lower"]
    undefined = "interval of VIMP undefined: too few forests on subsamples split on it"
    return Decision(
        selected=(lower > 0.0).to_numpy(),
        kept_because="interval of VIMP above 0",
        dropped_because=[
            undefined if missing else "interval of VIMP not above 0" for missing in lower.isna()
        ],
        rule_text="kept if the lower limit of its permutation importance is above 0",
    )


RULES.register("vimp_ci", vimp_ci)
