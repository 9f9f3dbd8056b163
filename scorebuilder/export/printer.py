"""From tree to text: what a language must say to print the arithmetic of a score."""

from __future__ import annotations

from abc import ABC, abstractmethod

from scorebuilder.export.expression import (
    Clip,
    Expression,
    Function,
    IfPositive,
    Input,
    Number,
    OneOf,
    Operation,
)


class Printer(ABC):
    """
    Prints trees in one language, fully bracketed, so that no rule of precedence matters.

    A language says how it writes each kind of node; operands arrive as text.
    """

    def __call__(self, node: Expression) -> str:
        """Print a tree."""
        match node:
            case Number():
                return self.number(float(node.value))
            case Input():
                return self.input(node.name)
            case Operation():
                return self.operation(node.operator, self(node.left), self(node.right))
            case Function():
                return self.function(node.name, self(node.operand))
            case OneOf():
                return self.one_of(node.operand.name, node.codes)
            case Clip():
                return self.clip(self(node.operand), self.number(node.low), self.number(node.high))
            case IfPositive():
                return self.if_positive(self.input(node.operand.name), self(node.value))

    def number(self, value: float) -> str:
        """
        Print a constant so that it reads back exactly.

        Parameters
        ----------
        value : float
            Finite.

        Returns
        -------
        str
            In brackets if negative.
        """
        return repr(value) if value >= 0 else f"({value!r})"

    @abstractmethod
    def input(self, name: str) -> str:
        """
        Print the value of an input.

        Parameters
        ----------
        name : str
            The input.

        Returns
        -------
        str
            An expression of the language.
        """

    def operation(self, operator: str, left: str, right: str) -> str:
        """
        Print two operands and their operator.

        Parameters
        ----------
        operator : {"+", "-", "*", "/", "^"}
            What is done.
        left, right : str
            Printed operands.

        Returns
        -------
        str
            In brackets.
        """
        return f"({left} {operator} {right})"

    @abstractmethod
    def function(self, name: str, operand: str) -> str:
        """
        Print a function of one operand.

        Parameters
        ----------
        name : {"ln", "exp"}
            Which one.
        operand : str
            Printed operand.

        Returns
        -------
        str
            An expression of the language.
        """

    @abstractmethod
    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """
        Print 1 if a factor has one of some codes, else 0.

        Parameters
        ----------
        name : str
            The factor.
        codes : tuple of str
            Codes for which it is 1.

        Returns
        -------
        str
            An expression of the language.
        """

    @abstractmethod
    def clip(self, value: str, low: str, high: str) -> str:
        """
        Print a value pulled in to limits.

        Parameters
        ----------
        value, low, high : str
            Printed operands.

        Returns
        -------
        str
            An expression of the language.
        """

    @abstractmethod
    def if_positive(self, source: str, value: str) -> str:
        """
        Print a value if another is above 0, else 0; the value may have none of its own there.

        Parameters
        ----------
        source, value : str
            Printed operands.

        Returns
        -------
        str
            An expression of the language.
        """
