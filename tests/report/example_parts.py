"""Invented parts of the example summary that not every run has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

YEAR = 365.25
MAIN = 5 * YEAR
FEW = "fewer than 10 events by the horizon"


def estimate(value: float | None, half: float = 0.03, **more: Any) -> dict[str, Any]:
    """A value with limits `half` away on both sides, or a reason."""
    if value is None:
        return {"value": None, "lower": None, "upper": None, "reason": FEW, **more}
    lower, upper = round(value - half, 4), round(value + half, 4)
    return {"value": value, "lower": lower, "upper": upper, "reason": None, **more}


def contrasts(scale: float) -> list[dict[str, Any]]:
    """Measures of added value, one of them undefined."""
    rows = [
        ("auc", "", "Difference of AUC(t)", 0.012), ("brier", "", "Difference of Brier", -0.001),
        ("nri_continuous", "events", "Continuous NRI: Events", 0.14),
        ("nri_continuous", "nonevents", "Continuous NRI: Non-events", 0.05),
        ("idi", "", "IDI", None),
        ("net_benefit", "0.1", "Difference of net benefit at 10 %", 0.002),
    ]  # fmt: skip
    return [
        estimate(
            None if value is None else value * scale, 0.004 * scale, name=name, part=part,
            label=label, p=None if value is None else 0.021,
        )
        for name, part, label, value in rows
    ]  # fmt: skip


def incremental(labels: Sequence[str]) -> dict[str, Any]:
    """A ladder of three groups, and a marker that helps beside one that cannot be judged."""
    ladder = [
        {
            "group": group, "n_variables": n, "delta": delta, "df_new": df, "df_old": df - n,
            "p": 1e-6, "reason": None, "adequacy": share, "adequacy_reason": None,
            "auc": estimate(auc), "c_index": estimate(auc - 0.01),
            "measures": contrasts(1.0) if place else [],
        }
        for place, (group, n, delta, df, share, auc) in enumerate(
            [("clinical", 9, 181.2, 9, 0.71, 0.66), ("laboratory", 6, 49.9, 15, 0.91, 0.69),
             ("imaging", 2, 21.7, 17, 1.0, 0.70)]
        )
    ]  # fmt: skip
    marker = {
        "label": f"{labels[0]} on top of {labels[1]}", "marker": labels[0], "on_top_of": labels[1],
        "subgroup": "", "n_subgroup": 4180, "n_unknown": 0, "n": 4084, "n_events": 402,
        "hazard_ratios": [
            {"column": "imt", "per": "SD", "step": 0.28, "value": 1.31, "lower": 1.14,
             "upper": 1.5, "p": 0.0001}
        ],
        "nested": {"df_new": 10, "df_old": 9, "delta": 14.8, "p": 0.0001, "adequacy": 0.93,
                   "reason": None},
        "measures": contrasts(0.7), "reason": None,
    }  # fmt: skip
    few = {
        **marker, "label": "Troponin in women over 80", "subgroup": "women over 80", "n": 61,
        "n_subgroup": 64, "n_unknown": None, "n_events": None, "hazard_ratios": [], "nested": None,
        "measures": [], "reason": FEW,
    }  # fmt: skip
    return {"build": "cox", "horizon": MAIN, "n_patients": 4180, "ladder": ladder,
            "markers": [marker, few]}  # fmt: skip


SUBGROUP = (
    ("auc", 0.7), ("c_index", 0.69), ("predicted", 0.12), ("observed", 0.13),
    ("observed_expected", 1.05), ("slope", 0.95), ("ici", 0.01), ("sensitivity", 0.6), ("ppv", 0.2),
)  # fmt: skip


def subgroups() -> list[dict[str, Any]]:
    """One division with a group too small to be judged."""
    groups = []
    for place, (label, n, events) in enumerate(
        [("male", 3010, 330), ("female", 1150, 95), ("not stated", None, None)]
    ):
        known = n is not None
        groups.append(
            {
                "label": label, "n": n, "n_events": events, "counts_reason": None,
                "measures": [
                    estimate(value + 0.01 * place if known else None, measure=name, label=name)
                    for name, value in SUBGROUP
                ],
                "differences": [
                    estimate(0.0 if not place else 0.01 if known else None, measure=name, p=p)
                    for name, p in (
                        ("auc", 0.62 if place == 1 else None), ("observed_expected", None),
                    )
                ],
            }
        )  # fmt: skip
    tests = [{"measure": "auc", "p": 0.62, "reason": None},
             {"measure": "observed_expected", "p": None, "reason": FEW}]  # fmt: skip
    return [{"label": "Sex", "horizon": MAIN, "threshold": 0.15, "n_unknown": None,
             "groups": groups, "tests": tests}]  # fmt: skip


def rules() -> list[dict[str, Any]]:
    """A guideline rule that can be judged, and one that cannot."""
    share = {
        "label": "Sensitivity", "measure": "sensitivity", "reason": None, "rule": 0.41,
        "rule_lower": 0.36, "rule_upper": 0.46, "score": 0.52, "score_lower": 0.47,
        "score_upper": 0.57, "difference": 0.11, "difference_lower": 0.06,
        "difference_upper": 0.16, "p": 0.0004,
    }  # fmt: skip
    rule = {
        "baseline": "two_of_three", "label": "Two of three", "rule": "at least two of three hold",
        "horizon": MAIN, "n": 3911, "n_unknown": 269, "n_events": 405, "n_positive": 812,
        "reason": None, "shares": [share], "against": contrasts(1.4),
    }  # fmt: skip
    return [rule, {**rule, "label": "Rare finding", "n_positive": None, "shares": [],
                   "against": [], "reason": "it holds in fewer than 5 patients"}]  # fmt: skip


OWN = (
    ("auc", 0.71), ("c_index", 0.69), ("brier", 0.09), ("scaled_brier", 0.06),
    ("observed_expected", 1.01), ("slope", 0.93), ("ici", 0.011),
)  # fmt: skip
THRESHOLDS = [0.1, 0.2]


def _own(model: str, less: float) -> list[dict[str, Any]]:
    common = {"model": model, "against": "", "part": "", "n": 4180, "p": None, "p_holm": None}
    rows = [
        estimate(round(value - less, 4), measure=name, threshold=None, **common)
        for name, value in OWN
    ]
    return rows + [
        estimate(0.03 - less / 10, 0.002, measure="net_benefit", threshold=t, **common)
        for t in THRESHOLDS
    ]


def _against(model: str, other: str) -> list[dict[str, Any]]:
    common = {"model": model, "against": other, "n": 4180, "p": 0.01, "p_holm": 0.04}
    rows = [(name, "", None, 0.01) for name in ("auc", "c_index", "brier")]
    rows += [
        (name, part, None, 0.06)
        for name in ("nri_continuous", "nri_categorical")
        for part in ("events", "nonevents")
    ]
    rows += [("idi", "", None, 0.004), *(("net_benefit", "", t, 0.002) for t in THRESHOLDS)]
    return [
        estimate(value, 0.005, measure=name, part=part, threshold=t, **common)
        for name, part, t, value in rows
    ]


def models() -> dict[str, Any]:
    """The forms of the score, a forest, an old score, and a model that has no fit."""
    kinds = [
        ("formula", "This score", "form"), ("points", "Points of this score", "form"),
        ("groups", "Its risk groups", "form"), ("forest", "Survival forest", "comparator"),
        ("smart_2013", "SMART risk score (2013)", "baseline"),
    ]  # fmt: skip
    steps = ["forest", "formula", "points", "groups"]
    price = [row for place, step in enumerate(steps) for row in _own(step, 0.012 * place)]
    for before, step in pairwise(steps):
        price += _against(step, before)
    rows = [row for place, (name, *_) in enumerate(kinds) for row in _own(name, 0.01 * place)]
    for name, *_ in kinds[1:]:
        rows += _against("formula", name)
    named = [
        {"name": name, "label": label, "kind": kind, "reason": None} for name, label, kind in kinds
    ]
    named.append({"name": "linear_cox", "label": "Linear Cox model", "kind": "comparator",
                  "reason": "the estimates do not converge"})  # fmt: skip
    return {"horizon": MAIN, "thresholds": THRESHOLDS, "models": named, "rows": rows,
            "price": {"steps": steps, "rows": price}}  # fmt: skip


def optimism() -> dict[str, Any]:
    """A bootstrap with two failed replicates."""
    rows = [
        {
            "label": label, "prediction": prediction, "horizon": MAIN, "apparent": 0.731,
            "optimism": 0.019, "corrected": 0.712, "lower": 0.688, "upper": 0.735,
            "plus632": 0.711, "plus632_reason": None, "reason": None,
        }
        for label in ("AUC(t)", "C-index")
        for prediction in ("risk", "points")
    ]  # fmt: skip
    return {"n_replicates": 200, "n_failed": 2, "minimum_for_interval": 100, "rows": rows,
            "failures": [{"reason": "no variable was selected", "count": 2}]}  # fmt: skip


def internal_external() -> dict[str, Any]:
    """Three centres, one of them too small."""
    clusters = [
        estimate(value, 0.05, cluster=name, horizon=MAIN, n=n, n_events=events, label="AUC(t)")
        for name, n, events, value in (
            ("North", 1900, 201, 0.70), ("South", 2201, 220, 0.69), ("Island", None, None, None),
        )
    ]  # fmt: skip
    pooled = estimate(
        0.695, 0.04, label="AUC(t)", horizon=MAIN, n_clusters=2, predicted_lower=None,
        predicted_upper=None, predicted_reason="fewer than 3 clusters", i_squared=0.1,
    )  # fmt: skip
    return {"by": "Centre", "minimum_events": 10, "n_unknown": 12, "clusters": clusters,
            "pooled": [pooled]}  # fmt: skip


def external(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Another cohort, with the curves of the invented one."""
    groups = summary["risk_groups"]
    ratios = [
        {"label": row["label"], "hazard_ratio": 1.0 + place, "lower": 0.8 + place,
         "upper": 1.4 + place, "reason": None}
        for place, row in enumerate(groups["groups"])
    ]  # fmt: skip
    sizes = {row["label"]: row["n"] for row in groups["groups"]}
    observed = [{**row, "n": sizes[row["label"]]} for row in groups["observed"]]

    def measure(name: str, value: float | None, horizon: float | None) -> dict[str, Any]:
        test = (
            {"chi2": 4.2, "df": 1.0, "p": 0.04}
            if horizon is None
            else dict.fromkeys(("chi2", "df", "p"))
        )
        return estimate(value, measure=name, label=name, horizon=horizon, threshold=None,
                        events=402, **test)  # fmt: skip

    def own(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if row["model"] == "score"]

    checked = summary["validation"]
    return [
        {
            "name": "other", "label": "Other hospital",
            "population": "patients of another hospital",
            "outcome": "vascular death, stroke or infarction", "time_zero": "first visit",
            "main_horizon": MAIN, "horizons": [MAIN],
            "counts": {"n": 2012, "n_scored": 2004, "events": 402,
                       "not_scored": [{"reason": "age outside 18-100", "count": 8}],
                       "imputed": [], "outside": []},
            "attrition": [
                {"label": "rows read", "n_excluded": 0, "n_left": 2012, "events_left": 404},
            ],
            "baseline_known_until": MAIN,
            "measures": [
                measure("slope", 0.88, None), measure("misspecification", None, None),
                measure("auc", 0.69, MAIN), measure("observed_expected", 1.12, MAIN),
            ],
            "calibration": own(checked["calibration"]),
            "decision_curve": own(checked["decision_curve"]),
            "risk_groups": {**groups, "observed": observed, "hazard_ratios": ratios},
            "prognostic_groups": None,
            "case_mix": [estimate(0.1, quantity="mean linear predictor", development=0.0,
                                  validation=0.1) | {"difference": 0.1}],
            "risk_table": summary["points"]["risk_table"],
        }
    ]  # fmt: skip


def stage_agreement(labels: dict[str, str]) -> dict[str, Any]:
    """Shares of three variables in both stages."""
    rows = [
        {"variable": name, "label": labels[name], "in_score": mine > 0, "forest_share": forest,
         "forest_error": 0.01, "score_share": mine, "score_error": 0.02}
        for name, forest, mine in (("age", 0.4, 0.6), ("creatinine", 0.3, 0.4), ("bmi", 0.3, 0.0))
    ]  # fmt: skip
    return {"rows": rows, "reason": None, "n_explained": 200, "n_background": 100, "n_in_score": 2,
            "carried": 0.7, "rank_correlation": 1.0, "rank_correlation_reason": None}  # fmt: skip


def card() -> dict[str, Any]:
    """A card of two predictors, 0 to 4 points."""

    def band(first: int, last: int, n: int | None, seen: float | None) -> dict[str, Any]:
        limits = (None, None) if seen is None else (0.8 * seen, 1.2 * seen)
        return {"from": first, "to": last, "horizon": MAIN, "n": n, "predicted": seen,
                "observed": seen, "lower": limits[0], "upper": limits[1],
                "reason": "" if seen is not None else "fewer than 5 events"}  # fmt: skip

    return {
        "step": 1, "unit": 0.41, "total": [0.0, 4.0], "fitted": "risk of a total: Cox model",
        "predictors": [
            {"predictor": "age", "label": "Age", "unit": "a", "rows": [
                {"from": None, "to": 55, "levels": [], "points": 0.0},
                {"from": 55, "to": 70, "levels": [], "points": 1.0},
                {"from": 70, "to": None, "levels": [], "points": 3.0}]},
            {"predictor": "albumin", "label": "Albuminuria", "unit": "", "rows": [
                {"from": None, "to": None, "levels": ["none"], "points": 0.0},
                {"from": None, "to": None, "levels": ["micro", "macro"], "points": 1.0}]},
        ],
        "totals": [{"total": float(k), "risk": [0.02 * 2**k, 0.03 * 2**k]} for k in range(5)],
        "risk": [band(0, 0, None, None), band(1, 3, 3100, 0.1), band(4, 4, 700, 0.4)],
        "loss": [
            {"measure": "c_index", "horizon": None, "formula": 0.71, "card": 0.7, "reason": ""},
            {"measure": "other_points", "horizon": MAIN, "formula": 0.0, "card": 0.3, "reason": ""},
        ],
    }  # fmt: skip


def missing(labels: dict[str, str]) -> dict[str, Any]:
    """Two patterns; one variable whose missing values go with the event."""

    def row(name: str, n: int, events: int | None, p: float | None) -> dict[str, Any]:
        known = p is not None
        return {"variable": name, "label": labels[name], "n": n, "events": events,
                "rate_missing": 31.0 if known else None, "rate_known": 22.5 if known else None,
                "p": p, "reason": None if known else "fewer than 5 events"}  # fmt: skip

    return {
        "n_patients": 4180, "n_complete": 2420, "n_patterns": 9, "n_other": 96,
        "patterns": [{"labels": [labels["systolic"], labels["diastolic"]], "n": 1221},
                     {"labels": [labels["homocysteine"]], "n": 443}],
        "against_event": [row("systolic", 1223, 140, 0.003), row("homocysteine", 431, 46, 0.4),
                          row("bmi", 3, None, None)],
    }  # fmt: skip


def influence() -> dict[str, Any]:
    """One function that few patients decide."""
    row = {"variable": "age", "label": "Age", "function": "FP1, power 3", "n_single": 44,
           "n_single_changed": 0, "n_single_class_changed": 0, "extremes_changed": [],
           "n_failed": 0, "linear_is_enough": False, "reason": None}  # fmt: skip
    return {"n_refits": 56, "reason": None, "rows": [
        row, {**row, "variable": "creatinine", "label": "Creatinine", "function": "FP1, power ln",
              "n_single_changed": 1, "extremes_changed": ["highest 1 %"],
              "linear_is_enough": True}]}  # fmt: skip


def worked() -> list[dict[str, Any]]:
    """Two patients of a score with two terms."""

    def patient(age: float, diabetes: str, centred: float, points: int) -> dict[str, Any]:
        steps = [
            {"label": "Age", "value": f"{age:g} years", "inserted": f"({age:g} / 10)^3",
             "centred": centred, "coefficient": 0.004, "product": 0.004 * centred},
            {"label": "Diabetes", "value": diabetes, "inserted": f"[{diabetes} = yes]",
             "centred": float(diabetes == "yes"), "coefficient": 0.342,
             "product": 0.342 * (diabetes == "yes")},
        ]  # fmt: skip
        linear = sum(step["product"] for step in steps)
        return {
            "steps": steps, "linear_predictor": linear, "points": points, "group": "Low",
            "thresholds": [None if not points else linear - 0.05, linear + 0.2],
            "risks": [
                {"horizon": MAIN, "survival": 0.889, "risk": 1 - 0.889 ** math.exp(linear)}
            ],
        }  # fmt: skip

    return [patient(50.0, "no", -91.0, 0), patient(66.0, "yes", 71.5, 6)]


def importance() -> dict[str, Any]:
    """A curve and a factor, one of its levels with few patients."""

    def bins(*values: tuple[Any, float | None, float]) -> list[dict[str, Any]]:
        ranks = [place / (len(values) - 1) for place in range(len(values))]
        return [
            {"value": value, "share": share, "contribution": effect, "rank": rank}
            for (value, share, effect), rank in zip(values, ranks, strict=True)
        ]

    age = {
        "predictor": "age", "label": "Age", "unit": "a", "size": 0.42, "share": 0.7, "error": 0.02,
        "lower": -0.9, "upper": 0.8, "kind": "curve",
        "bins": bins((45.0, 0.3, -0.6), (61.0, 0.4, 0.0), (74.0, 0.3, 0.7)),
        "curve": {"x": [40.0, 60.0, 80.0], "contribution": [-0.7, 0.0, 0.9]},
    }  # fmt: skip
    albumin = {
        **age, "predictor": "albumin", "label": "Albuminuria", "unit": "", "size": 0.18,
        "share": 0.3, "kind": "levels", "curve": None,
        "bins": bins(("none", 0.8, -0.1), ("micro", 0.2, 0.3), ("macro", None, 0.5)),
    }  # fmt: skip
    return {"n": 4180, "point": 0.29, "reason": None, "rows": [age, albumin]}
