"""recalibrate and monitor from the terminal; a save that fails leaves nothing behind."""

from __future__ import annotations

import copy
import json
import multiprocessing
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from scorebuilder.cli.main import build_app
from scorebuilder.core.errors import ArtifactVersionError
from scorebuilder.score.artifact import ScoreArtifact, seal
from scorebuilder.score.store import load_artifact, save_artifact


@pytest.fixture
def stored(small_score: Any, tmp_path: Path) -> Path:
    save_artifact(small_score.artifact, tmp_path / "whas-death" / "1.0.0")
    return tmp_path / "whas-death" / "1.0.0"


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(build_app(), [str(argument) for argument in arguments])


def with_content(artifact: ScoreArtifact, change: Any) -> ScoreArtifact:
    content = copy.deepcopy(artifact.content)
    change(content)
    return seal(content)


def halved(content: Any) -> None:
    for row in content["scoring"]["baseline"]:
        row["survival"] **= 0.5
    for row in content["baseline_curve"]:
        row["cumulative_hazard"] *= 0.5


def test_recalibrate_writes_a_version_of_the_site(small_score: Any, tmp_path: Path) -> None:
    low = with_content(small_score.artifact, halved)
    save_artifact(low, tmp_path / "low")
    done = run(
        "recalibrate", tmp_path / "low", "builtin:whas500", "--site", "home",
        "--out", tmp_path / "sites", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["rung"] == "baseline"
    new = load_artifact(found["out"])
    assert new.content["version"] == "1.1.0"
    assert new.content["derived_from"] == low.fingerprint
    ratio = {r["horizon"]: r for r in found["before_after"] if r["measure"] == "observed_expected"}
    # The baseline hazard was halved, so about twice the expected events are observed before.
    assert ratio[365.25]["before"]["value"] > 1.5
    assert ratio[365.25]["after"]["value"] == pytest.approx(1.0, abs=0.15)
    refused = run("recalibrate", tmp_path / "low", "builtin:whas500", "--site", "No Site",
                  "--out", tmp_path)  # fmt: skip
    assert refused.exit_code == 2
    assert "lower-case words joined by hyphens" in refused.output


def test_recalibrate_takes_a_new_predictor_of_the_site(
    small_score: Any, stored: Path, tmp_path: Path
) -> None:
    X = small_score.cohort.X
    random = np.random.default_rng(3)
    pressure = (X["sysbp"] - 145.0) / 20.0
    hazard = 0.0004 * np.exp(small_score.builder.predict(X) + pressure)
    time = np.maximum(np.ceil(random.exponential(1.0 / hazard)), 1.0)
    table = X.assign(time=np.minimum(time, 2000.0), event=(time <= 2000.0).astype(int))
    table.to_csv(tmp_path / "site.csv", index=False)
    command = ("recalibrate", stored, tmp_path / "site.csv", "--schema", "whas500",
               "--site", "far", "--out", tmp_path / "sites")  # fmt: skip
    done = run(*command, "--extend", "sysbp, afb", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["rung"] == "extend"
    assert "refitted coefficients against new predictors and refitted coefficients" in done.stderr
    new = load_artifact(found["out"])
    assert new.content["version"] == "2.0.0"
    assert new.predictors[-2:] == ["sysbp", "afb"]
    refused = run(*command, "--extend", "pulse")
    assert refused.exit_code == 2
    assert "the site's schema has no predictor `pulse`" in refused.output


def test_monitor_tells_drift_by_its_exit_code(
    small_score: Any, stored: Path, tmp_path: Path
) -> None:
    same = run("monitor", stored, "builtin:whas500", "--json")
    assert same.exit_code == 0, same.output
    assert json.loads(same.stdout)["breached"] is False
    X = small_score.cohort.X[small_score.artifact.predictors].copy()
    name = next(
        p["id"] for p in small_score.artifact.scoring["predictors"] if p["type"] == "numeric"
    )
    X[name] = X[name].quantile(0.9)
    X.to_csv(tmp_path / "new.csv", index=False)
    done = run("monitor", stored, tmp_path / "new.csv")
    assert done.exit_code == 1, done.output
    assert f"DRIFT psi of {name}" in done.output


def test_a_full_disk_leaves_the_present_version_and_nothing_else(
    small_score: Any, stored: Path, tmp_path: Path
) -> None:
    # The system refuses to write past the limit, as it does on a full disk, in the middle of the
    # file: the text is longer than 4096 bytes.
    before = (stored / "score.json").read_bytes()
    assert len(before) > 4096
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from scorebuilder.score.store import load_artifact, save_artifact\n"
        "artifact = load_artifact(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    save_artifact(artifact, Path(sys.argv[2]))\n"
        "except OSError as error:\n    sys.exit(f'refused {error.errno}')\n"
    )
    target = tmp_path / "whas-death" / "1.0.1"
    done = subprocess.run(
        [sys.executable, "-B", "-c", code, str(stored), str(target)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.startswith("refused"), done.stderr
    assert list(target.iterdir()) == []
    assert (stored / "score.json").read_bytes() == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


def _save(text: str, folder: Path, ready: Any, told: Any) -> None:
    ready.wait()
    try:
        save_artifact(ScoreArtifact.from_json(text), folder)
        told.put("won")
    except ArtifactVersionError as error:
        told.put(str(error))


def test_of_two_processes_one_wins_and_the_other_is_told(small_score: Any, tmp_path: Path) -> None:
    def retitled(content: Any) -> None:
        content["title"] = "Another title"

    texts = [
        small_score.artifact.to_json(),
        with_content(small_score.artifact, retitled).to_json(),
    ]
    start = multiprocessing.get_context("spawn")
    ready, told = start.Barrier(2), start.Queue()
    folder = tmp_path / "1.0.0"
    both = [start.Process(target=_save, args=(text, folder, ready, told)) for text in texts]
    for process in both:
        process.start()
    answers = sorted((told.get(timeout=60) for _ in both), key=lambda answer: answer == "won")
    for process in both:
        process.join()
    assert answers[1] == "won"
    assert "a stored version never changes" in answers[0]
    assert load_artifact(folder).to_json() in texts
    assert [path.name for path in folder.iterdir()] == ["score.json"]
