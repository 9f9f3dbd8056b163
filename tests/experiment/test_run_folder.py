import subprocess
import sys

import numpy as np
import pytest

from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.run_folder import CHECKSUMS, FoldCache, RunFolder
from scorebuilder.score.store import write_text


def test_a_run_appears_whole_with_checksums(tmp_path):
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.open()
    assert not folder.final.exists()
    write_text(folder.work / "run.json", '{"key": "k"}\n')
    write_text(folder.work / "folds" / "000-000.json", "scratch")
    folder.close()
    assert sorted(path.name for path in folder.final.iterdir()) == [CHECKSUMS, "run.json"]
    digest = sha256(b'{"key": "k"}\n')
    assert (folder.final / CHECKSUMS).read_text() == f"{digest}  run.json\n"
    assert not folder.work.exists()
    assert folder.finished()


def test_another_run_is_never_overwritten(tmp_path):
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.open()
    write_text(folder.work / "run.json", '{"key": "k"}\n')
    folder.close()
    with pytest.raises(SpecError, match="never overwritten; raise `version`"):
        RunFolder(tmp_path, "score", "1.0.0", key="other").finished()


def test_a_stopped_run_keeps_its_folds_and_another_starts_afresh(tmp_path):
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.open()
    write_text(folder.work / "folds" / "000-000.json", "kept")
    folder.release()
    again = RunFolder(tmp_path, "score", "1.0.0", key="k")
    again.open()
    assert (folder.work / "folds" / "000-000.json").exists()
    again.release()
    RunFolder(tmp_path, "score", "1.0.0", key="other").open()
    assert not (folder.work / "folds").exists()


@pytest.mark.parametrize("key", ["k", "other"])
def test_a_version_is_run_by_one_at_a_time(tmp_path, key):
    first = RunFolder(tmp_path, "score", "1.0.0", key="k")
    first.open()
    write_text(first.work / "run.json", '{"key": "k"}\n')
    second = RunFolder(tmp_path, "score", "1.0.0", key=key)
    with pytest.raises(SpecError, match="another run of this version is in progress"):
        second.open()
    RunFolder(tmp_path, "score", "1.1.0", key=key).open()
    first.close()
    assert CHECKSUMS in {path.name for path in first.final.iterdir()}
    assert not list(tmp_path.glob("score/.1.0.0*"))
    with pytest.raises(SpecError, match=r"just now|never overwritten"):
        second.open()
    second.release()
    assert not list(tmp_path.glob("score/.1.0.0*"))


def test_a_run_that_was_killed_holds_nothing_back(tmp_path):
    code = (
        "import os, sys, pathlib; from scorebuilder.experiment.run_folder import RunFolder; "
        "folder = RunFolder(pathlib.Path(sys.argv[1]), 'score', '1.0.0', key='k'); folder.open(); "
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / "score" / ".1.0.0.lock").exists()
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.open()
    folder.release()
    assert not (tmp_path / "score" / ".1.0.0.lock").exists()


def test_a_run_without_a_name_left_holds_nothing_back(tmp_path):
    RunFolder(tmp_path, "score", "1.0.0", key="k").open()
    RunFolder(tmp_path, "score", "1.0.0", key="k").open()


def test_a_lock_file_removed_by_hand_is_not_taken_for_the_own(tmp_path):
    first = RunFolder(tmp_path, "score", "1.0.0", key="k")
    first.open()
    lock = tmp_path / "score" / ".1.0.0.lock"
    lock.unlink()
    second = RunFolder(tmp_path, "score", "1.0.0", key="k")
    second.open()
    first.release()
    assert lock.exists()


@pytest.mark.parametrize("content", [None, "other"])
def test_only_the_own_work_folder_becomes_the_run(tmp_path, content):
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.open()
    (folder.work / "key").unlink()
    if content:
        write_text(folder.work / "key", content)
    with pytest.raises(SpecError, match="no longer the work folder of this run"):
        folder.close()
    assert not folder.final.exists()


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_folder_without_a_run_is_not_called_finished(tmp_path, content):
    folder = RunFolder(tmp_path, "score", "1.0.0", key="k")
    folder.final.mkdir(parents=True)
    if content:
        write_text(folder.final / "run.json", content)
    with pytest.raises(SpecError, match=r"is not a finished run: .*; remove it, raise `version`"):
        folder.finished()
    with pytest.raises(SpecError, match="is not a finished run"):
        folder.open()
    assert not list(tmp_path.glob("score/.*"))


def test_folds_of_another_run_are_none(tmp_path):
    FoldCache(tmp_path, key="k").put("a", {"risk": np.zeros(2)})
    assert FoldCache(tmp_path, key="other").get("a") is None
    assert FoldCache(tmp_path).get("a") is None
    assert FoldCache(tmp_path, key="k").get("a") is not None


def test_folds_read_back_exactly(tmp_path):
    cache = FoldCache(tmp_path)
    assert cache.get("50 % / b") is None
    risk = np.random.default_rng(0).random((7, 2))
    points = np.array([np.nan, 3.0])
    record = {"selected": ["age"], "powers": {"age": [-0.5, 0.0]}}
    cache.put("50 % / b", {"risk": risk, "points": points, "marker": None, "record": record})
    back = cache.get("50 % / b")
    np.testing.assert_array_equal(back["risk"], risk)
    np.testing.assert_array_equal(back["points"], points)
    assert (back["marker"], back["record"]) == (None, record)
