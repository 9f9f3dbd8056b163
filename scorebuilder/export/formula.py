"""The score as lines of text that can be followed with a pocket calculator."""

from __future__ import annotations

from scorebuilder.export.expression import Expression, Operation
from scorebuilder.export.plan import Plan
from scorebuilder.export.printer import Printer


class TextPrinter(Printer):
    """Plain text; inputs stand under their names."""

    def input(self, name: str) -> str:
        """Print the value of an input."""
        return name

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"{name}{operand}" if operand.startswith("(") else f"{name}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        return f"[{name} is {' or '.join(codes)}]"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"limit({value}, {low}, {high})"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"[{source} > 0] * {value}"


def formula_lines(plan: Plan) -> list[str]:
    """
    Write the whole computation, one term a line, every constant in full.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    list of str
        Linear predictor, risks, points. ``[a is b]`` is 1 if it holds, else 0; ``limit(x, a, b)``
        pulls x in to a and b.
    """
    printer = TextPrinter()
    lines = ["LP ="]
    for tree in plan.contributions.values():
        lines += [f"  + {printer(term)}" for term in _summands(tree)]
    for row in plan.horizons:
        lines.append(f"risk by {row.words} = 1 - exp(-{row.cumulative_hazard!r} * exp(LP))")
    thresholds = ", ".join(repr(value) for value in plan.thresholds)
    lines.append(f"points = how many of these LP reaches: {thresholds}")
    return lines


def _summands(tree: Expression) -> list[Expression]:
    if isinstance(tree, Operation) and tree.operator == "+":
        return [*_summands(tree.left), tree.right]
    return [tree]
