"""Groups of few patients in another cohort: what is told of them, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, hidden_levels

COUNTED = ("n", "events", "times", "survival", "lower", "upper")
"""What tells of a group how many patients it has."""
ESTIMATED = ("n", "predicted", "observed", "lower", "upper")
RATIO = ("hazard_ratio", "lower", "upper", "log_hazard_ratio", "standard_error")


def without_small_groups(found: Mapping[str, Any]) -> dict[str, Any]:
    """
    Leave out what tells of groups with few patients.

    Parameters
    ----------
    found : mapping
        ``groups`` with counts (and curves), ``observed`` by group and horizon, ``hazard_ratios`` by
        group; in the words of one another's ``label``.

    Returns
    -------
    dict
        The same with None and a ``reason`` in groups of fewer than 5 patients, and in as many
        others as would let such a count be worked out. Empty groups stay, for they tell of nobody.
        Of larger groups only the number of ``events`` is left out where it is 1 to 4, or would
        tell of one that is.
    """
    hidden, few = _hidden(found["groups"], "n"), _hidden(found["groups"], "events")
    told = {"groups": COUNTED, "observed": ESTIMATED, "hazard_ratios": RATIO}
    rows = {
        part: [_blank(row, keys) if row["label"] in hidden else row for row in found[part]]
        for part, keys in told.items()
    }
    rows["groups"] = [
        {**row, "events": None} if row["label"] in few else row for row in rows["groups"]
    ]
    return {**found, **rows}


def _hidden(groups: Sequence[Mapping[str, Any]], counted: str) -> set[str]:
    """Labels of the groups whose count is small, or would tell of a small one."""
    taken = [group for group in groups if group[counted]]
    if not taken:
        return set()
    small = hidden_levels(np.array([[group[counted] for group in taken]]))
    return {group["label"] for group, hide in zip(taken, small, strict=True) if hide}


def _blank(row: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    gone: dict[str, Any] = {
        key: None if row[key] is None or np.isscalar(row[key]) else [] for key in keys if key in row
    }
    if "at_risk" in row:
        gone["at_risk"] = [None] * len(row["at_risk"])
    return {**row, **gone, "reason": HIDDEN_COMPLEMENT}
