"""The workbook: a sheet for one patient, an audit of every step, and the check of the vectors."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from scorebuilder.core.errors import MissingPartError
from scorebuilder.core.units import unit_text
from scorebuilder.export.plan import InputRule, Plan
from scorebuilder.export.workbook_logic import Constants, ExcelPrinter, score_formulas
from scorebuilder.score.apply import LARGEST_INPUT

FIRST = 8
"""Row of the first input on the sheet for one patient."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
KINDS = ("missing", "value", "refusal", "warning", "contribution")
FIXED_DATE = "2000-01-01T00:00:00Z"


def make_workbook(plan: Plan, vectors: Sequence[Mapping[str, Any]] | None = None) -> bytes:
    """
    Write the workbook of a score.

    Parameters
    ----------
    plan : Plan
        The score, laid out.
    vectors : sequence of mapping, optional
        What the check sheet holds; the plan's own vectors if not given.

    Returns
    -------
    bytes
        An ``.xlsx`` file, the same for the same score.

    Raises
    ------
    MissingPartError
        If openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
    except ImportError as error:
        message = "the target `excel` needs openpyxl: pip install 'scorebuilder[excel]'"
        raise MissingPartError(message) from error
    book = Workbook()
    patient = book.active
    patient.title = "Score"
    audit, check, stored, about = map(book.create_sheet, ("Audit", "Check", "Constants", "About"))
    printer = ExcelPrinter(Constants())
    _Check(plan, printer, check, plan.vectors if vectors is None else vectors).write()
    _Audit(plan, printer, audit).write()
    _Patient(plan, printer, patient).write()
    _write_constants(stored, printer.constants)
    _write_about(about, plan)
    for sheet in book.worksheets:
        sheet.protection.sheet = True
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.fitToHeight = 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
    book.calculation.fullCalcOnLoad = True
    file = io.BytesIO()
    book.save(file)
    return _fixed(file.getvalue())


def put_text(sheet: Any, address: str, text: str) -> Any:
    """
    Write text that no spreadsheet takes for a formula.

    Parameters
    ----------
    sheet : Worksheet
        Where.
    address : str
        Of the cell.
    text : str
        Any text.

    Returns
    -------
    Cell
        The cell.
    """
    cell = sheet[address]
    cell.value = text
    cell.data_type = "s"
    if text.startswith(FORMULA_STARTS):
        cell.quotePrefix = True
    return cell


def _put(sheet: Any, address: str, value: Any) -> None:
    if isinstance(value, str):
        put_text(sheet, address, value)
    else:
        sheet[address] = value


def _bold(cell: Any, size: int = 11) -> None:
    from openpyxl.styles import Font

    cell.font = Font(bold=True, size=size)


def _widths(sheet: Any, widths: Mapping[str, float]) -> None:
    for column, width in widths.items():
        sheet.column_dimensions[column].width = width


class _Patient:
    """The sheet for one patient; its cells for inputs are the only ones that can be changed."""

    def __init__(self, plan: Plan, printer: ExcelPrinter, sheet: Any) -> None:
        self.plan, self.printer, self.sheet = plan, printer, sheet

    def write(self) -> None:
        from openpyxl.styles import Alignment

        sheet, about = self.sheet, self.plan.about
        _bold(put_text(sheet, "A1", str(about["title"])), 14)
        put_text(sheet, "A2", f"{about['name']} {about['version']}, status: {about['status']}")
        sheet["A3"] = self._notice()
        put_text(sheet, "A4", f"Outcome: {about['outcome']}")
        put_text(sheet, "A5", f"Not for: {about['not_for']}")
        for column, head in zip(
            "ABCDE", ("Input", "Value", "Unit", "Values", "Remark"), strict=True
        ):
            _bold(put_text(sheet, f"{column}{FIRST - 1}", head))
        for number, rule in enumerate(self.plan.inputs):
            self._input(FIRST + number, number, rule)
        self._results(FIRST + len(self.plan.inputs) + 1)
        _widths(sheet, {"A": 38, "B": 20, "C": 16, "D": 46, "E": 34})
        for row in sheet.iter_rows(min_row=1, max_row=5):
            row[0].alignment = Alignment(wrap_text=False)
        sheet.freeze_panes = f"A{FIRST}"

    def _notice(self) -> str:
        about, constants = self.plan.about, self.printer.constants
        words = self.plan.status_notice
        parts = [constants.of(words, "notice of the status")] if words else []
        if about["review_by"]:
            year, month, day = (int(part) for part in str(about["review_by"]).split("-"))
            due = constants.of(f" This score was due for review by {about['review_by']}.", "notice")
            parts.append(f'IF(TODAY()>DATE({year},{month},{day}),{due},"")')
        return f"={'&'.join(parts)}" if parts else '=""'

    def _input(self, row: int, number: int, rule: InputRule) -> None:
        from openpyxl.styles import Border, PatternFill, Protection, Side

        sheet = self.sheet
        put_text(sheet, f"A{row}", rule.label)
        cell = sheet[f"B{row}"]
        cell.protection = Protection(locked=False)
        cell.fill = PatternFill("solid", fgColor="FFF8DC")
        cell.border = Border(*[Side(style="thin", color="808080")] * 4)
        put_text(sheet, f"C{row}", unit_text(rule.unit))
        put_text(sheet, f"D{row}", _values_text(rule))
        refusal = _Audit.address("refusal", number)
        warning = _Audit.address("warning", number)
        sheet[f"E{row}"] = (
            f'=IF({refusal}<>"",SUBSTITUTE({refusal},"_"," "),'
            f'IF(ISERROR(SEARCH(":imputed",{warning})),"","imputed ")&'
            f'IF(ISERROR(SEARCH(":extrapolation",{warning})),"","extrapolation"))'
        )
        if not rule.numeric:
            cell.number_format = "@"
            self._choices(cell, rule)

    def _choices(self, cell: Any, rule: InputRule) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        cells = self.printer.constants.cells
        first = len(cells) + 2
        cells += [(code, f"code of {rule.name}") for code in rule.codes]
        listed = f"Constants!$A${first}:$A${len(cells) + 1}"
        choice = DataValidation(
            type="list", formula1=listed, allow_blank=True, showErrorMessage=False
        )
        self.sheet.add_data_validation(choice)
        choice.add(cell)

    def _results(self, row: int) -> None:
        from openpyxl.styles import Alignment

        sheet, plan = self.sheet, self.plan
        last = len(plan.vectors) + 1
        checked = f"COUNTIF(Check!$A$2:$A${last},TRUE)"
        total = len(plan.vectors)
        _bold(put_text(sheet, f"A{row}", "Self-check"))
        sheet[f"B{row}"] = f'=IF({checked}={total},"passed","failed")'
        put_text(
            sheet, f"D{row}", "All test vectors on the sheet Check are reproduced; else no result."
        )
        sure = f'$B${row}="passed"'
        lines = [("Status", "status", 0, None), ("Points", "points", 0, "0"),
                 ("Risk group", "group", 0, None)]  # fmt: skip
        lines += [(f"Risk by {r.words}", "risk", n, "0.0%") for n, r in enumerate(plan.horizons)]
        lines += [("Linear predictor", "predictor", 0, "0.0000")]
        lines += [("Refusals", "refusals", 0, None), ("Warnings", "warnings", 0, None)]
        for offset, (label, kind, number, form) in enumerate(lines, start=1):
            _bold(put_text(sheet, f"A{row + offset}", label))
            cell = sheet[f"B{row + offset}"]
            cell.value = f'=IF({sure},{_Audit.address(kind, number)},"")'
            cell.alignment = Alignment(horizontal="left")
            if form:
                cell.number_format = form
            if kind in ("points", "risk", "group"):
                _bold(cell, 13)


def _values_text(rule: InputRule) -> str:
    if not rule.numeric:
        shown = "; ".join(f"{code} = {label}" if label else code for code, label in rule.levels)
        return f"{shown}{_fill_text(rule)}"
    parts = []
    if rule.usual is not None:
        parts.append(f"usual {rule.usual[0]:.4g} to {rule.usual[1]:.4g}")
    assert rule.lowest is not None and rule.highest is not None  # noqa: PT018 - numbers have both
    if rule.lowest > -LARGEST_INPUT:
        parts.append(f"not below {rule.lowest:g}")
    if rule.highest < LARGEST_INPUT:
        parts.append(f"not above {rule.highest:g}")
    return "; ".join(parts) + _fill_text(rule)


def _fill_text(rule: InputRule) -> str:
    if rule.fill is None:
        return "; required"
    shown = f"{rule.fill:.6g}" if isinstance(rule.fill, float) else str(rule.fill)
    return f"; empty: {shown} is taken"


class _Audit:
    """The sheet that shows every intermediate value of the patient."""

    COLUMNS = "CDEFG"
    TOTALS = ("refusals", "warnings", "status", "predictor", "points", "group", "risk")
    WORDS = ("Refusals", "Warnings", "Status", "Linear predictor", "Points", "Risk group")

    def __init__(self, plan: Plan, printer: ExcelPrinter, sheet: Any) -> None:
        self.plan, self.printer, self.sheet = plan, printer, sheet

    @classmethod
    def address(cls, kind: str, number: int) -> str:
        """Address as seen from another sheet; totals stand above, inputs below."""
        return f"Audit!{cls.place(kind, number)}"

    @classmethod
    def place(cls, kind: str, number: int) -> str:
        if kind in KINDS:
            return f"${cls.COLUMNS[KINDS.index(kind)]}${20 + number}"
        return f"$B${3 + cls.TOTALS.index(kind) + number}"

    def write(self) -> None:
        sheet, plan = self.sheet, self.plan
        _bold(put_text(sheet, "A1", "Every step of the patient on the sheet Score"), 13)
        for place, word in enumerate(self.WORDS):
            put_text(sheet, f"A{3 + place}", word)
        for number, horizon in enumerate(plan.horizons):
            put_text(sheet, f"A{9 + number}", f"Risk by {horizon.words}")
        heads = ("Input", "Given", "Missing (1)", "Value used", "Refusal", "Warning",
                 "Contribution", "Average", "Against the average")  # fmt: skip
        for column, head in zip("ABCDEFGHI", heads, strict=True):
            _bold(put_text(sheet, f"{column}19", head))
        given = []
        for number, rule in enumerate(plan.inputs):
            row = 20 + number
            put_text(sheet, f"A{row}", rule.name)
            given.append(f"Score!$B${FIRST + number}")
            sheet[f"B{row}"] = f'=IF({self.place("missing", number)}=1,"",{given[-1]})'
            average = self.printer.constants.of(
                plan.reference[rule.name], f"average of {rule.name}"
            )
            sheet[f"H{row}"] = f"={average}"
            part = self.place("contribution", number)
            sheet[f"I{row}"] = f'=IF({part}="","",{part}-H{row})'
        for address, formula in score_formulas(plan, self.printer, given, self.place).items():
            sheet[address] = formula
        _widths(
            sheet, {"A": 30, "B": 26, "C": 12, "D": 22, "E": 14, "F": 34, "G": 22, "H": 22, "I": 22}
        )


class _Check:
    """The sheet that scores the test vectors and compares."""

    def __init__(
        self, plan: Plan, printer: ExcelPrinter, sheet: Any, vectors: Sequence[Mapping[str, Any]]
    ) -> None:
        self.plan, self.printer, self.sheet, self.vectors = plan, printer, sheet, vectors
        n, horizons = len(plan.inputs), len(plan.horizons)
        names = ["reproduced", *(f"given {rule.name}" for rule in plan.inputs)]
        names += [f"{kind} {rule.name}" for rule in plan.inputs for kind in KINDS]
        self.results = ["refusals", "warnings", "status", "predictor", "points", "group"]
        self.results += [f"risk {row.code}" for row in plan.horizons]
        names += self.results + [f"expected {name}" for name in self.results]
        self.names, self.first_step, self.first_result = names, 1 + n, 1 + n + n * len(KINDS)
        self.first_expected = self.first_result + 6 + horizons

    def write(self) -> None:
        from openpyxl.utils import get_column_letter

        letters = [get_column_letter(place + 1) for place in range(len(self.names))]
        for letter, name in zip(letters, self.names, strict=True):
            _bold(put_text(self.sheet, f"{letter}1", name))
        for row, vector in enumerate(self.vectors, start=2):
            self._row(row, vector, letters)
        self.sheet.freeze_panes = "B2"

    def _row(self, row: int, vector: Mapping[str, Any], letters: list[str]) -> None:
        def place(kind: str, number: int) -> str:
            if kind in KINDS:
                column = self.first_step + number * len(KINDS) + KINDS.index(kind)
            else:
                known = ["refusals", "warnings", "status", "predictor", "points", "group", "risk"]
                column = self.first_result + known.index(kind) + number
            return f"${letters[column]}{row}"

        given = [f"${letters[1 + number]}{row}" for number in range(len(self.plan.inputs))]
        for rule, address in zip(self.plan.inputs, given, strict=True):
            value = vector["inputs"].get(rule.name)
            if value is not None:
                _put(self.sheet, address.replace("$", ""), value)
        for address, formula in score_formulas(self.plan, self.printer, given, place).items():
            self.sheet[address.replace("$", "")] = formula
        self._expect(row, vector, letters, place)

    def _expect(self, row: int, vector: Mapping[str, Any], letters: list[str], place: Any) -> None:
        expected = {
            "refusals": "".join(f"{f['predictor']}:{f['flag']}; " for f in vector["refusals"]),
            "warnings": "".join(f"{f['predictor']}:{f['flag']}; " for f in vector["warnings"]),
            "status": vector["status"],
            "predictor": vector["linear_predictor"],
            "points": vector["points"],
        }
        risks = vector["risk"] or [None] * len(self.plan.horizons)
        expected |= {f"risk {h.code}": r for h, r in zip(self.plan.horizons, risks, strict=True)}
        at = {n: f"{letters[self.first_expected + i]}{row}" for i, n in enumerate(self.results)}
        for name, value in expected.items():
            if value not in (None, ""):
                _put(self.sheet, at[name], value)
        same = [
            f'EXACT({place(name, 0)},{at[name]}&"")' for name in ("refusals", "warnings", "status")
        ]
        if vector["status"] == "ok":
            same.append(f"{place('points', 0)}={at['points']}")
            same += [
                f"ABS({place('risk', number)}-{at[f'risk {h.code}']})<=0.000000001"
                for number, h in enumerate(self.plan.horizons)
            ]
        self.sheet[f"A{row}"] = f"=AND({','.join(same)})"


def _write_constants(sheet: Any, constants: Constants) -> None:
    for column, head in zip("AB", ("Value", "What it is"), strict=True):
        _bold(put_text(sheet, f"{column}1", head))
    for row, (value, what) in enumerate(constants.cells, start=2):
        _put(sheet, f"A{row}", value)
        put_text(sheet, f"B{row}", what)
    _widths(sheet, {"A": 28, "B": 60})


def _write_about(sheet: Any, plan: Plan) -> None:
    rows = [(key, value) for key, value in plan.about.items() if key != "provenance"]
    rows += [(f"provenance: {key}", value) for key, value in plan.about["provenance"].items()]
    for row, (key, value) in enumerate(rows, start=1):
        _bold(put_text(sheet, f"A{row}", str(key)))
        put_text(sheet, f"B{row}", "" if value is None else str(value))
    _widths(sheet, {"A": 28, "B": 110})


def _fixed(content: bytes) -> bytes:
    """Write the archive again without the time of writing."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in sorted(source.namelist()):
            data = source.read(name)
            if name == "docProps/core.xml":
                stamp = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
                data = re.sub(stamp, rb"\g<1>" + FIXED_DATE.encode(), data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, data)
    return out.getvalue()
