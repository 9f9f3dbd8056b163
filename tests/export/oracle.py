"""The contract of all exports in plain Python: one patient, from the artifact's document alone."""

from __future__ import annotations

import math
from typing import Any


def expected(content: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """What every export must give for one patient: status, refusals, warnings, numbers."""
    scoring = content["scoring"]
    known = [predictor["id"] for predictor in scoring["predictors"]]
    refusals = [{"predictor": n, "flag": "unknown"} for n in sorted(set(values) - set(known))]
    warnings: list[dict[str, str]] = []
    read: dict[str, Any] = {}
    for predictor in scoring["predictors"]:
        name, value = predictor["id"], values.get(predictor["id"])
        if is_missing(value):
            if predictor["missing"]["policy"] == "refuse":
                refusals.append({"predictor": name, "flag": "missing"})
                continue
            warnings.append({"predictor": name, "flag": "imputed"})
            value = predictor["missing"]["value"]
        flag = flag_of(scoring, predictor, value)
        if flag:
            refusals.append({"predictor": name, "flag": flag})
            continue
        if predictor["type"] == "numeric":
            low, high = predictor["soft_range"]
            if low is not None and not low <= value <= high:
                warnings.append({"predictor": name, "flag": "extrapolation"})
            read[name] = float(value)
        else:
            read[name] = str(int(value)) if isinstance(value, int | float) else value
    out: dict[str, Any] = {"status": "refused" if refusals else "ok"}
    out |= {"refusals": refusals, "warnings": warnings, "points": None, "risk": None}
    out |= {"linear_predictor": None, "contributions": None, "risk_group": None}
    if refusals:
        return out | {"warnings": []}
    parts = dict.fromkeys(known, 0.0)
    for term in scoring["terms"]:
        column = column_of(term, read[term["predictor"]]) - term["center"]
        parts[term["predictor"]] += term["coefficient"] * column
    total = math.fsum(parts.values())
    out["linear_predictor"] = total
    out["points"] = sum(total >= threshold for threshold in scoring["points"]["thresholds"])
    out["risk"] = [risk_of(row["survival"], total) for row in scoring["baseline"]]
    out["risk_group"] = next(
        band["label"]
        for band in scoring["risk_groups"]
        if band["points_from"] <= out["points"] <= band["points_to"]
    )
    means = {row["predictor"]: row["contribution"] for row in scoring["reference"]}
    out["contributions"] = {name: part - means[name] for name, part in parts.items()}
    return out


def is_missing(value: Any) -> bool:
    """None, NaN, and text without a character."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def flag_of(scoring: dict[str, Any], predictor: dict[str, Any], value: Any) -> str | None:
    """Why a value that is there cannot be used."""
    if predictor["type"] != "numeric":
        codes = {level["code"] for level in predictor["levels"]}
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return None if isinstance(text, str) and text in codes else "invalid"
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isinf(value):
        return "invalid"
    low, high = predictor["hard_range"]
    low, high = -1e50 if low is None else low, 1e50 if high is None else high
    if not low <= value <= high:
        return "out_of_range"
    for term in scoring["terms"]:
        if term["predictor"] == predictor["id"] and curved(term):
            least = max(value, term["limits"][0]) if "limits" in term else value
            if least <= (-term["shift"] or 1e-50):
                return "out_of_range"
    return None


def curved(term: dict[str, Any]) -> bool:
    """Whether a term takes logarithms, roots or reciprocals of whatever value comes."""
    if term["kind"] != "power" or "positive_only" in term:
        return False
    return (term["power"], term["log_factor"]) != (1, 0)


def column_of(term: dict[str, Any], value: Any) -> float:
    """Value of a term before its centre and its coefficient."""
    if term["kind"] == "indicator":
        return float(value in term["levels"])
    if term["kind"] == "positive":
        return float(value > 0)
    if "positive_only" in term and value <= 0:
        return 0.0
    if "limits" in term:
        value = min(max(value, term["limits"][0]), term["limits"][1])
    x = (value + term["shift"]) / term["scale"]
    column = 1.0 if term["power"] == 0 else x ** term["power"]
    return float(column * math.log(x) ** term["log_factor"]) if term["log_factor"] else column


def risk_of(survival: float, linear_predictor: float) -> float:
    """1 - survival ^ exp(linear predictor)."""
    return -math.expm1(math.log(survival) * math.exp(min(linear_predictor, 700.0)))
