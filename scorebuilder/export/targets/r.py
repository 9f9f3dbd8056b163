"""One function in base R, vectorised over a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan, make_plan
from scorebuilder.export.printer import Printer
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class RPrinter(Printer):
    """R; the list ``v`` holds vectors of checked inputs."""

    def input(self, name: str) -> str:
        """Print the value of an input."""
        return f"v[[{text(name)}]]"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"{'log' if name == 'ln' else name}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        return f"as.numeric({self.input(name)} %in% c({', '.join(map(text, codes))}))"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"pmin(pmax({value}, {low}), {high})"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"if_positive({source}, {value})"


def text(value: str) -> str:
    """
    Print text as an R string in ASCII.

    Parameters
    ----------
    value : str
        Without NUL.

    Returns
    -------
    str
        In double quotes.
    """
    out = []
    for sign in value:
        if sign in _ESCAPES:
            out.append(_ESCAPES[sign])
        elif " " <= sign <= "~":
            out.append(sign)
        else:
            code = ord(sign)
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'


def literal(value: Any) -> str:
    """
    Print plain data as an R expression: named lists, vectors of numbers or text.

    Parameters
    ----------
    value : object
        Dictionaries lose their None values, as R's lists have none.

    Returns
    -------
    str
        Evaluates to the same data.
    """
    if isinstance(value, Mapping):
        pairs = [f"{text(str(k))} = {literal(v)}" for k, v in value.items() if v is not None]
        return f"list({', '.join(pairs)})"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list | tuple):
        return f"c({', '.join(map(literal, value))})"
    return repr(float(value))


def _rows(name: str, items: list[str]) -> str:
    return f"{name}(\n" + ",\n".join(f"    {item}" for item in items) + "\n  )"


def _rule(rule: InputRule) -> str:
    return literal(
        {
            "name": rule.name,
            "label": rule.label,
            "unit": rule.unit,
            "numeric": rule.numeric,
            "codes": None if rule.numeric else rule.codes,
            "lowest": rule.lowest,
            "highest": rule.highest,
            "above": rule.above,
            "usual": rule.usual,
            "fill": rule.fill,
        }
    )


def _notes(flags: list[Mapping[str, str]]) -> str:
    return "; ".join(f"{flag['predictor']}:{flag['flag']}" for flag in flags)


def _vector(plan: Plan, vector: Mapping[str, Any]) -> str:
    missing = {True: "NA_real_", False: "NA_character_"}
    inputs = []
    for rule in plan.inputs:
        value = vector["inputs"].get(rule.name)
        shown = missing[rule.numeric] if value is None else literal(value)
        inputs.append(shown)
    # Names of arguments would pass through the locale of the user; text does not.
    names = literal([rule.name for rule in plan.inputs])
    parts = {
        "inputs": f"structure(list({', '.join(inputs)}), names = {names})",
        "status": text(vector["status"]),
        "refusals": text(_notes(vector["refusals"])),
        "warnings": text(_notes(vector["warnings"])),
        "points": "NA_integer_" if vector["points"] is None else f"{vector['points']}L",
        "risk": "NA" if vector["risk"] is None else literal(vector["risk"]),
    }
    return f"list({', '.join(f'{name} = {shown}' for name, shown in parts.items())})"


def write_r(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as an R function.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        One file, ``<name>.R``, for R 3.6 and later.
    """
    plan, printer = make_plan(artifact), RPrinter()
    template = files("scorebuilder.export").joinpath("r_function.txt").read_text("utf-8")
    groups = [{"label": g[0], "first": g[1], "last": g[2]} for g in plan.groups]
    code = Template(template).substitute(
        function_name=plan.file_stem,
        about=literal(plan.about),
        inputs=_rows("list", [_rule(rule) for rule in plan.inputs]),
        thresholds=literal(plan.thresholds),
        horizons=literal({row.code: row.cumulative_hazard for row in plan.horizons}),
        groups=_rows("list", [literal(group) for group in groups]),
        reference=literal([plan.reference[rule.name] for rule in plan.inputs]),
        vectors=_rows("list", [_vector(plan, vector) for vector in plan.vectors]),
        largest=repr(LARGEST_EXPONENT),
        contributions=",\n".join(f"      {printer(tree)}" for tree in plan.contributions.values()),
    )
    return {f"{plan.file_stem}.R": code}


TARGETS.register(
    "r",
    Target(
        "r",
        "Function in base R",
        write_r,
        "source() the file and call the function with a data frame; with self_check = TRUE it "
        "reproduces its test vectors or stops.",
    ),
)
