"""Word, Markdown and PDF say what the page says, escape labels and have the same bytes twice."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.core.errors import MissingPartError
from scorebuilder.report.document import (
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
from scorebuilder.report.formats.md import escape, spread
from scorebuilder.report.render import render_html

HOSTILE = "<script>alert('x')</script>|*b*"

PAGE = """<!DOCTYPE html><html lang="en"><head><title>no</title><style>p{}</style></head><body>
<a class="skip" href="#x">no</a><nav><p>no</p></nav><main><h2 id="x">A &amp; B</h2>
<p class="note">One <strong>two</strong>.</p><ul><li>a<span class="hidden">no</span></li></ul>
<table><caption><span>C</span></caption><thead><tr><th rowspan="2">P</th><th colspan="2">H</th></tr>
<tr><th class="num">u</th><th class="num">v</th></tr></thead><tbody><tr><th>1</th><td class="num">2
<span aria-hidden="true">no</span></td><td>undefined: <span>x</span></td></tr></tbody></table>
<dl><div><dt>k</dt><dd>v</dd></div></dl><pre>x  y
z</pre></main></body></html>"""


def test_a_page_becomes_blocks_in_order() -> None:
    heading, note, items, table, facts, code = read_page(PAGE)
    assert heading == Heading(2, "A & B")
    assert note == Paragraph("One two.", "note")
    assert items == Listing(("a",))
    assert isinstance(table, Grid)
    assert table.caption == "C"
    assert table.head == (
        (GridCell("P", rows=2), GridCell("H", columns=2)),
        (GridCell("u", is_number=True), GridCell("v", is_number=True)),
    )
    assert table.body[0][1:] == (GridCell("2", is_number=True), GridCell("undefined: x"))
    # The first cell of the head covers two rows, so that the second row starts in column 2.
    assert spread(table.head) == [["P", "H", "H"], ["P", "u", "v"]]
    assert facts == Grid("", (), ((GridCell("k"), GridCell("v")),))
    assert code == Code("x  y\nz")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", "a\\|b"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("[a](b)", "\\[a\\](b)"),
        ("# x `y`", "\\# x \\`y\\`"),
    ],
)
def test_marks_of_markdown_are_escaped(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_every_format_registers_itself() -> None:
    assert set(FORMATS) == {"docx", "html", "md", "pdf"}


def test_markdown_has_every_heading_table_and_figure(example_rendering: Rendering) -> None:
    blocks = read_page(example_rendering.html)
    files = FORMATS["md"](example_rendering)
    text = files["report.md"].decode()
    for block in blocks:
        if isinstance(block, Heading):
            assert f"\n{'#' * block.level} {escape(block.text)}\n" in f"\n{text}"
    tables = [block for block in blocks if isinstance(block, Grid)]
    assert len(re.findall(r"^\|[ :|-]+\|$", text, flags=re.MULTILINE)) >= len(tables)
    for lines in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines.splitlines()}
        assert len(widths) == 1, lines
    links = re.findall(r"\]\((report-figures/[^)]+)\)", text)
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert len(links) == len(pictures) >= 20
    assert set(links) == files.keys() - {"report.md"}
    assert "<script" not in text
    assert escape(HOSTILE) in text


def test_word_has_headings_tables_and_figures_with_alternative_texts(
    example_rendering: Rendering,
) -> None:
    import docx

    content = FORMATS["docx"](example_rendering)["report.docx"]
    document = docx.Document(io.BytesIO(content))
    blocks = read_page(example_rendering.html)
    headings = [p.text for p in document.paragraphs if p.style.name.startswith("Heading")]
    assert headings == [block.text for block in blocks if isinstance(block, Heading)]
    grids = [block for block in blocks if isinstance(block, Grid)]
    assert len(document.tables) == len(grids)
    for table, grid in zip(document.tables, grids, strict=True):
        assert len(table.rows) == len(grid.head) + len(grid.body)
        assert table.rows[-1].cells[0].text == grid.body[-1][0].text
    pictures = [block for block in blocks if isinstance(block, Picture)]
    alts = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert alts == [picture.alt for picture in pictures]
    assert any(HOSTILE in paragraph.text for paragraph in document.paragraphs)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert b"<script" not in packed.read("word/document.xml")
    again = FORMATS["docx"](example_rendering)["report.docx"]
    assert hashlib.sha256(again).digest() == hashlib.sha256(content).digest()


def test_figures_have_300_dots_per_inch(example_rendering: Rendering) -> None:
    from PIL import Image

    pictures = [b for b in read_page(example_rendering.html) if isinstance(b, Picture)]
    for picture in pictures:
        image = Image.open(io.BytesIO(example_rendering.pngs[picture.svg]))
        # CSS pixels are 1/96 inch; one dot is left for rounding of both.
        assert abs(image.width - picture.width * 300 / 96) <= 2
        assert round(image.info["dpi"][0]) == 300


def test_word_without_python_docx_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(MissingPartError, match=r"pip install 'scorebuilder\[docx\]'"):
        FORMATS["docx"](Rendering(PAGE, "report", "T"))


def test_pdf_without_a_browser_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingPartError, match="PDF needs Chromium or Chrome on the PATH"):
        FORMATS["pdf"](Rendering(PAGE, "report", "T"))


@pytest.mark.browser
def test_pdf_is_whole_and_the_same_twice(example_rendering: Rendering, tmp_path: Path) -> None:
    first, second = (FORMATS["pdf"](example_rendering)["report.pdf"] for _ in range(2))
    assert first == second
    (tmp_path / "report.pdf").write_bytes(first)
    done = subprocess.run(
        ["pdftotext", tmp_path / "report.pdf", "-"], check=True, capture_output=True, text=True
    )
    text = " ".join(done.stdout.split())
    for block in read_page(example_rendering.html):
        if isinstance(block, Heading):
            assert " ".join(block.text.split()) in text


def test_rendering_is_fast_and_small(example_summary: dict[str, Any]) -> None:
    started = time.process_time()
    html = render_html(example_summary)
    # Processor time, so that other work on the machine does not count; about 5 s are usual.
    assert time.process_time() - started < 10
    assert len(html.encode()) < 5_000_000
