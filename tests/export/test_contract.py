"""What every export promises: self-check, notices, words, the same bytes, nothing from outside."""

from __future__ import annotations

import ast
import copy
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sqlglot

from scorebuilder.export.folder import export_folder
from scorebuilder.export.target import TARGETS, export_score
from scorebuilder.score.artifact import ScoreArtifact, seal

from . import engines  # isort: skip
from .made_up import made_up_score  # isort: skip
from .shapes import run  # isort: skip
from .sql_engines import statements  # isort: skip

WITHDRAWN = "This score was withdrawn. Do not use it."
SUPERSEDED = "This score was superseded by other 2.0.0."
DUE = "due for review by 2020-01-01"


def changed(artifact: Any, **parts: Any) -> Any:
    """The same score under another status, sealed anew."""
    content = copy.deepcopy(dict(artifact.content))
    return seal({**content, **parts})


def write(artifact: Any, target: str, folder: Path) -> dict[str, Path]:
    """Write the files of a target."""
    folder.mkdir(exist_ok=True)
    out = {}
    for name, content in export_score(artifact, target).items():
        out[name] = folder / name
        out[name].write_bytes(content.encode() if isinstance(content, str) else content)
    return out


def imported(folder: Path) -> str:
    """Code that imports the module in a folder as m."""
    return f"import sys; sys.path.insert(0, {str(folder)!r}); import whas_death as m"


@pytest.mark.parametrize("target", list(TARGETS))
def test_the_same_bytes_and_who_where_what_not_for(small_score: Any, target: str) -> None:
    artifact = small_score.artifact
    files = export_score(artifact, target)
    assert files
    assert files == export_score(artifact, target)
    if target == "excel":
        return
    everything = "\n".join(str(content) for content in files.values())
    meaning = artifact.content["meaning"]
    for words in (artifact.content["title"], artifact.content["version"], meaning["not_for"]):
        assert words in everything
    assert "MIT" in everything or target in ("redcap", "card")


@pytest.mark.parametrize("target", ["python", "javascript", "json", "html", "sql", "r", "card"])
def test_meaning_and_core_id(small_score: Any, target: str) -> None:
    everything = "\n".join(map(str, export_score(small_score.artifact, target).values()))
    assert small_score.artifact.content["core_id"] in everything
    for key in ("intended_use", "population", "outcome"):
        assert small_score.artifact.content["meaning"][key] in everything


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"status": "withdrawn"}, WITHDRAWN),
        ({"status": "superseded", "superseded_by": "other 2.0.0"}, SUPERSEDED),
        ({"status": "active", "review_by": "2020-01-01"}, DUE),
    ],
)
def test_banners_of_running_code(
    small_score: Any, tmp_path: Path, parts: dict[str, Any], words: str
) -> None:
    artifact = changed(small_score.artifact, **parts)
    for target in ("python", "javascript", "r"):
        write(artifact, target, tmp_path)
    code = f"{imported(tmp_path)}; print(m.notices())"
    assert words in run([engines.sys.executable, "-I", "-c", code])
    (tmp_path / "n.mjs").write_text(
        "import { notices } from './whas_death.mjs'; console.log(notices());"
    )
    assert words in run(["node", tmp_path / "n.mjs"])
    (tmp_path / "n.R").write_text(
        f"source('{tmp_path}/whas_death.R'); cat(whas_death(notices = TRUE))"
    )
    assert words in run(["Rscript", "--vanilla", tmp_path / "n.R"])


def test_files_without_a_clock_state_the_banner_and_the_day(small_score: Any) -> None:
    artifact = changed(small_score.artifact, status="withdrawn", review_by="2020-01-01")
    for target in ("card", "sql"):
        files = export_folder(artifact, target)
        assert WITHDRAWN in files["README.txt"].decode()
        for name, content in files.items():
            if name.endswith(".html") or (name.endswith(".sql") and ".check." not in name):
                assert WITHDRAWN in content.decode()
                assert "2020-01-01" in content.decode()


def test_an_active_score_within_its_date_has_no_banner(small_score: Any, tmp_path: Path) -> None:
    artifact = changed(small_score.artifact, status="active", review_by="2999-01-01")
    write(artifact, "python", tmp_path)
    code = f"{imported(tmp_path)}; print(m.notices())"
    assert run([engines.sys.executable, "-I", "-c", code]).strip() == "[]"


def test_the_workbook_shows_the_banner_and_checks_itself(small_score: Any, tmp_path: Path) -> None:
    artifact = changed(small_score.artifact, status="withdrawn", review_by="2020-01-01")
    (content,) = export_score(artifact, "excel").values()
    rows = engines.sheets(content, tmp_path)["Score"]
    assert rows[2][0].startswith(WITHDRAWN)
    assert DUE in rows[2][0]
    assert ["Self-check", "passed"] in [row[:2] for row in rows]


def test_a_damaged_workbook_shows_no_result(small_score: Any, tmp_path: Path) -> None:
    import io

    from openpyxl import load_workbook

    (content,) = export_score(small_score.artifact, "excel").values()
    book = load_workbook(io.BytesIO(content))
    cells = [row[0] for row in book["Constants"].iter_rows(min_row=2)]
    number = next(cell for cell in cells if isinstance(cell.value, float) and cell.value > 1e-3)
    number.value *= 1.5
    file = io.BytesIO()
    book.save(file)
    rows = dict(row[:2] for row in engines.sheets(file.getvalue(), tmp_path)["Score"])
    assert rows["Self-check"] == "failed"
    assert rows["Points"] == rows["Status"] == ""


def test_a_score_read_from_its_file_checks_itself(small_score: Any, tmp_path: Path) -> None:
    # Keys are sorted in the file: no comparison may depend on their order.
    stored = ScoreArtifact.from_json(small_score.artifact.to_json())
    vectors = [vector["inputs"] for vector in stored.content["evidence"]["test_vectors"]]
    for engine in (engines.python, engines.javascript, engines.r):
        (found,) = engine([(stored, vectors)], tmp_path)
        assert len(found) == len(vectors)


def _damage(path: Path) -> None:
    """Change a number of the arithmetic, not one of the vectors."""
    text = path.read_text("utf-8")
    at = text.index("0.", text.index("contributions(v)"))
    path.write_text(f"{text[:at]}7{text[at:]}", "utf-8")


def test_a_damaged_python_file_refuses(small_score: Any, tmp_path: Path) -> None:
    (path,) = write(small_score.artifact, "python", tmp_path).values()
    _damage(path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import whas_death as m; m.self_check()"
    )
    with pytest.raises(AssertionError, match="do not use this file"):
        run([engines.sys.executable, "-I", "-c", code])


def test_a_damaged_javascript_file_refuses(small_score: Any, tmp_path: Path) -> None:
    _damage(write(small_score.artifact, "javascript", tmp_path)["whas_death.mjs"])
    (tmp_path / "n.mjs").write_text("import { selfCheck } from './whas_death.mjs'; selfCheck();")
    with pytest.raises(AssertionError, match="do not use this file"):
        run(["node", tmp_path / "n.mjs"])


def test_a_damaged_r_file_refuses(small_score: Any, tmp_path: Path) -> None:
    (path,) = write(small_score.artifact, "r", tmp_path).values()
    text = path.read_text("utf-8")
    path.write_text(text.replace("total <- total +", "total <- 1.5 * total +"), "utf-8")
    (tmp_path / "n.R").write_text(f"source('{path}'); whas_death(self_check = TRUE)")
    with pytest.raises(AssertionError, match="not reproduced"):
        run(["Rscript", "--vanilla", tmp_path / "n.R"])


def test_a_damaged_query_lists_vectors(small_score: Any) -> None:
    _, check = statements(small_score.artifact, "sqlite")
    damaged = re.sub(r"lp >= ([-(\d])", r"lp >= 1 + \1", check)
    assert damaged != check
    database = sqlite3.connect(":memory:")
    assert database.execute(check).fetchall() == []
    assert len(database.execute(damaged).fetchall()) > 5
    database.close()


@pytest.mark.parametrize("seed", [None, 0, 3])
@pytest.mark.parametrize("dialect", ["sqlserver", "bigquery"])
def test_queries_of_databases_that_are_not_here_parse(
    small_score: Any, dialect: str, seed: int | None
) -> None:
    artifact = small_score.artifact if seed is None else made_up_score(seed)
    read = {"sqlserver": "tsql", "bigquery": "bigquery"}[dialect]
    for statement in statements(artifact, dialect):
        trees = [tree for tree in sqlglot.parse(statement, read=read) if tree is not None]
        assert [type(tree).__name__ for tree in trees] == ["Select"]
        assert not list(trees[0].find_all(sqlglot.exp.Command))


def test_python_is_python_3_8_and_asks_for_nothing(small_score: Any) -> None:
    (text,) = export_score(small_score.artifact, "python").values()
    tree = ast.parse(str(text), feature_version=(3, 8))
    imported = {
        n.name for node in ast.walk(tree) if isinstance(node, ast.Import) for n in node.names
    }
    assert imported == {"datetime", "math"}
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    assert not called & {"eval", "exec", "open", "compile", "__import__", "input"}


@pytest.mark.parametrize("target", ["javascript", "html"])
def test_javascript_reaches_for_nothing(small_score: Any, target: str) -> None:
    everything = "\n".join(map(str, export_score(small_score.artifact, target).values()))
    for word in (
        "eval(", "new Function", "fetch(", "XMLHttpRequest", "WebSocket", "localStorage",
        "sessionStorage", "indexedDB", "document.cookie", "sendBeacon", "innerHTML", "import(",
        "src=", "url(", "document.write",
    ):  # fmt: skip
        assert word not in everything, word


def test_r_uses_base_functions_only(small_score: Any, tmp_path: Path) -> None:
    (path,) = write(small_score.artifact, "r", tmp_path).values()
    (tmp_path / "n.R").write_text(
        f"source('{path}'); found <- codetools::findGlobals(whas_death)\n"
        "cat(found[!vapply(found, exists, TRUE, envir = baseenv())])\n"
        "cat(intersect(found, c('eval', 'parse', 'url', 'file', 'system', 'readRDS', 'get')))"
    )
    assert run(["Rscript", "--vanilla", tmp_path / "n.R"]).strip() == ""


def test_the_types_of_the_module(small_score: Any, tmp_path: Path) -> None:
    write(small_score.artifact, "javascript", tmp_path)
    (tmp_path / "user.mts").write_text(
        'import { score, selfCheck, notices, INPUTS, type Result } from "./whas_death.mjs";\n'
        "const n: number = selfCheck();\n"
        "const found: Result = score({ age: 70, sex: null });\n"
        'const risk: number | null = found.risk === null ? null : found.risk["1y"];\n'
        "const shown: string[] = notices();\n"
        "const first: string = INPUTS[0].name;\n"
        "export { n, risk, shown, first };\n"
    )
    compiler = engines.HERE.parent / "node" / "node_modules" / "typescript" / "bin" / "tsc"
    settings = "--noEmit --strict --target es2020 --module nodenext --moduleResolution nodenext"
    run(["node", compiler, *settings.split(), tmp_path / "user.mts"])


def evaluate(node: Any, values: dict[str, Any]) -> float:
    """A second implementation of the specification, as its readers would write it."""
    import math

    if not isinstance(node, list):
        return float(node)
    kind, *rest = node
    if kind == "input":
        return float(values[rest[0]])
    if kind == "one_of":
        return float(values[rest[0]] in rest[1])
    if kind == "if_positive":
        return evaluate(rest[1], values) if values[rest[0]] > 0 else 0.0
    if kind in ("ln", "exp"):
        return {"ln": math.log, "exp": math.exp}[kind](evaluate(rest[0], values))
    if kind == "clip":
        return min(max(evaluate(rest[0], values), rest[1]), rest[2])
    left, right = (evaluate(part, values) for part in rest)
    return float({
        "+": left + right, "-": left - right, "*": left * right,
        "/": left / right if kind == "/" else 0.0, "^": left**right if kind == "^" else 0.0,
    }[kind])  # fmt: skip


@pytest.mark.parametrize("seed", [None, *range(12)])
def test_the_specification(small_score: Any, seed: int | None) -> None:
    import math

    artifact = small_score.artifact if seed is None else made_up_score(seed)
    files = export_score(artifact, "json")
    schema = json.loads(files.pop("specification.schema.json"))
    (text,) = files.values()
    spec = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(spec, schema)
    assert len(spec["test_vectors"]) >= 50
    for vector in spec["test_vectors"]:
        if vector["status"] != "ok":
            continue
        values = {
            rule["name"]: rule["fill"] if vector["inputs"][rule["name"]] is None
            else vector["inputs"][rule["name"]] for rule in spec["inputs"]
        }  # fmt: skip
        lp = sum(evaluate(part["expression"], values) for part in spec["contributions"])
        assert sum(lp >= t for t in spec["thresholds"]) == vector["points"]
        ratio = math.exp(min(lp, spec["largest_linear_predictor_in_exp"]))
        for horizon, risk in zip(spec["horizons"], vector["risk"], strict=True):
            assert abs(-math.expm1(-horizon["cumulative_hazard"] * ratio) - risk) <= 1e-9
