"""Internal-external validation in the summary."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from scorebuilder.report.study import Study
from scorebuilder.validation.internal_external import MINIMUM_EVENTS
from scorebuilder.validation.summary_measure import MEASURES


def summarise_internal_external(study: Study) -> dict[str, Any] | None:
    """
    Summarise how the pipeline does in clusters it has not seen.

    Parameters
    ----------
    study : Study
        A finished study.

    Returns
    -------
    dict or None
        Rows by cluster and over clusters; None if no cluster was left out.
    """
    found = study.internal_external
    if found is None:
        return None
    settings = study.settings["validation"]["internal_external"]
    by = settings["by"]
    known = {field.name: field.label or field.name for field in study.cohort.schema.fields}
    return {
        "by": known.get(by, by),
        "forward": settings["forward"],
        "n_unknown": found.n_unknown,
        "minimum_events": MINIMUM_EVENTS,
        "clusters": [
            {"label": MEASURES[row.metric].label, **asdict(row)} for row in found.clusters
        ],
        "pooled": [{"label": MEASURES[row.metric].label, **asdict(row)} for row in found.pooled],
    }
