"""A workbook with live formulas, for audits and small clinics."""

from __future__ import annotations

from scorebuilder.export.plan import make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.export.workbook import make_workbook
from scorebuilder.score.artifact import ScoreArtifact


def write_excel(artifact: ScoreArtifact) -> dict[str, bytes]:
    """
    Write a score as a workbook.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        One file, ``<name>.xlsx``.

    Raises
    ------
    MissingPartError
        If openpyxl is not installed.
    """
    plan = make_plan(artifact)
    return {f"{plan.file_stem}.xlsx": make_workbook(plan)}


TARGETS.register(
    "excel",
    Target(
        "excel",
        "Workbook with live formulas",
        write_excel,
        "Only the yellow cells of the sheet Score can be changed; Audit shows every step. The "
        "sheet Check scores the test vectors, and Score shows no result unless all are reproduced.",
        requires="openpyxl",
    ),
)
