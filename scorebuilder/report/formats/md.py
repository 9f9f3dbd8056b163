"""Markdown: tables as pipes, figures as files beside the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from scorebuilder.report.document import (
    Block,
    Code,
    Grid,
    GridCell,
    Heading,
    Listing,
    Paragraph,
    Picture,
    read_page,
)
from scorebuilder.report.format import FORMATS, Rendering

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def write_md(rendering: Rendering) -> dict[str, bytes]:
    """
    Write the report as Markdown (GitHub's flavour for tables).

    Parameters
    ----------
    rendering : Rendering
        The page.

    Returns
    -------
    dict of str to bytes
        The text, and each figure as SVG in a folder beside it.
    """
    folder = f"{rendering.name}-figures"
    files: dict[str, bytes] = {}
    parts = []
    for block in read_page(rendering.html):
        if isinstance(block, Picture):
            files[f"{folder}/{block.name}.svg"] = block.svg.encode("utf-8")
        parts += list(_lines(block, folder))
    text = "\n\n".join(part for part in parts if part) + "\n"
    return {f"{rendering.name}.md": text.encode("utf-8"), **files}


def _lines(block: Block, folder: str) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield f"{'#' * level} {escape(text)}"
        case Paragraph(text, kind):
            mark = {"label": "**", "status": "**", "note": ""}.get(kind, "")
            yield f"{mark}{escape(text)}{mark}"
        case Listing(items, ordered):
            yield "\n".join(
                f"{f'{place}.' if ordered else '-'} {escape(item)}"
                for place, item in enumerate(items, start=1)
            )
        case Picture(name, _, alt, caption):
            yield f"![{escape(alt)}]({quote(f'{folder}/{name}.svg')})"
            yield escape(caption)
        case Code(text):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
            yield f"{fence}\n{text}\n{fence}"
        case Grid():
            yield f"**{escape(block.caption)}**" if block.caption else ""
            yield _pipes(block)


def _pipes(grid: Grid) -> str:
    head, body = spread(grid.head), spread(grid.body)
    width = max(len(row) for row in (*head, *body))
    names = [
        " / ".join(dict.fromkeys(text for text in column if text))
        for column in zip(*head, strict=True)
    ]
    names = names or [""] * width
    numeric = [cell.is_number for cell in grid.head[-1]] if len(grid.head) == 1 else []
    if len(numeric) != width:
        numeric = [place > 0 for place in range(width)] if grid.head else [False] * width
    rows = [names, ["---:" if right else "---" for right in numeric]]
    rows += [[escape(text) for text in row] for row in body]
    rows[0] = [escape(name) for name in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def spread(rows: tuple[tuple[GridCell, ...], ...]) -> list[list[str]]:
    """
    Lay rows out as a rectangle.

    Parameters
    ----------
    rows : tuple of tuple of GridCell
        Cells that may cover others.

    Returns
    -------
    list of list of str
        The text of a cell stands in the first row and column that it covers, and in a head also
        over its other columns.
    """
    taken: dict[tuple[int, int], str] = {}
    for down, row in enumerate(rows):
        across = 0
        for cell in row:
            while (down, across) in taken:
                across += 1
            for below in range(cell.rows):
                for beside in range(cell.columns):
                    taken[down + below, across + beside] = cell.text
    width = 1 + max((across for _, across in taken), default=0)
    return [[taken.get((down, across), "") for across in range(width)] for down in range(len(rows))]


def escape(text: str) -> str:
    r"""
    Take from a text what Markdown or HTML would read as a mark.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    str
        On one line.

    Examples
    --------
    >>> print(escape("a|b <i> *c*"))
    a\|b &lt;i&gt; \*c\*
    """
    text = re.sub(r"([\\`*_\[\]|#~])", r"\\\1", text)
    text = "".join(_ENTITIES.get(sign, sign) for sign in text)
    return re.sub(r"^(\d+)([.)])(?=\s)", r"\1\\\2", re.sub(r"^([-+])(?=\s)", r"\\\1", text))


FORMATS.register("md", write_md)
