"""What a run knows of the items of a reporting checklist; None where it knows nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from scorebuilder.core.units import format_horizon
from scorebuilder.report import numbers, words
from scorebuilder.report.figure import Summary

Evidence: TypeAlias = Callable[[Summary], str | None]


def _text(part: str, key: str) -> Evidence:
    def found(summary: Summary) -> str | None:
        return str(summary[part].get(key) or "") or None

    return found


def _objectives(summary: Summary) -> str:
    judged = ", and evaluates it in other cohorts" if summary.get("external") else ""
    return f"Develops a score and validates it internally{judged}."


def _follow_up(summary: Summary) -> str | None:
    median = summary["cohort"]["follow_up"]["median"]
    return (
        None
        if median is None
        else f"Median follow-up {words.years(median)}; dates are to be added."
    )


def _centres(summary: Summary) -> str | None:
    found = summary.get("internal_external")
    if not found:
        return None
    if found.get("forward"):
        return f"{found['by']}: periods were judged by a build of the earlier ones."
    clusters = {row["cluster"] for row in found["clusters"]}
    return f"{found['by']}: {len(clusters)} were left out in turn."


def _eligibility(summary: Summary) -> str | None:
    steps = [row["label"] for row in summary["cohort"]["attrition"][1:] if row["n_excluded"]]
    if not steps:
        return "No patient of the table was excluded."
    return f"Excluded: {'; '.join(steps)}."


def _preparation(summary: Summary) -> str | None:
    steps = words.plural(len(summary["cohort"]["attrition"]), "step")
    return f"The table was checked against its schema; {steps} to the cohort."


def _outcome(summary: Summary) -> str:
    score = summary["score"]
    horizons = ", ".join(format_horizon(days) for days in score["horizons"])
    return f"{score['outcome'].rstrip('.')}; from {score['time_zero'].rstrip('.')}; {horizons}."


def _candidates(summary: Summary) -> str:
    return f"{words.plural(summary['headline']['n_candidates'], 'candidate')} named before the run."


def _predictors(summary: Summary) -> str | None:
    table = summary["cohort"]["table_one"]
    return f"Label, unit and levels of {words.plural(len(table), 'candidate')}." if table else None


def _sample_size(summary: Summary) -> str | None:
    found = summary.get("sample_size")
    if not found or found["events_per_parameter"] is None:
        return None
    return (
        f"{words.plural(found['n_events'], 'event')} for"
        f" {words.plural(found['n_parameters'], 'candidate parameter')}"
        f" ({numbers.number(found['events_per_parameter'], 1)} each)."
    )


def _missing(summary: Summary) -> str:
    lacking = sum(bool(row["missing_n"]) for row in summary["cohort"]["table_one"])
    if not lacking:
        return "No value was missing."
    return (
        f"{words.plural(lacking, 'variable')} with missing values; filled in within each training"
        " set."
    )


def _data_use(summary: Summary) -> str:
    return str(summary["validation"]["design"]["text"])


def _functional_form(summary: Summary) -> str:
    model = summary["model"]
    return f"Fractional polynomials of at most {model['max_df']} degrees of freedom; no cutting."


def _modelling(summary: Summary) -> str:
    fits = words.plural(summary["validation"]["design"]["n_fits"], "refit")
    return f"Survival forest, then Cox regression; every step again in {fits}."


def _measures(summary: Summary) -> str | None:
    found = {row["metric_label"] for row in summary["validation"]["performance"]}
    return f"{', '.join(sorted(found))}; calibration; net benefit." if found else None


def _frozen(summary: Summary) -> str | None:
    return "The score was judged frozen, as it stands." if summary.get("external") else None


def _computing(summary: Summary) -> str:
    return f"By the formula of version {summary['score']['version']}, with every digit."


def _imbalance(summary: Summary) -> str:
    del summary
    return "Nothing was altered: no event was drawn more often or weighted to balance classes."


def _subgroups(summary: Summary) -> str | None:
    labels = [row["label"] for row in summary.get("subgroups") or ()]
    return f"Performance apart by {', '.join(labels)}." if labels else None


def _output(summary: Summary) -> str:
    top = len(summary["points"]["thresholds"])
    return f"Risk by the horizon, 0 to {top} points, risk groups."


def _external_differences(summary: Summary) -> str | None:
    labels = [row["label"] for row in summary.get("external") or ()]
    return f"Beside the development data: {', '.join(labels)}." if labels else None


def _code(summary: Summary) -> str:
    return (
        f"Code of version {summary['reproduce']['code_version']}; its hash and libraries are given."
    )


def _flow(summary: Summary) -> str:
    head, steps = summary["headline"], len(summary["cohort"]["attrition"])
    return (
        f"{words.plural(head['n_patients'], 'patient')}, {words.plural(head['n_events'], 'event')},"
        f" after {words.plural(steps, 'step')}; follow-up by reverse Kaplan-Meier."
    )


def _characteristics(summary: Summary) -> str | None:
    table = summary["cohort"]["table_one"]
    return (
        f"{words.plural(len(table), 'variable')} by outcome, with missing values."
        if table
        else None
    )


def _counts(summary: Summary) -> str:
    head = summary["headline"]
    return (
        f"{words.plural(head['n_patients'], 'patient')} and"
        f" {words.plural(head['n_events'], 'event')}; each table states its own where they differ."
    )


def _specification(summary: Summary) -> str | None:
    terms = len(summary["model"]["terms"])
    return (
        f"{words.plural(terms, 'term')} and the baseline survival, with every digit."
        if terms
        else None
    )


def _performance(summary: Summary) -> str | None:
    head = summary["headline"]
    if head["auc"] is None:
        return None
    found = numbers.estimate(head["auc"], head["auc_lower"], head["auc_upper"])
    return f"AUC at {format_horizon(head['horizon'])} {found}, and further measures."


def _warnings(summary: Summary) -> str | None:
    found = len(summary["warnings"])
    return f"{words.plural(found, 'warning')} of this run." if found else None


def _poor_input(summary: Summary) -> str:
    del summary
    return "A value out of range or missing where it may not be is refused, with the reason."


EVIDENCE: Mapping[str, Evidence] = {
    "candidates": _candidates,
    "centres": _centres,
    "characteristics": _characteristics,
    "clusters": _centres,
    "code": _code,
    "computing": _computing,
    "counts": _counts,
    "data_use": _data_use,
    "eligibility": _eligibility,
    "external_differences": _external_differences,
    "flow": _flow,
    "follow_up": _follow_up,
    "functional_form": _functional_form,
    "imbalance": _imbalance,
    "intended_use": _text("score", "intended_use"),
    "licence": _text("cohort", "licence"),
    "measures": _measures,
    "missing": _missing,
    "modelling": _modelling,
    "objectives": _objectives,
    "outcome": _outcome,
    "output": _output,
    "performance": _performance,
    "poor_input": _poor_input,
    "predictors": _predictors,
    "preparation": _preparation,
    "sample_size": _sample_size,
    "source": _text("cohort", "source"),
    "specification": _specification,
    "subgroups": _subgroups,
    "title": _text("score", "title"),
    "updating": _frozen,
    "warnings": _warnings,
}
