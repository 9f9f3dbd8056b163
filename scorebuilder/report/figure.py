"""What a figure of the report is, and the registry from which all are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from scorebuilder.core.registry import Registry
from scorebuilder.report.words import clean

Summary: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """
    A cell as it is laid out.

    Attributes
    ----------
    text : str
        What it says.
    span : int
        Columns that it covers.
    is_number : bool
        Set from the right.
    """

    text: str
    span: int
    is_number: bool


@dataclass(frozen=True)
class DataTable:
    """
    A small table of ready texts.

    Attributes
    ----------
    caption : str
        What the table shows.
    header : tuple of str
        Names of the columns; the first column names the row.
    rows : tuple of tuple of str
        Cells.
    text : tuple of int
        Columns of words, which are set from the left; the others hold numbers.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: tuple[int, ...] = ()

    def cells(self, row: tuple[str, ...]) -> list[Cell]:
        """
        Return the cells of a row; a reason that is the same in neighbouring cells is said once.

        Parameters
        ----------
        row : tuple of str
            One of `rows`.

        Returns
        -------
        list of Cell
            Their spans add up to the number of columns.
        """
        cells: list[Cell] = []
        for column, text in enumerate(row):
            before = cells[-1] if cells else None
            if before and column > 1 and before.text == text and text.startswith("undefined"):
                cells[-1] = Cell(text, before.span + 1, before.is_number)
            else:
                cells.append(Cell(text, 1, column not in self.text))
        return cells


@dataclass(frozen=True)
class Figure:
    """
    A drawing with the words and numbers that say the same.

    Attributes
    ----------
    name : str
        File name, ``<name>.svg``.
    svg : str
        The drawing.
    width, height : int
        Size in CSS pixels.
    alt : str
        What the drawing shows, with its main numbers.
    caption : str
        How to read it.
    numbers : DataTable or None
        The plotted numbers; None where a table of the section holds them already.
    model : str
        The model that is drawn, where there is one drawing per model.
    """

    name: str
    svg: str
    width: int
    height: int
    alt: str
    caption: str
    numbers: DataTable | None = None
    model: str = ""


FigureKind: TypeAlias = Callable[[Summary], Iterator[Figure]]

FIGURES: Registry[FigureKind] = Registry("figure", "scorebuilder.report.figures")


def slug(text: str) -> str:
    """
    Turn a name into a part of a file name.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Lower-case letters, digits and hyphens only.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def tidy(value: Any) -> Any:
    """
    Take from every text of a summary the characters that neither HTML nor SVG can hold.

    Parameters
    ----------
    value : object
        Nested dictionaries and lists of plain values.

    Returns
    -------
    object
        The same, with clean texts.
    """
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(item) for item in value]
    return value


def collect_figures(
    summary: Summary, *, kinds: tuple[str, ...] | None = None
) -> dict[str, list[Figure]]:
    """
    Draw every figure that a summary has the numbers for.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    kinds : tuple of str, optional
        Names in `FIGURES`; all of them if not given.

    Returns
    -------
    dict
        Figures of each kind, in reading order; an empty list where the numbers are absent.

    Raises
    ------
    MissingPartError
        If matplotlib is not installed.
    """
    return {kind: list(FIGURES[kind](summary)) for kind in kinds or FIGURES}


def draw_figures(summary: Summary) -> dict[str, str]:
    """
    Draw every figure as a file.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    dict
        SVG text for each file name, ``<name>.svg``.

    Raises
    ------
    MissingPartError
        If matplotlib is not installed.
    """
    return figure_files(collect_figures(tidy(summary)))


def figure_files(drawn: Mapping[str, list[Figure]]) -> dict[str, str]:
    """
    Name the files of figures.

    Parameters
    ----------
    drawn : mapping of str to list of Figure
        From `collect_figures`.

    Returns
    -------
    dict
        SVG text for each file name, ``<name>.svg``.
    """
    return {f"{figure.name}.svg": figure.svg for figures in drawn.values() for figure in figures}


def png_figures(summary: Summary) -> dict[str, bytes]:
    """
    Draw every figure as a PNG file of 300 dots per inch.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    dict of str to bytes
        Content for each file name, ``<name>.png``.

    Raises
    ------
    MissingPartError
        If matplotlib is not installed.
    """
    from scorebuilder.report.drawing import png_copies

    with png_copies() as copies:
        drawn = draw_figures(summary)
    return {f"{name.removesuffix('.svg')}.png": copies[svg] for name, svg in drawn.items()}
