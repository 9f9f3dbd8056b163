"""Word: headings, tables in the style of journals, figures with captions and alternative texts."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

from scorebuilder.core.errors import MissingPartError
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

FIXED = (2000, 1, 1, 0, 0, 0)
LANGUAGES = {"en": "en-GB", "fr": "fr-FR"}
TEXT_WIDTH_INCHES = 6.5
_INK = "1D2733"


def write_docx(rendering: Rendering) -> dict[str, bytes]:
    """
    Write the report as a Word document.

    Parameters
    ----------
    rendering : Rendering
        The page, with a PNG of each figure.

    Returns
    -------
    dict of str to bytes
        One file, the same bytes for the same page: no date of today is in it.

    Raises
    ------
    MissingPartError
        If python-docx is not installed.
    """
    try:
        import docx
    except ImportError as error:
        message = "Word files need python-docx; install it with `pip install 'scorebuilder[docx]'`"
        raise MissingPartError(message) from error
    document = docx.Document()
    _prepare(document, rendering)
    for block in read_page(rendering.html):
        _add(document, block, rendering)
    buffer = io.BytesIO()
    document.save(buffer)
    return {f"{rendering.name}.docx": _without_times(buffer.getvalue())}


def _prepare(document: Any, rendering: Rendering) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Inches, Pt, RGBColor

    core = document.core_properties
    core.title, core.author, core.last_modified_by, core.comments = rendering.title, "", "", ""
    core.language = LANGUAGES.get(rendering.language, rendering.language)
    core.created = core.modified = datetime(*FIXED, tzinfo=UTC)
    core.revision = 1
    section = document.sections[0]
    section.page_width, section.page_height = Inches(8.27), Inches(11.69)
    section.left_margin = section.right_margin = Inches((8.27 - TEXT_WIDTH_INCHES) / 2)
    section.top_margin = section.bottom_margin = Inches(0.9)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Arial", Pt(10)
    normal.paragraph_format.space_after = Pt(6)
    fonts = normal.element.get_or_add_rPr()
    fonts.append(_xml("w:lang", val=core.language))
    for level in range(1, 5):
        style = document.styles[f"Heading {level}"]
        style.font.name, style.font.color.rgb = "Arial", RGBColor(0x0B, 0x4A, 0x6F)
        style.font.size, style.font.italic = Pt((22, 16, 12.5, 10.5)[level - 1]), False
        for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            style.element.rPr.rFonts.attrib.pop(qn(name), None)
    foot = section.footer.paragraphs[0]
    foot.text = f"{rendering.title} · "
    foot.runs[0].font.size = Pt(8)
    run = foot.add_run()
    run.font.size = Pt(8)
    for part in (
        _xml("w:fldChar", fldCharType="begin"),
        _xml("w:instrText", "PAGE"),
        _xml("w:fldChar", fldCharType="end"),
    ):
        run._r.append(part)


def _xml(name: str, text: str = "", **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    if text:
        element.text = text
    return element


def _add(document: Any, block: Block, rendering: Rendering) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(text, level)
        case Paragraph():
            _add_paragraph(document, block)
        case Listing(items, ordered):
            for item in items:
                style = "List Bullet" if not ordered else "Normal"
                mark = f"{items.index(item) + 1}. " if ordered else ""
                document.add_paragraph(f"{mark}{item}", style)
        case Code(text):
            _small(document.add_paragraph(text), 8, font="Courier New")
        case Picture():
            _add_picture(document, block, rendering)
        case Grid():
            _add_grid(document, block)


def _add_paragraph(document: Any, block: Paragraph) -> None:
    paragraph = document.add_paragraph(block.text)
    if block.kind in ("label", "status"):
        paragraph.runs[0].bold = True
        paragraph.paragraph_format.keep_with_next = block.kind == "label"
    elif block.kind == "note":
        _small(paragraph, 8.5)


def _small(paragraph: Any, size: float, font: str = "") -> None:
    from docx.shared import Pt

    for run in paragraph.runs:
        run.font.size = Pt(size)
        if font:
            run.font.name = font


def _add_picture(document: Any, picture: Picture, rendering: Rendering) -> None:
    from docx.shared import Inches

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    width = min(picture.width / 96, TEXT_WIDTH_INCHES)
    shape = paragraph.add_run().add_picture(
        io.BytesIO(rendering.pngs[picture.svg]), width=Inches(width)
    )
    shape._inline.docPr.set("descr", picture.alt)
    shape._inline.docPr.set("name", picture.name)
    _small(document.add_paragraph(picture.caption), 8.5)


def _add_grid(document: Any, grid: Grid) -> None:
    from docx.shared import Pt

    rows = (*grid.head, *grid.body)
    if not rows:
        return
    width = max(sum(cell.columns for cell in row) for row in rows)
    if grid.caption:
        caption = document.add_paragraph()
        caption.add_run(grid.caption).bold = True
        caption.paragraph_format.keep_with_next = True
        caption.paragraph_format.space_after = Pt(2)
    table = document.add_table(rows=len(rows), cols=width)
    table.autofit = True
    size = 8.5 if width <= 5 else 7.5 if width <= 8 else 6.5
    places = list(table._cells)
    taken: set[tuple[int, int]] = set()
    for down, row in enumerate(rows):
        across = 0
        for cell in row:
            while (down, across) in taken:
                across += 1
            first = down * width + across
            last = first + (cell.rows - 1) * width + cell.columns - 1
            place = places[first] if first == last else places[first].merge(places[last])
            _fill(place, cell, size, bold=down < len(grid.head))
            taken |= {
                (down + below, across + beside)
                for below in range(cell.rows)
                for beside in range(cell.columns)
            }
    _rule(table, len(grid.head))
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _fill(place: Any, cell: GridCell, size: float, *, bold: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = place.paragraphs[0]
    run = paragraph.add_run(cell.text)
    run.bold, run.font.size = bold, Pt(size)
    paragraph.paragraph_format.space_after = Pt(1)
    if cell.is_number:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _rule(table: Any, n_head: int) -> None:
    """Draw three rules, as journals do: above, under the head, below; repeat the head on pages."""
    borders = _xml("w:tblBorders")
    for side in ("top", "bottom"):
        borders.append(_xml(f"w:{side}", val="single", sz="8", space="0", color=_INK))
    table._tbl.tblPr.append(borders)
    for place, row in enumerate(table.rows):
        properties = row._tr.get_or_add_trPr()
        properties.append(_xml("w:cantSplit"))
        if place < n_head:
            properties.append(_xml("w:tblHeader"))
    if n_head:
        for cell in table.rows[n_head - 1]._tr.tc_lst:
            edges = _xml("w:tcBorders")
            edges.append(_xml("w:bottom", val="single", sz="6", space="0", color=_INK))
            cell.get_or_add_tcPr().append(edges)


def _without_times(content: bytes) -> bytes:
    """Pack the parts again, each with the same time."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as packed,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as fresh,
    ):
        for name in packed.namelist():
            entry = zipfile.ZipInfo(name, FIXED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            fresh.writestr(entry, packed.read(name))
    return buffer.getvalue()


FORMATS.register("docx", write_docx)
