"""Resolve the dependencies and write the two lock files: exact pins, no addresses."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ["hatchling>=1.27", "editables>=0.5"]


def resolve(*arguments: str) -> dict[str, str]:
    """Return name -> version of everything that pip would install for `arguments`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(report), *arguments]
        subprocess.run(command, check=True, cwd=ROOT)
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    pins = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in items}
    pins.pop("scorebuilder", None)
    return pins


def write(name: str, title: str, pins: dict[str, str]) -> None:
    """Write one lock file, sorted."""
    lines = [f"# {title}; made by `make lock`"]
    lines += [f"{package}=={version}" for package, version in sorted(pins.items())]
    (ROOT / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Lock the runtime first; the development tools must agree with it."""
    run = resolve("--editable", ".[all]", *BUILD)
    write("requirements.lock", "What scorebuilder runs with, extras included", run)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as constraint:
        constraint.writelines(f"{package}=={version}\n" for package, version in run.items())
        constraint.flush()
        everything = resolve(
            "--editable", ".[all]", "--group", "dev", "--constraint", constraint.name, *BUILD
        )
    tools = {package: version for package, version in everything.items() if package not in run}
    write("requirements-dev.lock", "What tests and checks need besides requirements.lock", tools)


if __name__ == "__main__":
    main()
