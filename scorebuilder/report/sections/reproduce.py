"""What is needed to get the same numbers again."""

from __future__ import annotations

from typing import Any

from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather command, seeds, hashes and versions.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures; this section has none.

    Returns
    -------
    dict
        What the template names.
    """
    del figures
    found, score = summary["reproduce"], summary["score"]
    facts = [
        ("Seed", str(found["seed"])),
        ("SHA-256 of the spec", found["spec_sha256"]),
        ("SHA-256 of the data", found["data_sha256"]),
        ("Fingerprint of the score", score["core_id"]),
        ("Version of the code", found["code_version"]),
        *((("SHA-256 of the code", found["code_sha256"]),) if "code_sha256" in found else ()),
        ("Refits of the whole pipeline", numbers.count(summary["validation"]["design"]["n_fits"])),
        ("Warnings", f"{len(summary['warnings'])}, listed under limits and warnings"),
        ("Time it took", "in run.json, which is the only file that differs between two runs"),
    ]
    rows = tuple((name, str(version)) for name, version in sorted(found["versions"].items()))
    versions = DataTable("Versions", ("Library", "Version"), rows, text=(1,)) if rows else None
    return {"command": found["command"], "facts_list": facts, "versions": versions}


SECTIONS.register(
    "reproduce", Section("Reproduce", "Use and limits", 190, "reproduce.html.j2", context)
)
