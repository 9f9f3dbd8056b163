"""A page of its own for a frozen score in one other cohort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scorebuilder.report.external_tables import external_context
from scorebuilder.report.render import render_section
from scorebuilder.score.artifact import ScoreArtifact


def external_page(artifact: ScoreArtifact, external: Mapping[str, Any]) -> str:
    """
    Render the external validation of an artifact as one self-contained HTML page.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    external : mapping
        From `summarise_external`, in plain values.

    Returns
    -------
    str
        The page, in the design of the report.

    Raises
    ------
    MissingPartError
        If Jinja2 or matplotlib is not installed.
    """
    content = artifact.content
    title = f"{content['title']}: validation in {external['label']}"
    identity = {key: content[key] for key in ("name", "version", "status", "core_id")}
    summary = {
        "score": {**identity, **content["meaning"], "title": title},
        "headline": {"sentence": external_context(external)["sentence"]},
        "external": [external],
    }
    return render_section(summary, "external")
