"""The arithmetic of a score as a tree, so that targets print and never compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from scorebuilder.score.artifact import ScoreArtifact


@dataclass(frozen=True)
class Number:
    """
    A constant.

    Attributes
    ----------
    value : float
        Printed so that it reads back exactly.
    """

    value: float


@dataclass(frozen=True)
class Input:
    """
    A predictor's value: a number, or the code of a level.

    Attributes
    ----------
    name : str
        The predictor.
    """

    name: str


@dataclass(frozen=True)
class Operation:
    """
    Two operands joined by an operator.

    Attributes
    ----------
    operator : {"+", "-", "*", "/", "^"}
        What is done.
    left, right : Expression
        The operands.
    """

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Function:
    """
    A function of one operand.

    Attributes
    ----------
    name : {"ln", "exp"}
        Which one.
    operand : Expression
        Its argument.
    """

    name: str
    operand: Expression


@dataclass(frozen=True)
class OneOf:
    """
    1 if an input is among some codes, else 0.

    Attributes
    ----------
    operand : Input
        A factor.
    codes : tuple of str
        The codes for which it is 1.
    """

    operand: Input
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Clip:
    """
    A value pulled in to limits: the smaller of `high` and the larger of `low` and the value.

    Attributes
    ----------
    operand : Expression
        The value.
    low, high : float
        The limits.
    """

    operand: Expression
    low: float
    high: float


@dataclass(frozen=True)
class IfPositive:
    """
    A value if an input is above 0, else 0; the value has none of its own there (ln 0, 0^-1).

    Attributes
    ----------
    operand : Input
        A number.
    value : Expression
        Must not be evaluated, or must be ignored, where the input is not above 0. `Number` 1 makes
        it the indicator of positive values.
    """

    operand: Input
    value: Expression


Expression: TypeAlias = Number | Input | Operation | Function | OneOf | Clip | IfPositive


def build_contributions(artifact: ScoreArtifact) -> dict[str, Expression]:
    """
    Write what each predictor adds to the linear predictor as a tree.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        Predictor -> sum over its terms, in the order of the artifact's predictors. Their sum in
        this order is the linear predictor.
    """
    totals: dict[str, Expression] = {}
    for term in artifact.scoring["terms"]:
        value = _column(term)
        if term["center"]:
            value = Operation("-", value, Number(term["center"]))
        product = Operation("*", Number(term["coefficient"]), value)
        name = term["predictor"]
        totals[name] = Operation("+", totals[name], product) if name in totals else product
    return {name: totals.get(name, Number(0.0)) for name in artifact.predictors}


def _column(term: dict[str, Any]) -> Expression:
    source = Input(term["predictor"])
    if term["kind"] == "indicator":
        return OneOf(source, tuple(term["levels"]))
    if term["kind"] == "positive":
        return IfPositive(source, Number(1.0))
    limited: Expression = Clip(source, *term["limits"]) if "limits" in term else source
    scaled = _scaled(limited, term["shift"], term["scale"])
    value = _power(scaled, term["power"], term["log_factor"])
    return IfPositive(source, value) if "positive_only" in term else value


def _scaled(value: Expression, shift: float, scale: float) -> Expression:
    if shift:
        value = Operation("+", value, Number(shift))
    return value if scale == 1 else Operation("/", value, Number(scale))


def _power(value: Expression, power: float, log_factor: int) -> Expression:
    factors: list[Expression] = []
    if power:
        factors.append(value if power == 1 else Operation("^", value, Number(power)))
    factors += [Function("ln", value)] * log_factor
    product = factors[0]
    for factor in factors[1:]:
        product = Operation("*", product, factor)
    return product
