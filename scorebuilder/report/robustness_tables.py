"""Sample size, stability and errors of measurement as plain rows, one table per file."""

from __future__ import annotations

from typing import Any

from scorebuilder.report.figure import Summary


def robustness_tables(summary: Summary) -> dict[str, list[dict[str, Any]]]:
    """
    Return the tables of a summary that say how firm a score is.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    dict of list of dict
        Rows by file name without ending; empty where there is nothing to say.
    """
    measured = summary["measurement_error"] or {"rows": []}
    return {
        "sample_size": [
            {"r2_from": scenario["r2_from"], "r2": scenario["r2"], **criterion}
            for scenario in summary["sample_size"]["scenarios"]
            for criterion in scenario["criteria"]
        ],
        "shape_stability": [
            {**row, "powers": " ".join(f"{power:g}" for power in row["powers"])}
            for row in summary["shape_stability"]["shapes"]
        ],
        "selected_together": summary["shape_stability"]["pairs"],
        "prediction_instability": summary["instability"]["risk"]["bins"],
        "class_instability": summary["instability"]["classes"],
        "threshold_instability": summary["instability"]["thresholds"],
        "calibration_instability": summary["instability"]["calibration"]["curves"],
        "measurement_error": [
            {
                "variables": " ".join(entry["variable"] for entry in row["variables"]),
                **{key: value for key, value in row.items() if key != "variables"},
            }
            for row in measured["rows"]
        ],
        "measurement_error_sources": [
            {"method": row["method"], **entry}
            for row in measured["rows"]
            if row["jointly"]
            for entry in row["variables"]
        ],
    }
