"""The page as a list of plain blocks, from which the other formats are written."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeAlias

_VOID = {"meta", "img", "br", "link", "hr", "col", "wbr"}
_SKIPPED = {"head", "nav", "style", "script"}
_APART = {"span", "div", "p", "li", "dt", "dd", "strong", "td", "th", "br"}
"""Elements whose text does not run into that of their neighbours."""
_SVG = "data:image/svg+xml;base64,"


@dataclass(frozen=True)
class Heading:
    """
    A heading.

    Attributes
    ----------
    level : int
        1 for the title of the report.
    text : str
        What it says.
    """

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """
    A paragraph.

    Attributes
    ----------
    text : str
        What it says.
    kind : str
        ``""``, or the class that the page gives it, such as ``note`` or ``status``.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Listing:
    """
    A list.

    Attributes
    ----------
    items : tuple of str
        Its items.
    ordered : bool
        Whether they are numbered.
    """

    items: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True)
class GridCell:
    """
    A cell of a table.

    Attributes
    ----------
    text : str
        What it says.
    columns, rows : int
        How many it covers.
    is_number : bool
        Whether it is set from the right.
    is_level : bool
        Whether it names a part of the row above, and is set in.
    """

    text: str
    columns: int = 1
    rows: int = 1
    is_number: bool = False
    is_level: bool = False


@dataclass(frozen=True)
class Grid:
    """
    A table.

    Attributes
    ----------
    caption : str
        What it shows.
    head, body : tuple of tuple of GridCell
        Rows of the head and of the body.
    """

    caption: str
    head: tuple[tuple[GridCell, ...], ...]
    body: tuple[tuple[GridCell, ...], ...]


@dataclass(frozen=True)
class Picture:
    """
    A figure.

    Attributes
    ----------
    name : str
        File name without ending.
    svg : str
        The drawing.
    alt, caption : str
        What it shows, and how to read it.
    width : int
        CSS pixels.
    """

    name: str
    svg: str
    alt: str
    caption: str
    width: int


@dataclass(frozen=True)
class Code:
    """
    Text set as it is, such as a command.

    Attributes
    ----------
    text : str
        With its line ends.
    """

    text: str


Block: TypeAlias = Heading | Paragraph | Listing | Grid | Picture | Code


@dataclass
class _Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Element | str] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())

    def find(self, *tags: str) -> Iterator[_Element]:
        for child in self.children:
            if isinstance(child, _Element):
                if child.tag in tags:
                    yield child
                yield from child.find(*tags)


class _Tree(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = _Element("root")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(html: str) -> list[Block]:
    """
    Read a page of the report as blocks.

    Parameters
    ----------
    html : str
        From `render_html`; its tags are balanced.

    Returns
    -------
    list of Block
        In reading order; navigation, style and what is hidden from readers are left out, and what
        is folded away is not.
    """
    tree = _Tree()
    tree.feed(html)
    return list(_blocks(tree.root))


def _text(element: _Element) -> str:
    text = re.sub(r"[ \t\n\r]+", " ", "".join(_pieces(element))).strip()
    return re.sub(r" +([.,)])", r"\1", text)


def _pieces(element: _Element) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, str):
            yield child
        elif "hidden" not in child.classes and child.attributes.get("aria-hidden") != "true":
            gap = " " if child.tag in _APART else ""
            yield gap
            yield from _pieces(child)
            yield gap


def _blocks(element: _Element) -> Iterator[Block]:
    for child in element.children:
        if isinstance(child, str):
            if child.strip():
                yield Paragraph(" ".join(child.split()))
        elif child.tag not in _SKIPPED and not child.classes & {"skip", "hidden"}:
            yield from _block(child)


def _block(element: _Element) -> Iterator[Block]:
    tag = element.tag
    if re.fullmatch("h[1-6]", tag):
        yield Heading(int(tag[1]), _text(element))
    elif tag in ("p", "summary", "span", "a", "strong"):
        text, kind = _text(element), " ".join(sorted(element.classes))
        if text:
            yield Paragraph(text, "label" if tag == "summary" else kind)
    elif tag in ("ul", "ol"):
        items = tuple(_item(item) for item in element.children if isinstance(item, _Element))
        yield Listing(items, ordered=tag == "ol" and not element.classes & {"flow"})
    elif tag == "dl":
        yield _facts(element)
    elif tag == "table":
        yield _grid(element)
    elif tag == "pre":
        yield Code("".join(_pieces(element)).strip("\n"))
    elif tag == "figure":
        yield from _figure(element)
    else:
        yield from _blocks(element)


def _item(element: _Element) -> str:
    spans = [child for child in element.children if isinstance(child, _Element)]
    if len(spans) > 1 and all(span.tag == "span" for span in spans):
        return "; ".join(text for text in map(_text, spans) if text)
    return _text(element)


def _facts(element: _Element) -> Grid:
    terms = [_text(term) for term in element.find("dt")]
    texts = [_text(text) for text in element.find("dd")]
    rows = zip(terms, texts, strict=True)
    return Grid("", (), tuple((GridCell(term), GridCell(text)) for term, text in rows))


def _grid(element: _Element) -> Grid:
    caption = next((_text(found) for found in element.find("caption")), "")
    head: list[tuple[GridCell, ...]] = []
    body: list[tuple[GridCell, ...]] = []
    for part in element.children:
        if isinstance(part, _Element) and part.tag in ("thead", "tbody", "tfoot"):
            rows = head if part.tag == "thead" else body
            rows += [tuple(_cell(cell) for cell in row.find("th", "td")) for row in part.find("tr")]
    return Grid(caption, tuple(head), tuple(body))


def _cell(element: _Element) -> GridCell:
    return GridCell(
        _text(element),
        int(element.attributes.get("colspan", 1)),
        int(element.attributes.get("rowspan", 1)),
        "num" in element.classes,
        "level" in element.classes,
    )


def _figure(element: _Element) -> Iterator[Block]:
    caption = next((_text(found) for found in element.find("figcaption")), "")
    for image in element.find("img"):
        source = image.attributes["src"].removeprefix(_SVG)
        yield Picture(
            image.attributes["data-name"],
            base64.b64decode(source).decode("utf-8"),
            image.attributes["alt"],
            caption,
            int(image.attributes["width"]),
        )
    for table in element.find("details"):
        yield from _blocks(table)
