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

    def score_frame(artifact, frame):
        age = frame["age"].astype(float)
        return pd.DataFrame(
            {
                "linear_predictor": age,
                "risk_5y": age / 100,
                "reason": ["age missing" if missing else "" for missing in age.isna()],
            }
        )

    artifact = types.SimpleNamespace(content={"name": "tiny-score", "version": "0.1.0"})
    replace_module(monkeypatch, "scorebuilder.score.apply", score_frame=score_frame)
    monkeypatch.setattr("scorebuilder.score.store.load_artifact", lambda path: artifact)
    (tmp_path / "score.json").write_text("{}")
    table = tmp_path / "table.csv"
    table.write_text("who,age\n007,60\n008,\n")
    return tmp_path


def test_score_writes_a_row_for_each_patient(call, score_room):
    out = score_room / "out.csv"
    code, said, _ = call(
        "score", score_room / "score.json", score_room / "table.csv", "--out", out, "--id", "who"
    )
    assert code == 0
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
    ("option", "rule"), [("region", "must be column=value"), ("sex=male", "has this column")]
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
    code, _, _ = call("report", finished_run, "--out", finished_run / "deep" / "page.html")
    assert code == 0
    assert (finished_run / "report.html").read_text() == "old"


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
