"""What a dialect of SQL must say, and the registry of all of them."""

from __future__ import annotations

import re
from abc import abstractmethod

from scorebuilder.core.registry import Registry
from scorebuilder.export.printer import Printer

BLANKS = " \t\n\r"


class Dialect(Printer):
    """
    Prints expressions, and reads the cells of a table, in one dialect of SQL.

    Only CASE, arithmetic, LN, EXP and POWER are used. ``x`` is the name of a column that holds a
    checked number, ``c`` one that holds a level code, ``g`` one that holds whatever was given.
    """

    name: str
    label: str
    double: str
    text_type: str
    step: str = "AS"
    """How a step of the query is introduced; where the database would otherwise write each step
    out inside the next, so that the query grows without bounds, it is kept as a table."""

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}

    def input(self, name: str) -> str:
        """Print the column that holds an input."""
        return self.columns[name]

    def number(self, value: float) -> str:
        """Print a constant of double precision."""
        shown = repr(float(value))
        shown = shown if re.search("e", shown) else f"{shown}e0"
        return shown if value >= 0 else f"({shown})"

    def operation(self, operator: str, left: str, right: str) -> str:
        """Print two operands and their operator."""
        return f"POWER({left}, {right})" if operator == "^" else f"({left} {operator} {right})"

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"{name.upper()}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0."""
        shown = ", ".join(map(self.text, codes))
        one, zero = self.number(1.0), self.number(0.0)
        return f"CASE WHEN {self.input(name)} IN ({shown}) THEN {one} ELSE {zero} END"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        below, above = f"WHEN {value} < {low} THEN {low}", f"WHEN {value} > {high} THEN {high}"
        return f"CASE {below} {above} ELSE {value} END"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"CASE WHEN {source} > {self.number(0.0)} THEN {value} ELSE {self.number(0.0)} END"

    def text(self, value: str) -> str:
        """
        Print text as a literal.

        Parameters
        ----------
        value : str
            Without NUL.

        Returns
        -------
        str
            In single quotes, which are doubled inside.
        """
        return "'" + value.replace("'", "''") + "'"

    def name_of(self, name: str) -> str:
        """
        Print the name of a column or a table.

        Parameters
        ----------
        name : str
            Any text.

        Returns
        -------
        str
            Quoted.
        """
        return '"' + name.replace('"', '""') + '"'

    def joined(self, parts: list[str]) -> str:
        """
        Print texts written one behind the other.

        Parameters
        ----------
        parts : list of str
            Printed texts, none of them NULL.

        Returns
        -------
        str
            An expression of the dialect.
        """
        return " || ".join(parts)

    def null(self, numeric: bool) -> str:
        """
        Print a missing value.

        Parameters
        ----------
        numeric : bool
            Of a number, else of text.

        Returns
        -------
        str
            With its type.
        """
        return f"CAST(NULL AS {self.double if numeric else self.text_type})"

    def typed_text(self, value: str) -> str:
        """
        Print text with its type, as rows of constants need it.

        Parameters
        ----------
        value : str
            Any text.

        Returns
        -------
        str
            An expression of the dialect.
        """
        return f"CAST({self.text(value)} AS {self.text_type})"

    @abstractmethod
    def is_missing(self, given: str) -> str:
        """
        Print whether a cell is empty, not a number (NaN), or text without a character.

        Parameters
        ----------
        given : str
            The column.

        Returns
        -------
        str
            A condition.
        """

    @abstractmethod
    def as_number(self, given: str) -> str:
        """
        Print the number in a cell; NULL where it holds none: text, truth values, infinity.

        Parameters
        ----------
        given : str
            The column.

        Returns
        -------
        str
            An expression of double precision.
        """

    @abstractmethod
    def as_code(self, given: str) -> str:
        """
        Print the level code in a cell: text as it is, a whole number as its digits; else NULL.

        Parameters
        ----------
        given : str
            The column.

        Returns
        -------
        str
            An expression of text.
        """


DIALECTS: Registry[Dialect] = Registry("SQL dialect", "scorebuilder.export.dialects")
"""All dialects by name."""
