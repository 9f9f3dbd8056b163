"""Formulas of a spreadsheet that computes a score, wherever its cells stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scorebuilder.export.plan import LARGEST_EXPONENT, InputRule, Plan
from scorebuilder.export.printer import Printer

Place = Callable[[str, int], str]
"""``place(kind, number)`` -> address of the cell for a quantity of an input, or of the patient."""


@dataclass
class Constants:
    """
    Cells that hold what formulas use: numbers to the last digit, and text of any length.

    A formula would lose the digits after the fifteenth, and text after the 255th sign.

    Attributes
    ----------
    sheet : str
        Where they stand, in column A.
    cells : list of (value, what)
        Row 2 and on.
    """

    sheet: str = "Constants"
    cells: list[tuple[float | str, str]] = field(default_factory=list)

    def of(self, value: float | str, what: str = "") -> str:
        """
        Return the address of a constant, the same for the same value.

        Parameters
        ----------
        value : float or str
            The constant.
        what : str
            What it is, for readers of the sheet.

        Returns
        -------
        str
            An absolute address.
        """
        for place, (known, _) in enumerate(self.cells):
            if type(known) is type(value) and known == value:
                return f"{self.sheet}!$A${place + 2}"
        self.cells.append((value, what))
        return f"{self.sheet}!$A${len(self.cells) + 1}"


class ExcelPrinter(Printer):
    """
    Formulas of spreadsheets, with functions that every version knows.

    Parameters
    ----------
    constants : Constants
        Where numbers and codes stand.
    """

    def __init__(self, constants: Constants) -> None:
        self.constants = constants
        self.addresses: dict[str, str] = {}

    def number(self, value: float) -> str:
        """Print a constant as the address of its cell; 0 and 1 stand for themselves."""
        return str(int(value)) if value in (0.0, 1.0) else self.constants.of(float(value))

    def input(self, name: str) -> str:
        """Print the address of an input."""
        return self.addresses[name]

    def function(self, name: str, operand: str) -> str:
        """Print a function of one operand."""
        return f"{name.upper()}({operand})"

    def one_of(self, name: str, codes: tuple[str, ...]) -> str:
        """Print 1 if a factor has one of some codes, else 0; EXACT tells capitals apart."""
        same = ",".join(f"EXACT({self.input(name)},{self.constants.of(code)})" for code in codes)
        return f"IF(OR({same}),1,0)"

    def clip(self, value: str, low: str, high: str) -> str:
        """Print a value pulled in to limits."""
        return f"MIN(MAX({value},{low}),{high})"

    def if_positive(self, source: str, value: str) -> str:
        """Print a value if another is above 0, else 0."""
        return f"IF({source}>0,{value},0)"


def missing_formula(given: str) -> str:
    """
    Write 1 if a cell is empty or holds blanks only, else 0.

    Parameters
    ----------
    given : str
        Address of the cell.

    Returns
    -------
    str
        A formula.
    """
    blank = f'IF(ISTEXT({given}),IF(TRIM({given})="",1,0),0)'
    return f"=IF(ISERROR({given}),0,IF(ISBLANK({given}),1,{blank}))"


def score_formulas(
    plan: Plan, printer: ExcelPrinter, given: list[str], place: Place
) -> dict[str, str]:
    """
    Write every step of a score for one patient.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    printer : ExcelPrinter
        Prints the contributions.
    given : list of str
        Addresses of the inputs, in the order of the plan.
    place : callable
        Addresses for the kinds ``missing value refusal warning contribution`` of each input, and
        ``refusals warnings status predictor points group risk`` of the patient.

    Returns
    -------
    dict
        Address -> formula. What has no value is empty text.
    """
    out: dict[str, str] = {}
    for number, rule in enumerate(plan.inputs):
        printer.addresses[rule.name] = place("value", number)
        out |= _input_formulas(plan, printer, number, given[number], place)
    numbers = range(len(plan.inputs))
    refusals, warnings = place("refusals", 0), place("warnings", 0)
    lp, points = place("predictor", 0), place("points", 0)
    told = "&".join(
        f'IF({place("refusal", n)}="","",{printer.constants.of(plan.inputs[n].name)}&":"&'
        f'{place("refusal", n)}&"; ")'
        for n in numbers
    )
    out[refusals] = f"={told}"
    remarks = "&".join(place("warning", n) for n in numbers)
    out[warnings] = f'=IF({refusals}="",{remarks},"")'
    out[place("status", 0)] = f'=IF({refusals}="","ok","refused")'
    total = "+".join(place("contribution", n) for n in numbers)
    out[lp] = f'=IF({refusals}="",{total},"")'
    reached = "+".join(f"IF({lp}>={printer.number(value)},1,0)" for value in plan.thresholds)
    out[points] = f'=IF({refusals}="",{reached},"")'
    group = printer.constants.of(plan.groups[-1][0])
    for label, _, last in reversed(plan.groups[:-1]):
        group = f"IF({points}<={last},{printer.constants.of(label)},{group})"
    out[place("group", 0)] = f'=IF({refusals}="",{group},"")'
    bound = printer.constants.of(LARGEST_EXPONENT, "bound of the exponent")
    for number, row in enumerate(plan.horizons):
        hazard = printer.constants.of(
            row.cumulative_hazard, f"cumulative hazard by {row.words} at linear predictor 0"
        )
        risk = f"1-EXP(-MIN({bound},{hazard}*EXP(MAX(-{bound},MIN({bound},{lp})))))"
        out[place("risk", number)] = f'=IF({refusals}="",{risk},"")'
    return out


def _input_formulas(
    plan: Plan, printer: ExcelPrinter, number: int, given: str, place: Place
) -> dict[str, str]:
    rule = plan.inputs[number]
    missing, value = place("missing", number), place("value", number)
    read = _number_read(given) if rule.numeric else _code_read(given)
    fill = '""' if rule.fill is None else printer.constants.of(rule.fill, f"fill of {rule.name}")
    tree = printer(plan.contributions[rule.name])
    return {
        missing: missing_formula(given),
        value: f"=IF({missing}=1,{fill},{read})",
        place("refusal", number): f"={_refusal(rule, printer, missing, value)}",
        place("warning", number): f"={_warning(rule, printer, missing, value)}",
        place("contribution", number): f'=IF({place("refusals", 0)}="",{tree},"")',
    }


def _number_read(given: str) -> str:
    return f'IF(ISERROR({given}),"",IF(ISNUMBER({given}),{given},""))'


def _code_read(given: str) -> str:
    whole = f'IF(ABS({given})<1E15,IF({given}=INT({given}),TEXT({given},"0"),""),"")'
    return f'IF(ISERROR({given}),"",IF(ISTEXT({given}),{given},IF(ISNUMBER({given}),{whole},"")))'


def _refusal(rule: InputRule, printer: ExcelPrinter, missing: str, value: str) -> str:
    if rule.numeric:
        assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
        outside = [
            f"{value}<{printer.number(rule.lowest)}",
            f"{value}>{printer.number(rule.highest)}",
        ]
        if rule.above is not None:
            outside.append(f"{value}<={printer.number(rule.above)}")
        inner = (
            f'IF(NOT(ISNUMBER({value})),"invalid",IF(OR({",".join(outside)}),"out_of_range",""))'
        )
    else:
        inner = f'IF({printer.one_of(rule.name, rule.codes)}=0,"invalid","")'
    return f'IF({missing}=1,"missing",{inner})' if rule.fill is None else inner


def _warning(rule: InputRule, printer: ExcelPrinter, missing: str, value: str) -> str:
    parts, name = [], printer.constants.of(rule.name, "name of an input")
    if rule.fill is not None:
        parts.append(f'IF({missing}=1,{name}&":imputed; ","")')
    if rule.usual is not None:
        low, high = map(printer.number, rule.usual)
        far = f"OR({value}<{low},{value}>{high})"
        parts.append(f'IF(ISNUMBER({value}),IF({far},{name}&":extrapolation; ",""),"")')
    return "&".join(parts) or '""'
