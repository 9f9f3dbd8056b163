"""The invented summary and its page, rendered once for all tests that only read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.report.drawing import png_copies
from scorebuilder.report.format import Rendering
from scorebuilder.report.render import render_html


@pytest.fixture(scope="session")
def example_summary() -> dict[str, Any]:
    path = Path(__file__).with_name("summary_example.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def example_rendering(example_summary: dict[str, Any]) -> Rendering:
    """The page of the example, with hostile labels and a PNG of each figure."""
    text = json.dumps(example_summary)
    for label in ("Age", "Vascular event score", "High"):
        text = text.replace(json.dumps(label), json.dumps(HOSTILE))
    with png_copies() as pngs:
        html = render_html(json.loads(text))
    return Rendering(html, "report", "Title", "en", pngs)


HOSTILE = "<script>alert('x')</script>|*b*"
"""A label that would run in a page, break a table and set type in Markdown."""
