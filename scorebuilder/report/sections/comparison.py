"""The score against established scores on the same patients: ranking, level of risk, limits."""

from __future__ import annotations

from typing import Any

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import DataTable, Summary
from scorebuilder.report.section import SECTIONS, Figures, Section

RISK_HEADER = (
    "Risk", "Mean", "Observed / expected (95 % CI)", "Slope (95 % CI)", "ICI", "Brier score",
    "Scaled Brier score (95 % CI)",
)  # fmt: skip
SAME = 1e-9
"""AUCs that differ by less are the same, but for rounding."""


def _ranking(rows: list[dict[str, Any]], horizon: float) -> DataTable:
    header = (
        "Established score", "Scorable", "Events", "AUC, this score (95 % CI)",
        "AUC, established (95 % CI)", "Difference (95 % CI)", "P",
    )  # fmt: skip
    cells = []
    for row in rows:
        why = row["reason"]
        score = (row["auc_score"], row["auc_score_lower"], row["auc_score_upper"])
        baseline = (row["auc_baseline"], row["auc_baseline_lower"], row["auc_baseline_upper"])
        difference = (row["difference"], row["lower"], row["upper"])
        cells.append(
            (
                row["label"],
                _scorable(row),
                numbers.count(row["n_events"]),
                numbers.estimate(*score, why),
                numbers.estimate(*baseline, why),
                numbers.difference(*difference, why),
                numbers.p_value(row["p"], why),
            )
        )
    caption = f"Ranking: AUC at {format_horizon(horizon)}, on the same patients"
    return DataTable(caption, header, tuple(cells))


def _scorable(row: dict[str, Any]) -> str:
    return f"{numbers.count(row['n_scorable'])} of {numbers.count(row['n_total'])}"


def _risks(rows: list[dict[str, Any]]) -> list[tuple[str, DataTable]]:
    """Level of risk of each established score, with the score beside it on the same patients."""
    return [
        (
            _patients(row),
            DataTable("", RISK_HEADER, tuple(_risk_row(form) for form in row["forms"])),
        )
        for row in rows
        if row.get("forms")
    ]


def _levels(rows: list[dict[str, Any]]) -> DataTable | None:
    """Level of risk in short: as published, and the best that recalibration makes of it."""
    cells = []
    for row in rows:
        forms = {form["form"]: form for form in row.get("forms", ())}
        if not forms:
            continue
        published = forms.get("published")
        tuned = forms.get("slope_and_baseline") or forms.get("baseline")
        cells.append(
            (
                row["label"],
                _measure(published, "in_the_large", numbers.two),
                _measure(published, "slope", numbers.two),
                _measure(tuned, "scaled_brier", numbers.percent),
                _measure(forms.get("score"), "scaled_brier", numbers.percent),
            )
        )
    header = (
        "Established score", "Observed / expected, as published", "Slope, as published",
        "Scaled Brier score, recalibrated", "Scaled Brier score, this score",
    )  # fmt: skip
    return DataTable("Level of risk in short (95 % CI)", header, tuple(cells)) if cells else None


def _measure(form: dict[str, Any] | None, name: str, style: numbers.NumberStyle) -> str:
    if form is None:
        return "–"
    item = next(item for item in form["measures"] if item["measure"] == name)
    return numbers.estimate(
        item["value"], item["lower"], item["upper"], item["reason"], style=style
    )


def _patients(row: dict[str, Any]) -> str:
    events = f"{words.plural(row['n_events'], 'event')} by {format_horizon(row['horizon'])}"
    text = f"Patients whom {row['label']} can score: {numbers.count(row['n_scorable'])}, {events}"
    if row.get("observed") is None:
        return text
    return f"{text}, observed risk {numbers.percent(row['observed'])}"


def _risk_row(form: dict[str, Any]) -> tuple[str, ...]:
    brier = next(item for item in form["measures"] if item["measure"] == "brier")
    return (
        form["label"],
        "–" if form["mean_risk"] is None else numbers.percent(form["mean_risk"]),
        _measure(form, "in_the_large", numbers.two),
        _measure(form, "slope", numbers.two),
        _measure(form, "ici", numbers.percent),
        numbers.maybe(brier["value"], brier["reason"]),
        _measure(form, "scaled_brier", numbers.percent),
    )


def _findings(rows: list[dict[str, Any]], when: str) -> str:
    """Say in a sentence which scores the score outranks, by the limits of the difference."""
    found: dict[str, list[str]] = {"better than": [], "like": [], "worse than": [], "": []}
    for row in rows:
        if row["lower"] is None or row["upper"] is None:
            place = ""
        else:
            place = "better than" if row["lower"] > 0 else "worse than"
            place = "like" if row["lower"] <= 0 <= row["upper"] else place
        found[place].append(row["label"])
    unknown, found["neither clearly better nor worse than"] = found.pop(""), found.pop("like")
    parts = [f"{place} {_list(names)}" for place, names in found.items() if names]
    text = f"At {when} this score ranks patients {'; '.join(parts)}." if parts else ""
    if unknown:
        text = f"{text} No comparison was possible with {_list(unknown)}.".lstrip()
    return text


def _minds(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Gather what limits the comparisons, each once with the scores that it concerns."""
    concerned: dict[str, list[str]] = {}
    for row in rows:
        for text in row["notes"]:
            concerned.setdefault(text, []).append(row["label"])
    return [(_list(labels), text) for text, labels in concerned.items()]


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _purposes(rows: list[dict[str, Any]], summary: Summary, about: dict[str, Any]) -> DataTable:
    """Set side by side what each score predicts, by when, and in whom."""
    score, when = summary["score"], _unbroken(rows[0]["horizon"])
    cells = [
        ("This score", score.get("outcome") or "–", when, score.get("population") or "–"),
        *(
            (
                row["label"],
                row["outcome"] or "–",
                _own_horizon(row),
                about.get(row["baseline"], {}).get("population") or "–",
            )
            for row in rows
        ),
    ]
    caption = "What each score was made for; all are judged on the outcome of this score"
    return DataTable(caption, ("Score", "Predicts", "Within", "Made for"), tuple(cells), (1, 2, 3))


def _own_horizon(row: dict[str, Any]) -> str:
    return "–" if row["baseline_horizon"] is None else _unbroken(row["baseline_horizon"])


def _unbroken(horizon: float) -> str:
    return format_horizon(horizon).replace(" ", "\N{NO-BREAK SPACE}")


def _facts(row: dict[str, Any], about: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = [
        ("Scorable", f"{_scorable(row)}{_not_scorable(row)}"),
        (
            "Scores used",
            "; ".join(
                f"{m['member']} ({numbers.count(m['count'])})" for m in row.get("members", ())
            ),
        ),
        ("Assumed", "; ".join(row["assumed"]) or "nothing"),
        ("Derived", "; ".join(row.get("derived", ()))),
        ("Mind", about.get("misuse")),
        *(
            (
                f"{item['label']}, all patients",
                item["text"] or numbers.undefined(item["reason"]),
            )
            for item in row.get("equations", ())
        ),
        ("Publication", about.get("publication")),
        ("DOI", about.get("doi")),
        ("Licence", about.get("licence_notice")),
    ]
    return [(name, text) for name, text in pairs if text]


def _not_scorable(row: dict[str, Any]) -> str:
    reasons = "; ".join(
        f"{numbers.count(item['count'])} {item.get('text') or item['reason']}"
        for item in row["reasons"]
    )
    several = " (a patient may have several reasons)" if len(row["reasons"]) > 1 else ""
    return f"; not scorable: {reasons}{several}" if reasons else ""


def _reranked(rows: list[dict[str, Any]]) -> list[str]:
    """Name the scores whose ranking a refitted slope changed, which a slope above 0 cannot."""
    changed = []
    for row in rows:
        aucs = {
            form["form"]: item["value"]
            for form in row.get("forms", ())
            for item in form["measures"]
            if item["measure"] == "auc"
        }
        published, refitted = aucs.get("published"), aucs.get("slope_and_baseline")
        if published is not None and refitted is not None and abs(published - refitted) > SAME:
            changed.append(row["label"])
    return changed


def context(summary: Summary, figures: Figures) -> dict[str, Any]:
    """
    Gather the comparisons, and what limits each of them.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    figures : mapping
        Drawn figures.

    Returns
    -------
    dict
        What the template names.
    """
    rows = summary["validation"]["comparison"]
    about = {item["name"]: item for item in summary["baselines"]}
    main = summary["score"]["main_horizon"]
    first = [row for row in rows if row["horizon"] == main] or rows
    others = sorted({row["horizon"] for row in rows} - {first[0]["horizon"]})
    when = format_horizon(first[0]["horizon"])
    return {
        "findings": _findings(first, when),
        "figures": figures["comparison"],
        "ranking": _ranking(first, first[0]["horizon"]),
        "other_rankings": [
            _ranking([row for row in rows if row["horizon"] == horizon], horizon)
            for horizon in others
        ],
        "levels": _levels(first),
        "risk_caption": f"Risk by {when}: as published, and recalibrated to this cohort",
        "risk_header": RISK_HEADER,
        "risks": _risks(first),
        "reranked": words.clean(_list(changed)) if (changed := _reranked(first)) else "",
        "purposes": _purposes(first, summary, about),
        "minds": _minds(first),
        "baselines": [
            {"label": row["label"], "facts": _facts(row, about.get(row["baseline"], {}))}
            for row in first
        ],
    }


def applies(summary: Summary) -> bool:
    """
    Tell whether there are baselines.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    bool
        True if the score was compared.
    """
    return bool(summary["validation"]["comparison"])


SECTIONS.register(
    "comparison",
    Section(
        "Comparison with established scores",
        "Performance",
        170,
        "comparison.html.j2",
        context,
        applies,
    ),
)
