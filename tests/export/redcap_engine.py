"""Evaluates calculations of REDCap: operators, if(), log() and blanks as the language has them."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any

TOKEN = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)|"(?P<text>[^"]*)"|\[(?P<field>[a-z][a-z0-9_]*)\]'
    r"|(?P<word>[a-z]+)|(?P<sign><>|<=|>=|[-+*/^(),=<>]))"
)
COMPARE = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
    ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@cache
def tokens(code: str) -> tuple[tuple[str | None, str], ...]:
    """Kind and text of each part of a calculation."""
    out, place = [], 0
    while place < len(code.rstrip()):
        match = TOKEN.match(code, place)
        assert match, f"not a calculation: {code[place : place + 20]!r}"
        out.append((match.lastgroup, match.group(match.lastgroup or 0)))
        place = match.end()
    return tuple(out)


class Redcap:
    """A record whose calculated fields are filled in order."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def evaluate(self, code: str) -> Any:
        """Value of a calculation; blank is empty text."""
        self.tokens = tokens(code)
        self.at = 0
        value = self._or(run=True)
        assert self.at == len(self.tokens), self.tokens[self.at :][:3]
        return value

    def _is(self, *signs: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] in signs and (
            self.tokens[self.at][0] in ("sign", "word")
        )  # fmt: skip

    def _take(self, *signs: str) -> str:
        assert self._is(*signs), (signs, self.tokens[self.at :][:3])
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _or(self, *, run: bool) -> Any:
        value = self._compare(run=run)
        while self._is("or", "and"):
            word, other = self._take("or", "and"), self._compare(run=run)
            value = (value or other) if word == "or" else (value and other)
        return value

    def _compare(self, *, run: bool) -> Any:
        value = self._sum(run=run)
        if not self._is(*COMPARE):
            return value
        sign, other = self._take(*COMPARE), self._sum(run=run)
        if not run:
            return False
        if sign in ("=", "<>"):
            return COMPARE[sign](value, other)
        return value != "" and other != "" and COMPARE[sign](value, other)

    def _sum(self, *, run: bool) -> Any:
        value = self._product(run=run)
        while self._is("+", "-"):
            sign, other = self._take("+", "-"), self._product(run=run)
            value = self._number(
                value, other, run, lambda a, b, s=sign: a + b if s == "+" else a - b
            )
        return value

    def _product(self, *, run: bool) -> Any:
        value = self._power(run=run)
        while self._is("*", "/"):
            sign, other = self._take("*", "/"), self._power(run=run)
            value = self._number(
                value, other, run, lambda a, b, s=sign: a * b if s == "*" else a / b
            )
        return value

    def _power(self, *, run: bool) -> Any:
        value = self._atom(run=run)
        while self._is("^"):
            self._take("^")
            value = self._number(value, self._atom(run=run), run, lambda a, b: a**b)
        return value

    @staticmethod
    def _number(one: Any, other: Any, run: bool, act: Any) -> Any:
        if not run or one == "" or other == "":
            return ""
        return act(one, other)

    def _atom(self, *, run: bool) -> Any:
        kind, text = self.tokens[self.at]
        if kind == "word":
            return self._call(run=run)
        self.at += 1
        if kind == "number":
            return float(text)
        if kind == "text":
            return text
        if kind == "field":
            return self.record[text]
        if text == "-":
            return self._number(0.0, self._atom(run=run), run, lambda a, b: a - b)
        assert text == "(", text
        value = self._or(run=run)
        self._take(")")
        return value

    def _call(self, *, run: bool) -> Any:
        name = self._take("if", "log")
        self._take("(")
        first = self._or(run=run)
        if name == "log":
            self._take(")")
            return math.log(first) if run and first != "" else ""
        self._take(",")
        yes = self._or(run=run and bool(first))
        self._take(",")
        no = self._or(run=run and not first)
        self._take(")")
        return yes if first else no
