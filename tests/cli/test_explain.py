"""``scorebuilder explain``: files as people write them, and no value in any message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scorebuilder.cli.main import main
from scorebuilder.cli.patient_file import read_patient
from scorebuilder.core.errors import CohortError, SpecError

YAML = "age: 71\nbmi: ~\nhr: 1.1e2\ndiasbp: 62\nsho: no\nchf: '1'\n"


@pytest.fixture(scope="module")
def score(small_score: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("score") / "score.json"
    path.write_text(small_score.artifact.to_json(), encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return int(stop.value.code or 0), shown.out, shown.err


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_and_json_give_the_same_account(
    score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = written(tmp_path, "p.yaml", YAML)
    second = written(
        tmp_path, "p.json",
        '{"age": 71, "bmi": null, "hr": 110.0, "diasbp": 62, "sho": "0", "chf": 1}',
    )  # fmt: skip
    code, out, _ = run(capsys, "explain", score, "--patient", first, "--json")
    assert code == 0
    account = json.loads(out)
    assert account == json.loads(run(capsys, "explain", score, "--patient", second, "--json")[1])
    assert account["status"] == "ok"
    assert account["page"] is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.json", "p.yaml"]


def test_the_page_lies_beside_the_patient_or_where_asked(
    score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = written(tmp_path, "p.yaml", YAML)
    code, out, err = run(capsys, "explain", score, "--patient", patient)
    assert (code, out) == (0, f"page    {tmp_path / 'p.html'}\n")
    assert "input `bmi`: imputed" in err
    place = tmp_path / "fr.html"
    code, _, _ = run(capsys, "explain", score, "--patient", patient, "--out", place, "--lang", "fr")
    assert code == 0
    assert "Ce qui fait ce score" in place.read_text("utf-8")


def test_a_refused_patient_leaves_with_3_a_page_and_no_value(
    score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = written(tmp_path, "p.yaml", YAML.replace("71", "987.25").replace("'1'", "canary"))
    code, out, err = run(capsys, "explain", score, "--patient", patient)
    assert code == 3
    assert "no score: 2 inputs refused: age (out_of_range), chf (invalid)" in err
    page = (tmp_path / "p.html").read_text("utf-8")
    for text in (out, err, page):
        assert "987.25" not in text
        assert "canary" not in text


def test_an_unknown_input_names_the_nearest_and_no_value(
    score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = written(tmp_path, "p.yaml", f"{YAML}diasb: 4711\n")
    code, _, err = run(capsys, "explain", score, "--patient", patient)
    assert code == 3
    assert "`diasb`: is no input of this score. Did you mean `diasbp`?" in err
    assert "4711" not in err


def test_usage(score: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    patient = written(tmp_path, "p.yaml", YAML)
    code, _, err = run(capsys, "explain", score, "--patient", patient, "--lang", "de")
    assert (code, "must be one of en, fr" in err) == (2, True)
    code, _, err = run(capsys, "explain", score, "--patient", patient, "--out", patient)
    assert (code, "is an input" in err) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("p.yaml", "age: 71\nage: 72\n", "stand twice: age"),
        ("p.json", '{"age": 71, "age": 72}', "stand twice: age"),
        ("p.yaml", "- 71\n", "one value for each input"),
        ("p.json", "[71]", "one value for each input"),
        ("p.yaml", "age: [71]\n", "`age` must be one value"),
        ("p.json", '{"age": {"value": 71}}', "`age` must be one value"),
        ("p.yaml", "age: 'x\n", "cannot be read as YAML"),
        ("p.json", '{"age": 71', "p.json:1: cannot be read as JSON"),
    ],
)
def test_files_that_are_none(
    small_score: Any, tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        read_patient(written(tmp_path, name, text), small_score.artifact.scoring["predictors"])
    assert "71" not in str(caught.value).replace(str(tmp_path), "")


def test_values_stay_as_written(tmp_path: Path) -> None:
    levels = [{"code": "no", "label": "never"}, {"code": "NA", "label": "not asked"}]
    predictors: list[dict[str, Any]] = [
        {"id": "smoking", "type": "binary", "levels": levels},
        {"id": "age", "type": "numeric", "levels": []},
    ]

    def read(text: str) -> dict[str, Any]:
        return read_patient(written(tmp_path, "p.yaml", text), predictors)

    assert read("smoking: no\nage: 010\n") == {"smoking": "no", "age": 10.0}
    assert read("smoking: NA\nage: NA\n") == {"smoking": "NA", "age": None}
    assert read("smoking: never\nage: 1_0\n") == {"smoking": "no", "age": "1_0"}
    assert read("smoking: Never\nage: 61 years\n") == {"smoking": "Never", "age": "61 years"}
    with pytest.raises(CohortError, match="Inputs are: smoking, age"):
        read("zzz: 1\n")
    boolean = written(tmp_path, "p.json", '{"age": true, "smoking": null}')
    assert read_patient(boolean, predictors)["age"] == "true or false"
