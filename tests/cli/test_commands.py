"""The commands on tables: check, score, baseline, report, doctor."""

import csv
import hashlib
import json
import sys
import types

import pandas as pd
import pytest

from scorebuilder.cli.commands import doctor as doctor_module
from scorebuilder.cli.main import main
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.score.artifact import seal
from scorebuilder.score.store import save_artifact


@pytest.fixture
def call(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        return caught.value.code or 0, streams.out, streams.err

    return call


def replace_module(monkeypatch, name, **content):
    module = types.ModuleType(name)
    module.__dict__.update(content)
    monkeypatch.setitem(sys.modules, name, module)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# check


@pytest.fixture
def cohort_room(monkeypatch):
    """A cohort room that accepts `good.csv` only."""

    def load_cohort(data, schema):
        if data != "good.csv":
            violations = [
                Violation("age", "must be a number", 2, "Mend it", (3, 9)),
                Violation("sex", "is missing"),
            ]
            raise CohortError(violations, source=data)
        events = pd.Series([True, False, True])
        X = pd.DataFrame({"age": [60.0, None, 70.0], "sex": ["1", "2", "1"]})
        return types.SimpleNamespace(X=X, y={"event": events})

    replace_module(
        monkeypatch,
        "scorebuilder.cohort.load",
        load_cohort=load_cohort,
        load_schema=lambda path: "schema",
        load_dataset=lambda name: (None, "schema"),
    )


def test_check_counts_a_good_table(call, cohort_room):
    code, out, _ = call("check", "good.csv", "--schema", "s.yaml")
    assert code == 0
    assert out == "ok: 3 rows, 2 predictors, 2 events, 1 missing value\n"


def test_check_lists_every_violation(call, cohort_room):
    code, out, _ = call("check", "bad.csv", "--schema", "s.yaml")
    assert code == 3
    assert "bad.csv: 2 violations" in out
    assert "column `age`: must be a number; 2 rows (rows 3, 9). Mend it" in out
    assert "column `sex`: is missing." in out
    code, out, _ = call("check", "bad.csv", "--schema", "s.yaml", "--json")
    assert code == 3
    assert [item["column"] for item in json.loads(out)["violations"]] == ["age", "sex"]


def test_check_needs_a_schema(call, cohort_room):
    code, _, err = call("check", "good.csv")
    assert code == 2
    assert "`--schema` is required" in err


# score


@pytest.fixture
def score_room(monkeypatch, tmp_path):
    """A score room whose risk is age / 100."""

    def score_frame(artifact, frame, *, dialect):
        age = frame["age"].astype(float)
        return pd.DataFrame(
            {
                "linear_predictor": age,
                "risk_5y": age / 100,
                "outside": ["age" if value > 90 else "" for value in age],
                "reason": ["age missing" if missing else "" for missing in age.isna()],
            }
        )

    age = {"id": "age", "label": "Age", "unit": "a", "type": "numeric", "levels": []}
    artifact = types.SimpleNamespace(
        content={"name": "tiny-score", "version": "0.1.0"}, scoring={"predictors": [age]}
    )
    replace_module(monkeypatch, "scorebuilder.score.apply", score_frame=score_frame)
    monkeypatch.setattr("scorebuilder.score.store.load_artifact", lambda path: artifact)
    (tmp_path / "score.json").write_text("{}")
    table = tmp_path / "table.csv"
    table.write_text("who,age\n007,60\n008,\n")
    return tmp_path


def test_score_writes_a_row_for_each_patient(call, score_room):
    out = score_room / "out.csv"
    code, said, noted = call(
        "score", score_room / "score.json", score_room / "table.csv", "--out", out, "--id", "who"
    )
    assert code == 0
    assert noted == "input `age` (Age) must be in years\n"
    assert said.splitlines() == [
        "tiny-score 0.1.0: 1 row scored",
        "not scored: 1 row, age missing",
        f"table   {out}",
    ]
    first, second = rows_of(out)
    assert (first["row"], first["who"], first["risk_5y"]) == ("1", "007", "0.6")
    assert (second["row"], second["risk_5y"], second["reason"]) == ("2", "", "age missing")


@pytest.mark.parametrize("name", ["table.csv", "score.json"])
def test_score_overwrites_no_input(call, score_room, name):
    before = (score_room / name).read_text()
    for artifact in (score_room / "score.json", score_room):
        code, _, err = call("score", artifact, score_room / "table.csv", "--out", score_room / name)
        assert code == 2
        assert "is an input of this command" in err
    assert (score_room / name).read_text() == before


def test_score_says_where_it_cannot_write(call, score_room):
    code, _, err = call(
        "score", score_room, score_room / "table.csv", "--out", score_room / "table.csv" / "o.csv"
    )
    assert code == 2
    assert str(score_room / "table.csv") in err
    assert "Traceback" not in err


def test_score_overwrites_no_file_of_a_run(call, score_room):
    run = score_room / "run"
    run.mkdir()
    for name in ("SHA256SUMS", "summary.json"):
        (run / name).write_text("sealed")
        code, _, err = call("score", score_room, score_room / "table.csv", "--out", run / name)
        assert code == 2
        assert "is a file of the run" in err
        assert (run / name).read_text() == "sealed"


def test_score_warns_of_inputs_outside_the_development_range(call, score_room):
    (score_room / "table.csv").write_text("age\n91\n92\n60\n")
    arguments = ("score", score_room, score_room / "table.csv", "--out", score_room / "out.csv")
    _, _, noted = call(*arguments)
    assert "warning: 2 rows have inputs outside the development range\n" in noted
    code, out, noted = call(*arguments, "--json", "--quiet")
    assert (code, noted) == (0, "")
    assert json.loads(out)["outside"] == 2
    assert json.loads(out)["units"] == {"age": "a"}


def test_score_help_speaks_of_units(call):
    _, out, _ = call("score", "--help")
    assert "in the unit that the score expects" in " ".join(out.split())


@pytest.fixture
def real_score(tmp_path):
    """A score of one number and one factor, whose codes hold a point and NA."""
    shared = {
        "label": "", "hard_range": [None, None], "soft_range": [None, None],
        "missing": {"policy": "refuse"},
    }  # fmt: skip
    levels = [{"code": code, "label": code} for code in ("1.0", "NA")]
    scoring = {
        "predictors": [
            {"id": "x", "type": "numeric", "unit": "mm[Hg]", "levels": [], **shared},
            {"id": "f", "type": "binary", "unit": "", "levels": levels, **shared},
        ],
        "terms": [
            {"kind": "power", "predictor": "x", "shift": 0.0, "scale": 1.0, "power": 1.0,
             "log_factor": 0, "center": 0.0, "coefficient": 1.0},
            {"kind": "indicator", "predictor": "f", "levels": ["NA"], "center": 0.0,
             "coefficient": 100.0},
        ],
        "baseline": [{"horizon": 365.25, "survival": 0.9}],
        "points": {"thresholds": [0.0, 1.0, 2.0], "anchors": [0.01, 0.99]},
        "risk_table": [],
        "risk_groups": [{"label": "low", "points_from": 0, "points_to": 1},
                        {"label": "high", "points_from": 2, "points_to": 3}],
        "reference": [],
    }  # fmt: skip
    meaning = ("intended_use", "not_for", "population", "outcome", "time_zero")
    content = {
        "schema_version": 1, "name": "hand", "version": "1.0.0", "status": "draft", "title": "hand",
        "derived_from": None, "changelog": [], "licence": "MIT", "scoring": scoring,
        "meaning": dict.fromkeys(meaning, ""),
        "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
    }  # fmt: skip
    save_artifact(seal(content), tmp_path)
    return tmp_path


def test_score_reads_decimal_commas_and_codes_like_na(call, real_score):
    table, out = real_score / "table.csv", real_score / "out.csv"
    table.write_text("id;x;f\n1,5;1,5;1.0\n2;2;NA\n3;NA;1.0\n4;4;\n")
    code, _, noted = call(
        "score", real_score, table, "--out", out, "--delimiter", ";", "--decimal", ",", "--id", "id"
    )
    assert code == 0
    assert noted == "input `x` must be in mmHg\n"
    rows = rows_of(out)
    assert [row["linear_predictor"] for row in rows] == ["1.5", "102.0", "", ""]
    assert [row["reason"] for row in rows] == ["", "", "x missing", "f missing"]
    assert rows[0]["id"] == "1,5"


@pytest.mark.parametrize(
    ("cell", "decimal"), [("1.234", ","), (".5", ","), ("1.5e3", ","), ("1,5", ".")]
)
def test_score_refuses_the_other_decimal_mark(call, real_score, cell, decimal):
    table, out = real_score / "table.csv", real_score / "out.csv"
    table.write_text(f"x;f\n{cell};NA\n")
    code, _, err = call(
        "score", real_score, table, "--out", out, "--delimiter", ";", "--decimal", decimal
    )
    assert code == 3
    assert "column `x`: every cell must be a number" in err
    assert cell not in err
    assert not out.exists()


# baseline


def test_baseline_computes_each_row(call, tmp_path):
    table, out = tmp_path / "table.csv", tmp_path / "out.csv"
    header = "who,sex,age_years,current_smoker,sbp_mmhg,total_cholesterol_mmol_l,hdl_mmol_l\n"
    table.write_text(f"{header}a,male,50,1,140,5.5,1.3\nb,male,50,1,much,5.5,1.3\n")
    code, said, _ = call(
        "baseline", "score2", table, "--out", out, "--id", "who", "--assume", "region=low", "--json"
    )
    assert code == 0
    found = json.loads(said)
    assert (found["rows"], found["computed"]) == (2, 1)
    first, second = rows_of(out)
    # worked example of the publication: man of 50, smoker, low-risk region, 5.9 %
    assert float(first["risk"]) == pytest.approx(0.059132550305129206, abs=1e-10)
    assert (first["row"], first["who"], first["reason"]) == ("1", "a", "")
    assert second["risk"] == ""
    assert "much" not in second["reason"]
    assert second["reason"]


def test_baseline_decimal_comma(call, tmp_path):
    table, out = tmp_path / "table.csv", tmp_path / "out.csv"
    header = "who;sex;age_years;current_smoker;sbp_mmhg;total_cholesterol_mmol_l\n"
    table.write_text(f"{header}1,5;male;50;1;140,0;5,5\nb;male;50;1;140;5.5\nc;male;50;1.0;140;\n")
    code, said, _ = call(
        "baseline", "score2", table, "--out", out, "--delimiter", ";", "--decimal", ",", "--id",
        "who", "--assume", "region=low", "--assume", "hdl_mmol_l=1,3", "--json",
    )  # fmt: skip
    assert code == 0
    assert json.loads(said)["computed"] == 1
    good, point, both = rows_of(out)
    assert float(good["risk"]) == pytest.approx(0.059132550305129206, abs=1e-10)
    assert good["who"] == "1,5"
    assert point["risk"] == both["risk"] == ""
    assert point["reason"] == "`total_cholesterol_mmol_l` is not a number"
    assert "`current_smoker` is not a number" in both["reason"]
    assert "`total_cholesterol_mmol_l` missing" in both["reason"]


def test_baseline_overwrites_no_file_of_a_run(call, tmp_path):
    table, run = tmp_path / "table.csv", tmp_path / "run"
    table.write_text("sex\nmale\n")
    run.mkdir()
    (run / "SHA256SUMS").write_text("sealed")
    code, _, err = call("baseline", "score2", table, "--out", run / "SHA256SUMS")
    assert code == 2
    assert "is a file of the run" in err
    assert (run / "SHA256SUMS").read_text() == "sealed"


def test_baseline_missing_columns_are_a_fault_of_the_data(call, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("sex\nmale\n")
    code, _, err = call("baseline", "score2", table, "--out", tmp_path / "out.csv")
    assert code == 3
    assert "age_years" in err


def test_baseline_list_and_show(call):
    code, out, _ = call("baseline", "list")
    assert code == 0
    assert any(line.startswith("score2 ") for line in out.splitlines())
    code, out, _ = call("baseline", "show", "score2")
    assert code == 0
    assert "age_years" in out
    code, out, _ = call("baseline", "show", "score2", "--json")
    assert json.loads(out)["name"] == "score2"


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("score22",), "did you mean `score2`?"),
        (("show", "nonsense"), "see `scorebuilder baseline list`"),
        (("score2",), "give a table and --out"),
        (("score2", "t.csv", "--out", "o.csv", "--variant", "x"), "has no variant `x`"),
    ],
)
def test_baseline_wrong_usage(call, arguments, rule):
    code, _, err = call("baseline", *arguments)
    assert code == 2
    assert rule in err


@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("region", "must be column=value"),
        ("sex=male", "has this column"),
        ("age_year=50", "no input of `score2`; did you mean `age_years`?"),
        ("sbp=140", "did you mean `sbp_mmhg`?"),
        ("qqq=1", "it has: region, sex, age_years"),
        ("sbp_mmhg=much", "`sbp_mmhg` is not a number; it needs"),
        ("hdl_mmol_l=1,3", "`hdl_mmol_l` is not a number"),
    ],
)
def test_baseline_assumptions_are_checked(call, tmp_path, option, rule):
    table = tmp_path / "table.csv"
    table.write_text("sex\nmale\n")
    code, _, err = call(
        "baseline", "score2", table, "--out", tmp_path / "o.csv", "--assume", option
    )
    assert code == 2
    assert rule in err


# report


@pytest.fixture
def finished_run(monkeypatch, tmp_path):
    replace_module(
        monkeypatch,
        "scorebuilder.report.render",
        render_html=lambda summary: f"<h1>{summary['title']}</h1>",
    )
    (tmp_path / "summary.json").write_text('{"title": "Tiny"}')
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "SHA256SUMS").write_text("0  report.html\n1  summary.json\n")
    return tmp_path


def test_report_is_rendered_from_the_summary(call, finished_run):
    code, out, _ = call("report", finished_run)
    assert code == 0
    assert out == f"report  {finished_run / 'report.html'}\n"
    page = (finished_run / "report.html").read_bytes()
    assert page == b"<h1>Tiny</h1>"
    sums = (finished_run / "SHA256SUMS").read_text().splitlines()
    assert sums == [f"{hashlib.sha256(page).hexdigest()}  report.html", "1  summary.json"]


def test_report_elsewhere_leaves_the_run_as_it_is(call, finished_run):
    page = finished_run.parent / f"{finished_run.name}-elsewhere" / "page.html"
    sums = (finished_run / "SHA256SUMS").read_text()
    for _ in range(2):
        code, _, _ = call("report", finished_run, "--out", page)
        assert code == 0
        assert page.read_text() == "<h1>Tiny</h1>"
    assert (finished_run / "report.html").read_text() == "old"
    assert (finished_run / "SHA256SUMS").read_text() == sums


@pytest.mark.parametrize("name", ["score.json", "SHA256SUMS", "new.html", "deep/report.html"])
def test_report_writes_no_other_file_of_a_run(call, finished_run, name):
    (finished_run / "score.json").write_text("{}")
    before = {path.name: path.read_bytes() for path in finished_run.iterdir()}
    code, _, err = call("report", finished_run, "--out", finished_run / name)
    assert code == 2
    assert "only its report.html may be written there" in err
    assert {path.name: path.read_bytes() for path in finished_run.iterdir()} == before


def test_report_overwrites_no_file_of_another_run(call, finished_run):
    other = finished_run.parent / f"{finished_run.name}-other"
    other.mkdir()
    for name in ("SHA256SUMS", "report.html"):
        (other / name).write_text("sealed")
    code, _, err = call("report", finished_run, "--out", other / "report.html")
    assert code == 2
    assert "is a file of the run" in err
    assert (other / "report.html").read_text() == "sealed"


def test_report_needs_a_finished_run(call, finished_run, tmp_path):
    code, _, err = call("report", tmp_path / "nothing")
    assert code == 2
    assert "give the folder of a finished run" in err
    (finished_run / "summary.json").write_text("{")
    code, _, err = call("report", finished_run)
    assert code == 2
    assert "is damaged" in err


# doctor


def test_doctor_tells_versions_and_telemetry(call):
    code, out, _ = call("doctor", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["ok"] is True
    assert found["libraries"]["numpy"]
    assert found["tracking"]["telemetry"] == "off"
    assert set(found["programs"]) == {"chromium", "node", "R"}


def test_doctor_names_what_is_missing(call, monkeypatch):
    monkeypatch.setattr(doctor_module, "_version", lambda name: None)
    code, out, _ = call("doctor")
    assert code == 1
    assert "MISSING" in out
    assert "pip install 'scorebuilder[mlflow]'" in out


def test_doctor_tries_to_write(tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").write_text("a file, no folder")
    code, out, _ = call("doctor")
    assert code == 1
    assert "NO" in out
