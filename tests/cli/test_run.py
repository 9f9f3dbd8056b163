"""The command `run`: what it hands on, and how it tells the result."""

import json
import shlex
import sys
import types
from pathlib import Path

import pytest

from scorebuilder.cli.commands.run import _command_line, result_lines
from scorebuilder.cli.main import main

Y3, Y5 = 1095.75, 1826.25
SUMMARY = {
    "headline": {
        "n_patients": 3873,
        "n_events": 460,
        "n_candidates": 27,
        "n_selected": 12,
        "n_kept": 9,
        "auc": 0.7123,
        "auc_lower": 0.69,
        "auc_upper": 0.7351,
        "horizon": Y5,
    },
    "validation": {
        "comparison": [
            {
                "label": "SCORE2",
                "horizon": Y5,
                "difference": 0.0312,
                "lower": -0.001,
                "upper": 0.06,
                "n_scorable": 2500,
                "reason": None,
            },
            {"label": "SCORE2", "horizon": Y3, "difference": 0.5, "n_scorable": 1, "reason": None},
            {"label": "Other", "horizon": Y5, "difference": None, "reason": "no inputs"},
        ]
    },
}
AGAINST = (
    "against    SCORE2: AUC +0.031 (95 % CI -0.001 to +0.060) in 2,500 patients; "
    "Other: undefined, no inputs"
)
LINES = [
    "patients   3,873 patients, 460 events",
    "variables  27 candidates -> 12 in stage 2 -> 9 kept in the model",
    "AUC        0.712 (95 % CI 0.690 to 0.735) at 5 years, out of fold",
    AGAINST,
    "time       2 min 13 s",
]
SPEC = """\
name: tiny-score
title: Tiny
cohort: {data: builtin:smart}
outcome: {horizons: [5y]}
"""


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run with an experiment that only remembers what it was given."""
    given = {}

    def run_experiment(spec, **options):
        given.update(options, spec=spec)
        options["progress"].stage("cross-validation", 10)
        for _ in range(10):
            options["progress"].advance()
        options["progress"].done()
        return types.SimpleNamespace(
            run_dir=Path("reports/tiny-score/0.1.0"),
            summary=SUMMARY,
            seconds=133.4,
            already_finished=False,
        )

    module = types.ModuleType("scorebuilder.experiment.run")
    module.run_experiment = run_experiment
    monkeypatch.setitem(sys.modules, "scorebuilder.experiment.run", module)
    monkeypatch.chdir(tmp_path)
    Path("spec.yaml").write_text(SPEC)

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["run", *arguments])
        streams = capsys.readouterr()
        return caught.value.code or 0, streams.out, streams.err, given

    return call


def test_result_ends_with_five_lines_and_two_paths(call):
    code, out, err, _ = call("spec.yaml")
    assert code == 0
    assert out.splitlines() == [
        *LINES,
        "report  reports/tiny-score/0.1.0/report.html",
        "score   reports/tiny-score/0.1.0/score.json",
    ]
    assert err.splitlines()[0] == "cross-validation"
    assert err.splitlines()[-1] == "cross-validation: 10 of 10"


def test_quiet_leaves_the_paths(call):
    _, out, err, _ = call("spec.yaml", "--quiet")
    assert len(out.splitlines()) == 2
    assert err == ""


def test_json_is_the_only_thing_on_stdout(call):
    _, out, err, _ = call("spec.yaml", "--json")
    found = json.loads(out)
    assert found["report"] == "reports/tiny-score/0.1.0/report.html"
    assert found["headline"]["n_events"] == 460
    assert LINES[0] in err


def test_settings_folder_and_workers_are_handed_on(call):
    _, _, _, given = call(
        "spec.yaml", "--out", "here", "--jobs", "2", "--set", "validation.folds=3"
    )
    assert given["out"] == Path("here")
    assert given["jobs"] == 2
    assert given["tracker"] is None
    assert given["spec"].validation.folds == 3
    assert given["command"] == "scorebuilder run spec.yaml --set validation.folds=3"


@pytest.mark.parametrize("folder", ["", "..", "deeper"])
def test_command_of_the_report_does_not_depend_on_the_folder(call, tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    shown = "scorebuilder run spec.yaml"
    (tmp_path / folder / "spec.yaml").write_text(SPEC)
    assert call(str(tmp_path / folder / "spec.yaml"))[3]["command"] == shown
    assert call(str(Path(folder) / "spec.yaml"))[3]["command"] == shown


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("cohort.data=/mnt/registry/x.csv", "cohort.data=x.csv"),
        ("cohort.data= '/mnt/registry/my table.csv'", "cohort.data=my table.csv"),
        ("cohort.data=builtin:smart", "cohort.data=builtin:smart"),
        ("cohort.schema=../me/x.yaml", "cohort.schema=x.yaml"),
        ("cohort.schema='../me/12'", 'cohort.schema="12"'),
        ("cohort={data: /a/x.csv, schema: /b/x.yaml}", "cohort={data: x.csv, schema: x.yaml}"),
        ("title=one/two", "title=one/two"),
        ("tracking=none", None),
        (" tracking.mlflow=sqlite:///x.db", None),
    ],
)
def test_command_of_the_report_holds_no_path_of_this_machine(setting, shown):
    expected = ["scorebuilder", "run", "spec.yaml"] + (["--set", shown] if shown else [])
    assert shlex.split(_command_line(Path("/mnt/registry/spec.yaml"), [setting])) == expected


def test_tracker_is_made_before_the_run(call, tmp_path):
    _, _, _, given = call("spec.yaml", "--set", "tracking={mlflow: 'sqlite:///deep/mlflow.db'}")
    assert given["tracker"].uri == f"sqlite:///{tmp_path}/deep/mlflow.db"


def test_missing_mlflow_ends_with_5(call, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err, given = call("spec.yaml", "--set", "tracking={mlflow: 'sqlite:///mlflow.db'}")
    assert code == 5
    assert "pip install" in err
    assert given == {}


def test_undefined_auc_is_told():
    headline = {**SUMMARY["headline"], "auc": None, "auc_lower": None, "auc_upper": None}
    lines = result_lines({"headline": headline}, 5)
    assert lines[2] == "AUC        undefined at 5 years, out of fold"
    assert lines[3] == "against    no baseline"
    assert lines[4] == "time       5 s"
