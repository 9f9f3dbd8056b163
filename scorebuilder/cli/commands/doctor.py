"""``scorebuilder doctor``: what is installed, found and writable."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import typer

from scorebuilder import __version__
from scorebuilder.cli.commands import COMMANDS
from scorebuilder.cli.console import AsJson, Console, Quiet

REQUIRED = (
    "numpy", "pandas", "scipy", "numba", "scikit-learn", "scikit-survival", "lifelines",
    "statsmodels", "joblib", "jsonschema", "pydantic", "PyYAML", "rfc8785", "rich", "typer",
)  # fmt: skip
OPTIONAL = {
    "matplotlib": "report",
    "Jinja2": "report",
    "mlflow": "mlflow",
    "python-docx": "docx",
    "shap": "explain",
    "pyarrow": "parquet",
}
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "node": ("node", "nodejs"),
    "R": ("Rscript", "R"),
}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _writable(folder: Path) -> bool:
    """Try it: permission bits say nothing about a full or read-only disk."""
    place = folder
    while not place.exists():
        place = place.parent
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            return True
    except OSError:
        return False


def examine() -> dict[str, Any]:
    """
    Look at this installation without importing what is heavy.

    Returns
    -------
    dict
        Versions, optional parts, programs, write access, tracking store; None = not found.
    """
    store = Path("reports") / "mlflow.db"
    return {
        "scorebuilder": __version__,
        "python": platform.python_version(),
        "processors": len(os.sched_getaffinity(0)),
        "libraries": {name: _version(name) for name in REQUIRED},
        "optional": {name: _version(name) for name in OPTIONAL},
        "programs": {
            name: next((path for path in map(shutil.which, names) if path), None)
            for name, names in PROGRAMS.items()
        },
        "writable": {
            "reports": _writable(Path("reports")),
            "temporary files": _writable(Path(tempfile.gettempdir())),
        },
        "tracking": {
            "store": f"sqlite:///{store.as_posix()}",
            "exists": store.is_file(),
            "telemetry": "off",
        },
    }


def doctor(quiet: Quiet = False, as_json: AsJson = False) -> None:
    """
    Say what is installed, found and writable.

    Parameters
    ----------
    quiet : bool
        Say nothing but errors.
    as_json : bool
        One JSON object on stdout.
    """
    console = Console(quiet, as_json)
    found = examine()
    console.say(f"scorebuilder {found['scorebuilder']}, Python {found['python']}")
    for name, version in found["libraries"].items():
        console.say(f"  {name:<16} {version or 'MISSING'}")
    console.say("optional parts")
    for name, version in found["optional"].items():
        remedy = f"not installed; pip install 'scorebuilder[{OPTIONAL[name]}]'"
        console.say(f"  {name:<16} {version or remedy}")
    console.say("programs (Chromium prints PDF; the others are for tests)")
    for name, path in found["programs"].items():
        console.say(f"  {name:<16} {path or 'not found'}")
    console.say("write access")
    for name, writable in found["writable"].items():
        console.say(f"  {name:<16} {'yes' if writable else 'NO'}")
    tracking = found["tracking"]
    state = "there" if tracking["exists"] else "made at the first tracked run"
    console.say(f"tracking store     {tracking['store']}, {state}")
    console.say("telemetry          off: switched off before MLflow is imported")
    missing = [name for name, version in found["libraries"].items() if version is None]
    ok = not missing and all(found["writable"].values())
    console.say("all is well" if ok else "something is missing; see the lines in capitals")
    console.result({"ok": ok, **found})
    if not ok:
        raise typer.Exit(1)


COMMANDS.register("doctor", doctor)
