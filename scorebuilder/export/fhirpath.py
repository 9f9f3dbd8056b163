"""The arithmetic of a score as FHIRPath, for questionnaires that compute."""

from __future__ import annotations

from decimal import Decimal

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan
from scorebuilder.export.printer import Printer

_ESCAPES = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "`": "\\`"}


class FHIRPathPrinter(Printer):
    """
    FHIRPath; ``%x1`` is the checked value of the first input.

    Parameters
    ----------
    plan : Plan
        The score, for the numbers of its inputs.
    """

    def __init__(self, plan: Plan) -> None:
        self.places = {rule.name: place for place, rule in enumerate(plan.inputs, start=1)}

    def number(self, value: float) -> str:
        """Print a constant; the language knows no exponents."""
        shown = format(Decimal(repr(float(value))), "f")
        shown = shown if "." in shown else f"{shown}.0"
        return shown if value >= 0 else f"({shown})"

    def input(self, name: str) -> str:
        """Print the value of an input."""
        return f"%x{self.places[name]}"

    def operation(self, operator: str, left: str, right: str) -> str:
        """Print two operands and their operator."""
        return f"{left}.power({right})" if operator == "^" else f"({left} {operator} {right})"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"({operand}).{name}()"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        same = " or ".join(f"{self.input(name)} = {text(code)}" for code in codes)
        return f"iif({same}, 1.0, 0.0)"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"iif({value} < {low}, {low}, iif({value} > {high}, {high}, {value}))"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"iif({source} > 0.0, {value}, 0.0)"


def text(value: str) -> str:
    """
    Print text as a FHIRPath string.

    Parameters
    ----------
    value : str
        Any text.

    Returns
    -------
    str
        In single quotes.
    """
    out = []
    for sign in value:
        if sign in _ESCAPES:
            out.append(_ESCAPES[sign])
        elif sign < " " or "\u007f" <= sign <= "\u00a0" or sign in "\u2028\u2029":
            out.append(f"\\u{ord(sign):04x}")
        else:
            out.append(sign)
    return "'" + "".join(out) + "'"


def variables(plan: Plan) -> list[tuple[str, str]]:
    """
    Write the steps of a score as named expressions, each of which may use those before.

    Parameters
    ----------
    plan : Plan
        The score, laid out.

    Returns
    -------
    list of (str, str)
        ``g1`` given, ``x1`` used, ``c1`` contribution, for each input; ``refusals``, ``warnings``,
        ``lp``, ``points``, ``group``, and ``risk1`` for each horizon. What a refused patient has
        not is empty.
    """
    say = FHIRPathPrinter(plan)
    steps: list[tuple[str, str]] = []
    refusals, warnings = [], []
    for rule in plan.inputs:
        place = say.places[rule.name]
        answer = f"%resource.item.where(linkId = 'i{place}').answer.value"
        steps.append((f"g{place}", answer if rule.numeric else f"{answer}.code"))
        fill = "{}"
        if rule.fill is not None:
            fill = say.number(float(rule.fill)) if rule.numeric else text(str(rule.fill))
        steps.append((f"x{place}", f"iif(%g{place}.empty(), {fill}, %g{place})"))
        refusals.append(_refusal(say, rule, place))
        warnings += _warnings(say, rule, place)
    steps.append(("refusals", " & ".join(refusals)))
    told = " & ".join(warnings) or "''"
    steps.append(("warnings", f"iif(%refusals = '', {told}, '')"))
    for rule in plan.inputs:
        tree = say(plan.contributions[rule.name])
        steps.append((f"c{say.places[rule.name]}", f"iif(%refusals = '', {tree}, {{}})"))
    parts = " + ".join(f"%c{place}" for place in say.places.values())
    steps.append(("lp", f"iif(%refusals = '', {parts}, {{}})"))
    return steps + _results(plan, say)


def _results(plan: Plan, say: FHIRPathPrinter) -> list[tuple[str, str]]:
    reached = " + ".join(f"iif(%lp >= {say.number(t)}, 1, 0)" for t in plan.thresholds)
    steps = [("points", f"iif(%refusals = '', {reached}, {{}})")]
    group = text(plan.groups[-1][0])
    for label, _, last in reversed(plan.groups[:-1]):
        group = f"iif(%points <= {last}, {text(label)}, {group})"
    steps.append(("group", f"iif(%refusals = '', {group}, {{}})"))
    bounds = say.number(-LARGEST_EXPONENT), say.number(LARGEST_EXPONENT)
    for number, row in enumerate(plan.horizons, start=1):
        ratio = say.function("exp", say.clip("%lp", *bounds))
        survives = say.function("exp", f"{say.number(-row.cumulative_hazard)} * {ratio}")
        steps.append((f"risk{number}", f"iif(%refusals = '', 1.0 - {survives}, {{}})"))
    return steps


def _refusal(say: FHIRPathPrinter, rule: InputRule, place: int) -> str:
    if rule.numeric:
        assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
        outside = [
            f"%x{place} < {say.number(rule.lowest)}",
            f"%x{place} > {say.number(rule.highest)}",
        ]
        if rule.above is not None:
            outside.append(f"%x{place} <= {say.number(rule.above)}")
        flag, wrong = "out_of_range", " or ".join(outside)
    else:
        flag, wrong = "invalid", f"{say.one_of(rule.name, rule.codes)} = 0.0"
    checked = f"iif({wrong}, {text(f'{rule.name}:{flag}; ')}, '')"
    if rule.fill is not None:
        return checked
    return f"iif(%g{place}.empty(), {text(f'{rule.name}:missing; ')}, {checked})"


def _warnings(say: FHIRPathPrinter, rule: InputRule, place: int) -> list[str]:
    found = []
    if rule.fill is not None:
        found.append(f"iif(%g{place}.empty(), {text(f'{rule.name}:imputed; ')}, '')")
    if rule.usual is not None:
        low, high = map(say.number, rule.usual)
        far = f"%x{place} < {low} or %x{place} > {high}"
        found.append(f"iif({far}, {text(f'{rule.name}:extrapolation; ')}, '')")
    return found
