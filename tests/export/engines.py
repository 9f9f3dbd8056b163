"""Runs a score in the program of each target: lists of patients in, results of one shape out."""

from __future__ import annotations

import csv
import json
import math
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scorebuilder.export.plan import Plan, make_plan
from scorebuilder.export.redcap import field_names
from scorebuilder.export.target import export_score
from scorebuilder.export.targets.fhir import questionnaire, response
from scorebuilder.export.targets.redcap import dictionary
from scorebuilder.export.workbook import make_workbook

from .redcap_engine import Redcap  # isort: skip
from .shapes import Job, Patient, Result, expectation, run, typed_groups, write_files  # isort: skip

HERE = Path(__file__).parent

PYTHON = """
import importlib.util, json, sys
def load(path):
    spec = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
out = []
for path, patients in json.load(open(sys.argv[1], encoding="utf-8")):
    module = load(path)
    module.self_check()
    out.append([module.score(values) for values in patients])
json.dump(out, open(sys.argv[2], "w", encoding="utf-8"))
"""

NODE = """
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const special = (key, value) => (value && value.$number ? Number(value.$number) : value);
const out = [];
for (const [path, patients] of JSON.parse(readFileSync(process.argv[2], "utf8"), special)) {
  const module = await import(pathToFileURL(path));
  module.selfCheck();
  out.push(patients.map(module.score));
}
writeFileSync(process.argv[3], JSON.stringify(out));
"""

R = """
hex <- function(x) vapply(enc2utf8(as.character(x)), function(one)
  if (is.na(one)) "-" else paste0("x", paste(charToRaw(one), collapse = "")), "")
digits <- function(x) ifelse(is.na(x), "-", sprintf("%.17g", x))
options(warn = 2)
"""


def _of_dictionary(found: dict[str, Any]) -> Result:
    return expectation(
        {**found, "risk": None if found["risk"] is None else list(found["risk"].values())}
    )


def python(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Run the module alone in an interpreter without site packages."""
    paths = map(str, write_files(jobs, "python", folder, ".py"))
    given, got = folder / "python.json", folder / "python.out.json"
    given.write_text(
        json.dumps([[p, list(job[1])] for p, job in zip(paths, jobs, strict=True)]), "utf-8"
    )
    run([sys.executable, "-I", "-S", "-W", "error", "-c", PYTHON, given, got])
    return [list(map(_of_dictionary, rows)) for rows in json.loads(got.read_text("utf-8"))]


def _special(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$number": {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")}
    return value


def javascript(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Run the module in node."""
    paths = map(str, write_files(jobs, "javascript", folder, ".mjs"))
    given, got, script = folder / "node.json", folder / "node.out.json", folder / "run.mjs"
    rows = [
        [path, [{name: _special(value) for name, value in p.items()} for p in job[1]]]
        for path, job in zip(paths, jobs, strict=True)
    ]
    given.write_text(json.dumps(rows), "utf-8")
    script.write_text(NODE, "utf-8")
    run(["node", script, given, got])
    return [list(map(_of_dictionary, rows)) for rows in json.loads(got.read_text("utf-8"))]


def _r_text(value: str) -> str:
    signs = (f"\\u{ord(s):04x}" if ord(s) < 0x10000 else f"\\U{ord(s):08x}" for s in value)
    shown = "".join(signs)
    return f'enc2utf8("{shown}")'


def r_literal(value: Any) -> str:
    """A value as R's parser reads it back to the last bit."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return _r_text(value)
    if isinstance(value, list | dict):
        return "I(list(list()))"
    number = float(value)
    if not math.isfinite(number):
        return {"inf": "Inf", "-inf": "-Inf"}.get(str(number), "NaN")
    return number.hex()


def _r_column(values: Sequence[Any], of: str) -> str:
    if any(isinstance(value, list | dict) for value in values):
        assert len(values) == 1
        return r_literal(values[0])
    if of == "text":
        known = sorted({value for value in values if value is not None})
        words = ", ".join(map(r_literal, known)) or "NA_character_"
        places = ("NA" if v is None else f"{1 + known.index(v)}L" for v in values)
        return f"c({words})[c({', '.join(places)}, NULL)]"
    missing = {"number": "NA_real_", "truth": "NA"}[of]
    return f"c({', '.join(missing if v is None else r_literal(v) for v in values)})"


def r(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Run the function in Rscript, one data frame for each combination of types."""
    lines, tables = [R], []
    for number, ((artifact, patients), path) in enumerate(
        zip(jobs, write_files(jobs, "r", folder, ".R"), strict=True)
    ):
        plan = make_plan(artifact)
        lines.append(f"source({json.dumps(str(path))}, encoding = 'UTF-8')")
        lines.append(f"invisible({plan.file_stem}(self_check = TRUE))")
        for place, (kinds, rows) in enumerate(_r_groups(plan, patients)):
            columns = [
                _r_column([patients[row].get(rule.name) for row in rows], of)
                for rule, of in zip(plan.inputs, kinds, strict=True)
            ]
            names = ", ".join(_r_text(rule.name) for rule in plan.inputs)
            out = folder / f"r_{number}_{place}.csv"
            tables.append((number, rows, out))
            risks = ", ".join(f'"risk_{row.code}"' for row in plan.horizons)
            lines += [
                f"columns <- list({', '.join(columns)})",
                f"names(columns) <- c({names})",
                f"data <- structure(columns, class = 'data.frame', row.names = 1:{len(rows)})",
                f"found <- {plan.file_stem}(data)",
                "words <- lapply(found[c('status', 'refusals', 'warnings', 'risk_group')], hex)",
                f"numbers <- lapply(found[c('points', {risks}, 'linear_predictor')], digits)",
                f"writeLines(do.call(paste, c(words, numbers, sep = ',')), {json.dumps(str(out))})",
            ]
    script = folder / "run.R"
    script.write_text("\n".join(lines), "utf-8")
    start = f"source({json.dumps(str(script))})"  # as R reads a script line by line, long ones fail
    run(["Rscript", "--vanilla", "-e", start], env=_environment(LC_ALL="C"))
    results: list[list[Any]] = [[None] * len(job[1]) for job in jobs]
    for number, rows, out in tables:
        for row, line in zip(rows, out.read_text().splitlines(), strict=True):
            results[number][row] = _r_result(line)
    return results


def _r_groups(plan: Plan, patients: Sequence[Patient]) -> list[tuple[tuple[str, ...], list[int]]]:
    out = []
    for kinds, rows in typed_groups(plan, patients).items():
        odd = [r for r in rows if any(isinstance(v, list | dict) for v in patients[r].values())]
        out += [(kinds, [row]) for row in odd]
        even = [row for row in rows if row not in set(odd)]
        out += [(kinds, even)] if even else []
    return out


def _r_result(line: str) -> Result:
    cells = line.split(",")
    words = [None if c == "-" else bytes.fromhex(c[1:]).decode() for c in cells[:4]]
    points, *risk, lp = (None if cell == "-" else float(cell) for cell in cells[4:])
    return {
        "status": words[0], "refusals": words[1], "warnings": words[2], "group": words[3],
        "points": points, "risk": None if points is None else risk, "lp": lp,
    }  # fmt: skip


def _environment(**more: str) -> dict[str, str]:
    import os

    return {**os.environ, **more}


def soffice(file: Path, folder: Path, to: str) -> None:
    """Let LibreOffice convert a file, with a profile of its own."""
    program = shutil.which("soffice")
    assert program, "the workbook is computed by LibreOffice; apt-get install -y libreoffice-calc"
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    run([program, profile, "--headless", "--convert-to", to, "--outdir", folder, file])


SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1"
"""All sheets, numbers with all their digits."""


def sheets(content: bytes, folder: Path) -> dict[str, list[list[str]]]:
    """Recalculate a workbook; sheet -> rows of cells."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "book.xlsx").write_bytes(content)
    soffice(folder / "book.xlsx", folder, SHEETS)
    out = {}
    for path in folder.glob("book-*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            out[path.stem.removeprefix("book-")] = list(csv.reader(file))
    return out


def excel(jobs: Sequence[tuple[Any, Sequence[dict[str, Any]]]], folder: Path) -> list[list[Result]]:
    """Recalculate the check sheet over verdicts, whose inputs it gets; all must be reproduced."""
    out = []
    for number, (artifact, verdicts) in enumerate(jobs):
        plan = make_plan(artifact)
        head, *rows = sheets(make_workbook(plan, vectors=verdicts), folder / str(number))["Check"]
        assert [row[0] for row in rows] == ["TRUE"] * len(verdicts)
        out.append([_excel_result(plan, dict(zip(head, row, strict=True))) for row in rows])
    return out


def _excel_result(plan: Plan, row: dict[str, str]) -> Result:
    ok = row["status"] == "ok"
    return {
        "status": row["status"],
        "refusals": row["refusals"][:-2],
        "warnings": row["warnings"][:-2],
        "points": int(row["points"]) if ok else None,
        "risk": [float(row[f"risk {one.code}"]) for one in plan.horizons] if ok else None,
        "group": row["group"] if ok else None,
        "lp": float(row["predictor"]) if ok else None,
    }


def fhir(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Evaluate the questionnaire with an engine of FHIRPath."""
    out = []
    for number, (artifact, patients) in enumerate(jobs):
        plan = make_plan(artifact)
        file = folder / f"fhir_{number}.json"
        file.write_text(
            json.dumps(
                {
                    "questionnaire": questionnaire(plan),
                    "responses": [response(plan, patient) for patient in patients],
                }
            ),
            "utf-8",
        )
        found = json.loads(run(["node", HERE / "fhir_engine.cjs", file]))
        out.append([_fhir_result(plan, one) for one in found])
    return out


def _fhir_result(plan: Plan, found: dict[str, Any]) -> Result:
    refusals = (found["refusals"] or "")[:-2]
    risks = [found[f"risk{number}"] for number in range(1, len(plan.horizons) + 1)]
    return {
        "status": "refused" if refusals else "ok",
        "refusals": refusals,
        "warnings": (found["warnings"] or "")[:-2],
        "points": found["points"],
        "risk": None if found["points"] is None else risks,
        "group": found["group"],
    }


def redcap(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Evaluate the calculated fields of the data dictionary, in their order."""
    del folder
    out = []
    for artifact, patients in jobs:
        plan = make_plan(artifact)
        fields = field_names(rule.name for rule in plan.inputs)
        steps = [
            (row["Variable / Field Name"], _calculation(row))
            for row in dictionary(plan)
            if _calculation(row)
        ]
        out.append([_redcap_result(plan, fields, steps, patient) for patient in patients])
    return out


def _calculation(row: dict[str, str]) -> str:
    if row["Field Type"] == "calc":
        return row["Choices, Calculations, OR Slider Labels"]
    note = row["Field Annotation"]
    start = note.find("@CALCTEXT(")
    return "" if start < 0 else note[start + len("@CALCTEXT(") : note.rindex(") @READONLY")]


def _redcap_result(
    plan: Plan, fields: dict[str, str], steps: Sequence[tuple[str, str]], patient: Patient
) -> Result:
    record: dict[str, Any] = {}
    for rule in plan.inputs:
        value = patient.get(rule.name)
        if value is not None and not rule.numeric:
            value = float(1 + rule.codes.index(value))
        record[fields[rule.name]] = "" if value is None else value
    engine = Redcap(record)
    for name, code in steps:
        record[name] = engine.evaluate(code)

    def told(ending: str) -> str:
        return "; ".join(
            f"{rule.name}:{flag}"
            for rule in plan.inputs
            for flag in record[f"{fields[rule.name]}{ending}"].split("; ")
            if flag
        )

    ok = record["sb_status"] == "ok"
    risks = [record[f"sb_risk_{row.code.replace('.', '_')}"] for row in plan.horizons]
    return {
        "status": record["sb_status"],
        "refusals": told("_r"),
        "warnings": told("_w") if ok else "",
        "points": record["sb_points"] if ok else None,
        "risk": risks if ok else None,
        "lp": record["sb_lp"] if ok else None,
    }


def pmml(jobs: Sequence[Job], folder: Path) -> list[list[Result]]:
    """Let an engine of PMML predict; it says nothing about refusals but that there is no value."""
    from pypmml import Model

    del folder
    out = []
    for artifact, patients in jobs:
        plan = make_plan(artifact)
        (text,) = export_score(artifact, "pmml").values()
        model = Model.fromString(str(text))
        rows = []
        for patient in patients:
            found = model.predict({k: v for k, v in patient.items() if v is not None})
            points = found.get("points")
            ok = points is not None and not math.isnan(points)
            rows.append(
                {
                    "status": "ok" if ok else "refused",
                    "points": points if ok else None,
                    "risk": [found[f"risk_{row.code}"] for row in plan.horizons] if ok else None,
                    "group": found["risk_group"] if ok else None,
                    "lp": found["linear_predictor"] if ok else None,
                }
            )
        out.append(rows)
    return out
