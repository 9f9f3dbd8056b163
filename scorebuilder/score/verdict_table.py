"""A whole table judged patient by patient: status, warnings and refusals beside the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.units import horizon_code
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.typed_inputs import typed_inputs
from scorebuilder.score.verdict import InputCheck, check_input

BLANK = ""


def number_columns(artifact: ScoreArtifact) -> list[str]:
    """
    Name the columns of a judged table that hold numbers.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    list of str
        Linear predictor, points, and the risk at each horizon.
    """
    risks = [f"risk_{horizon_code(horizon)}" for horizon in artifact.horizons]
    return ["linear_predictor", "points", *risks]


def judge_table(artifact: ScoreArtifact, frame: pd.DataFrame) -> pd.DataFrame:
    """
    Score a table by the rules of every export, each patient alone.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    frame : DataFrame
        See `typed_inputs`.

    Returns
    -------
    DataFrame
        With the index of `frame`: ``status`` (``ok`` or ``refused``), ``linear_predictor``,
        ``points``, ``risk_<horizon>`` (floats, NaN when refused), ``risk_group`` (empty when
        refused), ``contribution_<id>``, ``warnings`` and ``refusals`` (``predictor flag``, joined
        by semicolons; flags as in `check_input`).

    Raises
    ------
    CohortError
        If the table as such cannot be read; see `typed_inputs`.
    """
    inputs = typed_inputs(artifact, frame)
    checks = [
        _judged(artifact, predictor, inputs[predictor["id"]])
        for predictor in artifact.scoring["predictors"]
    ]
    rows = list(zip(*checks, strict=True)) or [()] * len(inputs)
    refusals = [
        "; ".join(f"{check.predictor} {check.refusal}" for check in row if check.refusal)
        for row in rows
    ]
    scored = np.array([not text for text in refusals], dtype=np.bool_)
    out = _results(artifact, rows, scored)
    warnings = [
        "; ".join(f"{check.predictor} {flag}" for check in row for flag in check.warnings)
        for row in rows
    ]
    out.insert(0, "status", np.where(scored, "ok", "refused"))
    out["warnings"] = np.where(scored, warnings, BLANK)
    out["refusals"] = refusals
    return out.set_index(frame.index)


def _judged(
    artifact: ScoreArtifact, predictor: Mapping[str, Any], values: pd.Series
) -> list[InputCheck]:
    """Judge each distinct value once."""
    known: dict[Any, InputCheck] = {}
    checks = []
    for given in values:
        value = None if pd.isna(given) else given
        if value not in known:
            known[value] = check_input(artifact, predictor, value)
        checks.append(known[value])
    return checks


def _results(artifact: ScoreArtifact, rows: list[Any], scored: Any) -> pd.DataFrame:
    numbers = number_columns(artifact)
    parts = [f"contribution_{name}" for name in artifact.predictors]
    out = pd.DataFrame(np.nan, index=pd.RangeIndex(len(rows)), columns=[*numbers, *parts])
    out.insert(len(numbers), "risk_group", BLANK)
    if scored.any():
        complete = pd.DataFrame(
            [
                {check.predictor: check.value for check in row}
                for row, good in zip(rows, scored, strict=True)
                if good
            ]
        )
        found = score_table(artifact, complete)
        for name in out.columns:
            kind = object if name == "risk_group" else np.float64
            out.loc[scored, name] = found[name].to_numpy(dtype=kind)
    return out
