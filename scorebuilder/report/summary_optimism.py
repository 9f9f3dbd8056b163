"""Bootstrap optimism in the summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from scorebuilder.report.study import Study
from scorebuilder.validation.bootstrap_optimism import MINIMUM_FOR_INTERVAL
from scorebuilder.validation.summary_measure import MEASURES


def summarise_optimism(study: Study) -> dict[str, Any] | None:
    """
    Summarise the bootstrap of the whole pipeline.

    Parameters
    ----------
    study : Study
        A finished study.

    Returns
    -------
    dict or None
        One row per prediction, metric and horizon, with the count of failed replicates by reason;
        None without a bootstrap.
    """
    found = study.optimism
    if found is None:
        return None
    return {
        "n_replicates": found.n_replicates,
        "n_failed": len(found.failures),
        "failures": [
            {"reason": reason, "count": count}
            for reason, count in sorted(Counter(found.failures.values()).items())
        ],
        "minimum_for_interval": MINIMUM_FOR_INTERVAL,
        "rows": [
            {"label": MEASURES[estimate.metric].label, **asdict(estimate)}
            for estimate in found.estimates
        ],
    }
