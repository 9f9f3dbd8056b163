"""A finished run done again from its own record, and compared byte by byte."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from scorebuilder.core.canonical import sha256
from scorebuilder.core.errors import SpecError
from scorebuilder.experiment.load import load_spec
from scorebuilder.experiment.preflight import read_cohort
from scorebuilder.experiment.provenance import code_sha256, library_versions
from scorebuilder.experiment.run import run_experiment
from scorebuilder.score.store import load_artifact

OWN_TIME = ("run.json", "SHA256SUMS")
"""Files that tell when and how long a run took, and so differ between any two runs."""


def reproduce_run(run_dir: Path, *, data: str = "", jobs: int = 1) -> dict[str, Any]:
    """
    Run a finished study again from its stored spec, and compare every file.

    Parameters
    ----------
    run_dir : Path
        The run folder.
    data : str
        The data file; empty takes the one that the spec names.
    jobs : int
        Workers; the files are the same for any number.

    Returns
    -------
    dict
        ``equal`` (whether all files are), ``files`` (name, and ``equal``, ``different``,
        ``missing`` or ``added``) and ``differences`` (what else changed: data, code, seed,
        libraries; each with ``stored`` and ``found``).

    Raises
    ------
    SpecError
        If the folder holds no readable record of a run.
    CohortError
        If the data break their schema.
    """
    record = _record(run_dir)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        # JSON is YAML; the spec is read again with all its checks.
        path.write_text(json.dumps({**record["spec"], "tracking": "none"}), encoding="utf-8")
        command = _stored_command(run_dir)
        spec = load_spec(path, (f"cohort.data={json.dumps(data)}",) if data else ())
        differences = _differences(record, run_dir, read_cohort(spec).data_sha256, spec.seed)
        result = run_experiment(spec, out=Path(folder) / "out", jobs=jobs, command=command)
        files = _compared(run_dir, result.run_dir)
    equal = all(row["state"] == "equal" for row in files)
    return {"equal": equal, "files": files, "differences": differences}


def _record(run_dir: Path) -> dict[str, Any]:
    try:
        record = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
        if isinstance(record, dict) and {"spec", "versions", "code_sha256"} <= set(record):
            return record
    except (OSError, ValueError):
        pass
    message = f"{run_dir} holds no readable run.json, so there is no run to do again"
    raise SpecError(message)


def _stored_command(run_dir: Path) -> str:
    """Read the command that the report shows, so that the new report can show the same."""
    try:
        summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        message = f"{run_dir} holds no readable summary.json, so it is no finished run"
        raise SpecError(message) from None
    return str(summary.get("reproduce", {}).get("command", ""))


def _differences(
    record: dict[str, Any], run_dir: Path, data_sha256: str, seed: int
) -> list[dict[str, Any]]:
    provenance = load_artifact(run_dir).content["evidence"]["provenance"]
    now = library_versions()
    pairs = [
        ("data", provenance.get("data_sha256"), data_sha256),
        ("code", record["code_sha256"], code_sha256()),
        ("seed", provenance.get("seed"), seed),
        *(
            (f"version of {name}", record["versions"].get(name), now.get(name))
            for name in sorted({*record["versions"], *now})
        ),
    ]
    return [
        {"what": what, "stored": stored, "found": found}
        for what, stored, found in pairs
        if stored != found
    ]


def _compared(stored: Path, again: Path) -> list[dict[str, str]]:
    first, second = _hashes(stored), _hashes(again)
    rows = []
    for name in sorted({*first, *second}):
        if name not in second:
            state = "missing"
        elif name not in first:
            state = "added"
        else:
            state = "equal" if first[name] == second[name] else "different"
        rows.append({"file": name, "state": state})
    return rows


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() not in OWN_TIME
    }
