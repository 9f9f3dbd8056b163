"""The arithmetic of a score in the calculation language of REDCap."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan
from scorebuilder.export.printer import Printer

E = "2.718281828459045"
LONGEST_NAME = 26
"""Characters that REDCap recommends at most for the name of a field."""


def field_names(names: Iterable[str]) -> dict[str, str]:
    """
    Choose names that REDCap accepts.

    Parameters
    ----------
    names : iterable of str
        Any names.

    Returns
    -------
    dict
        Name -> field: lower-case letters, digits and underscores, first a letter, each once.
    """
    out: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", name.lower())).strip("_")
        plain = plain if plain[:1].isalpha() else f"x_{plain}".rstrip("_")
        chosen, number = plain[: LONGEST_NAME - 4], 1
        while chosen in out.values():
            number += 1
            chosen = f"{plain[: LONGEST_NAME - 8]}_{number}"
        out[name] = chosen
    return out


class RedcapPrinter(Printer):
    """
    Calculations of REDCap. Levels are chosen by number: 1 is the first one of the factor.

    Parameters
    ----------
    plan : Plan
        The score, for the order of its levels.
    fields : dict
        Field that holds the checked value of each input.
    """

    def __init__(self, plan: Plan, fields: dict[str, str]) -> None:
        self.fields = fields
        self.codes = {rule.name: rule.codes for rule in plan.inputs}

    def number(self, value: float) -> str:
        """Print a constant without an exponent."""
        shown = format(Decimal(repr(float(value))), "f")
        return shown if value >= 0 else f"({shown})"

    def input(self, name: str) -> str:
        """Print the field that holds an input."""
        return f"[{self.fields[name]}]"

    def operation(self, operator: str, left: str, right: str) -> str:
        """Print two operands and their operator."""
        return f"(({left})^({right}))" if operator == "^" else f"({left} {operator} {right})"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand; the language has no exponential function."""
        return f"log({operand})" if name == "ln" else f"(({E})^({operand}))"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        numbers = [1 + self.codes[name].index(code) for code in codes]
        return f"if({' or '.join(f'{self.input(name)} = {n}' for n in numbers)}, 1, 0)"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"if({value} < {low}, {low}, if({value} > {high}, {high}, {value}))"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"if({source} > 0, {value}, 0)"


def calculations(plan: Plan, given: dict[str, str]) -> list[tuple[str, str, str, bool]]:
    """
    Write the steps of a score.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    given : dict
        Field of each input.

    Returns
    -------
    list of (field, label, calculation, text)
        ``text`` is True where the result is text. A refused patient has blanks.
    """
    used = {name: f"{field}_u" for name, field in given.items()}
    say = RedcapPrinter(plan, used)
    steps: list[tuple[str, str, str, bool]] = []
    for rule in plan.inputs:
        field, value = f"[{given[rule.name]}]", f"[{used[rule.name]}]"
        fill = '""'
        if rule.fill is not None:
            fill = (
                say.number(float(rule.fill))
                if rule.numeric
                else str(1 + rule.codes.index(str(rule.fill)))
            )
        steps.append(
            (used[rule.name], f"Used: {rule.label}", f'if({field} = "", {fill}, {field})', False)
        )
        flag = f"{given[rule.name]}_r"
        steps.append((flag, f"Refusal: {rule.label}", _refusal(say, rule, field, value), True))
        steps.append(
            (
                f"{given[rule.name]}_w",
                f"Warning: {rule.label}",
                _warning(say, rule, field, value),
                True,
            )
        )
    refused = " + ".join(f'if([{given[rule.name]}_r] = "", 0, 1)' for rule in plan.inputs)
    steps.append(("sb_refused", "Inputs refused", refused, False))
    ok = "[sb_refused] = 0"
    steps.append(("sb_status", "Status", f'if({ok}, "ok", "refused")', True))
    total = " + ".join(say(tree) for tree in plan.contributions.values())
    steps.append(("sb_lp", "Linear predictor", f'if({ok}, {total}, "")', False))
    reached = " + ".join(f"if([sb_lp] >= {say.number(t)}, 1, 0)" for t in plan.thresholds)
    steps.append(("sb_points", "Points", f'if({ok}, {reached}, "")', False))
    limits = say.number(-LARGEST_EXPONENT), say.number(LARGEST_EXPONENT)
    ratio = say.function("exp", say.clip("[sb_lp]", *limits))
    for row in plan.horizons:
        survives = say.function("exp", f"{say.number(-row.cumulative_hazard)} * {ratio}")
        name = f"sb_risk_{row.code.replace('.', '_')}"
        steps.append(
            (name, f"Risk by {row.words} (0 to 1)", f'if({ok}, 1 - {survives}, "")', False)
        )
    return steps


def _refusal(say: RedcapPrinter, rule: InputRule, field: str, value: str) -> str:
    if rule.numeric:
        assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
        outside = [f"{value} < {say.number(rule.lowest)}", f"{value} > {say.number(rule.highest)}"]
        if rule.above is not None:
            outside.append(f"{value} <= {say.number(rule.above)}")
        inner = f'if({" or ".join(outside)}, "out_of_range", "")'
    else:
        inner = f'if({say.one_of(rule.name, rule.codes)} = 0, "invalid", "")'
    return f'if({field} = "", "missing", {inner})' if rule.fill is None else inner


def _warning(say: RedcapPrinter, rule: InputRule, field: str, value: str) -> str:
    far = None
    if rule.usual is not None:
        low, high = map(say.number, rule.usual)
        far = f"{value} < {low} or {value} > {high}"
    known = f'if({far}, "extrapolation", "")' if far else '""'
    filled = f'if({far}, "imputed; extrapolation", "imputed")' if far else '"imputed"'
    if rule.fill is not None:
        return f'if({field} = "", {filled}, {known})'
    return f'if({field} = "", "", {known})'
