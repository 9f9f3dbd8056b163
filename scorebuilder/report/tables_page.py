"""A plain page of tables in the style of the report: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """

    title: str
    sentence: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


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
