"""Who the patients are (Table 1), and how long they were followed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.schema import CohortSchema, Field
from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.core.units import DAYS_PER_YEAR
from scorebuilder.survival.kaplan_meier import kaplan_meier
from scorebuilder.survival.outcome import check_outcome, make_outcome

SMALLEST_CELL = 5
"""Cells that count fewer patients are not shown, here and wherever else patients are counted."""
HIDDEN_COMPLEMENT = "hidden, so that small counts cannot be worked out"
"""Why a count is not shown: it is small, or a small one would follow from it."""

STRATA = ("all", "event", "no event")
TABLE_COLUMNS = (
    "variable", "label", "unit", "kind", "level", "level_label", "stratum", "n", "mean", "sd",
    "median", "q1", "q3", "count", "percent", "missing", "smd", "smd_reason",
    "suppressed", "reason",
)  # fmt: skip


def table_one(X: pd.DataFrame, y: Outcome, schema: CohortSchema) -> pd.DataFrame:
    r"""
    Describe each predictor in all patients, and in those with and without the event.

    Parameters
    ----------
    X : DataFrame of shape (n_patients, n_predictors)
        Typed predictors, as in a cohort.
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time``.
    schema : CohortSchema
        Labels, units and levels.

    Returns
    -------
    DataFrame
        One row for each numeric predictor and stratum, and for each level of a factor and stratum.
        ``n`` counts the patients of the stratum, ``missing`` those without value; percentages are
        of the known values. ``smd`` stands in the rows of stratum ``all``; where it is None there,
        ``smd_reason`` says why. Where another statistic is None, ``reason`` says why, or it does
        not apply to the kind of predictor.

    Notes
    -----
    The standardized mean difference between patients with and without the event is

    .. math:: \frac{\bar x_1 - \bar x_0}{\sqrt{(s_1^2 + s_0^2)/2}}

    for numbers, and for factors :math:`\sqrt{(p_1 - p_0)' S^{-} (p_1 - p_0)}` with the proportions
    of all levels but the first and the mean S of their two multinomial covariances [1]_.

    A level with fewer than 5 patients in one stratum is hidden in both strata with and without
    event, and with it as many of the next smallest levels as `hidden_levels` asks for, so that no
    hidden count follows from a total. The statistics of a number are hidden in both strata when
    they are in one.

    References
    ----------
    .. [1] Yang D, Dalton JE. A unified approach to measuring the effect size between two groups
       using SAS. SAS Global Forum 2012, paper 335.
    """
    event, _ = check_outcome(y)
    strata = dict(zip(STRATA, (np.ones_like(event), event, ~event), strict=True))
    rows: list[dict[str, Any]] = []
    for field in schema.predictors:
        if field.name in X.columns:
            describe = _describe_number if field.kind == "numeric" else _describe_factor
            rows += describe(X[field.name].reset_index(drop=True), field, strata)
    table = pd.DataFrame(rows, columns=list(TABLE_COLUMNS), dtype=object)
    return table.astype({"n": int, "missing": int, "suppressed": bool})


def _row(field: Field, stratum: str, known: BoolArray) -> dict[str, Any]:
    return {
        **dict.fromkeys(TABLE_COLUMNS),
        "variable": field.name,
        "label": field.label or field.name,
        "unit": field.unit,
        "kind": field.kind,
        "stratum": stratum,
        "n": int(known.size),
        "missing": int(np.sum(~known)),
        "suppressed": False,
        "reason": "",
    }


def _describe_number(
    values: pd.Series, field: Field, strata: dict[str, BoolArray]
) -> list[dict[str, Any]]:
    numbers = values.to_numpy(dtype=np.float64)
    rows = []
    for stratum, members in strata.items():
        known = ~np.isnan(numbers[members])
        inside = numbers[members][known]
        row = _row(field, stratum, known)
        if inside.size < SMALLEST_CELL:
            row |= {"suppressed": True, "reason": f"fewer than {SMALLEST_CELL} known values"}
        else:
            q1, median, q3 = (float(value) for value in np.quantile(inside, (0.25, 0.5, 0.75)))
            row |= {"mean": float(np.mean(inside)), "sd": float(np.std(inside, ddof=1))}
            row |= {"median": median, "q1": q1, "q3": q3}
        rows.append(row)
    hidden = any(row["suppressed"] for row in rows)
    for row in rows:
        if hidden and row["stratum"] != "all" and not row["suppressed"]:
            row |= {**dict.fromkeys(("mean", "sd", "median", "q1", "q3")), "suppressed": True}
            row["reason"] = HIDDEN_COMPLEMENT
    with_event, without = numbers[strata["event"]], numbers[strata["no event"]]
    smd = None if hidden else _smd_number(with_event, without)
    return _with_smd(rows, smd, hidden=hidden)


def _with_smd(
    rows: list[dict[str, Any]], smd: float | None, *, hidden: bool
) -> list[dict[str, Any]]:
    for row in rows:
        if row["stratum"] == "all":
            row["smd"], row["smd_reason"] = smd, ""
            if smd is None:
                row["smd_reason"] = (
                    "not shown beside hidden cells" if hidden else "no spread within the strata"
                )
    return rows


def _smd_number(with_event: FloatArray, without: FloatArray) -> float | None:
    first, second = with_event[~np.isnan(with_event)], without[~np.isnan(without)]
    spread = float(np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2.0))
    if spread == 0.0:
        return None
    return float((np.mean(first) - np.mean(second)) / spread)


def _describe_factor(
    values: pd.Series, field: Field, strata: dict[str, BoolArray]
) -> list[dict[str, Any]]:
    codes = list(values.cat.categories)
    level_of = values.cat.codes.to_numpy()
    counts = {
        stratum: np.bincount(level_of[members & (level_of >= 0)], minlength=len(codes))
        for stratum, members in strata.items()
    }
    hidden = hidden_levels(np.vstack([counts["event"], counts["no event"]]))
    # The same levels, or none: another choice would show a complement that is hidden here.
    hidden_in_all = hidden & bool(np.any(counts["all"][hidden] < SMALLEST_CELL))
    rows = []
    for position, code in enumerate(codes):
        for stratum, members in strata.items():
            row = _row(field, stratum, level_of[members] >= 0)
            row |= {"level": str(code), "level_label": field.level_label(str(code))}
            if (hidden_in_all if stratum == "all" else hidden)[position]:
                row |= {"suppressed": True, "reason": HIDDEN_COMPLEMENT}
            else:
                count, total = int(counts[stratum][position]), int(counts[stratum].sum())
                row |= {"count": count, "percent": 100.0 * count / total if total else None}
                row["reason"] = "" if total else "no known value"
            rows.append(row)
    smd = None if hidden.any() else _smd_factor(counts["event"], counts["no event"])
    return _with_smd(rows, smd, hidden=bool(hidden.any()))


def hidden_levels(counts: np.ndarray) -> BoolArray:
    """
    Say which levels of a factor may not be counted in print.

    Parameters
    ----------
    counts : ndarray of int of shape (n_strata, n_levels)
        Patients.

    Returns
    -------
    ndarray of bool of shape (n_levels,)
        True for each level with fewer than 5 patients in any stratum, and for the next smallest
        levels until at least two are hidden that together count 5 patients in each stratum.

    Examples
    --------
    >>> hidden_levels(np.array([[3, 40, 20], [9, 50, 60]])).tolist()
    [True, False, True]
    """
    smallest = counts.min(axis=0)
    hidden = np.asarray(smallest < SMALLEST_CELL, dtype=np.bool_)
    # What is hidden follows as a sum from the total: that sum must not be small either.
    while hidden.any() and not hidden.all():
        if hidden.sum() > 1 and counts[:, hidden].sum(axis=1).min() >= SMALLEST_CELL:
            break
        hidden[np.argmin(np.where(hidden, np.iinfo(np.int64).max, smallest))] = True
    return hidden


def _smd_factor(with_event: np.ndarray, without: np.ndarray) -> float:
    first = with_event[1:] / with_event.sum()
    second = without[1:] / without.sum()
    covariance = (
        np.diag(first) - np.outer(first, first) + np.diag(second) - np.outer(second, second)
    ) / 2.0
    difference = first - second
    square = float(difference @ np.linalg.pinv(covariance, hermitian=True) @ difference)
    return float(np.sqrt(max(square, 0.0)))


def follow_up(y: Outcome) -> dict[str, Any]:
    """
    Describe the length of follow-up by the reverse Kaplan-Meier estimate.

    Parameters
    ----------
    y : structured ndarray of shape (n_patients,)
        Fields ``event`` and ``time`` (days).

    Returns
    -------
    dict
        ``n_patients``, ``n_events``, ``person_years``, ``longest`` (days), and ``median``, ``q1``,
        ``q3`` in days: the first time at which the probability of still being followed is at most
        0.5, 0.75 and 0.25. Where it stays above, None, and ``reason`` says so.

    References
    ----------
    .. [1] Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time.
       Control Clin Trials 1996;17:343-6.

    Examples
    --------
    >>> from scorebuilder.survival.outcome import make_outcome
    >>> follow_up(make_outcome([1, 0, 0, 0], [1, 2, 3, 4]))["median"]
    3.0
    """
    event, time = check_outcome(y)
    followed = kaplan_meier(make_outcome(~event, time))
    curve = followed(followed.times)
    result: dict[str, Any] = {
        "n_patients": int(time.size),
        "n_events": int(event.sum()),
        "person_years": float(time.sum() / DAYS_PER_YEAR),
        "longest": float(time.max()),
    }
    missing = []
    for name, level in (("median", 0.5), ("q1", 0.75), ("q3", 0.25)):
        reached = np.flatnonzero(curve <= level + 1e-12)
        result[name] = float(followed.times[reached[0]]) if reached.size else None
        if not reached.size:
            missing.append(name)
    result["reason"] = (
        f"undefined, because too few patients were censored: {', '.join(missing)}"
        if missing
        else ""
    )
    return result
