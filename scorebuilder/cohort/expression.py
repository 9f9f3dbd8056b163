"""Conditions on patients as text: ``lvef < 35 & nyha >= 2``, with three values of truth."""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scorebuilder.cohort.expression_text import (
    Condition,
    Constant,
    Junction,
    Negation,
    Operand,
    Reference,
    parse,
    refuse,
)
from scorebuilder.cohort.schema import CohortSchema, Field
from scorebuilder.core.arrays import FloatArray

_COMPARE: Mapping[str, Callable[[FloatArray, FloatArray], object]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ORDERED = ("numeric", "ordinal")
NO_LEVEL = -1.0
"""Position of a level that no patient has, where the schema leaves the levels open."""


@dataclass(frozen=True)
class Expression:
    """
    A checked condition on the patients of a cohort.

    Attributes
    ----------
    text : str
        As it was written.
    columns : tuple of str
        Predictors and strata that it asks for, in order of appearance.
    """

    text: str
    columns: tuple[str, ...]
    _root: Junction | Negation | Condition
    _fields: Mapping[str, Field]

    def evaluate(self, X: pd.DataFrame) -> FloatArray:
        """
        Say for each patient whether the condition holds.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors and strata, as in a cohort.

        Returns
        -------
        ndarray of shape (n_patients,)
            1 where it holds, 0 where it does not, NaN where missing values leave it open.

        Notes
        -----
        Kleene's logic: false and unknown is false, true or unknown is true, and what depends on
        the missing value stays unknown. A comparison with a missing value is unknown; only
        ``is missing`` is always known.
        """
        return self._truth(self._root, X)

    def _truth(self, node: Junction | Negation | Condition, X: pd.DataFrame) -> FloatArray:
        if isinstance(node, Negation):
            return np.asarray(1.0 - self._truth(node.part, X))
        if isinstance(node, Junction):
            values = np.vstack([self._truth(part, X) for part in node.parts])
            decisive = 0.0 if node.word == "and" else 1.0
            unknown = np.isnan(values).any(axis=0)
            found = (values == decisive).any(axis=0)
            return np.where(found, decisive, np.where(unknown, np.nan, 1.0 - decisive))
        return self._condition(node, X)

    def _condition(self, node: Condition, X: pd.DataFrame) -> FloatArray:
        values = self._values(node.left, X, node.left)
        missing = np.isnan(values)
        if node.word in ("is missing", "is not missing"):
            return np.asarray(missing == (node.word == "is missing"), dtype=np.float64)
        if node.word in ("in", "not in"):
            listed = np.array([self._constant(item, node.left, X) for item in node.right])
            held = np.isin(values, listed) == (node.word == "in")
            return np.where(missing, np.nan, held.astype(np.float64))
        other = self._values(node.right[0], X, node.left)
        held = np.asarray(_COMPARE[node.word](values, other), dtype=np.float64)
        return np.where(missing | np.isnan(other), np.nan, held)

    def _values(self, item: Operand, X: pd.DataFrame, beside: Operand) -> FloatArray:
        """Values of a column, levels as their position in the schema; or one constant for all."""
        if isinstance(item, Constant):
            return np.full(len(X), self._constant(item, beside, X))
        field, column = self._fields[item.name], X[item.name]
        if field.kind == "numeric":
            return np.asarray(column, dtype=np.float64)
        place = _places(field, column)
        return np.array([place.get(str(code), np.nan) for code in column.astype(object)])

    def _constant(self, item: Operand, beside: Operand, X: pd.DataFrame) -> float:
        assert isinstance(item, Constant)
        assert isinstance(beside, Reference)
        field = self._fields[beside.name]
        if field.kind == "numeric":
            return float(item.text)
        return _places(field, X[beside.name]).get(_code(field, item.text) or "", NO_LEVEL)

    def why_unknown(self, X: pd.DataFrame) -> list[str | None]:
        """
        Say for each patient which missing values leave the condition open.

        Parameters
        ----------
        X : DataFrame of shape (n_patients, n_predictors)
            Typed predictors.

        Returns
        -------
        list of str or None
            None where the condition has a value, else names of columns joined by "; ".
        """
        unknown = np.isnan(self.evaluate(X))
        missing = X[list(self.columns)].isna().to_numpy()
        return [
            "; ".join(
                f"`{name}` missing"
                for name, absent in zip(self.columns, row, strict=True)
                if absent
            )
            if open_
            else None
            for open_, row in zip(unknown, missing, strict=True)
        ]


def compile_expression(text: str, schema: CohortSchema) -> Expression:
    """
    Read a condition and check it against the columns of a cohort.

    Parameters
    ----------
    text : str
        Comparisons ``column < number``, ``35 <= lvef < 50``, ``sex == "female"``,
        ``nyha in [3, 4]``, ``lvef is missing``, joined by ``and`` / ``&``, ``or`` / ``|``,
        ``not`` / ``~`` and parentheses. Names that are no plain words stand in backticks. Levels
        of factors are given by code or label; ordinal ones have an order.
    schema : CohortSchema
        What the columns mean.

    Returns
    -------
    Expression
        Ready to be evaluated; nothing of the text is ever executed.

    Raises
    ------
    SpecError
        If the text is no condition, or does not fit the columns; says where, what was expected,
        and the nearest name.

    Examples
    --------
    >>> from scorebuilder.cohort.schema import Field
    >>> rule = compile_expression("lvef < 35", CohortSchema("x", (Field("lvef", "numeric"),)))
    >>> rule.evaluate(pd.DataFrame({"lvef": [30.0, 60.0, np.nan]}))
    array([ 1.,  0., nan])
    """
    root = parse(text)
    usable = [*schema.predictors, *(item for item in schema.strata if not item.is_date)]
    fields = {field.name: field for field in usable}
    seen: dict[str, Field] = {}
    checked = _check(root, text, fields, seen)
    return Expression(text, tuple(seen), checked, seen)


Node = Junction | Negation | Condition


def _check(node: Node, text: str, fields: Mapping[str, Field], seen: dict[str, Field]) -> Node:
    if isinstance(node, Negation):
        return Negation(_check(node.part, text, fields, seen))
    if isinstance(node, Junction):
        return Junction(node.word, tuple(_check(part, text, fields, seen) for part in node.parts))
    node = _column_first(node, text)
    for item in (node.left, *node.right):
        if isinstance(item, Reference):
            if item.name not in fields:
                refuse(text, item.place, _unknown("no predictor", item.name, list(fields)))
            seen.setdefault(item.name, fields[item.name])
    assert isinstance(node.left, Reference)
    _check_types(node, node.left, text, fields)
    return node


def _column_first(node: Condition, text: str) -> Condition:
    if isinstance(node.left, Reference):
        return node
    if node.word not in _FLIPPED or not isinstance(node.right[0], Reference):
        refuse(text, node.left.place, "a comparison needs a column; two constants say nothing")
    return Condition(node.right[0], _FLIPPED[node.word], (node.left,), node.place)


def _check_types(node: Condition, left: Reference, text: str, fields: Mapping[str, Field]) -> None:
    field = fields[left.name]
    if field.kind not in _ORDERED and node.word in ("<", "<=", ">", ">="):
        refuse(
            text,
            node.place,
            f"the levels of `{field.name}` have no order; use == != in, not in, is missing",
        )
    for item in node.right:
        if isinstance(item, Reference):
            if field.kind != "numeric" or fields[item.name].kind != "numeric":
                refuse(text, item.place, "only numeric columns can be compared with one another")
        elif field.kind == "numeric":
            if not item.is_number:
                refuse(text, item.place, f"`{field.name}` is numeric; compare it with a number")
        elif _code(field, item.text) is None:
            known = [level.code for level in field.levels]
            labels = [level.label for level in field.levels if level.label]
            refuse(
                text,
                item.place,
                _unknown(f"`{field.name}` has no level", item.text, known, known + labels),
            )


def _places(field: Field, column: pd.Series) -> dict[str, float]:
    """Position of each level; that of the data where the schema leaves the levels open."""
    codes = [level.code for level in field.levels] or [str(c) for c in column.cat.categories]
    return {code: float(position) for position, code in enumerate(codes)}


def _code(field: Field, text: str) -> str | None:
    """Code of a level that is given by its code, or by its label if that is not ambiguous."""
    if not field.levels:
        return text
    codes = [level.code for level in field.levels]
    if text in codes:
        return text
    labelled = [level.code for level in field.levels if level.label == text]
    return labelled[0] if len(labelled) == 1 else None


def _unknown(what: str, given: str, known: list[str], close_to: list[str] | None = None) -> str:
    near = difflib.get_close_matches(given, close_to or known, n=1)
    hint = f"; did you mean `{near[0]}`?" if near else ""
    return f"{what} `{given}`{hint} Known: {', '.join(known)}"
