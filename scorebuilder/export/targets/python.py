"""A Python module without dependencies, with its own self-check."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import Any

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, make_plan
from scorebuilder.export.printer import Printer
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact


class PythonPrinter(Printer):
    """Python; ``v`` holds the checked inputs."""

    def input(self, name: str) -> str:
        """Print the value of an input."""
        return f"v[{name!a}]"

    def operation(self, operator: str, left: str, right: str) -> str:
        """Print two operands and their operator."""
        return f"({left} {'**' if operator == '^' else operator} {right})"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"math.{'log' if name == 'ln' else name}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        return f"(1.0 if {self.input(name)} in ({', '.join(map(ascii, codes))},) else 0.0)"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"min(max({value}, {low}), {high})"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0; Python evaluates only the branch that it needs."""
        return f"({value} if {source} > 0.0 else 0.0)"


def literal(value: Any, indent: int = 0) -> str:
    """
    Print plain data as a Python literal in ASCII, one item of a list or dictionary a line.

    Parameters
    ----------
    value : object
        Nested dictionaries, sequences, text, numbers and None.
    indent : int
        Spaces before the closing bracket.

    Returns
    -------
    str
        Reads back as the same data.
    """
    step = " " * (indent + 4)
    if isinstance(value, dict) and value:
        lines = [f"{step}{key!a}: {item!a},\n" for key, item in value.items()]
        return "{\n" + "".join(lines) + " " * indent + "}"
    if isinstance(value, list | tuple) and value:
        return "[\n" + "".join(f"{step}{item!a},\n" for item in value) + " " * indent + "]"
    return ascii(value)


def _rule(rule: InputRule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "label": rule.label,
        "unit": rule.unit,
        "numeric": rule.numeric,
        "levels": dict(rule.levels),
        "lowest": rule.lowest,
        "highest": rule.highest,
        "above": rule.above,
        "usual": rule.usual,
        "fill": rule.fill,
    }


def write_python(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as a Python module.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        One file: ``<name>.py``, for Python 3.8 and later.
    """
    plan, printer = make_plan(artifact), PythonPrinter()
    template = files("scorebuilder.export").joinpath("python_module.txt").read_text("utf-8")
    text = Template(template).substitute(
        about=literal(plan.about),
        inputs=literal([_rule(rule) for rule in plan.inputs]),
        thresholds=literal(plan.thresholds),
        horizons=literal([(row.code, row.cumulative_hazard) for row in plan.horizons]),
        groups=literal(plan.groups),
        reference=literal(plan.reference),
        vectors=literal(plan.vectors),
        largest=repr(LARGEST_EXPONENT),
        contributions="\n".join(
            f"        {name!a}: {printer(tree)}," for name, tree in plan.contributions.items()
        ),
    )
    return {f"{plan.file_stem}.py": text}


TARGETS.register("python", Target("python", "Python module without dependencies", write_python))
