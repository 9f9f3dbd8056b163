"""One patient's score on one page: no script, no network, in the design of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scorebuilder.report import numbers
from scorebuilder.report.figure import DataTable, tidy
from scorebuilder.report.icon_array import icon_array, natural_frequency
from scorebuilder.report.patient_words import Tongue
from scorebuilder.report.render import render_page
from scorebuilder.score.risk_rows import extent

ABOUT = (
    "intended_use", "not_for", "population", "outcome", "time_zero", "review_by", "superseded_by",
    "citation", "contact",
)  # fmt: skip


def patient_page(account: Mapping[str, Any], *, lang: str = "en") -> str:
    """
    Render the account of one patient as one self-contained HTML page.

    Parameters
    ----------
    account : mapping
        From `account_for`.
    lang : {"en", "fr"}
        Language of the page; labels stay as the score has them.

    Returns
    -------
    str
        The page; the same text for the same account.

    Raises
    ------
    MissingPartError
        If Jinja2 is not installed.
    """
    account, tongue = tidy(account), Tongue(lang)
    return render_page(
        "patient.html.j2",
        {
            "t": tongue.say,
            "status": tongue.status(account["score"]["status"]),
            "status_text": tongue.status_text(account["score"]["status"]),
            "lang": lang,
            "account": account,
            "refusals": [(flag["label"], _refusal(tongue, flag)) for flag in account["refusals"]],
            "warnings": [(flag["label"], _warning(tongue, flag)) for flag in account["warnings"]],
            "about": _about(tongue, account),
            "result": _result(tongue, account) if account["status"] == "ok" else None,
        },
        styles=("style.css.j2", "patient.css.j2"),
    )


def _result(tongue: Tongue, account: Mapping[str, Any]) -> dict[str, Any]:
    largest = max((abs(item["contribution"]) for item in account["items"]), default=0.0) or 1.0
    return {
        "risks": [_risk(tongue, row) for row in account["risks"]],
        "items": [_item(tongue, item, largest) for item in account["items"]],
        "sums": _sums(tongue, account),
        "own": [
            _neighbour(tongue, row)
            for row in account["neighbours"]
            if row["points"] == account["points"]
        ],
        "neighbours": _neighbours(tongue, account),
        "place": _place(tongue, account),
        "references": _references(tongue, account),
    }


def _risk(tongue: Tongue, row: Mapping[str, Any]) -> dict[str, Any]:
    horizon = tongue.horizon(row["horizon"])
    count, size = natural_frequency(row["risk"])
    svg, width, height = icon_array(count, size)
    words = (
        tongue.say(
            "of_hundred", size=tongue.local(numbers.count(size)), count=count,
            rest=tongue.local(numbers.count(size - count)), horizon=horizon,
        )
        if count
        else tongue.say("rare", horizon=horizon)
    )  # fmt: skip
    return {
        "name": tongue.say("risk_within", horizon=horizon),
        "percent": tongue.percent(row["risk"]),
        "words": words,
        "svg": svg,
        "width": width,
        "height": height,
    }


def _item(tongue: Tongue, item: Mapping[str, Any], largest: float) -> dict[str, Any]:
    size = item["contribution"]
    shown = 0 if abs(size) < 5e-4 else size
    notes = []
    if item["counted_as"] is not None:
        counted = tongue.quantity(float(f"{item['counted_as']:.4g}"), item["unit"])
        notes.append(tongue.say("counted_as", value=counted))
    if item["place"]:
        low, high = (tongue.percent(item["place"][key], 0) for key in ("below", "up_to"))
        notes.append(tongue.say("input_place", low=low, high=high))
    return {
        "label": item["label"],
        "value": tongue.quantity(
            _few_digits(item) if item["imputed"] else item["value"], item["unit"]
        ),
        "notes": notes,
        "modifiable": item["modifiable"],
        "imputed": item["imputed"],
        "direction": "raises" if shown > 0 else "lowers" if shown < 0 else "no_effect",
        "width": round(100 * abs(size) / largest),
        "factor": tongue.say("hazard", factor=tongue.local(numbers.two(item["hazard_factor"]))),
        "points": None
        if item["points"] is None
        else tongue.say("in_points", points=tongue.local(numbers.signed(item["points"], 2))),
    }


def _few_digits(item: Mapping[str, Any]) -> float | str:
    """Round what was filled in: it is no measurement, and six digits of it say enough."""
    value: float | str = item["value"]
    return value if isinstance(value, str) else float(f"{value:.6g}")


def _sums(tongue: Tongue, account: Mapping[str, Any]) -> list[str]:
    def _two(value: float) -> str:
        return tongue.local(numbers.two(value))

    lines = []
    if account["scale"] is None:
        lines.append(tongue.say("no_scale", reason=account["scale_reason"]))
    else:
        scale = account["scale"]
        total = tongue.local(numbers.signed(scale["patient"] - scale["average"], 2))
        lines.append(
            tongue.say(
                "sum_points", average=_two(scale["average"]), total=total,
                patient=_two(scale["patient"]), points=account["points"],
                maximum=account["maximum"],
            )
        )  # fmt: skip
    bars = math.fsum(item["contribution"] for item in account["items"])
    lines.append(
        tongue.say(
            "sum_hazard", average=tongue.local(numbers.three(account["average"])),
            total=tongue.local(numbers.signed(bars)),
            patient=tongue.local(numbers.three(account["linear_predictor"])),
            error=tongue.local(f"{account['error']:.0e}" if account["error"] else "0"),
        )
    )  # fmt: skip
    return lines


def _neighbour(tongue: Tongue, row: Mapping[str, Any]) -> str:
    horizon = tongue.horizon(row["horizon"])
    if row["observed"] is None:
        return tongue.say("neighbour_undefined", horizon=horizon, reason=row["reason"])
    limits = numbers.interval(row["lower"], row["upper"], style=numbers.percent)
    return tongue.say(
        "neighbour", observed=_joined(tongue, tongue.percent(row["observed"]), row, "pooled"),
        horizon=horizon,
        interval=tongue.local(limits).replace(" to ", " – "),
        n=_joined(tongue, tongue.local(numbers.count(row["n"])), row, "band"),
    )  # fmt: skip


def _joined(tongue: Tongue, text: str, row: Mapping[str, Any], key: str) -> str:
    """Name the points for which a number speaks, where they are more than those of the row."""
    first, last = extent(row, key)
    return text if first == last else tongue.say("joined", text=text, low=first, high=last)


def _neighbours(tongue: Tongue, account: Mapping[str, Any]) -> DataTable:
    rows = []
    for row in account["neighbours"]:
        own = f" ({tongue.say('this_patient')})" if row["points"] == account["points"] else ""
        predicted = tongue.percent(row["predicted"]) if row["predicted"] is not None else "–"
        observed = numbers.estimate(
            row["observed"], row["lower"], row["upper"], row["reason"], style=numbers.percent
        )
        if row["observed"] is not None:
            observed = tongue.local(observed).replace(" to ", " – ")
            observed = _joined(tongue, observed, row, "pooled")
        count = tongue.say("hidden")
        if row["n"] is not None:
            count = _joined(tongue, tongue.local(numbers.count(row["n"])), row, "band")
        rows.append(
            (f"{row['points']}{own}", tongue.horizon(row["horizon"]), count, predicted, observed)
        )
    header = tuple(
        tongue.say(key) for key in ("points", "horizon", "patients", "predicted", "observed")
    )
    return DataTable(tongue.say("neighbours"), header, tuple(rows), text=(1,))


def _place(tongue: Tongue, account: Mapping[str, Any]) -> str:
    place = account["place"]
    if place is None:
        return tongue.say("place_undefined", reason=account["place_reason"])
    return tongue.say(
        "place_text",
        low=tongue.percent(place["below"], 0),
        high=tongue.percent(place["up_to"], 0),
    )


def _references(tongue: Tongue, account: Mapping[str, Any]) -> DataTable | None:
    if not account["references"]:
        return None
    values = {item["predictor"]: item["value"] for item in account["items"]}
    now = {row["horizon"]: row["risk"] for row in account["risks"]}
    header = [tongue.say(key) for key in ("input", "now", "reference", "points")]
    header += [tongue.say("risk_within", horizon=tongue.horizon(horizon)) for horizon in now]
    rows = []
    for row in account["references"]:
        risks = [
            f"{tongue.percent(now[risk['horizon']])} → {tongue.percent(risk['risk'])}"
            for risk in row["risks"]
        ]
        rows.append(
            (
                row["label"],
                tongue.quantity(values[row["predictor"]], row["unit"]),
                tongue.quantity(row["reference"], row["unit"])
                if not isinstance(row["value"], str)
                else row["value"],
                f"{account['points']} → {row['points']}",
                *risks,
            )
        )
    return DataTable(tongue.say("references"), tuple(header), tuple(rows), text=(1, 2))


def _range(tongue: Tongue, ends: list[float | None], unit: str) -> str:
    low, high = ends
    if low is None or high is None:
        sign, end = ("≥", low) if low is not None else ("≤", high)
        return "–" if end is None else f"{sign} {tongue.quantity(float(end), unit)}"
    return f"{tongue.quantity(float(low), '')} – {tongue.quantity(float(high), unit)}"


def _refusal(tongue: Tongue, flag: Mapping[str, Any]) -> str:
    if flag["flag"] == "missing":
        return tongue.say("missing")
    if flag["flag"] == "invalid":
        if flag["numeric"]:
            return tongue.say("invalid_number")
        return tongue.say("invalid_level", levels=", ".join(flag["levels"]))
    low, _ = flag["hard_range"]
    required = tongue.say("out_of_range", range=_range(tongue, flag["hard_range"], flag["unit"]))
    if flag["floor"] is not None and (low is None or flag["floor"] >= low):
        floor = tongue.quantity(float(f"{flag['floor']:.6g}"), flag["unit"])
        required += " " + tongue.say("floor", floor=floor)
    return required


def _warning(tongue: Tongue, flag: Mapping[str, Any]) -> str:
    if flag["flag"] == "imputed":
        return tongue.say(
            "imputed",
            value=tongue.quantity(_few_digits({"value": flag["stands_in"]}), flag["unit"]),
        )
    return tongue.say("extrapolation", range=_range(tongue, flag["soft_range"], flag["unit"]))


def _about(tongue: Tongue, account: Mapping[str, Any]) -> list[tuple[str, str]]:
    score = account["score"]
    pairs = [(tongue.say(key), str(score[key])) for key in ABOUT if score.get(key)]
    if account["n_development"]:
        count = tongue.local(numbers.count(account["n_development"]))
        pairs.append((tongue.say("development_patients"), count))
    pairs.append((tongue.say("fingerprint"), score["artifact_sha256"][:16]))
    pairs.append((tongue.say("scoring_part"), score["core_id"][:16]))
    if score.get("derived_from"):
        pairs.append((tongue.say("derived_from"), score["derived_from"][:16]))
    return pairs
