"""Spikes and limits in other languages: from a builder to its artifact to a running export."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.cohort.schema import CohortSchema, Field
from scorebuilder.export.expression import (
    Clip,
    Function,
    IfPositive,
    Input,
    Number,
    Operation,
    build_contributions,
)
from scorebuilder.export.target import export_score
from scorebuilder.export.targets.python import PythonPrinter
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.score.apply import score_table
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.score.compose import compose_artifact
from scorebuilder.selection.selector import RSFSelector


@pytest.fixture(scope="module")
def spiked(small_score: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A score in which 0 segments have neither a logarithm nor a reciprocal."""
    random = np.random.default_rng(20260101)
    cohort = small_score.cohort
    n = len(cohort.X)
    segments = np.where(random.random(n) < 0.6, 0.0, random.uniform(0.2, 17.0, n))
    X = cohort.X[["age", "bmi", "chf"]].assign(segments=segments)
    model = MFPCox(
        select_alpha=1.0,
        fp_alpha=1.0,
        powers={"segments": (-1.0, 0.0), "bmi": (-2.0,)},
        max_df_by={"bmi": 2, "age": 1},
        spike=("segments",),
        winsorise={"segments": 0.05, "bmi": 0.02},
    )
    selector = RSFSelector(n_estimators=5, rule="all", random_state=1)
    builder = ScoreBuilder(
        CohortImputer(), selector, model, horizons=(365.25,), keep=("segments", "bmi")
    ).fit(X, cohort.y)
    past = small_score.artifact.content
    names = ("version", "status", "title", "derived_from", "changelog")
    artifact = compose_artifact(
        builder,
        X,
        CohortSchema("made-up", (*small_score.schema.fields, Field("segments", "numeric"))),
        identity={"name": "spiked", **{key: past[key] for key in names}},
        meaning=past["meaning"],
    )
    folder = tmp_path_factory.mktemp("export")
    (text,) = export_score(artifact, "python").values()
    (folder / "spiked.py").write_text(text, encoding="utf-8")
    return SimpleNamespace(X=X, builder=builder, artifact=artifact, folder=folder, text=text)


def run(folder: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c",
         f"import sys; sys.path.insert(0, sys.argv[1]); {code}", str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_export_computes_what_the_builder_does(spiked: Any) -> None:
    at = spiked.X.head(8).assign(
        segments=[0.0, -3.0, 0.05, 0.2, 17.0, 400.0, 0.0, 5.0],
        bmi=[11.0, 13.0, 69.0, 26.0, 12.0, 45.0, 30.0, 20.0],
    )
    for X in (spiked.X.head(200), at):
        code = (
            "import json, spiked as m; rows = json.loads(sys.argv[2]); "
            "print(json.dumps([m.score(row)['linear_predictor'] for row in rows]))"
        )
        done = run(spiked.folder, code, X.to_json(orient="records", double_precision=15))
        assert done.returncode == 0, done.stderr
        # Values of X reach the module as decimal text of 15 digits.
        np.testing.assert_allclose(
            json.loads(done.stdout), spiked.builder.predict(X), rtol=0, atol=1e-12
        )


def test_a_tiny_positive_value_counts_as_the_lower_limit(spiked: Any) -> None:
    at = spiked.X.head(1).assign(segments=1e-9)
    code = "import json, spiked as m; print(m.score(json.loads(sys.argv[2])[0])['risk']['1y'])"
    done = run(spiked.folder, code, at.to_json(orient="records", double_precision=15))
    assert done.returncode == 0, done.stderr
    risk = float(score_table(spiked.artifact, at)["risk_1y"].iloc[0])
    assert float(done.stdout) == pytest.approx(risk, rel=1e-12)


def test_a_curve_that_runs_away_gives_certainty_and_no_error(spiked: Any, tmp_path: Path) -> None:
    # Without its limits the reciprocal of 1e-9 is 1e9: no curve is meant for that.
    text, n_changes = re.subn(
        r"min\(max\(v\['segments'\], [\d.]+\), [\d.]+\)", "v['segments']", spiked.text
    )
    assert n_changes
    (tmp_path / "spiked.py").write_text(text, encoding="utf-8")
    at = spiked.X.head(1).assign(segments=1e-9)
    code = "import json, spiked as m; print(m.score(json.loads(sys.argv[2])[0])['risk']['1y'])"
    done = run(tmp_path, code, at.to_json(orient="records", double_precision=15))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) in {0.0, 1.0}


def test_the_self_check_visits_zero_and_limits(spiked: Any) -> None:
    done = run(spiked.folder, "import spiked as m; print(m.self_check())")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 60


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r" > 0\.0 else 0\.0\)", " >= 0.0 else 0.0)"),
        (r"min\(max\(v\['segments'\], [\d.]+\), [\d.]+\)", "v['segments']"),
        (r"min\(max\(v\['bmi'\], [\d.]+\), ([\d.]+)\)", r"min(v['bmi'], \1)"),
        (r"\(1\.0 if v\['segments'\] > 0\.0 else 0\.0\)", "1.0"),
    ],
)
def test_the_self_check_notices_what_is_lost(
    spiked: Any, tmp_path: Path, pattern: str, instead: str
) -> None:
    damaged, n_changes = re.subn(pattern, instead, spiked.text)
    assert n_changes
    (tmp_path / "spiked.py").write_text(damaged, encoding="utf-8")
    assert run(tmp_path, "import spiked as m; m.self_check()").returncode != 0


def test_no_value_is_refused_that_the_score_can_take(spiked: Any) -> None:
    assert "'above': None" in spiked.text
    assert not re.search(r"'above': [^N]", spiked.text)


def test_nodes_by_hand() -> None:
    x = Input("x")
    power = Operation("^", Operation("/", Clip(x, 0.0, 8.0), Number(2.0)), Number(-1.0))
    cases = {
        IfPositive(x, Number(1.0)): {-1.0: 0.0, 0.0: 0.0, 1e-300: 1.0},
        IfPositive(x, power): {-1.0: 0.0, 0.0: 0.0, 1.0: 2.0, 8.0: 0.25, 900.0: 0.25},
        IfPositive(x, Function("ln", x)): {0.0: 0.0, 1.0: 0.0},
        Clip(x, 1.0, 3.0): {-9.0: 1.0, 2.0: 2.0, 4.0: 3.0},
    }
    import math

    for node, values in cases.items():
        for value, expected in values.items():
            assert eval(PythonPrinter()(node), {"v": {"x": value}, "math": math}) == expected


def test_the_tree_of_a_spiked_term(spiked: Any) -> None:
    trees = build_contributions(spiked.artifact).values()
    nodes = [node for tree in trees for node in _walk(tree)]
    conditions = [node for node in nodes if isinstance(node, IfPositive)]
    assert len(conditions) == 3
    assert Number(1.0) in [node.value for node in conditions]
    assert {node.operand for node in conditions} == {Input("segments")}
    clips = [node for node in nodes if isinstance(node, Clip)]
    assert {node.operand for node in clips} == {Input("segments"), Input("bmi")}


def _walk(node: Any) -> Any:
    yield node
    for name in ("left", "right", "operand", "value"):
        inner = getattr(node, name, None)
        if inner is not None and not isinstance(inner, float):
            yield from _walk(inner)
