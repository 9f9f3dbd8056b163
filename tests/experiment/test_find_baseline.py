"""Scores of one's own in a spec: from a file, from Python, from an installed package."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from scorebuilder.core.errors import SpecError
from scorebuilder.core.registry import Registry
from scorebuilder.experiment.find_baseline import find_baseline, sources_sha256
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.preflight import check_fit, compute_baselines, read_cohort
from scorebuilder.experiment.spec import BaselineSpec
from scorebuilder.validation import baseline as baseline_module
from scorebuilder.validation.baseline import BASELINES

SPEC = """
name: tiny-score
title: Tiny
cohort: {data: "builtin:whas500"}
outcome: {horizons: [1y, 3y], main: 1y}
candidates: {ban: [age]}
baselines:
"""
OWN = """
name: mine
label: My score
outcome: death
horizon: 1y
inputs:
  age_years: {kind: numeric, concept: age, unit: a, range: [30, 90], completed_units: true}
  female: {kind: binary, concept: sex}
  pulse: {kind: numeric, concept: pulse, unit: /min, range: [30, 200]}
points:
  age_years: [{below: 70, points: 0}, {points: 2}]
  female: {0: 1, 1: 0}
  pulse: [{up_to: 100, points: 0}, {points: 1}]
"""
PYTHON = """
from dataclasses import replace

from scorebuilder.validation.baselines import BASELINES


def mine():
    return replace(BASELINES["score2"], name="mine", label="From Python")


constant = mine()
nothing = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(OWN)
    (tmp_path / "my_scores_for_a_test.py").write_text(PYTHON)
    yield tmp_path
    sys.modules.pop("my_scores_for_a_test", None)


def write(folder, *lines):
    path = folder / "spec.yaml"
    path.write_text(SPEC + "\n".join(f"  - {line}" for line in lines) + "\n")
    return path


INPUTS = "inputs: {sex: {column: gender, levels: {'0': 0, '1': 1}}, pulse: {column: hr}}"


def test_a_file_is_computed_for_the_cohort(folder):
    spec = load_spec(write(folder, f"{{file: mine.yaml, {INPUTS}}}", "score2"))
    cohort = read_cohort(spec)
    check_fit(spec, cohort)
    mine, score2 = compute_baselines(spec, cohort)
    assert (mine.baseline.name, mine.baseline.quantity) == ("mine", "points")
    X = cohort.X
    age, hr = X["age"].to_numpy(), X["hr"].to_numpy()
    expected = 2 * (age >= 70) + (X["gender"].astype(str) == "0").to_numpy() + (hr > 100)
    usable = (age >= 30) & (age < 91) & (hr >= 30) & (hr <= 200)
    assert np.isnan(mine.predictions[~usable]).all()
    assert (mine.predictions[usable] == expected[usable]).all()
    assert usable.sum() > 400
    assert any("mine.yaml, SHA-256 " in text for text in mine.assumed)
    assert score2.baseline is BASELINES["score2"]


@pytest.mark.parametrize("name", ["mine", "constant"])
def test_python_is_imported_from_the_folder(folder, name):
    reference = f"my_scores_for_a_test:{name}"
    spec = load_spec(write(folder, f'{{callable: "{reference}"}}'))
    found = find_baseline(spec.baselines[0])
    assert found.label == "From Python"
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("{file: none.yaml}", "`baselines[0]` there is no file none.yaml"),
        ('{callable: "my_scores_for_a_test:nothing"}', "must be a Baseline, or a function that"),
        ('{callable: "my_scores_for_a_test:other"}', "cannot import `my_scores_for_a_test:other`"),
        ('{callable: "no_such_module:other"}', "cannot import `no_such_module:other`"),
        ('{callable: "module"}', "`baselines[0].callable`"),
        (
            "{file: mine.yaml, name: score2}",
            "must give one of `name`, `file`, `callable` and `rule`",
        ),
        ("{variant: full_precision}", "must give one of `name`, `file`, `callable` and `rule`"),
        ("{name: score2, file: mine.yaml}", "must give one of"),
        ("{nmae: score2}", "did you mean `name`?"),
    ],
)
def test_what_cannot_be_used_is_named(folder, line, rule):
    with pytest.raises(SpecError) as caught:
        load_spec(write(folder, line))
    assert rule in str(caught.value)


def test_faults_of_the_file_are_told_with_the_spec(folder):
    (folder / "mine.yaml").write_text(OWN.replace("horizon: 1y", "horizon: soon"))
    with pytest.raises(SpecError) as caught:
        load_spec(write(folder, "{file: mine.yaml}", "score22"))
    assert "mine.yaml:5: `horizon` must be a positive number with a unit" in str(caught.value)
    assert "did you mean `score2`?" in str(caught.value)


def test_a_changed_file_is_another_study(folder):
    items = [BaselineSpec(file="mine.yaml"), BaselineSpec(callable="my_scores_for_a_test:constant")]
    before = [sources_sha256([item]) for item in items]
    assert [sources_sha256([item]) for item in items] == before
    for name in ("mine.yaml", "my_scores_for_a_test.py"):
        (folder / name).write_text((folder / name).read_text() + "# changed\n")
    after = [sources_sha256([item]) for item in items]
    assert all(a != b for a, b in zip(after, before, strict=True))
    assert sources_sha256([BaselineSpec(name="score2")]) == sources_sha256([])


def test_two_scores_of_one_name_are_refused(folder):
    (folder / "again.yaml").write_text(OWN)
    with pytest.raises(SpecError, match=r"is the same score as `baselines\[0\]`, mine; rename"):
        load_spec(write(folder, "{file: mine.yaml}", "{file: again.yaml}"))
    (folder / "again.yaml").write_text(OWN.replace("name: mine", "name: maggic"))
    with pytest.raises(SpecError, match="`maggic` is an established score; choose another name"):
        load_spec(write(folder, "{file: again.yaml}"))


@pytest.mark.parametrize(
    ("inputs", "rule"),
    [
        ("inputs: {height: {column: bmi}}", "`inputs` names what the score does not ask for"),
        ("inputs: {pulse: {column: heart}}", "`inputs`: no predictor of the cohort: heart"),
    ],
)
def test_columns_for_a_score_are_checked(folder, inputs, rule):
    spec = load_spec(write(folder, f"{{file: mine.yaml, {inputs}}}"))
    with pytest.raises(SpecError) as caught:
        compute_baselines(spec, read_cohort(spec))
    assert rule in str(caught.value)
    assert "mine.yaml" in str(caught.value)


# the registry


@pytest.fixture
def registry(monkeypatch):
    """A registry of the same kind, with the entry points of a test."""

    def make(*points):
        monkeypatch.setattr(baseline_module, "entry_points", lambda group: points)
        return type(BASELINES)("baseline", "scorebuilder.validation.baselines")

    # The scores of the package register themselves in `BASELINES` at their first import only.
    assert len(BASELINES) > 10
    return make


def point(name, load):
    return SimpleNamespace(name=name, load=load)


def test_installed_packages_may_bring_scores(registry):
    mine = replace(BASELINES["score2"], name="mine")
    other = replace(BASELINES["score2"], name="other")
    found = registry(point("b", lambda: mine), point("a", lambda: lambda: other))
    assert list(found) == ["mine", "other"]
    assert found["mine"] is mine


def test_installed_packages_may_register_scores_themselves(registry):
    mine = replace(BASELINES["score2"], name="mine")

    def register():
        found.register("mine", mine)

    found = registry(point("a", lambda: register))
    assert list(found) == ["mine"]


def test_an_entry_point_that_fails_is_named(registry):
    def load():
        message = "No module named 'gone'"
        raise ModuleNotFoundError(message)

    with pytest.raises(SpecError, match=r"entry point `a` of `scorebuilder\.baselines`: No module"):
        list(registry(point("a", load)))


def test_two_scores_of_one_name_cannot_be_installed(registry):
    mine = replace(BASELINES["score2"], name="mine")
    again = replace(mine, label="Again")
    with pytest.raises(ValueError, match="baseline `mine` is registered twice"):
        list(registry(point("a", lambda: mine), point("b", lambda: again)))


def test_the_registry_itself_knows_no_entry_points():
    assert type(BASELINES) is not Registry
    assert isinstance(BASELINES, Registry)


@pytest.mark.parametrize(
    "module",
    ["baselines", "baseline", "baselines.score2_family", "own_score", "prepare_inputs"],
)
def test_it_can_be_imported_after_any_other_module(module):
    code = (
        f"import scorebuilder.validation.{module}\n"
        "from scorebuilder.validation.baselines import BASELINES\n"
        "assert 'score2_op' in BASELINES and len(BASELINES) > 10"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_name_needs_nothing_else():
    assert find_baseline(BaselineSpec(name="maggic")) is BASELINES["maggic"]
