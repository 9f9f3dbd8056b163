"""An ES module with its types."""

from __future__ import annotations

from importlib.resources import files

from scorebuilder.export.javascript import javascript_core
from scorebuilder.export.plan import make_plan
from scorebuilder.export.target import TARGETS, Target
from scorebuilder.score.artifact import ScoreArtifact

EXPORTED = "export { ABOUT, INPUTS, notices, score, selfCheck };\n"


def write_javascript(artifact: ScoreArtifact) -> dict[str, str]:
    """
    Write a score as an ES module.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    dict
        ``<name>.mjs`` and its declarations ``<name>.d.mts``.
    """
    plan = make_plan(artifact)
    types = files("scorebuilder.export").joinpath("javascript_types.txt").read_text("utf-8")
    return {
        f"{plan.file_stem}.mjs": f"{javascript_core(plan)}\n{EXPORTED}",
        f"{plan.file_stem}.d.mts": types,
    }


TARGETS.register("javascript", Target("javascript", "ES module with types", write_javascript))
