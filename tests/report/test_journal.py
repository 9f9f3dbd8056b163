"""Tables for manuscripts: the cells of the page, set as journals do, with footnotes."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from scorebuilder.report import numbers
from scorebuilder.report.document import Grid, read_page
from scorebuilder.report.journal import ABBREVIATIONS, journal_tables, typeset
from scorebuilder.report.render import render_html

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def tables(example_summary: dict[str, Any]) -> dict[str, str]:
    return journal_tables(example_summary)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.712 (0.690 to 0.731)", f"0.712 (0.690{DASH}0.731)"),
        ("9.8\N{NO-BREAK SPACE}% (8.1 to 11.4\N{NO-BREAK SPACE}%)", f"9.8% (8.1{DASH}11.4%)"),
        (f"{MINUS}0.025 ({MINUS}0.049 to {MINUS}0.001)",) * 2,
        (f"+0.017 ({MINUS}0.016 to 0.049)",) * 2,
        ("3 to 5", f"3{DASH}5"),
        ("59.6 (10.5) 60.0 [52.0, 68.0]", f"59.6 (10.5); 60.0 [52.0{DASH}68.0]"),
        ("1,204 to 2,010", f"1,204{DASH}2,010"),
        ("40 to below 55 years",) * 2,
    ],
)
def test_ranges_and_per_cents(text: str, shown: str) -> None:
    assert typeset(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0004, "<0.001"), (0.0042, "0.004"), (0.00999, "0.01"), (0.0314, "0.03"), (0.0449, "0.04"),
     (0.0451, "0.045"), (0.0496, "0.050"), (0.0549, "0.055"), (0.0551, "0.06"), (0.319, "0.32"),
     (0.994, ">0.99"), (1.0, ">0.99")],
)  # fmt: skip
def test_p_values(value: float, shown: str) -> None:
    """Two decimals, three where two would say another thing of 0.05 or less than 0.01."""
    with numbers.journal():
        assert numbers.p_value(value) == shown
    assert numbers.p_value(0.319) == "0.319"


def test_every_table_of_a_paper_is_there_once(
    tables: dict[str, str], example_summary: dict[str, Any]
) -> None:
    numbers_ = [int(name[6:8]) for name in tables]
    assert numbers_ == list(range(1, len(tables) + 1))
    titles = " ".join(re.findall("<h1>(.*?)</h1>", "".join(tables.values())))
    for part in (
        "Table 1. Characteristics at time zero", "Adjusted hazard ratios", "Risk by points",
        "Risk groups", "Ranking: AUC at 5 years", "External validation: By 5 years",
    ):  # fmt: skip
        assert part in titles
    assert "Numbers in this figure" not in titles
    page = {block.caption for block in read_page(render_html(example_summary))
            if isinstance(block, Grid)}  # fmt: skip
    assert "Adjusted hazard ratios" in page


def test_cells_are_those_of_the_page(
    tables: dict[str, str], example_summary: dict[str, Any]
) -> None:
    """The same numbers but for P, dashes, blanks and what has no value."""
    shown = {
        block.caption: block
        for block in read_page(render_html(example_summary))
        if isinstance(block, Grid) and block.caption
    }
    for caption in (
        "Adjusted hazard ratios",
        "Risk by points",
        "Calibration: Vascular event score",
    ):
        text = next(t for t in tables.values() if f"{caption}</h1>" in t)
        body = re.sub("<sup>.*?</sup>", "", text.partition("<tbody>")[2].partition("</tbody>")[0])
        cells = re.findall("<t[hd][^>]*>(.*?)</t[hd]>", html.unescape(body))
        expected = [
            "NA" if cell.text.startswith("undefined: ") else typeset(cell.text)
            for row in shown[caption].body
            for cell in row
            for _ in range(cell.columns if cell.text.startswith("undefined: ") else 1)
        ]
        assert cells == expected


def test_footnotes_name_reasons_abbreviations_and_tests(tables: dict[str, str]) -> None:
    risk = next(text for text in tables.values() if "Risk by points</h1>" in text)
    assert "NA<sup>a</sup>" in risk
    assert "<sup>a</sup> Not available: fewer than 5 events." in risk
    assert f"CI, {ABBREVIATIONS['CI']}" in risk
    ranking = next(text for text in tables.values() if "Ranking: AUC at 5 years" in text)
    assert "P: two-sided test of the difference of AUC on the same patients" in ranking
    assert "AUC, area under" in ranking
    first = tables[next(iter(tables))]
    assert "All (n = 4,180)" in first
    assert "SMD, standardised mean difference" in first


def test_labels_are_escaped_and_nothing_is_fetched(example_summary: dict[str, Any]) -> None:
    import json

    text = json.dumps(example_summary).replace('"Age"', json.dumps("<script>x</script>"))
    for page in journal_tables(json.loads(text)).values():
        assert "<script" not in page
        assert "default-src 'none'" in page
        assert "style=" not in page
