"""How units, horizons and labels are written; every expected text is by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.units import unit_text
from scorebuilder.report import words


@pytest.mark.parametrize(
    ("code", "text"),
    [("umol/L", "µmol/L"), ("ug/L", "µg/L"), ("mm[Hg]", "mmHg"), ("a", "years"), ("1", ""),
     (None, ""), ("mmol/L", "mmol/L"), ("u", "u"), ("kg/m2", "kg/m²")],
)  # fmt: skip
def test_units(code: str | None, text: str) -> None:
    assert unit_text(code or "") == text


def test_counts_and_horizons() -> None:
    assert words.plural(1, "event") == "1 event"
    assert words.plural(1234, "event") == "1,234 events"
    assert words.adjective(1826.25) == "5-year"
    assert words.adjective(90) == "90-day"
    assert words.years(365.25 * 4.94) == "4.9 years"


@given(st.text())
def test_clean_text_can_stand_in_a_file(text: str) -> None:
    shown = words.clean(text)
    shown.encode()
    assert not any(ord(character) < 32 for character in shown)
