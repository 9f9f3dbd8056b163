"""Factors are computed again from atomic weights; nothing is copied from the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import SpecError
from scorebuilder.core.units import (
    DAYS_PER_UNIT,
    Conversion,
    audited_conversions,
    conversion,
    format_horizon,
    parse_horizon,
)

# Abridged standard atomic weights, IUPAC 2021, g/mol.
WEIGHTS = {"C": 12.011, "H": 1.008, "N": 14.007, "O": 15.999, "S": 32.06, "Ca": 40.078}


def molar_mass(**atoms: int) -> float:
    return sum(WEIGHTS[atom] * count for atom, count in atoms.items())


MASSES = {
    "cholesterol": molar_mass(C=27, H=46, O=1),
    "triglycerides": molar_mass(C=57, H=104, O=6),  # triolein, which stands for their mixture
    "glucose": molar_mass(C=6, H=12, O=6),
    "creatinine": molar_mass(C=4, H=7, N=3, O=1),
    "homocysteine": molar_mass(C=4, H=9, N=1, O=2, S=1),
    "urea": molar_mass(C=1, H=4, N=2, O=1),
    "urea nitrogen": molar_mass(N=2),
    "uric acid": molar_mass(C=5, H=4, N=4, O=3),
    "bilirubin": molar_mass(C=33, H=36, N=4, O=6),
    "calcium": molar_mass(Ca=1),
    "haemoglobin": 16114.5,  # monomer with haem; ICSH, the unit of laboratories that use mmol/L
}
# Grams per litre in one unit of mass, moles per litre in one unit of amount.
MASS = {"g/L": 1.0, "g/dL": 10.0, "mg/dL": 0.01, "mg/L": 0.001}
AMOUNT = {"mmol/L": 1e-3, "umol/L": 1e-6}


@pytest.mark.parametrize(
    "row", [row for row in audited_conversions() if row.analyte in MASSES], ids=str
)
def test_factor_from_molar_mass(row: Conversion) -> None:
    mass = MASSES[row.analyte]
    if row.source in AMOUNT:
        expected = AMOUNT[row.source] * mass / MASS[row.target]
    else:
        expected = MASS[row.source] / mass / AMOUNT[row.target]
    # 0.05 %: factors are customary roundings, and triglycerides are a mixture.
    assert row.factor == pytest.approx(expected, rel=5e-4)
    assert row.offset == 0.0
    assert row.basis


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("g/L", "g/dL", 140.0, 14.0),
        ("g/L", "mg/dL", 2.0, 200.0),
        ("g/L", "mg/L", 2.0, 2000.0),
        ("mg/dL", "mg/L", 0.3, 3.0),
        ("mmol/L", "umol/L", 0.09, 90.0),
        ("ng/L", "pg/mL", 14.0, 14.0),
        ("ug/L", "ng/mL", 14.0, 14.0),
        ("ug/L", "ng/L", 0.014, 14.0),
        ("m", "cm", 1.8, 180.0),
        ("m", "mm", 1.8, 1800.0),
        ("cm", "mm", 0.09, 0.9),
        ("kg", "g", 3.2, 3200.0),
        ("[lb_av]", "kg", 100.0, 45.359237),
        ("[in_i]", "cm", 70.0, 177.8),
        ("kPa", "mm[Hg]", 101.325, 760.0),
        ("1", "%", 0.25, 25.0),
        ("a", "d", 2.0, 730.5),
        ("a", "mo", 2.0, 24.0),
        ("mo", "d", 12.0, 365.25),
        ("wk", "d", 2.0, 14.0),
    ],
)
def test_definitions(source: str, target: str, value: float, expected: float) -> None:
    factor, offset = conversion(source, target)
    # 1e-6 for the standard atmosphere, which is 760 mm[Hg] up to the definition of the torr.
    assert factor * value + offset == pytest.approx(expected, rel=1e-6)


def test_every_row_without_analyte_is_tested_above() -> None:
    cases = next(mark for mark in test_definitions.pytestmark).args[1]
    tested = {(source, target) for source, target, _, _ in cases}
    assert tested == {(row.source, row.target) for row in audited_conversions() if not row.analyte}
    others = {row.analyte for row in audited_conversions()} - set(MASSES) - {""}
    assert others == {"hba1c"}


def test_hba1c_by_its_published_pairs() -> None:
    """Pairs of the consensus statement: 42, 48, 53, 64 and 75 mmol/mol; rounded to 0.1 %."""
    factor, offset = conversion("mmol/mol", "%", analyte="hba1c")
    percent = [round(factor * value + offset, 1) for value in (42, 48, 53, 64, 75)]
    assert percent == [6.0, 6.5, 7.0, 8.0, 9.0]


@given(st.sampled_from(audited_conversions()), st.floats(1e-3, 1e4))
def test_there_and_back(row: Conversion, value: float) -> None:
    there = conversion(row.source, row.target, analyte=row.analyte)
    back = conversion(row.target, row.source, analyte=row.analyte)
    assert there == (row.factor, row.offset)
    # Two roundings; the offset of HbA1c cancels, which costs digits of small values.
    returned = back[0] * (there[0] * value + there[1]) + back[1]
    assert returned == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_no_pair_stands_twice() -> None:
    pairs = [(row.analyte, frozenset((row.source, row.target))) for row in audited_conversions()]
    assert len(set(pairs)) == len(pairs)


def test_same_unit_needs_no_row() -> None:
    assert conversion("furlong", "furlong") == (1.0, 0.0)


@pytest.mark.parametrize("analyte", ["", "sodium"])
def test_unknown_conversion_is_refused(analyte: str) -> None:
    with pytest.raises(ValueError, match=r"no audited conversion.* from `mmol/L` to `mg/dL`"):
        conversion("mmol/L", "mg/dL", analyte=analyte)


@pytest.mark.parametrize(
    ("text", "days", "words"),
    [
        ("10y", 3652.5, "10 years"),
        ("36mo", 1095.75, "3 years"),
        ("18 mo", 547.875, "18 months"),
        ("1y", 365.25, "1 year"),
        ("90d", 90.0, "90 days"),
        ("8wk", 56.0, "56 days"),
    ],
)
def test_horizons(text: str, days: float, words: str) -> None:
    assert parse_horizon(text) == days
    assert format_horizon(days) == words


@pytest.mark.parametrize("text", ["10", "y", "-3y", "0y", "3 years", "1e3d", ""])
def test_wrong_horizons(text: str) -> None:
    with pytest.raises(SpecError, match="must be a positive number with a unit"):
        parse_horizon(text)


def test_a_fraction_of_a_day() -> None:
    assert format_horizon(0.5) == "0.5 days"
    assert DAYS_PER_UNIT["mo"] * 12 == DAYS_PER_UNIT["a"]
