"""A plain page of tables in the style of the report: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scorebuilder.report.figure import DataTable, Figure
from scorebuilder.report.render import _environment, _trusted, style_hash


@dataclass(frozen=True)
class PageTable:
    """
    One part of the page.

    Attributes
    ----------
    title : str
        Heading.
    sentence : str
        What the table says, in words.
    columns : tuple of str
        Headings of the columns.
    rows : tuple of tuple of str
        Cells as they are shown.
    figures : tuple of Figure
        Drawn above the table.
    """

    title: str
    sentence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[Figure, ...] = ()

    @property
    def table(self) -> DataTable:
        """The table for the page, without empty columns; those without a letter hold numbers."""
        kept = [k for k in range(len(self.columns)) if k == 0 or any(row[k] for row in self.rows)]
        rows = tuple(tuple(_typeset(row[k]) for k in kept) for row in self.rows)
        words = tuple(
            place
            for place in range(1, len(kept))
            if any(letter.isalpha() for row in rows for letter in row[place])
        )
        return DataTable(self.title, tuple(self.columns[k] for k in kept), rows, words)


def _typeset(cell: str) -> str:
    """Write a dash for nothing, and minus signs before numbers."""
    if cell == "-":
        return "–"
    return f"\N{MINUS SIGN}{cell[1:]}" if cell[:1] == "-" and cell[1:2].isdigit() else cell


def render_tables(*, title: str, kind: str, lead: str, parts: Sequence[PageTable]) -> str:
    """
    Render a page of tables.

    Parameters
    ----------
    title : str
        What the page is about.
    kind : str
        What kind of page it is, in small letters above the title.
    lead : str
        The most important sentence.
    parts : sequence of PageTable
        In order.

    Returns
    -------
    str
        One HTML file whose content security policy allows its own style and nothing else.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    environment = _environment()
    style = environment.get_template("style.css.j2").render()
    page: str = environment.get_template("tables_page.html.j2").render(
        title=title,
        kind=kind,
        lead=lead,
        parts=parts,
        style=_trusted(style),
        style_hash=_trusted(style_hash(style)),
    )
    return page
