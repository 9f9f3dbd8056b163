"""What can be recorded of a score of which only the artifact is there."""

from __future__ import annotations

from typing import Any

from scorebuilder.score.artifact import ScoreArtifact


def summary_of(artifact: ScoreArtifact) -> dict[str, Any]:
    """
    Make the part of a run's summary that an artifact holds.

    Parameters
    ----------
    artifact : ScoreArtifact
        For example a version of a site, or one with another status, which no run made.

    Returns
    -------
    dict
        As ``summary.json``: identity, performance, hashes and counts, as far as they are stated.
    """
    content, provenance = artifact.content, artifact.content["evidence"]["provenance"]
    identity = ("name", "title", "version", "status", "core_id")
    hashes = ("seed", "spec_sha256", "data_sha256", "code_version")
    return {
        "score": {
            **{key: content[key] for key in identity},
            "outcome": content["meaning"]["outcome"],
            "horizons": artifact.horizons,
        },
        "headline": {
            name: provenance[key]
            for name, key in (("n_patients", "rows"), ("n_events", "events"))
            if key in provenance
        },
        "reproduce": {key: provenance[key] for key in hashes if key in provenance},
        "validation": {"performance": content["evidence"]["performance"]},
    }
