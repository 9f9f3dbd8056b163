"""The page in a real browser without network: nothing asked for, nothing refused, no overflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.report.render import render_html

pytestmark = pytest.mark.browser

EXAMPLE = Path(__file__).with_name("summary_example.json")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(json.loads(EXAMPLE.read_text(encoding="utf-8"))), encoding="utf-8")
    return path


def _open(browser: Any, file: Path, width: int) -> tuple[Any, list[str], list[str]]:
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_load_state("load")
    return page, requests, complaints


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_quiet_complete_and_inside_the_window(browser: Any, file: Path, width: int) -> None:
    page, requests, complaints = _open(browser, file, width)
    assert [url for url in requests if not url.startswith("data:")] == [file.as_uri()]
    assert complaints == []
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    # One pixel is left for rounding.
    assert page.evaluate("document.documentElement.scrollWidth") <= width + 1
    too_wide = page.evaluate(
        """[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll')
           && !e.closest('.hidden') && e.getBoundingClientRect().right > window.innerWidth + 1
        ).map(e => e.tagName + '.' + e.className)"""
    )
    assert too_wide == []
    page.context.close()


def test_no_table_is_cut_on_a_wide_screen(browser: Any, file: Path) -> None:
    page, _, _ = _open(browser, file, 1440)
    cut = page.evaluate(
        """[...document.querySelectorAll('.scroll')].filter(e => e.clientWidth > 0
           && e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"""
    )
    assert cut == []
    page.context.close()


def test_style_is_applied_and_details_open_by_keyboard(browser: Any, file: Path) -> None:
    page, _, _ = _open(browser, file, 1440)
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.focus("details summary")
    page.keyboard.press("Enter")
    assert page.evaluate("document.querySelector('details').open")
    page.context.close()


def test_print_shows_what_is_folded_away(browser: Any, file: Path) -> None:
    page, _, _ = _open(browser, file, 1000)
    page.emulate_media(media="print")
    low = page.evaluate(
        """[...document.querySelectorAll('details table')].filter(
           e => e.getBoundingClientRect().height < 40).map(e => e.innerText)"""
    )
    assert low == []
    assert page.evaluate(
        """[...document.querySelectorAll('figure img')].every(
           e => getComputedStyle(e).breakInside == 'avoid')"""
    )
    assert page.evaluate("getComputedStyle(document.querySelector('.contents')).display") == "none"
    page.context.close()
