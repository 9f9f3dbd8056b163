"""The page in another language: a catalogue of its own phrases, and numbers as readers write them.

A phrase of a catalogue may hold ``{}``, which stands for a number, a label or another phrase, and
``{*}``, which stands for anything and keeps it but for its numbers: labels in a row, units.
Texts of the study stay as they are, unless the catalogue says them whole without ``{*}``: so it
does with the sentences that a run writes. What stands as code stays. What the catalogue lacks
stays in English and is counted at the top of the page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import resources
from typing import Any

from scorebuilder.core.errors import SpecError

_TOKEN = re.compile(r"(<[^>]*>)")
_ATTRIBUTE = re.compile(r'(?<= )(alt|aria-label|data-label)="([^"]*)"')
_NUMBER = re.compile(r"(?<![\w./,])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w/]|[.,]\d)")
_HOLE = re.compile(r"\{(\*?)\}")
_LETTERS = re.compile(r"[A-Za-z]{2}")
_MEASURE = re.compile(r"([−+]?\d[\d,]*(?:\.\d+)?) (\S.*)")
_COUNT = re.compile(r"[\d,]+ \(\d+\.\d\s%\)")
"""A count with its share, which a run writes as text."""
_BEFORE_MARK = re.compile(r" (?=[;:?!%»])")
_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}\b)")
_RAW = {"style", "pre", "code"}
_BLANK = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Catalogue:
    """
    Phrases of one language.

    Attributes
    ----------
    language : str
        Two letters.
    note, left : str
        Say what is never translated, and how many passages are not yet; ``{}`` is their number.
    phrases : mapping of str to str
        English phrase to phrase.
    """

    language: str
    note: str
    left: str
    phrases: Mapping[str, str]
    _patterns: list[tuple[re.Pattern[str], list[str], str]] = field(default_factory=list)
    _found: dict[frozenset[str], dict[str, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """
        Make patterns of each phrase with holes; the one with most fixed letters comes first.

        A label may hold the mark that alone parts two holes, so that both ends are tried.
        """
        holed = [phrase for phrase in self.phrases if _HOLE.search(phrase)]
        for phrase in sorted(holed, key=lambda text: (-len(_HOLE.sub("", text)), text)):
            fixed, kinds = _HOLE.split(phrase)[::2], _HOLE.findall(phrase)
            bare = len(kinds) == 2 and not _LETTERS.search(_HOLE.sub("", phrase))
            for hole in ("(.+?)", "(.+)") if bare else ("(.+?)",):
                pattern = re.compile(hole.join(re.escape(part) for part in fixed), re.DOTALL)
                self._patterns.append((pattern, kinds, self.phrases[phrase]))

    def find(self, text: str, own: frozenset[str]) -> str | None:
        """
        Translate a text.

        Parameters
        ----------
        text : str
            Without blanks around it, and with single ones inside.
        own : frozenset of str
            Texts of the user.

        Returns
        -------
        str or None
            None if the catalogue does not have it.
        """
        if own not in self._found:  # of one page at a time
            self._found.clear()
            self._found[own] = {}
        known = self._found[own]
        if text not in known:
            known[text] = self._search(text, own)
        return known[text]

    def _search(self, text: str, own: frozenset[str]) -> str | None:
        if text in self.phrases and not _HOLE.search(text):
            return self.phrases[text]
        kept = text if text in own and not _COUNT.fullmatch(text) else None
        if not _LETTERS.search(text):
            return localise(text) if kept is None else kept
        for pattern, kinds, phrase in self._patterns:
            found = None if kept is not None and "*" in kinds else pattern.fullmatch(text)
            if found:
                inner = [
                    localise(part) if kind or not _LETTERS.search(part) else self.find(part, own)
                    for kind, part in zip(kinds, found.groups(), strict=True)
                ]
                known = [part for part in inner if part is not None]
                if len(known) == len(inner):
                    return _filled(phrase, known)
        return kept if kept is not None else _measure(text, own)


def _measure(text: str, own: frozenset[str]) -> str | None:
    """Write a number with a unit of the study."""
    found = _MEASURE.fullmatch(text)
    if found is None or found.group(2) not in own:
        return None
    return f"{localise(found.group(1))}{_BLANK}{found.group(2)}"


def _say(text: str, catalogue: Catalogue, own: frozenset[str]) -> str | None:
    """Translate a whole text; labels of the study in a row stay."""
    found = catalogue.find(text, own)
    return text if found is None and ", " in text and _is_row(text, own) else found


def _say_drawn(text: str, *, catalogue: Catalogue, own: frozenset[str]) -> str | None:
    """Translate a text of a figure, where a long label of the study may end in an ellipsis."""
    found = _say(text, catalogue, own)
    if found is None and text.endswith("…"):
        start = text.removesuffix("…")
        return text if any(label.startswith(start) for label in own) else None
    return found


def _is_row(text: str, own: frozenset[str]) -> bool:
    """Tell whether a text is labels with commas between; a label may hold commas itself."""
    marks = [found.start() for found in re.finditer(", ", text)]
    return text in own or any(text[:at] in own and _is_row(text[at + 2 :], own) for at in marks)


def _filled(phrase: str, parts: list[str]) -> str:
    """Put the parts into the holes, in order."""
    following = iter(parts)
    return _HOLE.sub(lambda _: next(following), phrase)


def localise(text: str) -> str:
    """
    Write the numbers of a text with a decimal comma and thin blanks between thousands.

    Parameters
    ----------
    text : str
        Numbers, signs and blanks; versions such as 0.1.0 are no numbers.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> localise("3,873 (0.712)").replace(chr(8239), " ")
    '3 873 (0,712)'
    """
    text = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)
    return _NUMBER.sub(
        lambda found: (
            found.group(1).replace(",", _BLANK) + (found.group(2) or "").replace(".", ",")
        ),
        text,
    )


def languages() -> tuple[str, ...]:
    """
    Name the languages that a report can be written in.

    Returns
    -------
    tuple of str
        English first.
    """
    folder = resources.files("scorebuilder.report.languages")
    found = (entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return ("en", *sorted(name.removesuffix(".yaml") for name in found))


@cache
def load_catalogue(language: str) -> Catalogue:
    """
    Read the catalogue of a language.

    Parameters
    ----------
    language : str
        Two letters.

    Returns
    -------
    Catalogue
        Its phrases.

    Raises
    ------
    SpecError
        If there is none.
    """
    import yaml

    if language not in languages()[1:]:
        message = f"no report in `{language}`; choose one of {', '.join(languages())}"
        raise SpecError(message)
    file = resources.files("scorebuilder.report.languages") / f"{language}.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    phrases = {
        key: _BEFORE_MARK.sub("\N{NO-BREAK SPACE}", _THOUSANDS.sub(_BLANK, text)).replace(
            "« ", "«\N{NO-BREAK SPACE}"
        )
        for part in content["phrases"].values()
        for key, text in part.items()
    }
    return Catalogue(language, content["note"], content["left"], phrases)


def figure_words(language: str, summary: Mapping[str, Any]) -> Callable[[str], str | None] | None:
    """
    Return what translates the words of a figure.

    Parameters
    ----------
    language : str
        One of `languages`.
    summary : mapping
        Whose texts are the user's and stay, also where a figure had to shorten them.

    Returns
    -------
    callable or None
        Takes a text in single blanks, returns None if the catalogue lacks it; None for English.
    """
    if language == "en":
        return None
    catalogue = load_catalogue(language)
    own = _kept(summary, catalogue)

    return partial(_say_drawn, catalogue=catalogue, own=own)


def translate_page(page: str, language: str, summary: Mapping[str, Any], *, n_left: int = 0) -> str:
    """
    Put a page into another language.

    Parameters
    ----------
    page : str
        In English.
    language : str
        One of `languages`.
    summary : mapping
        Whose texts are the user's and stay.
    n_left : int
        Texts of its figures that stay in English.

    Returns
    -------
    str
        The page; its markup, anchors and style are the same.
    """
    if language == "en":
        return page
    catalogue = load_catalogue(language)
    own = _kept(summary, catalogue)
    left: list[str] = []
    done = "".join(_translated(page, catalogue, own, left))
    done = done.replace('<html lang="en">', f'<html lang="{language}">', 1)
    n_left += len(left)
    note = catalogue.note + (f" {catalogue.left.replace('{}', str(n_left))}" if n_left else "")
    return done.replace("</h1>", f'</h1>\n<p class="note">{html.escape(note)}</p>', 1)


def untranslated(page: str, language: str, summary: Mapping[str, Any]) -> list[str]:
    """
    List what a catalogue lacks.

    Parameters
    ----------
    page : str
        In English.
    language : str
        One of `languages`, not English.
    summary : mapping
        Whose texts are the user's.

    Returns
    -------
    list of str
        Texts of the page that stay in English, each once, in order.
    """
    catalogue = load_catalogue(language)
    own = _kept(summary, catalogue)
    left: list[str] = []
    for _ in _translated(page, catalogue, own, left):
        pass
    return list(dict.fromkeys(left))


def own_texts(value: Any) -> Iterator[str]:
    """
    Yield every text of a summary: labels, units and sentences that the study brought.

    Parameters
    ----------
    value : object
        Nested dictionaries and lists.

    Yields
    ------
    str
        As the page shows it, in single blanks.
    """
    if isinstance(value, str):
        yield " ".join(value.split())
    elif isinstance(value, Mapping):
        yield from value.get("versions") or ()
        for item in value.values():
            yield from own_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from own_texts(item)


def _kept(summary: Mapping[str, Any], catalogue: Catalogue) -> frozenset[str]:
    """Texts of the study that stay: those that the catalogue does not say whole."""
    return frozenset(text for text in own_texts(summary) if text not in catalogue.phrases)


def _translated(
    page: str, catalogue: Catalogue, own: frozenset[str], left: list[str]
) -> Iterator[str]:
    inside: list[str] = []
    for token in _TOKEN.split(page):
        if token.startswith("<"):
            name = token.strip("</>").split(" ", 1)[0].lower()
            if name in _RAW:
                inside = inside[:-1] if token.startswith("</") else [*inside, name]
            yield _ATTRIBUTE.sub(lambda found: _attribute(found, catalogue, own, left), token)
        elif inside or not token.strip():
            yield token
        else:
            yield _node(token, catalogue, own, left)


def _node(token: str, catalogue: Catalogue, own: frozenset[str], left: list[str]) -> str:
    before = token[: len(token) - len(token.lstrip())]
    after = token[len(token.rstrip()) :]
    text = " ".join(html.unescape(token).split())
    found = _say(text, catalogue, own)
    if found is None:
        left.append(text)
        return f"{before}{html.escape(text)}{after}"
    return f"{before}{html.escape(found)}{after}"


def _attribute(
    found: re.Match[str], catalogue: Catalogue, own: frozenset[str], left: list[str]
) -> str:
    text = " ".join(html.unescape(found.group(2)).split())
    said = _say(text, catalogue, own)
    if said is None:
        left.append(text)
    return f'{found.group(1)}="{html.escape(said or text)}"'
