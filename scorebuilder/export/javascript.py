"""The arithmetic of a score in JavaScript, for modules and for pages."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template
from typing import Any

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan
from scorebuilder.export.printer import Printer


class JavaScriptPrinter(Printer):
    """JavaScript; the map ``v`` holds the checked inputs."""

    def input(self, name: str) -> str:
        """Print the value of an input."""
        return f"v.get({literal(name)})"

    def operation(self, operator: str, left: str, right: str) -> str:
        """Print two operands and their operator."""
        return f"({left} {'**' if operator == '^' else operator} {right})"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"Math.{'log' if name == 'ln' else name}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        return f"({literal(list(codes))}.includes({self.input(name)}) ? 1 : 0)"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"Math.min(Math.max({value}, {low}), {high})"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0; only the branch that is needed is evaluated."""
        return f"({source} > 0 ? {value} : 0)"


def literal(value: Any) -> str:
    """
    Print plain data as a JavaScript literal in ASCII that no HTML parser mistakes for markup.

    Parameters
    ----------
    value : object
        Anything that JSON can hold.

    Returns
    -------
    str
        JSON with ``<``, ``>`` and ``&``, which stand only in strings, as escapes, and with the key
        ``__proto__`` in brackets, which makes it a key like any other.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    text = text.replace('"__proto__":', '["__proto__"]:')
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _lines(items: list[Any]) -> str:
    return "[\n" + "".join(f"  {literal(item)},\n" for item in items) + "]"


def _rule(rule: InputRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "label": rule.label,
        "unit": rule.unit,
        "numeric": rule.numeric,
        "levels": [list(level) for level in rule.levels],
        "lowest": rule.lowest,
        "highest": rule.highest,
        "above": rule.above,
        "usual": None if rule.usual is None else list(rule.usual),
        "fill": rule.fill,
    }


def javascript_core(plan: Plan) -> str:
    """
    Write constants and functions of a score: ABOUT, INPUTS, notices, score, selfCheck.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    str
        ES2017 without import or export, as used by a module or inside a page.
    """
    printer = JavaScriptPrinter()
    template = files("scorebuilder.export").joinpath("javascript_core.txt").read_text("utf-8")
    return Template(template).substitute(
        about=literal(dict(plan.about)),
        inputs=_lines([_rule(rule) for rule in plan.inputs]),
        thresholds=literal(list(plan.thresholds)),
        horizons=_lines([[row.code, row.cumulative_hazard] for row in plan.horizons]),
        groups=_lines([list(group) for group in plan.groups]),
        reference=_lines([[name, value] for name, value in plan.reference.items()]),
        vectors=_lines([dict(vector) for vector in plan.vectors]),
        largest=repr(LARGEST_EXPONENT),
        contributions="\n".join(
            f"    [{literal(name)}, {printer(tree)}]," for name, tree in plan.contributions.items()
        ),
    )
