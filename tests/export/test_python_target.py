import json
import subprocess
import sys

import numpy as np
import pytest

from scorebuilder.export.target import TARGETS, export_score
from scorebuilder.score.apply import score_table


@pytest.fixture(scope="module")
def module_folder(small_score, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    for name, text in export_score(small_score.artifact, "python").items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(folder, code, *arguments):
    return subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {code}",
         str(folder), *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_every_target_writes_files(small_score):
    assert list(TARGETS)
    for name in TARGETS:
        files = export_score(small_score.artifact, name)
        assert files
        assert all(text.endswith("\n") for text in files.values())
        assert files == export_score(small_score.artifact, name)


def test_self_check_passes_in_its_own_interpreter(module_folder):
    done = run(module_folder, "import whas_death as m; print(m.self_check())")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 60


def test_real_inputs_give_the_artifact_s_numbers(small_score, module_folder):
    X = small_score.cohort.X[small_score.artifact.predictors].head(50)
    rows = json.loads(X.to_json(orient="records"))
    code = (
        "import json, whas_death as m; "
        "print(json.dumps([m.score(row) for row in json.loads(sys.argv[2])]))"
    )
    done = run(module_folder, code, json.dumps(rows))
    assert done.returncode == 0, done.stderr
    found, scored = json.loads(done.stdout), score_table(small_score.artifact, X)
    assert [row["points"] for row in found] == scored["points"].tolist()
    np.testing.assert_allclose(
        [row["risk"]["3y"] for row in found], scored["risk_3y"], rtol=0, atol=1e-12
    )
    assert [row["risk_group"] for row in found] == scored["risk_group"].tolist()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"age": "1,5"}, "`age` must be a number"),
        ({"age": True}, "`age` must be a number"),
        ({"age": float("inf")}, "`age` is impossible"),
        ({"age": 999}, "`age` is impossible"),
        ({"agee": 1}, "unknown inputs: agee"),
    ],
)
def test_wrong_inputs_are_refused(module_folder, inputs, message):
    done = run(
        module_folder,
        "import whas_death as m; m.score(eval(sys.argv[2], {'inf': float('inf')}))",
        repr(inputs),
    )
    assert done.returncode != 0
    assert f"ValueError: {message}" in done.stderr


def test_a_damaged_module_refuses(module_folder, tmp_path):
    text = (module_folder / "whas_death.py").read_text(encoding="utf-8")
    assert "total = (" in text
    (tmp_path / "whas_death.py").write_text(text.replace("total = (", "total = 1.5 * (", 1))
    done = run(tmp_path, "import whas_death as m; m.self_check()")
    assert "do not use this file" in done.stderr


def test_no_network_storage_or_evaluation(module_folder):
    text = (module_folder / "whas_death.py").read_text(encoding="utf-8")
    for forbidden in ("eval(", "exec(", "open(", "import os", "urllib", "socket", "__import__"):
        assert forbidden not in text
