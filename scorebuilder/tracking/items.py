"""What a tracker records of a finished run: settings, aggregate results and files."""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scorebuilder.core.units import horizon_code

_FILES = ("score.json", "report.html", "summary.json")
_SETTINGS = {
    "score": ("name", "title", "version", "status", "core_id", "outcome"),
    "selection": (
        "engine", "n_estimators", "min_samples_leaf", "n_times", "rule",
    ),
    "model": (
        "ties", "criterion", "select_alpha", "fp_alpha", "max_df",
        "joint_factors", "spiked", "winsorised",
    ),
    "reproduce": ("seed", "spec_sha256", "data_sha256", "code_version"),
}  # fmt: skip
_DESIGN = ("folds", "repeats", "n_fits")
_COUNTS = ("n_patients", "n_events", "n_candidates", "n_selected", "n_kept")
_CALIBRATION = ("in_the_large", "slope", "ici", "e50", "e90")
_OWN = "score"
"""Name of the score itself among the models of the summary, beside its own name."""


@dataclass(frozen=True)
class RunParam:
    """
    A setting of the run.

    Attributes
    ----------
    name : str
        Section and setting, such as ``selection.rule``.
    value : str
        As text.
    """

    name: str
    value: str


@dataclass(frozen=True)
class RunMetric:
    """
    A result over all patients.

    Attributes
    ----------
    name : str
        Metric and horizon, such as ``auc_5y``.
    value : float
        Finite; an undefined result is no item.
    """

    name: str
    value: float


@dataclass(frozen=True)
class RunTable:
    """
    A table of aggregates in the run folder.

    Attributes
    ----------
    name : str
        Path inside the run folder, with slashes.
    path : Path
        Where the CSV file is.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class RunFile:
    """
    Another file of the run folder.

    Attributes
    ----------
    name : str
        Path inside the run folder.
    path : Path
        Where the file is.
    """

    name: str
    path: Path


@dataclass(frozen=True)
class RunRepeat:
    """
    Results of one repeat of the cross-validation.

    Attributes
    ----------
    number : int
        Counted from 1.
    metrics : tuple of RunMetric
        Means over the folds of this repeat; an undefined one is left out.
    """

    number: int
    metrics: tuple[RunMetric, ...]


RunItem = RunParam | RunMetric | RunRepeat | RunTable | RunFile


def iter_run_items(summary: Mapping[str, Any], run_dir: Path) -> Iterator[RunItem]:
    """
    Yield everything that is recorded of a finished run; aggregates only, never a patient.

    Parameters
    ----------
    summary : mapping
        The content of ``summary.json``.
    run_dir : Path
        The complete run folder.

    Yields
    ------
    RunParam, RunMetric, RunRepeat, RunTable or RunFile
        Settings first, then results, tables and files; what the summary lacks is left out.
    """
    yield from _params(summary)
    yield from _headline(summary)
    yield from _performance(summary)
    yield from _calibration(summary)
    yield from _comparison(summary)
    yield from _repeats(summary, run_dir / "tables" / "folds.csv")
    for path in sorted((run_dir / "tables").glob("*.csv")):
        yield RunTable(f"tables/{path.name}", path)
    for name in _FILES:
        if (run_dir / name).is_file():
            yield RunFile(name, run_dir / name)


def run_tags(summary: Mapping[str, Any]) -> dict[str, str]:
    """
    Return what identifies a run.

    Parameters
    ----------
    summary : mapping
        The content of ``summary.json``.

    Returns
    -------
    dict
        Version, status and hashes, as far as the summary has them; names start with
        ``scorebuilder.``.
    """
    score, reproduce = summary.get("score", {}), summary.get("reproduce", {})
    cohort = summary.get("cohort", {})
    found = {
        "version": score.get("version"),
        "status": score.get("status"),
        "core_id": score.get("core_id"),
        "spec_sha256": reproduce.get("spec_sha256"),
        "data_sha256": reproduce.get("data_sha256") or cohort.get("data_sha256"),
        "cohort": cohort.get("title"),
        "code_version": reproduce.get("code_version"),
    }
    return {
        f"scorebuilder.{name}": str(value) for name, value in found.items() if value is not None
    }


def _params(summary: Mapping[str, Any]) -> Iterator[RunParam]:
    for section, names in _SETTINGS.items():
        content = summary.get(section) or {}
        for name in names:
            value = content.get(name)
            if isinstance(value, list):
                value = ", ".join(str(part) for part in value) or None
            if value is not None:
                yield RunParam(f"{section}.{name}", str(value))
    design = (summary.get("validation") or {}).get("design") or {}
    for name in _DESIGN:
        if design.get(name) is not None:
            yield RunParam(f"validation.{name}", str(design[name]))
    horizons = (summary.get("score") or {}).get("horizons") or []
    if horizons:
        yield RunParam("outcome.horizons", " ".join(horizon_code(days) for days in horizons))


def _metric(name: str, value: object) -> Iterator[RunMetric]:
    if isinstance(value, int | float) and math.isfinite(value):
        yield RunMetric(re.sub(r"[^\w.-]+", "_", name), float(value))


def _headline(summary: Mapping[str, Any]) -> Iterator[RunMetric]:
    headline = summary.get("headline") or {}
    for name in _COUNTS:
        yield from _metric(name, headline.get(name))
    yield from _metric("oob_c_index", (summary.get("selection") or {}).get("oob_c_index"))


def _suffix(model: str, summary: Mapping[str, Any]) -> str:
    own = (_OWN, (summary.get("score") or {}).get("name"))
    return "" if model in own else f"_{model}"


def _at(horizon: float | None) -> str:
    return "" if horizon is None else f"_{horizon_code(horizon)}"


def _performance(summary: Mapping[str, Any]) -> Iterator[RunMetric]:
    for row in (summary.get("validation") or {}).get("performance") or []:
        name = str(row["metric"]).removesuffix("_at") + _at(row.get("horizon"))
        model = _suffix(row["model"], summary)
        yield from _metric(name + model, row.get("value"))
        for part in ("lower", "upper", "apparent"):
            yield from _metric(f"{name}{model}_{part}", row.get(part))


def _calibration(summary: Mapping[str, Any]) -> Iterator[RunMetric]:
    for row in (summary.get("validation") or {}).get("calibration") or []:
        end = _at(row.get("horizon")) + _suffix(row["model"], summary)
        for name in _CALIBRATION:
            yield from _metric(f"calibration_{name}{end}", row.get(name))


def _comparison(summary: Mapping[str, Any]) -> Iterator[RunMetric]:
    main = (summary.get("score") or {}).get("main_horizon")
    for row in (summary.get("validation") or {}).get("comparison") or []:
        end = str(row["baseline"]) + ("" if row["horizon"] == main else _at(row["horizon"]))
        names = {"difference": "", "lower": "_lower", "upper": "_upper", "p": "_p"}
        for key, ending in names.items():
            yield from _metric(f"difference_auc_{end}{ending}", row.get(key))
        yield from _metric(f"n_scorable_{end}", row.get("n_scorable"))


def _repeats(summary: Mapping[str, Any], folds: Path) -> Iterator[RunRepeat]:
    """Average the folds of each repeat; as in the report, half of them at least must be defined."""
    if not folds.is_file():
        return
    performance = (summary.get("validation") or {}).get("performance") or []
    whole = {row["metric"] for row in performance if row.get("horizon") is None}
    values: dict[int, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
    with folds.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = "" if row["metric"] in whole else _at(float(row["horizon"]))
            name = row["metric"].removesuffix("_at") + at + _suffix(row["model"], summary)
            value = float(row["value"]) if row["value"] else None
            values[int(row["repeat"])][name].append(value)
    for position, (_, found) in enumerate(sorted(values.items()), start=1):
        metrics: list[RunMetric] = []
        for name, folds_of_it in found.items():
            known = [value for value in folds_of_it if value is not None]
            if known and 2 * len(known) >= len(folds_of_it):
                metrics += _metric(name, math.fsum(known) / len(known))
        yield RunRepeat(position, tuple(metrics))
