"""The tables of the report as files that an author pastes into a manuscript, one table each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scorebuilder.report.document import Grid, GridCell, Paragraph, read_page
from scorebuilder.report.drawing import short
from scorebuilder.report.figure import Summary, slug
from scorebuilder.report.numbers import journal
from scorebuilder.report.render import render_page, section_bodies
from scorebuilder.report.section import SECTIONS

CHAPTERS = ("Patients", "Model", "Score", "Performance")
"""Chapters whose tables a paper or its supplement has."""

ABBREVIATIONS = {
    "AUC": "area under the receiver operating characteristic curve by the horizon",
    "AUC(t)": "area under the receiver operating characteristic curve by the horizon",
    "CI": "confidence interval",
    "C-index": "concordance index",
    "df": "degrees of freedom",
    "E50": "median absolute calibration error",
    "E90": "90th centile of the absolute calibration error",
    "Emax": "largest absolute calibration error",
    "FP1": "fractional polynomial of first degree",
    "FP2": "fractional polynomial of second degree",
    "ICI": "integrated calibration index",
    "IDI": "integrated discrimination improvement",
    "NA": "not available",
    "NRI": "net reclassification improvement",
    "PPV": "positive predictive value",
    "SD": "standard deviation",
    "SMD": "standardised mean difference",
    "VIMP": "variable importance by permutation",
}
TESTS = {
    "assumptions": "P: test of proportional hazards by scaled Schoenfeld residuals.",
    "comparison": "P: two-sided test of the difference of AUC on the same patients, from paired"
    " influence functions.",
    "missing": "P: log-rank test.",
    "price": "P: two-sided test of the difference on the same patients, from paired influence"
    " functions.",
    "functions": "P of a coefficient: Wald test; P of a function: likelihood-ratio test.",
    "subgroups": "P: two-sided Wald test of the difference from the reference subgroup.",
    "incremental": "P: likelihood-ratio test of nested models; out of fold, two-sided test of the"
    " difference on the same patients.",
}
NO_VALUE = "NA"
_RANGE = re.compile(r"(?<![\w.,\N{MINUS SIGN}-])(\d[\d.,]*)([ \N{NO-BREAK SPACE}]?%)? to (\d)")
_QUARTILES = re.compile(r"\[(-?[\d.,]+), (-?[\d.,]+)\]")
_PERCENT = re.compile(r"(?<=\d)[ \N{NO-BREAK SPACE}]%")
_TWO = re.compile(r"(\)) (\S+ \[)")
_MARKS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class JournalCell:
    """
    A cell as it is printed.

    Attributes
    ----------
    text, mark : str
        What it says, and the letter of its footnote.
    columns, rows : int
        How many it covers.
    is_number, is_level : bool
        Set from the right; set in.
    """

    text: str
    mark: str
    columns: int
    rows: int
    is_number: bool
    is_level: bool


def journal_tables(summary: Summary) -> dict[str, str]:
    """
    Write the tables of patients, model, score and performance.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    dict of str to str
        HTML by file name, numbered in reading order: title, three rules, footnotes with what is
        not available, abbreviations and tests. The cells are those of the page, with P values,
        ranges and per cents as journals set them.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    with journal():
        bodies = section_bodies(summary)
    tables = [
        (key, grid, notes)
        for key, body in bodies
        if SECTIONS[key].chapter in CHAPTERS
        for grid, notes in _with_notes(body)
    ]
    return {
        f"table-{number:02d}-{slug(short(_title(key, grid), 60))}.html": _page(
            number, key, grid, notes
        )
        for number, (key, grid, notes) in enumerate(tables, start=1)
    }


def _with_notes(body: str) -> Iterator[tuple[Grid, list[str]]]:
    """Give each table that has a title and a head, with the notes that follow it."""
    found: list[tuple[Grid, list[str]]] = []
    for block in read_page(body):
        if isinstance(block, Grid):
            found.append((block, []))
        elif isinstance(block, Paragraph) and block.kind == "note" and found:
            found[-1][1].append(block.text)
    return ((grid, notes) for grid, notes in found if grid.caption and grid.head and grid.body)


def _title(key: str, grid: Grid) -> str:
    """Name the section too, where the caption needs it."""
    section = SECTIONS[key].title
    known = key == "table_one" or grid.caption.lower().startswith(section.lower())
    return grid.caption if known else f"{section}: {grid.caption}"


def _page(number: int, key: str, grid: Grid, notes: list[str]) -> str:
    reasons: dict[str, str] = {}
    head = [[_head(cell) for cell in row] for row in grid.head]
    body = [[part for cell in row for part in _cells(cell, reasons)] for row in grid.body]
    texts = [grid.caption, *(cell.text for row in (*head, *body) for cell in row)]
    tested = TESTS.get(key, "") if any(re.search(r"\bP\b", text) for text in texts) else ""
    footnotes = [typeset(note) for note in notes]
    return render_page(
        "journal_table.html.j2",
        {
            "number": number,
            "title": typeset(_title(key, grid)),
            "head": head,
            "body": body,
            "width": max(sum(cell.columns for cell in row) for row in (*head, *body)),
            "footnotes": [*footnotes, *([tested] if tested else [])],
            "reasons": [(mark, reason) for reason, mark in reasons.items()],
            "abbreviations": _abbreviations(texts),
        },
        styles=("journal.css.j2",),
    )


def _head(cell: GridCell) -> JournalCell:
    text = re.sub(r" n ([\d,]+)$", r" (n = \1)", typeset(cell.text))
    return JournalCell(text, "", cell.columns, cell.rows, cell.is_number, is_level=False)


def _cells(cell: GridCell, reasons: dict[str, str]) -> list[JournalCell]:
    """Write a cell, or a mark in each column of one that says why there is no number."""
    text = typeset(cell.text)
    if not text.startswith("undefined: "):
        return [
            JournalCell(text, "", cell.columns, cell.rows, cell.is_number, is_level=cell.is_level)
        ]
    mark = reasons.setdefault(text.removeprefix("undefined: "), _mark(len(reasons)))
    return [
        JournalCell(NO_VALUE, mark, 1, cell.rows, is_number=True, is_level=False)
    ] * cell.columns


def _mark(place: int) -> str:
    return _MARKS[place % 26] * (1 + place // 26)


def typeset(text: str) -> str:
    """
    Set ranges and per cents as journals do.

    Parameters
    ----------
    text : str
        As the page has it.

    Returns
    -------
    str
        With en dashes between numbers of which none is negative, and no blank before per cent.

    Examples
    --------
    >>> typeset("23.4 % (20.1 to 26.5 %)"), typeset("0.02 (-0.01 to 0.05)")
    ('23.4% (20.1–26.5%)', '0.02 (-0.01 to 0.05)')
    """
    text = _QUARTILES.sub("[\\1\N{EN DASH}\\2]", text) if "[-" not in text else text
    text = _TWO.sub("\\1; \\2", text)
    return _PERCENT.sub("%", _RANGE.sub("\\1\\2\N{EN DASH}\\3", text))


def _abbreviations(texts: list[str]) -> list[tuple[str, str]]:
    joined = " ".join(texts)
    return [
        (short_form, meaning)
        for short_form, meaning in ABBREVIATIONS.items()
        if re.search(rf"(?<![\w-]){re.escape(short_form)}(?![\w(-])", joined)
    ]
