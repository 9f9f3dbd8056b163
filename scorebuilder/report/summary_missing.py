"""Missing values in the summary: together with which others, and against the event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.describe import SMALLEST_CELL, hidden_levels
from scorebuilder.core.arrays import BoolArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.report.small_counts import withhold
from scorebuilder.report.study import Study
from scorebuilder.survival.logrank import logrank

MOST_PATTERNS = 12
FEW_EVENTS = f"fewer than {SMALLEST_CELL} events among patients with or without the value"


def summarise_missing(study: Study) -> dict[str, Any]:
    """
    Summarise which values are missing in the same patients, and whether that goes with the event.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        ``n_complete`` patients, None if that could be few; ``patterns``, the sets of variables
        that the same patients lack, the most frequent first; ``n_other``, patients with a pattern
        that is rare or not among the first `MOST_PATTERNS`; ``against_event``, one row per
        variable with missing values. A count of 1 to 4 patients is None.
    """
    lacking = study.X.isna()
    names = [str(name) for name in study.X.columns if lacking[name].any()]
    return {
        "n_patients": len(lacking),
        **_patterns(lacking[names], {name: study.label(name) for name in names}),
        "against_event": [
            {
                "variable": name,
                "label": study.label(name),
                **against_event(study.cohort.y, lacking[name].to_numpy(dtype=np.bool_)),
            }
            for name in names
        ],
    }


def _patterns(lacking: pd.DataFrame, labels: dict[str, str]) -> dict[str, Any]:
    """Count the patterns; what small ones could be worked out from is not counted apart either."""
    if not labels:
        return {"n_complete": len(lacking), "patterns": [], "n_patterns": 0, "n_other": 0}
    rows = pd.Series(list(lacking.itertuples(index=False, name=None)))
    found = rows.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    hidden = hidden_levels(found.to_numpy()[None, :])
    shown: list[dict[str, Any]] = []
    complete = None if any(not any(pattern) for pattern in found.index) else 0
    for pattern, n, small in zip(found.index, found, hidden, strict=True):
        if small:
            continue
        if not any(pattern):
            complete = int(n)
        elif len(shown) < MOST_PATTERNS:
            absent = [labels[name] for name, gone in zip(lacking, pattern, strict=True) if gone]
            shown.append({"labels": absent, "n": int(n)})
    counted = (complete or 0) + sum(row["n"] for row in shown)
    return {
        "n_complete": complete,
        "patterns": shown,
        "n_patterns": sum(any(pattern) for pattern in found.index),
        "n_other": len(lacking) - counted,
    }


def against_event(y: Outcome, missing: BoolArray) -> dict[str, Any]:
    """
    Compare the hazard of patients with and without a value.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Outcome.
    missing : ndarray of bool of shape (n_patients,)
        Whether the value is missing.

    Returns
    -------
    dict
        ``n``, ``events`` of patients without the value (None: 1 to 4); ``rate_missing`` and
        ``rate_known``, events per 1,000 patient-years; ``p`` of the log-rank test; ``reason`` why
        rates and P are None.
    """
    n_events = int(y["event"][missing].sum())
    row: dict[str, Any] = {
        "n": withhold(int(missing.sum())),
        "events": withhold(n_events),
        "rate_missing": None,
        "rate_known": None,
        "p": None,
        "reason": None,
    }
    if min(n_events, int(y["event"][~missing].sum())) < SMALLEST_CELL:
        return {**row, "reason": FEW_EVENTS}
    try:
        p = logrank(y, missing).p
    except UndefinedMetricError as error:
        return {**row, "reason": str(error)}
    return {
        **row,
        "rate_missing": _rate(y, missing),
        "rate_known": _rate(y, ~missing),
        "p": p,
    }


def _rate(y: Outcome, part: BoolArray) -> float:
    years = float(y["time"][part].sum()) / DAYS_PER_YEAR
    return 1000.0 * float(y["event"][part].sum()) / years
