"""The grammar of conditions on patients: from text to a tree, with the place of each mistake."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from scorebuilder.core.errors import SpecError

OPERATORS = "< <= > >= == !=, in [..], not in [..], is missing, is not missing, and, or, not"
"""What a condition may say, for messages."""

MAX_DEPTH = 50
"""Parentheses and negations inside one another; more is a mistake, and no person reads it."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    |(?P<string>"[^"]*"|'[^']*')
    |(?P<quoted>`[^`]+`)
    |(?P<word>[^\W\d]\w*)
    |(?P<sign><=|>=|==|!=|&&|\|\||[<>&|~!()\[\],])
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_SYNONYMS = {"&": "and", "&&": "and", "|": "or", "||": "or", "~": "not", "!": "not"}
_KEYWORDS = ("and", "or", "not", "in", "is", "missing")


@dataclass(frozen=True)
class Token:
    """
    A word or sign of the text.

    Attributes
    ----------
    kind : str
        ``number``, ``string``, ``name``, ``sign`` (keywords included) or ``end``.
    text : str
        What it says, without quotes.
    place : int
        Where it starts, counted from 0.
    """

    kind: str
    text: str
    place: int


@dataclass(frozen=True)
class Reference:
    """
    A column.

    Attributes
    ----------
    name : str
        Its name.
    place : int
        Where it stands in the text.
    """

    name: str
    place: int


@dataclass(frozen=True)
class Constant:
    """
    A number or a level.

    Attributes
    ----------
    text : str
        As it was written, without quotes.
    is_number : bool
        Whether it is a number.
    place : int
        Where it stands in the text.
    """

    text: str
    is_number: bool
    place: int


Operand = Reference | Constant


@dataclass(frozen=True)
class Condition:
    """
    A comparison.

    Attributes
    ----------
    left : Reference or Constant
        What is compared.
    word : str
        How: a sign, ``in``, ``not in``, ``is missing`` or ``is not missing``.
    right : tuple of Reference or Constant
        With what: one operand, the members of a list, or nothing.
    place : int
        Where the comparison sign stands.
    """

    left: Operand
    word: str
    right: tuple[Operand, ...]
    place: int


@dataclass(frozen=True)
class Negation:
    """
    What must not hold.

    Attributes
    ----------
    part : Condition, Junction or Negation
        The negated part.
    """

    part: Condition | Junction | Negation


@dataclass(frozen=True)
class Junction:
    """
    Parts of which all, or one, must hold.

    Attributes
    ----------
    word : {"and", "or"}
        Which of both.
    parts : tuple of Condition, Junction or Negation
        At least two.
    """

    word: str
    parts: tuple[Condition | Junction | Negation, ...]


def refuse(text: str, place: int, why: str) -> NoReturn:
    """
    Say what is wrong with a condition, and where.

    Parameters
    ----------
    text : str
        The condition.
    place : int
        Position of the mistake, counted from 0.
    why : str
        What is wrong.

    Raises
    ------
    SpecError
        Always.
    """
    message = f"condition `{text}`, character {place + 1}: {why}"
    raise SpecError(message)


def parse(text: str) -> Condition | Junction | Negation:
    """
    Turn a condition into a tree.

    Parameters
    ----------
    text : str
        The condition.

    Returns
    -------
    Condition, Junction or Negation
        ``not`` binds closer than ``and``, and ``and`` closer than ``or``.

    Raises
    ------
    SpecError
        If the text is no condition.

    Examples
    --------
    >>> parse("a < 1 | b is missing").word
    'or'
    """
    return _Parser(text).whole()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            refuse(text, start, f"`{text[start]}` is not understood; allowed: {OPERATORS}")
        kind = str(match.lastgroup)
        content = match.group(kind)
        start, place = match.start(kind), match.end()
        if kind in ("string", "quoted"):
            kind, content = {"string": "string", "quoted": "name"}[kind], content[1:-1]
        elif kind == "word" and content.lower() in _KEYWORDS:
            kind, content = "sign", content.lower()
        elif kind == "word":
            kind = "name"
        elif kind == "sign":
            content = _SYNONYMS.get(content, content)
        found.append(Token(kind, content, start))
    return [*found, Token("end", "", end)]


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self, *texts: str) -> Token | None:
        """Step over the next sign if it is one of these."""
        if self.next.kind == "sign" and self.next.text in texts:
            self.position += 1
            return self.tokens[self.position - 1]
        return None

    def need(self, sign: str) -> None:
        if self.take(sign) is None:
            self.refuse_next(f"expected `{sign}`")

    def refuse_next(self, why: str) -> NoReturn:
        found = "the end" if self.next.kind == "end" else f"`{self.next.text}`"
        refuse(self.text, self.next.place, f"{why}, found {found}; allowed: {OPERATORS}")

    def whole(self) -> Condition | Junction | Negation:
        tree = self.junction()
        if self.next.kind != "end":
            self.refuse_next("expected `and`, `or` or the end")
        return tree

    def junction(self) -> Condition | Junction | Negation:
        parts = [self.conjunction()]
        while self.take("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def conjunction(self) -> Condition | Junction | Negation:
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def negation(self) -> Condition | Junction | Negation:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse_next(f"more than {MAX_DEPTH} parts inside one another")
        tree: Condition | Junction | Negation
        if self.take("not"):
            tree = Negation(self.negation())
        elif self.take("("):
            tree = self.junction()
            self.need(")")
        else:
            tree = self.comparison()
        self.depth -= 1
        return tree

    def comparison(self) -> Condition | Junction:
        left, sign = self.operand(), self.next
        if self.take("is"):
            word = "is not missing" if self.take("not") else "is missing"
            self.need("missing")
            return Condition(left, word, (), sign.place)
        word = "not in" if self.take("not") else "in"
        if self.take("in"):
            return Condition(left, word, self.listed(), sign.place)
        if word == "not in":
            self.refuse_next("expected `in`")
        if self.take(*_COMPARISONS) is None:
            self.refuse_next("expected a comparison")
        right = self.operand()
        first = Condition(left, sign.text, (right,), sign.place)
        second = self.take(*_COMPARISONS)
        if second is None:
            return first
        chained = Condition(right, second.text, (self.operand(),), second.place)
        return Junction("and", (first, chained))

    def listed(self) -> tuple[Operand, ...]:
        self.need("[")
        items = [self.constant()]
        while self.take(","):
            items.append(self.constant())
        self.need("]")
        return tuple(items)

    def constant(self) -> Constant:
        item = self.operand()
        if isinstance(item, Reference):
            refuse(self.text, item.place, f'a list holds constants; put "{item.name}" in quotes')
        return item

    def operand(self) -> Operand:
        token = self.next
        if token.kind not in ("number", "string", "name"):
            self.refuse_next("expected a column, a number or a level in quotes")
        self.position += 1
        if token.kind == "name":
            return Reference(token.text, token.place)
        return Constant(token.text, token.kind == "number", token.place)
