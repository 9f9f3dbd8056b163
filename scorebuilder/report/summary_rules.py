"""Guideline rules in the summary: judged as they would be followed, beside the score."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np

from scorebuilder.cohort.describe import SMALLEST_CELL
from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.report.small_counts import withhold
from scorebuilder.report.study import BaselineResult, Study
from scorebuilder.report.summary_comparison import scorable
from scorebuilder.validation.added_value import benefit_of, contrast_over_repeats, from_influence
from scorebuilder.validation.categorical_nri import categorical_nri
from scorebuilder.validation.compare import MIN_EVENTS
from scorebuilder.validation.metric import MetricEstimate
from scorebuilder.validation.rule_performance import SHARES, averaged, classification


def summarise_rules(study: Study) -> list[dict[str, Any]]:
    """
    Judge each rule of yes or no at the main horizon, and the score as another such rule.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.

    Returns
    -------
    list of dict
        The score is turned into a rule that holds in as many patients: those with the highest
        out-of-fold risks.
    """
    thresholds = tuple(study.settings["thresholds"])
    return [_rule(study, item, thresholds) for item in study.baselines if item.rule is not None]


def _rule(study: Study, item: BaselineResult, thresholds: tuple[float, ...]) -> dict[str, Any]:
    horizon, judged = study.main_horizon, scorable(study, item)
    y = study.cohort.y[judged]
    positive = np.asarray(item.predictions[judged] == 1.0, dtype=np.bool_)
    risks = study.validation.risk_at(horizon)[:, judged]
    n_events = int(np.sum(y["event"] & (y["time"] <= horizon)))
    row: dict[str, Any] = {
        "baseline": item.key,
        "label": item.label,
        "rule": item.rule,
        "horizon": horizon,
        "n": int(judged.sum()),
        "n_unknown": withhold(int(np.isnan(item.predictions).sum())),
        "n_events": withhold(n_events),
        "n_positive": int(positive.sum()),
        "reason": None,
        "shares": [],
        "against": [],
    }
    fewest = min(row["n_positive"], row["n"] - row["n_positive"])
    if n_events < MIN_EVENTS:
        few = f"fewer than {MIN_EVENTS} events by the horizon"
        return row | {"reason": few, "n_positive": withhold(row["n_positive"])}
    if fewest < SMALLEST_CELL:
        few = f"it holds, or does not hold, in fewer than {SMALLEST_CELL} patients"
        return row | {"reason": few, "n_positive": None}
    high = np.stack([highest(risk, row["n_positive"]) for risk in risks])
    row["shares"] = [
        _share(name, label, y, np.broadcast_to(positive, high.shape), high, horizon)
        for name, label in SHARES.items()
    ]
    old = np.broadcast_to(positive, high.shape)
    for level in thresholds:
        row["against"] += _against(y, risks >= level, old, level, horizon)
    return row


def _against(
    y: Outcome, score: BoolArray, rule: BoolArray, level: float, horizon: float
) -> list[dict[str, Any]]:
    """Judge the score at a threshold instead of the rule: reclassification and net benefit."""
    two_categories = replace(categorical_nri([0.5]), label=f"NRI at {100 * level:g} %")
    found = contrast_over_repeats(
        two_categories, y, score.astype(np.float64), rule.astype(np.float64), horizon=horizon
    )
    found.append(benefit_of(y, score, rule, level, horizon))
    return [{"threshold": level, **asdict(measure)} for measure in found]


def highest(risk: FloatArray, count: int) -> BoolArray:
    """
    Mark the patients with the highest risks.

    Parameters
    ----------
    risk : ndarray of shape (n_patients,)
        Risks.
    count : int
        How many patients, in 1..n; of equal risks at the limit all count.

    Returns
    -------
    ndarray of bool of shape (n_patients,)
        True for the patients at or above the risk of the last one that counts.

    Examples
    --------
    >>> highest(np.array([0.1, 0.4, 0.3]), 2).tolist()
    [False, True, True]
    """
    return np.asarray(risk >= np.partition(risk, risk.size - count)[risk.size - count])


def _classified(
    y: Outcome, positive: BoolArray, share: str, horizon: float, repeat: int
) -> MetricEstimate:
    return classification(y, positive[repeat], share, horizon=horizon)


def _share(
    name: str, label: str, y: Outcome, rule: BoolArray, score: BoolArray, horizon: float
) -> dict[str, Any]:
    """Judge a share by the rule and by the score, and the difference on the same patients."""
    row: dict[str, Any] = {"measure": name, "label": label, "reason": None}
    try:
        found = [
            averaged(partial(_classified, y, who, name, horizon), len(who)) for who in (rule, score)
        ]
    except UndefinedMetricError as error:
        return row | {"reason": str(error)}
    influences = [item.influence for item in found if item.influence is not None]
    for who, item, influence in zip(("rule", "score"), found, influences, strict=True):
        shown = from_influence(name, label, item.value, influence)
        row |= {
            who: item.value,
            f"{who}_lower": None if shown.lower is None else max(shown.lower, 0.0),
            f"{who}_upper": None if shown.upper is None else min(shown.upper, 1.0),
        }
    change = from_influence(
        name, label, found[1].value - found[0].value, influences[1] - influences[0]
    )
    return row | {
        "difference": change.value,
        "difference_lower": change.lower,
        "difference_upper": change.upper,
        "p": change.p,
    }


def rule_tables(found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """
    Return the tables of rules as long rows.

    Parameters
    ----------
    found : list of dict
        What `summarise_rules` returned.

    Returns
    -------
    dict of str to list of dict
        ``rules`` and ``rules_against``.
    """
    return {
        "rules": [{"rule": row["rule"], **share} for row in found for share in row["shares"]],
        "rules_against": [
            {"rule": row["rule"], **measure} for row in found for measure in row["against"]
        ],
    }
