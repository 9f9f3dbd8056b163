"""Writes `summary_example.json`: an invented score with the figures of no real patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

YEAR = 365.25
HORIZONS = (3 * YEAR, 5 * YEAR)
RNG = np.random.default_rng(20260101)
N = 4180

VARIABLES = [
    ("age", "Age", "a", "clinical", 61.2, 10.6, 0.0262, 0, True),
    ("creatinine", "Creatinine", "umol/L", "laboratory", 92.0, 24.0, 0.0141, 14, True),
    ("homocysteine", "Homocysteine", "umol/L", "laboratory", 14.3, 5.4, 0.0098, 431, True),
    ("plaque", "Carotid plaque or stenosis > 50 %", "", "imaging", 0, 0, 0.0083, 91, True),
    ("diabetes", "Diabetes", "", "clinical", 0, 0, 0.0071, 36, True),
    ("imt", "Intima-media thickness", "mm", "imaging", 0.93, 0.28, 0.0064, 96, True),
    ("albumin", "Albuminuria", "", "laboratory", 0, 0, 0.0052, 204, True),
    ("systolic", "Systolic pressure", "mm[Hg]", "clinical", 141.0, 21.0, 0.0039, 1223, True),
    ("aaa", "Abdominal aortic aneurysm", "", "clinical", 0, 0, 0.0031, 0, True),
    ("hdl", "HDL cholesterol", "mmol/L", "laboratory", 1.22, 0.36, 0.0023, 30, True),
    ("packyears", "Pack-years of smoking", "", "clinical", 22.5, 19.8, 0.0018, 21, True),
    ("cerebral", "Cerebrovascular disease", "", "clinical", 0, 0, 0.0014, 0, True),
    ("glucose", "Glucose", "mmol/L", "laboratory", 6.3, 1.9, 0.0005, 19, False),
    ("cholesterol", "Total cholesterol", "mmol/L", "laboratory", 5.2, 1.2, 0.0003, 18, False),
    ("triglycerides", "Triglycerides", "mmol/L", "laboratory", 1.9, 1.4, 0.0002, 28, False),
    ("diastolic", "Diastolic pressure", "mm[Hg]", "clinical", 80.0, 11.0, 0.0001, 1221, False),
    ("bmi", "Body-mass index", "kg/m2", "clinical", 26.7, 3.9, -0.0002, 3, False),
    ("waist", "Waist", "cm", "clinical", 95.0, 11.0, -0.0003, 31, False),
    ("sex", "Sex", "", "clinical", 0, 0, -0.0004, 0, False),
    ("alcohol", "Alcohol use", "", "clinical", 0, 0, -0.0005, 25, False),
]
LEVELS = {
    "plaque": [("no", 0.80), ("yes", 0.20)],
    "diabetes": [("no", 0.78), ("yes", 0.22)],
    "albumin": [("none", 0.77), ("micro", 0.20), ("macro", 0.03)],
    "aaa": [("no", 0.89), ("yes", 0.11)],
    "cerebral": [("no", 0.70), ("yes", 0.30)],
    "sex": [("male", 0.74), ("female", 0.26)],
    "alcohol": [("never", 0.20), ("former", 0.11), ("current", 0.69)],
}
FINAL = ["age", "creatinine", "homocysteine", "plaque", "diabetes", "albumin", "aaa", "imt"]
LABELS = {name: label for name, label, *_ in VARIABLES}
UNITS = {name: unit for name, _, unit, *_ in VARIABLES}


def short(values: Any, digits: int = 5) -> list[float]:
    return [round(float(value), digits) for value in np.asarray(values, dtype=float)]


def patients() -> dict[str, np.ndarray]:
    """Invented linear predictors, times and events; only their aggregates are written."""
    linear = RNG.normal(0.0, 0.85, N) + 0.25 * RNG.exponential(1.0, N) - 0.25
    event_time = RNG.exponential(1.0, N) / (0.0235 * np.exp(linear)) * YEAR
    censoring = RNG.uniform(0.2, 10.0, N) * YEAR
    time = np.minimum(event_time, censoring)
    return {"linear": linear, "time": time, "event": event_time <= censoring}


def survival(time: np.ndarray, event: np.ndarray) -> tuple[np.ndarray, ...]:
    order = np.argsort(time)
    time, event = time[order], event[order]
    at_risk = np.arange(time.size, 0, -1)
    curve = np.cumprod(1 - event / at_risk)
    error = np.sqrt(np.cumsum(event / (at_risk * np.maximum(at_risk - event, 1))))
    jump = event
    spread = 1.96 * error / np.abs(np.log(np.clip(curve, 1e-9, 1 - 1e-9)))
    lower, upper = curve ** np.exp(spread), curve ** np.exp(-spread)
    return tuple(
        np.r_[1.0 * start, part[jump]]
        for start, part in ((0, time), (1, curve), (1, lower), (1, upper))
    )


def observed(time: np.ndarray, event: np.ndarray, horizon: float) -> tuple[float, float, float]:
    times, curve, lower, upper = survival(time, event)
    at = np.searchsorted(times, horizon, side="right") - 1
    return 1 - curve[at], 1 - upper[at], 1 - lower[at]


def risk_of(linear: np.ndarray, horizon: float) -> np.ndarray:
    return 1 - np.exp(-0.0235 * horizon / YEAR * np.exp(linear))


def roc(case: np.ndarray, marker: np.ndarray) -> tuple[list[float], list[float], float]:
    order = np.argsort(-marker)
    true = np.r_[0, np.cumsum(case[order])] / case.sum()
    false = np.r_[0, np.cumsum(~case[order])] / (~case).sum()
    keep = np.unique(np.linspace(0, true.size - 1, 160).round().astype(int))
    return short(false[keep], 4), short(true[keep], 4), float(np.trapezoid(true, false))


def shape(
    name: str,
    low: float,
    high: float,
    soft: tuple[float, float],
    powers: str,
    function: Any,
    reference: float,
    width: float,
) -> dict[str, Any]:
    x = np.linspace(low, high, 80)
    center = function(reference)
    log_hr = function(x) - center
    half = width * np.abs(x - reference) / (soft[1] - soft[0]) * 1.6
    _, _, _, _, mean, sd, *_ = next(row for row in VARIABLES if row[0] == name)
    edges = np.linspace(low, high, 25)
    mid = (edges[1:] + edges[:-1]) / 2
    counts = np.exp(-0.5 * ((mid - mean) / sd) ** 2)
    return {
        "predictor": name,
        "label": LABELS[name],
        "unit": UNITS[name],
        "kind": "curve",
        "powers_text": powers,
        "reference": reference,
        "x": short(x, 4),
        "log_hazard_ratio": short(log_hr),
        "lower": short(log_hr - half),
        "upper": short(log_hr + half),
        "density": {
            "edges": short(edges, 4),
            "counts": [int(c) for c in counts / counts.sum() * N],
        },
        "soft_range": list(soft),
    }


def cohort(data: dict[str, np.ndarray]) -> dict[str, Any]:
    events = int(data["event"].sum())
    table = []
    for name, label, unit, group, mean, sd, vimp, missing, _ in VARIABLES:
        shift = 0.4 if vimp > 0.002 else 0.05
        if name in LEVELS:
            levels = LEVELS[name]
            kind = "binary" if len(levels) == 2 else "nominal" if name == "alcohol" else "ordinal"
            rows = [
                {
                    "level_label": level,
                    "all": f"{share * N:,.0f} ({100 * share:.1f} %)",
                    "event": f"{share * 0.93 * events:,.0f} ({93 * share:.1f} %)",
                    "no_event": f"{share * 1.01 * (N - events):,.0f} ({101 * share:.1f} %)",
                }
                for level, share in levels
            ]
            if name == "albumin":
                rows[1] |= {"event": "hidden", "no_event": "hidden"}
                rows[2] |= {"event": "hidden", "no_event": "hidden"}
        else:
            kind = "numeric"
            rows = [
                {
                    "level_label": None,
                    "all": f"{mean:.4g} ({sd:.3g}); {mean:.4g} [{mean - sd:.3g}, {mean + sd:.3g}]",
                    "event": f"{mean + shift * sd:.4g} ({sd:.3g})",
                    "no_event": f"{mean - 0.05 * sd:.4g} ({sd:.3g})",
                }
            ]
        table.append(
            {
                "variable": name,
                "label": label,
                "unit": unit,
                "kind": kind,
                "group": group,
                "missing_n": missing,
                "missing_percent": round(100 * missing / N, 2),
                "smd": None if name == "albumin" else round(shift, 3),
                "smd_reason": "not shown beside hidden cells" if name == "albumin" else None,
                "rows": rows,
            }
        )
    return {
        "title": "Invented cohort of patients with vascular disease",
        "source": "simulated for the tests of the report",
        "licence": "CC0-1.0",
        "data_sha256": "4d1f" * 16,
        "follow_up": {
            "median": 4.9 * YEAR,
            "q1": 2.6 * YEAR,
            "q3": 7.4 * YEAR,
            "max": 10 * YEAR,
            "person_years": round(float(data["time"].sum()) / YEAR, 1),
        },
        "attrition": [
            {
                "label": "Patients in the registry",
                "n_excluded": 0,
                "n_left": N + 412,
                "events_left": events + 51,
            },
            {
                "label": "No visit after inclusion",
                "n_excluded": 233,
                "n_left": N + 179,
                "events_left": events + 23,
            },
            {
                "label": "Active cancer at inclusion",
                "n_excluded": 179,
                "n_left": N,
                "events_left": events,
            },
        ],
        "status": [
            {"horizon": HORIZONS[0], "event": 262, "event_free": 2980, "censored": N - 3242},
            {"horizon": HORIZONS[1], "event": 371, "event_free": 2011, "censored": N - 2382},
        ],
        "table_one": table,
    }


def selection() -> dict[str, Any]:
    ranking, stability = [], []
    for index, (name, label, _, group, _, _, vimp, _, selected) in enumerate(VARIABLES):
        half = 0.0011 + 0.18 * abs(vimp)
        kept = name in FINAL
        reason = (
            "lower limit of the VIMP interval is above 0"
            if selected
            else "the VIMP interval reaches 0"
        )
        ranking.append(
            {
                "variable": name,
                "label": label,
                "group": group,
                "vimp": vimp,
                "lower": round(vimp - half, 5),
                "upper": round(vimp + half, 5),
                "minimal_depth": round(2.1 + 0.31 * index + 0.2 * (index % 3), 2),
                "selected": selected,
                "reason": reason,
                "kept_in_model": kept,
            }
        )
        share = 1.0 if vimp > 0.004 else max(0.04, 0.9 - 0.06 * index)
        stability.append(
            {
                "variable": name,
                "label": label,
                "selected_share": round(share, 2),
                "model_share": round(share * (0.96 if kept else 0.15), 2),
                "n_folds": 50,
            }
        )
    ranking[8]["lower"] = 0.0002
    return {
        "engine": "native",
        "n_estimators": 1000,
        "min_samples_leaf": 15,
        "n_times": 150,
        "rule": "vimp_ci",
        "interval_text": "Bars: 95 % interval of the VIMP, for the Monte Carlo error of a forest of"
        " 1000 trees only: whether another forest would agree, not whether another cohort would.",
        "rule_text": "a variable stays when the lower limit of its VIMP interval is above 0",
        "oob_c_index": 0.7042,
        "minimal_depth_threshold": 5.84,
        "ranking": ranking,
        "stability": stability,
    }


def model() -> dict[str, Any]:
    terms = [
        ("age", "(age/10)^3", 0.00408, 0.00035),
        ("creatinine", "log(creatinine/100)", 0.842, 0.129),
        ("homocysteine", "(homocysteine/10)^1", 0.274, 0.0711),
        ("plaque", "plaque = yes", 0.381, 0.0943),
        ("diabetes", "diabetes = yes", 0.342, 0.0902),
        ("albumin", "albumin >= micro", 0.297, 0.0981),
        ("albumin", "albumin >= macro", 0.221, 0.189),
        ("aaa", "aaa = yes", 0.412, 0.1204),
        ("imt", "(imt)^-1", -0.3912, 0.151),
    ]
    steps = []
    for cycle in (1, 2):
        for name in ("age", "creatinine", "homocysteine", "imt", "systolic"):
            chisq = {
                "age": 132.4,
                "creatinine": 51.3,
                "homocysteine": 18.9,
                "imt": 9.8,
                "systolic": 4.4,
            }[name]
            out = name == "systolic"
            steps.append(
                {
                    "cycle": cycle,
                    "variable": name,
                    "label": LABELS[name],
                    "test": "FP2 against left out",
                    "chisq": chisq,
                    "df": 4,
                    "p": 0.355 if out else 1e-9 if chisq > 50 else 0.0008 if chisq > 15 else 0.0439,
                    "decision": "left out" if out else "go on",
                }
            )
            if not out:
                steps.append(
                    {
                        "cycle": cycle,
                        "variable": name,
                        "label": LABELS[name],
                        "test": "FP2 against linear",
                        "chisq": 8.13,
                        "df": 3,
                        "p": 0.0434 if name == "age" else 0.412,
                        "decision": "go on" if name == "age" else "linear",
                    }
                )
    steps.append(
        {
            "cycle": 2,
            "variable": "cerebral",
            "label": LABELS["cerebral"],
            "test": "linear against left out",
            "chisq": None,
            "df": 1,
            "p": None,
            "decision": "undefined: the model without it did not converge",
        }
    )
    shapes: list[dict[str, Any]] = [
        shape("age", 20, 90, (36, 79), "FP1 (3)", lambda x: 0.00408 * (x / 10) ** 3, 60, 0.16),
        shape(
            "creatinine",
            35,
            320,
            (54, 178),
            "FP1 (0), a logarithm",
            lambda x: 0.842 * np.log(x / 100),
            90,
            0.22,
        ),
        shape("homocysteine", 4, 45, (7, 34), "linear", lambda x: 0.0274 * x, 14, 0.2),
        shape("imt", 0.4, 2.4, (0.55, 1.8), "FP1 (-1)", lambda x: -0.3912 / x, 0.9, 0.2),
    ]
    for name, log_hr, se in (
        ("plaque", [0.381], [0.0943]),
        ("diabetes", [0.342], [0.0902]),
        ("albumin", [0.297, 0.518], [0.0981, 0.198]),
        ("aaa", [0.412], [0.1204]),
    ):
        levels = [
            {
                "label": LEVELS[name][0][0],
                "hazard_ratio": 1.0,
                "lower": None,
                "upper": None,
                "n": int(LEVELS[name][0][1] * N),
            }
        ]
        levels += [
            {
                "label": level,
                "hazard_ratio": round(float(np.exp(b)), 4),
                "lower": round(float(np.exp(b - 1.96 * s)), 4),
                "upper": round(float(np.exp(b + 1.96 * s)), 4),
                "n": int(share * N),
            }
            for (level, share), b, s in zip(LEVELS[name][1:], log_hr, se, strict=True)
        ]
        shapes.append(
            {"predictor": name, "label": LABELS[name], "kind": "levels", "levels": levels}
        )
    ratios = [
        ("age", "68 against 54 years", 0.642, 0.0551),
        ("creatinine", "103 against 78 µmol/L", 0.234, 0.036),
        ("homocysteine", "16.4 against 11.1 µmol/L", 0.145, 0.0377),
        ("imt", "1.05 against 0.75 mm", 0.149, 0.0575),
        ("plaque", "yes against no", 0.381, 0.0943),
        ("diabetes", "yes against no", 0.342, 0.0902),
        ("albumin", "micro against none", 0.297, 0.0981),
        ("albumin", "macro against none", 0.518, 0.198),
        ("aaa", "yes against no", 0.412, 0.1204),
    ]
    return {
        "ties": "efron",
        "criterion": "pvalue",
        "select_alpha": 0.05,
        "fp_alpha": 0.05,
        "max_df": 4,
        "n_cycles": 2,
        "converged": True,
        "log_likelihood": -3411.72,
        "null_log_likelihood": -3689.11,
        "events_per_parameter": 9.8,
        "terms": [
            {
                "predictor": name,
                "label": LABELS[name],
                "term": term,
                "coefficient": b,
                "standard_error": s,
                "lower": round(b - 1.96 * s, 5),
                "upper": round(b + 1.96 * s, 5),
                "p": 0.242
                if b == 0.221
                else 0.0096
                if name == "imt"
                else 0.0024
                if name == "albumin"
                else 0.00002,
            }
            for name, term, b, s in terms
        ],
        "steps": steps,
        "equation": [
            "lp =  0.004081726354917264 * ((age / 10)^3 - 216.0)",
            "    + 0.8421173650918273 * (log(creatinine / 100) + 0.10536051565782628)",
            "    + 0.2741190283746519 * (homocysteine / 10 - 1.4)",
            "    + 0.38104918273645500 * [plaque = yes] + 0.34198273645091820 * [diabetes = yes]",
            "    + 0.29710293847561020 * [albumin >= micro]",
            "    + 0.2210019283746500 * [albumin >= macro]",
            "    + 0.41199283746519283 * [aaa = yes]",
            "    - 0.3912019283746510 * (imt^-1 - 1.1111111111111112)",
            "risk(3 years) = 1 - 0.93192837465019283 ^ exp(lp)",
            "risk(5 years) = 1 - 0.88912837465019200 ^ exp(lp)",
        ],
        "shapes": shapes,
        "hazard_ratios": [
            {
                "predictor": name,
                "label": LABELS[name],
                "contrast": contrast,
                "hazard_ratio": round(float(np.exp(b)), 4),
                "lower": round(float(np.exp(b - 1.96 * s)), 4),
                "upper": round(float(np.exp(b + 1.96 * s)), 4),
                "reason": None,
            }
            for name, contrast, b, s in ratios
        ],
        "ph_test": [
            {"term": term, "chisq": round(0.3 + 0.9 * i, 2), "p": round(0.9 / (1 + i), 4)}
            for i, (_, term, _, _) in enumerate(terms)
        ],
    }


def rate(data: dict[str, np.ndarray], total: np.ndarray, first: int, last: int) -> dict[str, Any]:
    """Events per 1,000 patient-years of some points; no points are few."""
    row: dict[str, Any] = {"first": first, "last": last}
    part = (total >= first) & (total <= last)
    events, years = int(data["event"][part].sum()), float(data["time"][part].sum()) / YEAR
    if events < 5:
        none = dict.fromkeys(("events", "patient_years", "value", "lower", "upper"))
        return {**row, **none, "reason": "fewer than 5 events"}
    value, spread = 1000 * events / years, 1.96 / events**0.5
    return {
        **row, "events": events, "patient_years": round(years, 1), "value": round(value, 3),
        "lower": round(value * float(np.exp(-spread)), 3),
        "upper": round(value * float(np.exp(spread)), 3), "reason": None,
    }  # fmt: skip


def points(data: dict[str, np.ndarray]) -> tuple[dict[str, Any], np.ndarray]:
    linear = data["linear"]
    low, high = np.quantile(linear, [0.01, 0.99])
    thresholds = low + (np.arange(1, 11) - 0.5) / 10 * (high - low)
    total = np.searchsorted(thresholds, linear, side="right")
    table = []
    for horizon in HORIZONS:
        risk = risk_of(linear, horizon)
        for value in range(11):
            mask = total == value
            n = int(mask.sum())
            row = {
                "points": value,
                "horizon": horizon,
                "n": n,
                "predicted": round(float(risk[mask].mean()), 4),
                "observed": None,
                "lower": None,
                "upper": None,
                "reason": None,
            }
            seen, lower, upper = observed(data["time"][mask], data["event"][mask], horizon)
            if value == 0:
                row["reason"] = "fewer than 5 events"
            else:
                row |= {
                    "observed": round(seen, 4),
                    "lower": round(lower, 4),
                    "upper": round(upper, 4),
                }
            table.append(row)
    price = [
        {"form": form, "horizon": horizon, "auc": auc, "reason": None}
        for horizon, values in zip(
            HORIZONS, ((0.718, 0.711, 0.668), (0.714, 0.709, 0.671)), strict=True
        )
        for form, auc in zip(("formula", "points", "groups"), values, strict=True)
    ]
    return {
        "thresholds": short(thresholds),
        "anchors": [0.01, 0.99],
        "rates": [rate(data, total, value, value) for value in range(11)],
        "risk_table": table,
        "price": price,
    }, total


def risk_groups(data: dict[str, np.ndarray], total: np.ndarray) -> dict[str, Any]:
    ticks = np.arange(0, 9, 1) * YEAR
    groups, rows = [], []
    for label, first, last in (("Low", 0, 2), ("Intermediate", 3, 5), ("High", 6, 10)):
        mask = (total >= first) & (total <= last)
        time, event = data["time"][mask], data["event"][mask]
        times, curve, lower, upper = survival(time, event)
        keep = np.unique(np.linspace(0, times.size - 1, 120).round().astype(int))
        keep = keep[times[keep] <= ticks[-1]]
        groups.append(
            {
                "label": label,
                "points_from": first,
                "points_to": last,
                "n": int(mask.sum()),
                "events": int(event.sum()),
                "times": short(times[keep], 1),
                "survival": short(curve[keep]),
                "lower": short(lower[keep]),
                "upper": short(upper[keep]),
                "at_risk": [int((time >= tick).sum()) for tick in ticks],
            }
        )
        for horizon in HORIZONS:
            seen = observed(time, event, horizon)
            rows.append(
                {
                    "label": label,
                    "horizon": horizon,
                    "predicted": round(float(risk_of(data["linear"][mask], horizon).mean()), 4),
                    "observed": round(seen[0], 4),
                    "lower": round(seen[1], 4),
                    "upper": round(seen[2], 4),
                    "reason": None,
                }
            )
    return {
        "rule": "tertiles of the points in the development data",
        "groups": groups,
        "at_risk_times": short(ticks, 2),
        "observed": rows,
        "rates": [rate(data, total, *ends) for ends in ((0, 2), (3, 5), (6, 10))],
        "logrank": {"chisq": 312.6, "df": 2, "p": 1e-40},
    }


BASELINES = [
    ("smart_2013", "SMART risk score (2013)", 0.55, 10 * YEAR, 4123),
    ("framingham_cvd_2008", "Framingham CVD (2008), lipids", 0.9, 10 * YEAR, 3911),
    ("score2", "SCORE2, low-risk region", 1.15, 10 * YEAR, 2877),
]


def distances(factor: float | None) -> dict[str, float | None]:
    """Invented distances of a calibration curve from the diagonal, with limits."""
    ends = {"": 1.0, "_lower": 0.5, "_upper": 1.9}
    sizes = {"ici": 0.009, "e50": 0.007, "e90": 0.021, "e_max": 0.06}
    return {
        name + end: None if factor is None else round(size * share * factor, 4)
        for name, size in sizes.items()
        for end, share in ends.items()
    }


def forms_of(name: str, auc: float, base: float, horizon: float) -> list[dict[str, Any]]:
    """Invented calibration of a score as published and recalibrated."""
    years = "ten-year risk, and nobody is followed for 10 years"
    rows: list[tuple[str, str, float, float | None, float | None, float, float | None]] = [
        ("score", "This score", auc, 0.121, 1.012, 0.93, 0.048),
        ("published", "As published, 10-year risk", base, 0.187, None, 0.71, None),
        ("baseline", "Recalibrated: baseline hazard", base, 0.119, 1.021, 0.71, 0.012),
        (
            "slope_and_baseline", "Recalibrated: slope and baseline hazard", base, 0.121, 1.004,
            0.98, 0.029,
        ),
    ]  # fmt: skip
    forms = []
    for form, label, area, mean, ratio, slope, scaled in rows:
        reason = years if ratio is None else None
        ici = None if ratio is None else 0.011
        brier = None if scaled is None else round(0.09 * (1 - scaled), 4)
        values = [
            ("auc", "AUC(t)", area, 0.024, None),
            ("in_the_large", "Observed / expected", ratio, 0.11, reason),
            ("slope", "Slope", slope, 0.12, None),
            ("ici", "ICI", ici, None, reason),
            ("brier", "Brier score", brier, 0.009, reason),
            ("scaled_brier", "Scaled Brier score", scaled, 0.02, reason),
        ]
        forms.append(
            {
                "form": form,
                "label": label,
                "horizon": 10 * YEAR if form == "published" else horizon,
                "mean_risk": mean if name != "score2" else round(mean * 0.6, 4),
                "note": None,
                "measures": [
                    {
                        "measure": measure,
                        "label": words,
                        "value": None if value is None else round(value, 4),
                        "lower": None if None in (value, half) else round(value - half, 4),
                        "upper": None if None in (value, half) else round(value + half, 4),
                        "reason": why,
                    }
                    for measure, words, value, half, why in values
                ],
            }
        )
    return forms


def validation(data: dict[str, np.ndarray]) -> dict[str, Any]:
    linear, time, event = data["linear"], data["time"], data["event"]
    performance, curves, calibration, comparison, decision = [], [], [], [], []
    aucs: dict[float, float] = {}
    for horizon in HORIZONS:
        known = event & (time <= horizon) | (time > horizon)
        case = (event & (time <= horizon))[known]
        marker = linear + RNG.normal(0, 0.5, N)
        false, true, auc = roc(case, marker[known])
        aucs[horizon] = auc
        n_case = int(case.sum())
        curves.append(
            {
                "model": "score",
                "label": "Vascular event score",
                "horizon": horizon,
                "false_positive": false,
                "true_positive": true,
                "auc": round(auc, 4),
                "lower": round(auc - 0.022, 4),
                "upper": round(auc + 0.022, 4),
                "n": N,
            }
        )
        for metric, label, value, apparent in (
            ("auc", "AUC(t)", auc, auc + 0.012),
            ("uno_c", "Uno's C", auc - 0.006, auc + 0.007),
            ("brier", "Brier score", 0.081, 0.079),
            ("scaled_brier", "Scaled Brier score", 0.062, 0.081),
        ):
            performance.append(
                {
                    "model": "score",
                    "label": "Vascular event score",
                    "metric": metric,
                    "metric_label": label,
                    "horizon": horizon,
                    "value": round(value, 4),
                    "lower": round(value - 0.02, 4),
                    "upper": round(value + 0.02, 4),
                    "apparent": round(apparent, 4),
                    "n": N,
                    "events": n_case,
                    "reason": None,
                }
            )
        risk = risk_of(linear, horizon)
        for name, label, noise, _, _ in (
            ("score", "Vascular event score", 0.5, horizon, N),
            *BASELINES,
        ):
            estimate = risk_of(linear * 0.82 + RNG.normal(0, noise * 0.4, N), horizon)
            factor = {"score": 1.0, "smart_2013": 1.2, "framingham_cvd_2008": 1.55, "score2": 0.6}[
                name
            ]
            estimate = np.clip(estimate * factor, 0, 0.95)
            if name == "score2":
                calibration.append(
                    {
                        "model": name,
                        "label": label,
                        "horizon": horizon,
                        "groups": [],
                        "smooth": None,
                        "in_the_large": None,
                        "in_the_large_lower": None,
                        "in_the_large_upper": None,
                        "slope": None,
                        "slope_lower": None,
                        "slope_upper": None,
                        **distances(None),
                        "reason": "the baseline states its risk at 10 years only",
                    }
                )
            else:
                cut = np.searchsorted(np.quantile(estimate, np.linspace(0.1, 0.9, 9)), estimate)
                groups = []
                for decile in range(10):
                    mask = cut == decile
                    seen = observed(time[mask], event[mask], horizon)
                    groups.append(
                        {
                            "n": int(mask.sum()),
                            "predicted": round(float(estimate[mask].mean()), 4),
                            "observed": round(seen[0], 4),
                            "lower": round(seen[1], 4),
                            "upper": round(seen[2], 4),
                            "reason": None,
                        }
                    )
                if name == "score":
                    groups[0] |= {
                        "observed": None,
                        "lower": None,
                        "upper": None,
                        "reason": "fewer than 5 events",
                    }
                grid = np.linspace(groups[0]["predicted"], groups[-1]["predicted"], 50)
                calibration.append(
                    {
                        "model": name,
                        "label": label,
                        "horizon": horizon,
                        "groups": groups,
                        "smooth": {
                            "predicted": short(grid),
                            "observed": short(grid / factor * (1 + 0.2 * (0.1 - grid))),
                        },
                        "in_the_large": round(1.02 / factor, 3),
                        "in_the_large_lower": round(0.94 / factor, 3),
                        "in_the_large_upper": round(1.1 / factor, 3),
                        "slope": 0.94,
                        "slope_lower": 0.83,
                        "slope_upper": 1.05,
                        **distances(factor),
                        "reason": None,
                    }
                )
            grid = np.linspace(0.01, 0.4, 60)
            benefit = [
                float(
                    np.mean(risk * (estimate > t))
                    - np.mean((1 - risk) * (estimate > t)) * t / (1 - t)
                )
                for t in grid
            ]
            decision.append(
                {
                    "model": name,
                    "label": label,
                    "horizon": horizon,
                    "threshold": short(grid),
                    "net_benefit": short(benefit),
                }
            )
        everybody = risk.mean() - (1 - risk.mean()) * grid / (1 - grid)
        decision[-1 - len(BASELINES)]["net_benefit_all"] = short(everybody)
        for name, label, noise, base_horizon, n in BASELINES:
            false, true, base = roc(case, (0.75 * linear + RNG.normal(0, noise, N))[known])
            curves.append(
                {
                    "model": name,
                    "label": label,
                    "horizon": horizon,
                    "false_positive": false,
                    "true_positive": true,
                    "auc": round(base, 4),
                    "lower": round(base - 0.024, 4),
                    "upper": round(base + 0.024, 4),
                    "n": n,
                }
            )
            comparison.append(
                {
                    "baseline": name,
                    "label": label,
                    "horizon": horizon,
                    "baseline_horizon": base_horizon,
                    "outcome": {"smart_2013": "vascular death, stroke or infarction"}.get(
                        name, "first cardiovascular event"
                    ),
                    "n_scorable": n,
                    "n_events": int(n_case * n / N),
                    "n_total": N,
                    "quantity": "risk",
                    "judged_on": "vascular death, stroke or infarction",
                    "observed": 0.122,
                    "derived": [],
                    "members": [],
                    "forms": forms_of(name, auc, base, horizon),
                    "equations": [
                        {
                            "method": "baseline",
                            "label": "Recalibrated: baseline hazard",
                            "slope": 1.0,
                            "factor": 0.412,
                            "text": "1 − exp(−0.412 × (−ln(1 − published risk)))",
                            "reason": None,
                        },
                        {
                            "method": "slope_and_baseline",
                            "label": "Recalibrated: slope and baseline hazard",
                            "text": None,
                            "reason": "the predictions separate the events",
                        },
                    ],
                    "reasons": [
                        {
                            "reason": "`age_years` outside 40-69",
                            "text": "age outside 40–69 years",
                            "count": N - n,
                        }
                    ],
                    "assumed": ["treatment for hypertension: no"] if name != "smart_2013" else [],
                    "auc_score": round(auc, 4),
                    "auc_score_lower": round(auc - 0.023, 4),
                    "auc_score_upper": round(auc + 0.023, 4),
                    "auc_baseline": round(base, 4),
                    "auc_baseline_lower": round(base - 0.024, 4),
                    "auc_baseline_upper": round(base + 0.024, 4),
                    "difference": round(auc - base, 4),
                    "lower": round(auc - base - 0.019, 4),
                    "upper": round(auc - base + 0.019, 4),
                    "p": 0.0312 if name == "smart_2013" else 0.00004,
                    "reason": None,
                    "notes": ["made for people without vascular disease"]
                    if name != "smart_2013"
                    else [],
                }
            )
        comparison.append(
            {
                "baseline": "grace",
                "label": "GRACE 2.0",
                "horizon": horizon,
                "baseline_horizon": 3 * YEAR,
                "outcome": "death",
                "n_scorable": 0,
                "n_events": 0,
                "n_total": N,
                "reasons": [{"reason": "no column for Killip class", "count": N}],
                "assumed": [],
                **dict.fromkeys(
                    (
                        "auc_score",
                        "auc_score_lower",
                        "auc_score_upper",
                        "auc_baseline",
                        "auc_baseline_lower",
                        "auc_baseline_upper",
                        "difference",
                        "lower",
                        "upper",
                        "p",
                    )
                ),
                "reason": "no patient can be scored",
                "quantity": "points",
                "judged_on": "vascular death, stroke or infarction",
                "observed": None,
                "derived": [],
                "members": [],
                "forms": [],
                "equations": [],
                "notes": ["made for acute coronary syndromes"],
            }
        )
    performance.append(
        {
            "model": "score",
            "label": "Vascular event score",
            "metric": "harrell_c",
            "metric_label": "Harrell's C",
            "horizon": None,
            "value": 0.7031,
            "lower": 0.683,
            "upper": 0.723,
            "apparent": 0.7129,
            "n": N,
            "events": int(event.sum()),
            "reason": None,
        }
    )
    performance.append(
        {
            "model": "score",
            "label": "Vascular event score",
            "metric": "ibs",
            "metric_label": "Integrated Brier score",
            "horizon": HORIZONS[1],
            "value": None,
            "lower": None,
            "upper": None,
            "apparent": None,
            "n": N,
            "events": int(event.sum()),
            "reason": "a fold has no event in the last interval",
        }
    )
    return {
        "design": {
            "folds": 10,
            "repeats": 5,
            "stratified_on": "event",
            "seed": 20260101,
            "n_fits": 50,
            "text": "Imputation, selection, functions and points were refitted in each of 50"
            " splits; every patient is judged by models that never saw that patient.",
        },
        "performance": performance,
        "roc": curves,
        "calibration": calibration,
        "comparison": comparison,
        "decision_curve": decision,
    }


def robustness(events: int) -> dict[str, Any]:
    """Invented sample size, stability and errors of measurement; draws no random number."""
    criteria = [
        {
            "criterion": name,
            "n_patients": n,
            "n_events": n * events / N,
            "events_per_parameter": n * events / N / 64,
            "fulfilled": n <= N,
        }
        for name, n in (("shrinkage", 6120), ("optimism", 1980), ("overall_risk", 214))
    ]
    usual = {
        "r2_from": "usual", "share": 0.15, "r2": 0.0892, "max_r2": 0.595, "criteria": criteria,
        "n_patients": 6120, "n_events": 951.0, "events_per_parameter": 14.9, "reason": None,
    }  # fmt: skip
    own = {
        **usual, "r2_from": "score", "criteria": [],
        "reason": "the model's chi-squared is too small",
        **dict.fromkeys(("r2", "n_patients", "n_events", "events_per_parameter")),
    }  # fmt: skip
    bins = [
        {
            "n": N // 10, "risk": risk, "lower": 0.7 * risk, "median": 1.01 * risk,
            "upper": 1.4 * risk, "error": 0.12 * risk,
        }
        for risk in (0.02 * 1.35**k for k in range(10))
    ]  # fmt: skip
    curves = [
        {
            "replicate": replicate, "group": group, "n": N // 10, "predicted": row["risk"],
            "observed": None if group == 0 else row["risk"] * (0.8 + 0.08 * replicate),
        }
        for replicate in range(5)
        for group, row in enumerate(bins)
    ]  # fmt: skip
    return {
        "sample_size": {
            "n_patients": N, "n_events": events, "n_parameters": 64,
            "events_per_parameter": events / 64, "rate_per_year": 0.031,
            "mean_follow_up_years": 4.9, "horizon": HORIZONS[1], "scenarios": [usual, own],
        },
        "shape_stability": {
            "n_refits": 50, "same_variables": 0.36, "same_functions": 0.18,
            "shapes": [
                {
                    "variable": name, "label": LABELS[name], "kept": name in FINAL, "out": out,
                    "linear": 0.6 * (1 - out), "fp1": 0.3 * (1 - out), "fp2": 0.1 * (1 - out),
                    "powers": powers, "powers_share": 0.6 * (1 - out), "n_functions": 4,
                }
                for name, out, powers in (
                    ("age", 0.0, [-2.0, 3.0]), ("creatinine", 0.02, [0.0]), ("bmi", 0.9, [1.0]),
                )
            ],
            "pairs": [
                {
                    "first": LABELS["imt"], "second": LABELS["systolic"], "first_share": 0.62,
                    "second_share": 0.4, "both": 0.08, "correlation": -0.71,
                }
            ],
        },
        "instability": {
            "source": "cross-validation", "n_replicates": 5, "horizon": HORIZONS[1],
            "risk": {
                "mean": 0.012, "median": 0.008, "upper": 0.041, "largest_bin": 0.036,
                "bins": bins, "reason": None,
            },
            "classes": [
                {
                    "what": "points", "changed": 0.24, "changed_by_two": 0.01,
                    "ever_changed": 0.52, "n_compared": 5 * N, "reason": None,
                },
                {
                    "what": "group", "reason": "no patient was placed by both",
                    **dict.fromkeys(("changed", "changed_by_two", "ever_changed", "n_compared")),
                },
            ],
            "thresholds": [
                {
                    "threshold": at, "changed": share, "ever_changed": 2.4 * share,
                    "n_compared": 5 * N, "reason": None,
                }
                for at, share in ((0.05, 0.061), (0.1, 0.048))
            ],
            "calibration": {"curves": curves, "reason": None},
        },
        "measurement_error": {
            "n_draws": 200, "horizon": HORIZONS[1], "n_patients": N,
            "without_error": [LABELS["age"]], "factors": [LABELS["plaque"], LABELS["diabetes"]],
            "rows": [
                measured("software", {"imt": 0.02}, 0.04),
                measured("expert", {"imt": 0.07}, 0.13),
                measured("expert", {"imt": 0.07, "creatinine": 6.0}, 0.19),
                {
                    **measured("phantom", {"creatinine": 1.0}, 0.0),
                    **dict.fromkeys(key for key, _ in MEASURED),
                    "reason": "the score has no value for some recorded values",
                },
            ],
        },
    }  # fmt: skip


MEASURED = (
    ("points_changed", 1.0), ("points_changed_by_two", 0.02), ("group_changed", 0.3),
    ("points_changed_error", 0.004), ("retest_points_changed", 1.4),
    ("retest_group_changed", 0.42), ("points_changed_first_order", 1.01),
    ("group_changed_first_order", 0.31), ("linear_predictor_sd", 0.8),
    ("linear_predictor_sd_first_order", 0.79), ("risk_sd", 0.1), ("risk_sd_95", 0.25),
    ("reliability", 5.0), ("auc", 4.0), ("auc_with_error", 3.98), ("auc_expected", 3.97),
    ("undefined", 0.0),
)  # fmt: skip


def measured(method: str, sd: dict[str, float], changed: float) -> dict[str, Any]:
    numbers = {name: changed * factor for name, factor in MEASURED}
    return {
        "method": method,
        "jointly": len(sd) > 1,
        "variables": [
            {
                "variable": name, "label": LABELS[name], "sd": value, "unit": UNITS[name],
                "share": 1 / len(sd),
            }
            for name, value in sd.items()
        ],
        **numbers,
        "reliability": 1 - changed / 4,
        "auc": 0.72,
        "auc_with_error": 0.72 - changed / 20,
        "auc_expected": 0.72 - changed / 21,
        "reason": None,
    }  # fmt: skip


def main() -> None:
    import example_nomogram  # beside this script
    import example_parts

    data = patients()
    events = int(data["event"].sum())
    score_points, total = points(data)
    checked = validation(data)
    best = next(c for c in checked["roc"] if c["model"] == "score" and c["horizon"] == HORIZONS[1])
    summary: dict[str, Any] = {
        "schema_version": 1,
        "score": {
            "name": "vascular-event-score",
            "title": "Vascular event score",
            "version": "1.0.0",
            "status": "research use only; not a medical device",
            "core_id": "9ac3" * 16,
            "outcome": "vascular death, stroke or myocardial infarction",
            "time_zero": "inclusion visit",
            "population": "adults with manifest vascular disease",
            "intended_use": "research on prognosis after a vascular diagnosis",
            "not_for": "acute care, patients under 18, decisions about one patient",
            "horizons": list(HORIZONS),
            "main_horizon": HORIZONS[1],
        },
        "headline": {
            "n_patients": N,
            "n_events": events,
            "n_candidates": len(VARIABLES),
            "n_selected": 12,
            "n_kept": len(FINAL),
            "auc": best["auc"],
            "auc_lower": best["lower"],
            "auc_upper": best["upper"],
            "horizon": HORIZONS[1],
            "sentence": "Eight routine measurements separate patients whose 5-year risk is near 2 %"
            " from those whose risk is above 30 %.",
        },
        "study": {
            "objectives": "To develop a score of vascular events from invented patients.",
            "ethics": "Not needed: no patient is real.",
            "funding": None,
        },
        "cohort": cohort(data),
        "selection": selection(),
        "model": model(),
        "points": score_points,
        "risk_groups": risk_groups(data, total),
        "validation": checked,
        **robustness(events),
        "baselines": [
            {
                "name": name,
                "label": label,
                "outcome": "first cardiovascular event",
                "horizon": horizon,
                "population": "published development population",
                "publication": "Invented Heart J 2013;1:1-9",
                "doi": "10.0000/example",
                "licence_notice": "published equation",
                "misuse": "not meant for patients who have had an event"
                if name != "smart_2013"
                else "",
            }
            for name, label, _, horizon, _ in BASELINES
        ],
        "warnings": [
            "1,223 systolic pressures (29.3 %) were missing and filled with the median.",
            "9.8 events per candidate parameter is below the customary 10.",
        ],
        "reproduce": {
            "command": "scorebuilder run experiments/example.yaml --out reports/example",
            "seed": 20260101,
            "spec_sha256": "77aa" * 16,
            "data_sha256": "4d1f" * 16,
            "code_version": "0.1.0",
            "versions": {
                "matplotlib": "3.11.2",
                "numpy": "2.4.6",
                "pandas": "2.3.3",
                "scikit-survival": "0.28.0",
            },
        },
    }
    checked["models"] = example_parts.models()
    summary["cohort"]["missing"] = example_parts.missing(LABELS)
    summary["model"]["worked_patients"] = example_parts.worked()
    summary |= {
        "card": example_parts.card(),
        "nomogram": example_nomogram.nomogram(),
        "external": example_parts.external(summary),
        "importance": example_parts.importance(),
        "incremental": example_parts.incremental([LABELS["imt"], LABELS["age"]]),
        "influence": example_parts.influence(),
        "internal_external": example_parts.internal_external(),
        "optimism": example_parts.optimism(),
        "rules": example_parts.rules(),
        "stage_agreement": example_parts.stage_agreement(LABELS),
        "subgroups": example_parts.subgroups(),
    }
    text = json.dumps(summary, ensure_ascii=False, allow_nan=False, sort_keys=True)
    Path(__file__).with_name("summary_example.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
