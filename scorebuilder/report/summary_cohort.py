"""The cohort in the summary: flow, follow-up, Table 1."""

from __future__ import annotations

from typing import Any

import pandas as pd

from scorebuilder.cohort.describe import follow_up, table_one
from scorebuilder.report.numbers import undefined
from scorebuilder.report.study import Study
from scorebuilder.report.summary_follow_up import status_at
from scorebuilder.report.summary_missing import summarise_missing

STRATA = ("all", "event", "no event")


def summarise_cohort(study: Study) -> dict[str, Any]:
    """
    Summarise the development patients.

    Parameters
    ----------
    study : Study
        Finished.

    Returns
    -------
    dict
        Attrition, follow-up, missing values, and the rows of Table 1 as ready text.
    """
    schema = study.cohort.schema
    table = table_one(study.X, study.cohort.y, schema)
    return {
        "title": schema.title,
        "source": schema.source,
        "licence": schema.licence,
        "data_sha256": study.cohort.data_sha256,
        "follow_up": _follow_up(study),
        "status": status_at(study.cohort.y, study.builder.horizons),
        "missing": summarise_missing(study),
        "attrition": study.cohort.attrition.to_records(),
        "table_one": [
            _variable(study, name, table[table["variable"] == name]) for name in study.candidates
        ],
    }


def _follow_up(study: Study) -> dict[str, Any]:
    found = follow_up(study.cohort.y)
    names = {"median": "median", "q1": "q1", "q3": "q3", "longest": "max"}
    shown = {name: found[key] for key, name in names.items()}
    return {**shown, "person_years": found["person_years"], "reason": found["reason"] or None}


def _variable(study: Study, name: str, rows: pd.DataFrame) -> dict[str, Any]:
    field = study.cohort.schema.field(name)
    missing = int(study.X[name].isna().sum())
    difference = rows[rows["stratum"] == "all"].iloc[0]
    return {
        "variable": name,
        "label": study.label(name),
        "unit": field.unit,
        "kind": field.kind,
        "group": field.group,
        "missing_n": missing,
        "missing_percent": 100.0 * missing / len(study.X),
        "smd": difference["smd"],
        "smd_reason": difference["smd_reason"] or None,
        "rows": [_numeric_row(rows)] if field.kind == "numeric" else _level_rows(rows),
    }


def _numeric_row(rows: pd.DataFrame) -> dict[str, Any]:
    by_stratum = rows.set_index("stratum")
    return {"level_label": None, **{_key(s): _mean_and_sd(by_stratum.loc[s]) for s in STRATA}}


def _level_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    shown = []
    for level in rows["level"].drop_duplicates():
        inside = rows[rows["level"] == level].set_index("stratum")
        label = inside["level_label"].iloc[0]
        shown.append({"level_label": label, **{_key(s): _count(inside.loc[s]) for s in STRATA}})
    return shown


def _key(stratum: str) -> str:
    return stratum.replace(" ", "_")


def _mean_and_sd(row: pd.Series) -> str:
    if pd.isna(row["mean"]):
        return undefined(row["reason"])
    digits = 0 if abs(row["mean"]) >= 100 else (1 if abs(row["mean"]) >= 10 else 2)
    return (
        f"{row['mean']:.{digits}f} ({row['sd']:.{digits}f}); "
        f"{row['median']:.{digits}f} [{row['q1']:.{digits}f}, {row['q3']:.{digits}f}]"
    )


def _count(row: pd.Series) -> str:
    if row["suppressed"]:
        return "hidden"
    return f"{int(row['count']):,} ({row['percent']:.1f} %)"
