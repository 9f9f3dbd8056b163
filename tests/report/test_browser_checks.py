"""Every kind of page in a browser: accessible, silent, inside the window, whole in print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.report.format import Rendering
from scorebuilder.report.index_page import IndexRow, render_index
from scorebuilder.report.language import translate_page
from scorebuilder.report.render import render_section
from scorebuilder.report.version_comparison import comparison_page

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("report", "french", "index", "comparison", "validation")
PRINTED_HEIGHT = 265 * 96 / 25.4
"""A4 less two margins of 16 mm, in CSS pixels."""


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory,
    example_rendering: Rendering,
    example_summary: dict[str, Any],
) -> dict[str, Path]:
    html = example_rendering.html
    rows = [
        IndexRow(
            "a", "1.0.0", "A score", "research", "3,873", "460", "0.712", "a/1.0.0/report.html"
        ),
        IndexRow("b", "0.1.0", damage="report.html is missing"),
    ]
    found = {
        "old": "a 1.0.0", "new": "a 1.1.0", "verdict": "Risk changes.", "coefficients": [],
        "changes": [{"level": "minor", "place": "baseline", "text": "other survival"}],
        "curves": [], "risk": [],
    }  # fmt: skip
    pages = {
        "report": html,
        "french": translate_page(html, "fr", example_summary),
        "index": render_index(rows),
        "comparison": comparison_page(found),
        "validation": render_section(example_summary, "external"),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_silent_and_inside_the_window(
    browser: Any, files: dict[str, Path], name: str, width: int
) -> None:
    context = browser.new_context(
        offline=True, bypass_csp=False, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(files[name].as_uri())
    assert [url for url in requests if not url.startswith("data:")] == [files[name].as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    # The page's own policy forbids script; the debugger may evaluate it all the same.
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    broken = [(v["id"], v["nodes"][0]["html"][:200]) for v in found["violations"]]
    assert broken == []
    assert len(found["passes"]) > 10
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_script(browser: Any, files: dict[str, Path], name: str) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(files[name].as_uri())
    assert page.locator("h1").is_visible()
    for fold in page.locator("main > details, .part > details").all()[:2]:
        fold.locator("summary").first.click()
        assert fold.get_attribute("open") is not None
    context.close()


def test_no_figure_is_cut_in_print(browser: Any, files: dict[str, Path]) -> None:
    """An image lies on one page if it may not be broken and is lower than a page."""
    context = browser.new_context(offline=True, viewport={"width": 680, "height": 1000})
    page = context.new_page()
    page.goto(files["report"].as_uri())
    page.emulate_media(media="print")
    images = page.evaluate(
        """[...document.querySelectorAll('figure img')].map(e => ({
           height: e.getBoundingClientRect().height, right: e.getBoundingClientRect().right,
           keep: getComputedStyle(e).breakInside,
           caption: getComputedStyle(e.closest('figure').querySelector('figcaption')).breakBefore,
           clipped: [...(function*(p) { while ((p = p.parentElement)) yield p })(e)].some(
             p => getComputedStyle(p).overflowX === 'auto')}))"""
    )
    assert len(images) >= 20
    for image in images:
        assert 0 < image["height"] < PRINTED_HEIGHT
        assert image["right"] <= 681
        assert (image["keep"], image["caption"]) == ("avoid", "avoid")
        assert not image["clipped"]
    context.close()


def test_the_french_page_is_marked_as_french(files: dict[str, Path]) -> None:
    assert '<html lang="fr">' in files["french"].read_text(encoding="utf-8")
    assert json.dumps("en") not in files["french"].read_text(encoding="utf-8").split("<head>")[0]
