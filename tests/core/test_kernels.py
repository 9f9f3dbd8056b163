"""Compiled code: the notice before it is made, and when it is made anew."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from scorebuilder.cli.console import Console, show_log
from scorebuilder.core import kernels


@kernels.kernel
def half(x):
    return x / 2.0


def test_compilation_is_announced_once(monkeypatch, capsys) -> None:
    logger = logging.getLogger("scorebuilder")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    monkeypatch.setattr(logger, "level", logger.level)
    half._cache.flush()
    show_log(Console())
    assert kernels.announce_compilation(half, "one half (1 s)")
    assert capsys.readouterr().err == "compiling one half (1 s), once on this machine\n"
    half(np.ones(2))
    assert not kernels.announce_compilation(half, "one half (1 s)")
    half._reset_overloads()
    assert not kernels.announce_compilation(half, "one half (1 s)")
    assert capsys.readouterr().err == ""


CALLED = """
import numpy as np
from scorebuilder.core.kernels import kernel
SHIFT = {shift}
@kernel
def scaled(x):
    return {factor} * x
"""
CALLER = """
from scorebuilder.core.kernels import kernel
from scorebuilder_called import SHIFT, scaled
@kernel
def moved(x):
    return scaled(x) + SHIFT
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"factor": 7.0}, 15.0),
        ({"shift": "5.0"}, 11.0),
        ({"shift": "np.float32(5.0)"}, 11.0),
        ({"shift": "np.array([5.0])[0]"}, 11.0),
        ({"shift": "np.arange(9)"}, 7.0),
        ({}, 7.0),
    ],
)
def test_a_kernel_is_compiled_anew_if_one_that_it_calls_changed(
    tmp_path, monkeypatch, change, expected
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "scorebuilder_caller.py").write_text(CALLER)
    first = {"factor": 3.0, "shift": "1.0"}
    loaded = []
    for constants, value in ((first, 7.0), (first | change, expected)):
        (tmp_path / "scorebuilder_called.py").write_text(CALLED.format(**constants))
        for name in ("scorebuilder_called", "scorebuilder_caller"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        moved = importlib.import_module("scorebuilder_caller").moved
        assert np.ravel(moved(2.0))[1 if "arange" in str(constants) else 0] == value
        loaded.append(sum(moved.stats.cache_hits.values()))
    assert loaded == [0, 0 if change else 1]


def test_without_compilation_kernels_still_run() -> None:
    code = (
        "from scorebuilder.core.kernels import announce_compilation, kernel\n"
        "from scorebuilder.selection.kernels.draw import draw_below\n"
        "double = kernel(lambda x: 2 * x)\n"
        "print(double(4), announce_compilation(double, 'it'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "8 False\n"
