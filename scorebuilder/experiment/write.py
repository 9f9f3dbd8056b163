"""The files of a run: score, summary, report, tables, figures, record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from scorebuilder.core.canonical import dump_json
from scorebuilder.export.folder import export_folder
from scorebuilder.export.target import choose_targets
from scorebuilder.report.figure import collect_figures, figure_files, tidy
from scorebuilder.report.journal import journal_tables
from scorebuilder.report.render import render_html
from scorebuilder.report.robustness_tables import robustness_tables
from scorebuilder.report.study import Study
from scorebuilder.report.summary_external import external_tables
from scorebuilder.report.summary_incremental import incremental_tables
from scorebuilder.report.summary_rules import rule_tables
from scorebuilder.report.summary_subgroups import subgroup_table
from scorebuilder.report.summary_validation import SCORE_METRICS
from scorebuilder.score.risk_rows import flat_row
from scorebuilder.score.store import save_artifact, write_bytes, write_text
from scorebuilder.validation.performance import performance_table


def write_run(folder: Path, study: Study, summary: dict[str, Any], *, run: dict[str, Any]) -> None:
    """
    Write every file of a run.

    Parameters
    ----------
    folder : Path
        The work folder.
    study : Study
        With its artifact.
    summary : dict
        What the report shows.
    run : dict
        Record of the run: settings, versions, times. The only file that differs between two
        runs of the same study.
    """
    save_artifact(study.sealed, folder)
    write_text(folder / "summary.json", dump_json(summary))
    drawn = collect_figures(tidy(summary))
    write_text(folder / "report.html", render_html(summary, drawn=drawn))
    for name, svg in figure_files(drawn).items():
        write_text(folder / "figures" / name, svg)
    for name, table in run_tables(study, summary).items():
        text = table.to_csv(index=False, lineterminator="\n")
        write_text(folder / "tables" / f"{name}.csv", text)
    for name, page in journal_tables(summary).items():
        write_text(folder / "tables" / "journal" / name, page)
    for target in choose_targets(study.settings["export"]["targets"]):
        for name, content in export_folder(study.sealed, target).items():
            write_bytes(folder / "exports" / target / name, content)
    write_text(folder / "run.json", dump_json(run))


def run_tables(study: Study, summary: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """
    Return the tables of a run, aggregates only.

    Parameters
    ----------
    study : Study
        With out-of-fold predictions.
    summary : dict
        What the report shows.

    Returns
    -------
    dict of DataFrame
        By file name without ending.
    """
    comparison = [
        {key: value for key, value in row.items() if not isinstance(value, list)}
        for row in summary["validation"]["comparison"]
    ]
    reasons = [
        {"baseline": row["baseline"], **reason}
        for row in summary["validation"]["comparison"]
        for reason in row["reasons"]
    ]
    forms = [
        {"baseline": row["baseline"], "form": form["form"], "horizon": form["horizon"], **measure}
        for row in summary["validation"]["comparison"]
        for form in row["forms"]
        for measure in form["measures"]
    ]
    tables = {
        "attrition": summary["cohort"]["attrition"],
        "selection": summary["selection"]["ranking"],
        "stability": summary["selection"]["stability"],
        "terms": summary["model"]["terms"],
        "function_selection": summary["model"]["steps"],
        "hazard_ratios": summary["model"]["hazard_ratios"],
        "risk_table": [flat_row(row) for row in summary["points"]["risk_table"]],
        "risk_groups": summary["risk_groups"]["observed"],
        "event_rates": [
            {"of": of, **row}
            for of, part in (("points", "points"), ("group", "risk_groups"))
            for row in summary[part]["rates"]
        ],
        "performance": summary["validation"]["performance"],
        "comparison": comparison,
        "recalibration": forms,
        "not_scorable": reasons,
        **rule_tables(summary["rules"]),
        **incremental_tables(summary["incremental"]),
        "all_models": summary["validation"]["models"]["rows"],
        "price": summary["validation"]["models"]["price"]["rows"],
        **robustness_tables(summary),
    }
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items() if rows}
    for external in summary["external"]:
        found = external_tables(external)
        frames |= {f"external_{external['name']}_{name}": found[name] for name in found}
    if summary["subgroups"]:
        frames["subgroups"] = subgroup_table(summary["subgroups"])
    frames["folds"] = performance_table(
        study.validation, study.cohort.y, model="score", metrics=SCORE_METRICS
    )
    if study.optimism is not None:
        frames["optimism"] = study.optimism.table()
        frames["optimism_replicates"] = study.optimism.replicates
    if study.internal_external is not None:
        frames["internal_external"] = study.internal_external.table()
        frames["internal_external_pooled"] = study.internal_external.pooled_table()
    return frames
