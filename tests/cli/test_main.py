"""Start-up, exit codes and what may be said when something goes wrong."""

import errno
import json
import subprocess
import sys
import types
import warnings

import pytest

from scorebuilder import __version__
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.failures import explain, guarded, naming
from scorebuilder.cli.main import main
from scorebuilder.core.errors import (
    ArtifactError,
    CohortError,
    ModelError,
    SpecError,
    StatisticalWarning,
    Violation,
)

SECRET = "Ms Miller, born 1950"


@pytest.fixture
def call(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        streams = capsys.readouterr()
        return caught.value.code or 0, streams.out, streams.err

    return call


@pytest.fixture
def failing(monkeypatch, call):
    """Run the command `run` with an experiment that ends with a given error."""

    def failing(error, *options):
        def run_experiment(*_, **__):
            raise error

        run = types.ModuleType("scorebuilder.experiment.run")
        run.run_experiment = run_experiment
        load = types.ModuleType("scorebuilder.experiment.load")
        load.load_spec = lambda path, settings: types.SimpleNamespace(tracking="none")
        monkeypatch.setitem(sys.modules, "scorebuilder.experiment.run", run)
        monkeypatch.setitem(sys.modules, "scorebuilder.experiment.load", load)
        return call("run", "spec.yaml", *options)

    return failing


def test_version(call):
    assert call("--version") == (0, f"scorebuilder {__version__}\n", "")


def test_help_lists_every_command(call):
    code, out, _ = call("--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", ["run", "check", "score", "baseline", "report", "doctor"])
def test_every_command_has_help_and_shares_its_options(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "--quiet" in out
    assert "--json" in out


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from scorebuilder.cli.main import build_app; build_app(); "
        "heavy = {'numpy', 'pandas', 'pydantic', 'rich', 'sksurv', 'mlflow', 'yaml', 'numba'}; "
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    "arguments", [("rum",), ("run",), ("run", "a.yaml", "--jobs", "many"), ("doctor", "--nothing")]
)
def test_wrong_usage_ends_with_2(call, arguments):
    code, out, err = call(*arguments)
    assert code == 2
    assert out == ""
    assert "rror" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError("wrong key"), 2),
        (ArtifactError("damaged"), 2),
        (CohortError([Violation("age", "must be a number")]), 3),
        (ModelError("no event"), 4),
        (KeyboardInterrupt(), 130),
        (PermissionError(errno.EACCES, "Permission denied", "/somewhere"), 2),
        (RuntimeError(SECRET), 1),
        (MemoryError(), 1),
    ],
)
def test_exit_codes(failing, error, code):
    found, out, err = failing(error)
    assert found == code
    assert out == ""
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert SECRET not in err


def test_unexpected_error_tells_type_and_place_only(failing, monkeypatch):
    monkeypatch.delenv("SCOREBUILDER_DEBUG", raising=False)
    _, _, err = failing(KeyError(SECRET))
    assert "unexpected KeyError at scorebuilder/cli/commands/run.py:" in err
    assert "SCOREBUILDER_DEBUG=1" in err


def test_traceback_is_shown_when_asked_for(failing, monkeypatch):
    monkeypatch.setenv("SCOREBUILDER_DEBUG", "1")
    code, _, err = failing(KeyError(SECRET))
    assert code == 1
    assert "Traceback" in err


def test_full_disk_names_the_path(failing, tmp_path):
    folder = tmp_path / "reports"
    code, _, err = failing(OSError(errno.ENOSPC, "No space left on device"), "--out", folder)
    assert code == 2
    assert err == f"error: {folder}: No space left on device\n"


def test_error_is_one_json_object(failing):
    code, out, err = failing(SpecError("wrong key"), "--json")
    assert code == 2
    assert json.loads(out) == {
        "error": {"kind": "SpecError", "message": "wrong key", "exit_code": 2}
    }
    assert "wrong key" in err


def test_missing_file_is_named(call, tmp_path):
    code, _, err = call("run", tmp_path / "nothing.yaml")
    assert code == 2
    assert f"{tmp_path / 'nothing.yaml'}: No such file or directory" in err


def test_shared_options_may_stand_first(call):
    first, behind = call("--json", "doctor"), call("doctor", "--json")
    assert first[0] == behind[0] == 0
    assert set(json.loads(first[1])) == set(json.loads(behind[1]))


def test_warnings_become_lines_on_stderr(capsys):
    def command(*, quiet, as_json):
        warnings.simplefilter("always")
        warnings.warn("few events", StatisticalWarning, stacklevel=2)

    guarded(command)(quiet=False, as_json=False)
    assert capsys.readouterr() == ("", "warning: few events\n")
    guarded(command)(quiet=True, as_json=False)
    assert capsys.readouterr() == ("", "")


def test_naming_keeps_a_path_that_is_known(tmp_path):
    with pytest.raises(OSError, match="there"), naming(tmp_path / "here"):
        raise OSError(errno.EACCES, "Permission denied", "there")


def test_naming_hides_temporary_files(tmp_path):
    with pytest.raises(OSError, match=r"out\.csv'$"), naming(tmp_path / "out.csv"):
        raise OSError(errno.ENOSPC, "No space left", str(tmp_path / ".out.csv.x1"))


def test_own_errors_speak_for_themselves():
    assert explain(SpecError("as written")) == ("as written", 2)
