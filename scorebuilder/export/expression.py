"""The arithmetic of a score as a tree, so that targets print and never compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

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


Expression: TypeAlias = Number | Input | Operation | Function | OneOf


def build_expression(artifact: ScoreArtifact) -> Expression:
    """
    Write the linear predictor of a score as a tree.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    Expression
        A sum over terms in the order of the artifact, so that every target adds in that order.
    """
    total: Expression | None = None
    for term in artifact.scoring["terms"]:
        value: Expression
        if term["kind"] == "indicator":
            value = OneOf(Input(term["predictor"]), tuple(term["levels"]))
        else:
            value = _power(
                _scaled(Input(term["predictor"]), term["shift"], term["scale"]),
                term["power"],
                term["log_factor"],
            )
        if term["center"]:
            value = Operation("-", value, Number(term["center"]))
        product = Operation("*", Number(term["coefficient"]), value)
        total = product if total is None else Operation("+", total, product)
    assert total is not None  # the artifact's schema asks for at least one term
    return total


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
