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
    RunFolder(tmp_path, "score", "1.0.0", key="k").open()
    assert (folder.work / "folds" / "000-000.json").exists()
    RunFolder(tmp_path, "score", "1.0.0", key="other").open()
    assert not (folder.work / "folds").exists()


def test_folds_read_back_exactly(tmp_path):
    cache = FoldCache(tmp_path)
    assert cache.get(0, 1) is None
    risk = np.random.default_rng(0).random((7, 2))
    points = np.array([np.nan, 3.0])
    record = {"selected": ["age"], "powers": {"age": [-0.5, 0.0]}}
    cache.put(0, 1, {"risk": risk, "points": points, "marker": None, "record": record})
    back = cache.get(0, 1)
    np.testing.assert_array_equal(back["risk"], risk)
    np.testing.assert_array_equal(back["points"], points)
    assert (back["marker"], back["record"]) == (None, record)
