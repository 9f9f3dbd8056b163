"""What the results of all programs are turned into, so that they can be compared."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scorebuilder.export.plan import Plan, make_plan
from scorebuilder.export.target import export_score

Patient = dict[str, Any]
Result = dict[str, Any]
Job = tuple[Any, Sequence[Patient]]
"""An artifact and its patients."""


def run(command: Sequence[str | Path], **options: Any) -> str:
    """Output of a program; its complaints are the message if it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr[-3000:] or done.stdout[-3000:]
    return done.stdout


def flags(found: Iterable[dict[str, str]]) -> str:
    """Refusals or warnings as one text, as languages without lists write them."""
    return "; ".join(f"{one['predictor']}:{one['flag']}" for one in found)


def expectation(verdict: dict[str, Any]) -> Result:
    """The shape of all results, from a verdict of the score or of the oracle."""
    return {
        "status": verdict["status"],
        "refusals": flags(verdict["refusals"]),
        "warnings": flags(verdict["warnings"]),
        "points": verdict["points"],
        "risk": verdict["risk"],
        "group": verdict["group"] if "group" in verdict else verdict["risk_group"],
        "lp": verdict["linear_predictor"],
    }


def assert_same(
    found: Sequence[Result], wanted: Sequence[Result], *, but: Sequence[str] = ()
) -> None:
    """
    Compare results: words and points exactly, numbers to 1e-9.

    A risk to 1e-9 is what every export promises; engines differ from each other only in the last
    bits of exp, log and power. `but` names what a target has no place for.
    """
    assert len(found) == len(wanted)
    for row, (one, other) in enumerate(zip(found, wanted, strict=True)):
        for key, value in other.items():
            if key in but:
                continue
            if value is None or key not in ("risk", "lp"):
                assert one[key] == value, (row, key, one, other)
            elif key == "risk":
                pairs = zip(one[key], value, strict=True)
                assert all(abs(a - b) <= 1e-9 for a, b in pairs), (row, one, other)
            else:
                assert math.isclose(one[key], value, rel_tol=1e-9, abs_tol=1e-9), (row, one, other)


def write_files(jobs: Sequence[Job], target: str, folder: Path, ending: str) -> list[Path]:
    paths = []
    for number, (artifact, _) in enumerate(jobs):
        place = folder / f"{target}_{number}"
        place.mkdir(parents=True, exist_ok=True)
        for name, content in export_score(artifact, target).items():
            data = content.encode() if isinstance(content, str) else content
            (place / name).write_bytes(data)
        paths.append(place / f"{make_plan(artifact).file_stem}{ending}")
    return paths


def kind(value: Any) -> str:
    """Which column of a typed table can hold a value; empty for a missing one."""
    if value is None:
        return ""
    return {bool: "truth", str: "text"}.get(type(value), "number")


def typed_groups(plan: Plan, patients: Sequence[Patient]) -> dict[tuple[str, ...], list[int]]:
    """Rows that one table with a type for each column can hold."""
    usual = {rule.name: "number" if rule.numeric else "text" for rule in plan.inputs}
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, patient in enumerate(patients):
        kinds = tuple(kind(patient.get(name)) or usual[name] for name in usual)
        groups.setdefault(kinds, []).append(row)
    return groups
