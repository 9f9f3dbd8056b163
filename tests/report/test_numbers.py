"""How numbers are written; every expected text is by hand."""

from __future__ import annotations

import pytest

from scorebuilder.report import numbers

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def test_risks_have_one_decimal_and_a_space_before_the_sign() -> None:
    assert numbers.percent(0.2336) == f"23.4{NBSP}%"
    assert numbers.interval(0.031, 0.05, style=numbers.percent) == f"3.1 to 5.0{NBSP}%"


@pytest.mark.parametrize(
    ("value", "text"), [(1e-9, "<0.001"), (0.001, "0.001"), (0.0432, "0.043"), (1.0, "1.000")]
)
def test_p_values(value: float, text: str) -> None:
    assert numbers.p_value(value) == text


def test_minus_is_a_minus_and_zero_has_no_sign() -> None:
    assert numbers.number(-3411.716) == f"{MINUS}3,411.72"
    assert numbers.number(-0.0004) == "0.00"
    assert numbers.signed(0.038) == "+0.038"
    assert numbers.signed(-0.005) == f"{MINUS}0.005"
    assert numbers.signed(0.0001) == numbers.signed(-0.0001) == "0.000"


def test_undefined_says_why() -> None:
    assert numbers.maybe(None, "no events") == "undefined: no events"
    assert numbers.estimate(None, 0.1, 0.2, "no events") == "undefined: no events"
    assert numbers.p_value(None, "no events") == "undefined: no events"
    assert numbers.difference(None, None, None, "no events") == "undefined: no events"
    assert numbers.undefined(None) == "undefined: no reason recorded"
    assert numbers.undefined("undefined, because r") == "undefined: r"
    assert numbers.undefined("undefined: r") == "undefined: r"
    assert numbers.undefined("") == "undefined: no reason recorded"


def test_estimates() -> None:
    assert numbers.estimate(0.712, 0.69, 0.731) == "0.712 (0.690 to 0.731)"
    assert numbers.estimate(0.712, None, 0.731) == "0.712"
    assert numbers.difference(0.038, 0.019, 0.057) == "+0.038 (0.019 to 0.057)"
    assert numbers.difference(0.038, None, None) == "+0.038"


def test_quantities() -> None:
    assert [numbers.quantity(value) for value in (0, 0.00002, -14.25, 98.7, 1234.5)] == [
        "0", "2.0e-05", f"{MINUS}14.2", "98.7", "1,234",
    ]  # fmt: skip
