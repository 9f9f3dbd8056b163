"""Scores that nobody built: random terms, factors, policies, and names meant to break languages."""

from __future__ import annotations

from typing import Any

import numpy as np

from scorebuilder.score.artifact import OUTPUT_LICENCE, ScoreArtifact, seal

from .oracle import expected  # isort: skip

HOSTILE = (
    "plain", "with space", 'dou"ble', "sing'le", "back\\slash", "new\nline", "tab\there",
    "</script><script>alert(1)</script>", "<b>bold & bright</b>", "'; DROP TABLE patients; --",
    "=1+1", "+cmd", "@SUM(A1)", "-2+3", "$dollar ${x} $name", "éàü", "β-blocker", "心拍数",
    "\U0001f600", "{{7*7}}", "%s %d %(a)s", "`tick`", "[bracket]", "a.b", "__proto__",
    "constructor", "null", "SELECT", "class", "1st", "É\u0301", "x" * 63, "#hash", "a;b", "a,b",
    "\u2028line",
)  # fmt: skip
POWERS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0)


def made_up_score(seed: int, *, hostile: bool = True, n_vectors: int = 60) -> ScoreArtifact:
    """A random score; the same for the same seed."""
    random = np.random.default_rng(seed)
    names = list(random.permutation(HOSTILE)) if hostile else [f"input_{i}" for i in range(40)]
    predictors, terms = [], []
    for _ in range(int(random.integers(1, 6))):
        name = str(names.pop())
        label = str(random.choice(HOSTILE)) if hostile else f"Label of {name}"
        if random.random() < 0.35:
            predictor, new = _factor(random, name, label, names if hostile else None)
        else:
            predictor, new = _number(random, name, label)
        predictors.append(predictor)
        terms += new
    text = str(random.choice(HOSTILE)) if hostile else "words"
    scoring: dict[str, Any] = {
        "predictors": predictors,
        "terms": terms,
        "baseline": [
            {"horizon": 365.25 * years, "survival": float(survival)}
            for years, survival in zip(
                (1, 5), sorted(random.uniform(0.5, 0.99, 2))[::-1], strict=True
            )
        ],
        "points": {"thresholds": [], "anchors": [0.01, 0.99]},
        "risk_table": [],
        "risk_groups": [
            {"label": f"low {text}", "points_from": 0, "points_to": 3},
            {"label": f"high {text}", "points_from": 4, "points_to": 10},
        ],
        "reference": [
            {"predictor": p["id"], "contribution": float(random.normal(0, 0.1))} for p in predictors
        ],
    }
    content: dict[str, Any] = {
        "schema_version": 1,
        "name": "made-up/site-1",
        "version": "1.2.3",
        "status": "research",
        "title": f"Title {text}",
        "derived_from": None,
        "changelog": [{"version": "1.2.3", "change": text}],
        "meaning": dict.fromkeys(
            ("intended_use", "not_for", "population", "outcome", "time_zero"), f"Meaning {text}"
        ),
        "scoring": scoring,
        "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
        "licence": OUTPUT_LICENCE,
    }
    scoring["points"]["thresholds"] = [0.0]
    draws = [patient(content, random, valid=True) for _ in range(200)]
    found = [expected(content, values)["linear_predictor"] for values in draws]
    low, high = np.quantile(found, [0.01, 0.99])
    width = max(float(high - low), 1e-3)
    scoring["points"]["thresholds"] = [float(low + width * (k + 0.5) / 10) for k in range(10)]
    content["evidence"]["test_vectors"] = vectors(content, random, n_vectors)
    return seal(content)


def vectors(content: dict[str, Any], random: np.random.Generator, n: int) -> list[dict[str, Any]]:
    """Ordinary, missing and impossible patients, none of them close to a threshold."""
    out: list[dict[str, Any]] = []
    while len(out) < n:
        values = patient(content, random, valid=bool(random.random() < 0.6))
        found = expected(content, values)
        if found["linear_predictor"] is not None and close(content, found["linear_predictor"]):
            continue
        keys = ("status", "refusals", "warnings", "points", "risk", "linear_predictor")
        out.append({"inputs": values, **{key: found[key] for key in keys}})
    return out


def close(content: dict[str, Any], linear_predictor: float) -> bool:
    """Whether a linear predictor is so near a threshold that rounding could decide."""
    thresholds = content["scoring"]["points"]["thresholds"]
    return bool(min(abs(linear_predictor - threshold) for threshold in thresholds) < 1e-6)


def patient(
    content: dict[str, Any], random: np.random.Generator, *, valid: bool = False
) -> dict[str, Any]:
    """One patient; unless `valid`, with missing, extreme and impossible values among the others."""
    values: dict[str, Any] = {}
    for predictor in content["scoring"]["predictors"]:
        kind = "ordinary" if valid else random.choice(["ordinary", "missing", "far", "impossible"],
                                                      p=[0.7, 0.15, 0.1, 0.05])  # fmt: skip
        if kind == "missing":
            values[predictor["id"]] = None
        elif predictor["type"] != "numeric":
            codes = [level["code"] for level in predictor["levels"]]
            values[predictor["id"]] = (
                "no such" if kind == "impossible" else str(random.choice(codes))
            )
        else:
            low, high = predictor["soft_range"]
            spread = {"ordinary": 0.0, "far": 0.4, "impossible": 1000.0}[kind]
            span = high - low
            drawn = random.uniform(low - spread * span, high + spread * span)
            values[predictor["id"]] = float(f"{drawn:.6g}")
    return values


def patients(content: dict[str, Any], n: int, seed: int) -> list[dict[str, Any]]:
    """Random patients, a few with zeros, none of them where rounding could decide on a point."""
    random = np.random.default_rng(seed)
    numbers = [p["id"] for p in content["scoring"]["predictors"] if p["type"] == "numeric"]
    out: list[dict[str, Any]] = []
    while len(out) < n:
        values = patient(content, random)
        for name in numbers:
            if random.random() < 0.03:
                values[name] = 0.0
        total = expected(content, values)["linear_predictor"]
        if total is None or not close(content, total):
            out.append(values)
    return out


def _policy(random: np.random.Generator, value: Any) -> dict[str, Any]:
    return {"policy": "impute", "value": value} if random.random() < 0.5 else {"policy": "refuse"}


def _number(
    random: np.random.Generator, name: str, label: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    low = float(random.choice([0.0, 5.0, 40.0]))
    high = low + float(random.choice([1.0, 20.0, 150.0]))
    spiked = bool(random.random() < 0.2)
    limited = bool(random.random() < 0.2)
    hard = random.choice(["both", "none", "low"])
    shift = 0.0 if low > 0 else float(random.choice([0.5, 1.0]))
    scale = float(random.choice([1.0, 10.0, 100.0]))
    powers = sorted(random.choice(POWERS, size=int(random.integers(1, 3))))
    terms = []
    if spiked:
        terms.append({"kind": "positive", "predictor": name, **_ends(random)})
    for place, power in enumerate(powers):
        repeated = place == 1 and powers[0] == powers[1]
        term = {
            "kind": "power", "predictor": name, "shift": shift, "scale": scale,
            "power": float(power), "log_factor": int(power == 0) + int(repeated),
        }  # fmt: skip
        x = (0.5 * (low + high) + shift) / scale
        size = abs((x**power if power else 1.0) * (np.log(x) ** term["log_factor"])) + 1e-3
        term |= {"center": float(size), "coefficient": float(random.normal(0, 0.5) / size)}
        if limited:
            term["limits"] = [low + 0.05 * (high - low), high - 0.05 * (high - low)]
        if spiked:
            term["positive_only"] = True
        terms.append(term)
    predictor = {
        "id": name,
        "label": label,
        "unit": str(random.choice(["", "mmol/L", "a", "mm[Hg]", "1"])),
        "type": "numeric",
        "levels": [],
        "hard_range": {
            "both": [max(low - 3.0, 0.0), high + 30.0], "none": [None, None], "low": [0.0, None]
        }[str(hard)],
        "soft_range": [low, high],
        "missing": _policy(random, 0.5 * (low + high)),
    }  # fmt: skip
    return predictor, terms


def _factor(
    random: np.random.Generator, name: str, label: str, codes: list[str] | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    n = int(random.integers(2, 5))
    chosen = [str(codes.pop()) for _ in range(n)] if codes else [str(i) for i in range(n)]
    terms = [
        {"kind": "indicator", "predictor": name, "levels": [code], **_ends(random)}
        for code in chosen[1:]
    ]
    predictor = {
        "id": name,
        "label": label,
        "unit": "",
        "type": "binary" if n == 2 else "nominal",
        "levels": [{"code": code, "label": f"level {code}"} for code in chosen],
        "hard_range": [None, None],
        "soft_range": [None, None],
        "missing": _policy(random, chosen[0]),
    }
    return predictor, terms


def _ends(random: np.random.Generator) -> dict[str, float]:
    return {"center": float(random.uniform(0, 1)), "coefficient": float(random.normal(0, 0.4))}
