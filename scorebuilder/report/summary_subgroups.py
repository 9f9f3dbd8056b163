"""Performance by subgroup in the summary, with small cells withheld."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.cohort import Cohort
from scorebuilder.cohort.describe import HIDDEN_COMPLEMENT, hidden_levels
from scorebuilder.cohort.expression import compile_expression
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.report.numbers import quantity
from scorebuilder.report.small_counts import withhold
from scorebuilder.report.study import Study
from scorebuilder.survival.kaplan_meier import survival_at
from scorebuilder.validation.subgroups import (
    LABELS,
    SubgroupPerformance,
    contrast_subgroups,
    subgroup_performance,
)

CONTRASTED = ("auc", "observed_expected")
"""Measures that are compared between subgroups."""


@dataclass(frozen=True)
class Division:
    """
    Subgroups that share no patient.

    Attributes
    ----------
    label : str
        By what the patients are divided.
    groups : mapping of str to ndarray of bool of shape (n_patients,)
        Members by name of the subgroup.
    unknown : int
        Patients of whom it is not known to which they belong.
    """

    label: str
    groups: Mapping[str, BoolArray]
    unknown: int


def divide(cohort: Cohort, setting: Mapping[str, Any]) -> Division:
    """
    Divide the patients as one entry of ``subgroups`` says.

    Parameters
    ----------
    cohort : Cohort
        The patients.
    setting : mapping
        ``by`` with ``cuts``, or ``where``; and ``label``.

    Returns
    -------
    Division
        In the order of the levels or bands; levels without a patient are left out.
    """
    if setting["where"] is not None:
        condition = compile_expression(setting["where"], cohort.schema)
        held = condition.evaluate(cohort.X.join(cohort.strata))
        label = setting["label"] or setting["where"]
        groups = {"yes": held == 1.0, "no": held == 0.0}
        return _division(label, groups, np.isnan(held))
    values, field = cohort.column(setting["by"]), cohort.schema.field(setting["by"])
    label = setting["label"] or field.label or field.name
    if setting["cuts"]:
        return _division(label, *_bands(values.to_numpy(dtype=np.float64), setting["cuts"]))
    groups = {}
    for code in values.cat.categories:
        groups[field.level_label(str(code)) or str(code)] = (values == code).to_numpy()
    return _division(label, groups, values.isna().to_numpy())


def _bands(values: FloatArray, cuts: list[float]) -> tuple[dict[str, BoolArray], BoolArray]:
    ends = [-np.inf, *cuts, np.inf]
    names = [f"below {quantity(cuts[0])}"]
    names += [f"{quantity(low)} to below {quantity(high)}" for low, high in pairwise(cuts)]
    names.append(f"{quantity(cuts[-1])} or more")
    groups = {
        name: (values >= low) & (values < high)
        for name, (low, high) in zip(names, pairwise(ends), strict=True)
    }
    return groups, np.isnan(values)


def _division(label: str, groups: Mapping[str, Any], unknown: Any) -> Division:
    found = {
        str(name): np.asarray(members, dtype=np.bool_)
        for name, members in groups.items()
        if np.any(members)
    }
    return Division(label, found, int(np.sum(unknown)))


def summarise_subgroups(study: Study) -> list[dict[str, Any]]:
    """
    Judge the score at the main horizon in every subgroup of the spec, and compare subgroups.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    list of dict
        One entry for each division of the patients, with its subgroups and contrasts.
    """
    return [_judged(study, setting) for setting in study.settings["subgroups"]]


def _judged(study: Study, setting: Mapping[str, Any]) -> dict[str, Any]:
    horizon, y = study.main_horizon, study.cohort.y
    division = divide(study.cohort, setting)
    threshold = setting["threshold"]
    if threshold is None:
        threshold = 1.0 - survival_at(y, horizon).survival
    risks = study.validation.risk_at(horizon)
    found = [
        subgroup_performance(y, risks, members, horizon=horizon, threshold=threshold)
        for members in division.groups.values()
    ]
    counts = np.array([[group.n_events for group in found], [group.n for group in found]])
    hidden = hidden_levels(np.vstack([counts[0], counts[1] - counts[0]]))
    contrasts = [contrast_subgroups(found, measure) for measure in CONTRASTED]
    groups = []
    for place, (name, group) in enumerate(zip(division.groups, found, strict=True)):
        row = {"label": name, **_counts(group, hidden=bool(hidden[place]))}
        row["measures"] = [
            {"measure": key, "label": LABELS[key], **asdict(group.measures[key])} for key in LABELS
        ]
        row["differences"] = [
            {
                "measure": contrast.measure,
                **asdict(contrast.differences[place]),
                "p": contrast.p_each[place],
            }
            for contrast in contrasts
        ]
        groups.append(row)
    return {
        "label": division.label,
        "horizon": horizon,
        "threshold": threshold,
        "n_unknown": withhold(division.unknown),
        "groups": groups,
        "tests": [
            {"measure": contrast.measure, "p": contrast.p, "reason": contrast.reason}
            for contrast in contrasts
        ],
    }


def _counts(group: SubgroupPerformance, *, hidden: bool) -> dict[str, Any]:
    if hidden:
        return {"n": None, "n_events": None, "counts_reason": HIDDEN_COMPLEMENT}
    return {"n": group.n, "n_events": group.n_events, "counts_reason": None}


def subgroup_table(found: list[dict[str, Any]]) -> pd.DataFrame:
    """
    Return all subgroups as one long table.

    Parameters
    ----------
    found : list of dict
        What `summarise_subgroups` returned.

    Returns
    -------
    DataFrame
        A row for each division, subgroup and measure.
    """
    return pd.DataFrame(list(_rows(found)))


def _rows(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for division in found:
        for group in division["groups"]:
            head = {"division": division["label"], "subgroup": group["label"]}
            counts = {"n": group["n"], "n_events": group["n_events"]}
            for measure in group["measures"]:
                yield {**head, **counts, **measure}
