"""Apply an artifact to patients: linear predictor, points, risk and group from the JSON alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.cohort.schema import Dialect, Field, Level
from scorebuilder.cohort.validate import prepare_predictors
from scorebuilder.core.arrays import BoolArray, FloatArray
from scorebuilder.core.errors import CohortError, Violation
from scorebuilder.core.units import horizon_code
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.points import PointsScale
from scorebuilder.score.risk_groups import RiskGroups
from scorebuilder.survival.absolute_risk import absolute_risk

LARGEST_INPUT = 1e50
"""Numbers beyond are impossible whatever is measured: no power of them overflows."""
SMALLEST_INPUT = 1e-50
"""The same at 0 for curves that have no value there."""


def term_value(term: dict[str, Any], values: pd.Series) -> FloatArray:
    r"""
    Value of one term for complete inputs, before its coefficient.

    Parameters
    ----------
    term : dict
        A term of the artifact's scoring part.
    values : Series of shape (n_patients,)
        The term's predictor: floats, or level codes.

    Returns
    -------
    ndarray of shape (n_patients,)
        Centred. NaN where the input is missing, and where a curved term has no value because the
        input lies at or below the negative of its shift.

    Notes
    -----
    .. math:: x' = (x + \mathrm{shift}) / \mathrm{scale}, \quad
       x'^{\mathrm{power}} (\log x')^{\mathrm{log\ factor}} - \mathrm{center}

    Inputs beyond the limits of a term are pulled in to them first. With ``positive_only`` the
    column is 0 where the input is not above 0, whatever the power. A term of the kind ``positive``
    is 1 where the input is above 0, else 0. An indicator is 1 for the levels of its term and 0 for
    the others.
    """
    if term["kind"] == "indicator":
        inside = values.astype(object).isin(term["levels"]).to_numpy(dtype=np.float64)
        return np.asarray(inside - term["center"], dtype=np.float64)
    measured = values.to_numpy(dtype=np.float64)
    above = measured > 0
    if term["kind"] == "positive":
        column = above.astype(np.float64)
    else:
        column = _power_column(term, measured)
        if term.get("positive_only"):
            column = np.where(above, column, 0.0)
    known = np.where(np.isnan(measured), np.nan, column)
    return np.asarray(known - term["center"], dtype=np.float64)


def _power_column(term: dict[str, Any], measured: FloatArray) -> FloatArray:
    limited = np.clip(measured, *term["limits"]) if "limits" in term else measured
    x = (limited + term["shift"]) / term["scale"]
    if term["power"] == 1 and term["log_factor"] == 0:
        return np.asarray(x, dtype=np.float64)
    positive = np.where(x > 0, x, np.nan)
    column = positive ** term["power"] * np.log(positive) ** term["log_factor"]
    return np.asarray(column, dtype=np.float64)


def is_spiked(term: dict[str, Any]) -> bool:
    """
    Tell whether a term treats values up to 0 as a group of their own.

    Parameters
    ----------
    term : dict
        A term of the artifact's scoring part.

    Returns
    -------
    bool
        True for the indicator of positive values, and for powers taken of positive values only.
    """
    return term["kind"] == "positive" or "positive_only" in term


def needs_positive(term: dict[str, Any]) -> bool:
    """
    Tell whether inputs at or below the negative of its shift have no value of a term.

    Parameters
    ----------
    term : dict
        A term of the artifact's scoring part.

    Returns
    -------
    bool
        True for a curve, unless it is taken of positive values only or its limits keep inputs away.
    """
    if term["kind"] != "power" or is_spiked(term) or (term["power"], term["log_factor"]) == (1, 0):
        return False
    return "limits" not in term or bool(term["limits"][0] + term["shift"] <= 0)


def curve_floor(artifact: ScoreArtifact, name: str) -> float | None:
    """
    Find the value at and below which a predictor's curve has none.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    name : str
        A predictor.

    Returns
    -------
    float or None
        None when its terms have a value everywhere. `SMALLEST_INPUT` for a curve that begins at 0:
        closer to it, powers would overflow.
    """
    floors = [
        -float(term["shift"]) or SMALLEST_INPUT
        for term in artifact.scoring["terms"]
        if term["predictor"] == name and needs_positive(term)
    ]
    return max(floors, default=None)


def fill_missing(
    artifact: ScoreArtifact, X: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, BoolArray], dict[str, BoolArray]]:
    """
    Fill missing inputs as each predictor's policy says.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame
        The artifact's predictors, typed.

    Returns
    -------
    filled : DataFrame
        Missing values replaced where the policy is to impute.
    imputed : dict of ndarray of bool
        For each imputed predictor, which patients.
    refused : dict of ndarray of bool
        For each predictor that must be known, the patients who lack it.

    Raises
    ------
    CohortError
        If a factor holds a code that the score does not know.
    """
    filled = X[artifact.predictors].copy()
    _check_levels(artifact, filled)
    imputed: dict[str, BoolArray] = {}
    refused: dict[str, BoolArray] = {}
    for predictor in artifact.scoring["predictors"]:
        name = predictor["id"]
        missing = filled[name].isna().to_numpy(dtype=np.bool_)
        if not missing.any():
            continue
        if predictor["missing"]["policy"] == "impute":
            filled[name] = filled[name].fillna(predictor["missing"]["value"])
            imputed[name] = missing
        else:
            refused[name] = missing
    return filled, imputed, refused


def _check_levels(artifact: ScoreArtifact, X: pd.DataFrame) -> None:
    violations = []
    for predictor in artifact.scoring["predictors"]:
        if predictor["type"] == "numeric":
            continue
        codes = [level["code"] for level in predictor["levels"]]
        values = X[predictor["id"]].astype(object)
        wrong = np.flatnonzero(values.notna() & ~values.isin(codes))
        if wrong.size:
            violations.append(
                Violation(
                    predictor["id"],
                    "levels must be those of the score",
                    int(wrong.size),
                    f"Use the codes {', '.join(codes)}, as text",
                    tuple(int(row) + 1 for row in wrong[:5]),
                )
            )
    if violations:
        raise CohortError(violations)


def contributions(artifact: ScoreArtifact, X: pd.DataFrame) -> pd.DataFrame:
    """
    Split the linear predictor into what each predictor adds.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame of shape (n_patients, n_predictors)
        Complete, typed inputs.

    Returns
    -------
    DataFrame of shape (n_patients, n_predictors)
        Log hazard; rows add up to the linear predictor.
    """
    table = pd.DataFrame(0.0, index=X.index, columns=artifact.predictors)
    for term in artifact.scoring["terms"]:
        table[term["predictor"]] += term["coefficient"] * term_value(term, X[term["predictor"]])
    return table


def score_table(artifact: ScoreArtifact, X: pd.DataFrame) -> pd.DataFrame:
    """
    Score typed patients.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    X : DataFrame
        One column per predictor: floats, or categoricals / strings of level codes; NaN = missing.

    Returns
    -------
    DataFrame
        ``linear_predictor``, ``points``, ``risk_<horizon>``, ``risk_group``, ``contribution_<id>``,
        ``imputed`` and ``outside`` (predictors filled, and outside the development cohort's 1st to
        99th centile), ``reason`` (why a patient has no score, else empty).
    """
    filled, imputed, refused = fill_missing(artifact, X)
    huge, below = _impossible(artifact, filled)
    usable = filled.copy()
    for name in huge:
        usable[name] = usable[name].mask(huge[name] | below[name])
    parts = contributions(artifact, usable)
    linear_predictor = parts.sum(axis=1, skipna=False).to_numpy(dtype=np.float64)
    reason = _notes(refused, len(X), "{} missing")
    notes = (
        reason,
        _notes(huge, len(X), "{} of an impossible size"),
        _notes(below, len(X), "{} at or below the smallest value that its curve can take"),
    )
    reason = ["; ".join(note for note in row if note) for row in zip(*notes, strict=True)]
    scored = np.array([not note for note in reason], dtype=np.bool_)
    out = pd.DataFrame(index=X.index)
    out["linear_predictor"] = np.where(scored, linear_predictor, np.nan)
    thresholds = artifact.scoring["points"]["thresholds"]
    scale = PointsScale(tuple(thresholds), tuple(artifact.scoring["points"]["anchors"]))
    points = scale.points(np.where(scored, linear_predictor, 0.0))
    out["points"] = pd.array(np.where(scored, points, 0), dtype="Int64")
    out.loc[~scored, "points"] = pd.NA
    for row in artifact.scoring["baseline"]:
        hazard = -float(np.log(row["survival"]))
        risk = absolute_risk(out["linear_predictor"].to_numpy(), hazard)
        out[f"risk_{horizon_code(row['horizon'])}"] = risk
    bands = artifact.scoring["risk_groups"]
    groups = RiskGroups(
        tuple(band["points_from"] for band in bands[1:]), tuple(band["label"] for band in bands)
    )
    labels = np.asarray(groups.labels, dtype=object)[groups.group(points)]
    out["risk_group"] = np.where(scored, labels, "")
    for name in artifact.predictors:
        out[f"contribution_{name}"] = parts[name].where(scored)
    out["imputed"] = _notes(imputed, len(X), "{}")
    out["outside"] = _notes(_outside(artifact, filled), len(X), "{}")
    out["reason"] = reason
    return out


def _impossible(
    artifact: ScoreArtifact, filled: pd.DataFrame
) -> tuple[dict[str, BoolArray], dict[str, BoolArray]]:
    """Find the numbers of absurd size, and those among the others at which a curve has no value."""
    huge: dict[str, BoolArray] = {}
    below: dict[str, BoolArray] = {}
    for predictor in artifact.scoring["predictors"]:
        if predictor["type"] != "numeric":
            continue
        name = predictor["id"]
        values = filled[name].to_numpy(dtype=np.float64)
        huge[name] = np.abs(values) > LARGEST_INPUT
        floor = curve_floor(artifact, name)
        below[name] = ~huge[name] & (values <= (-np.inf if floor is None else floor))
    return huge, below


def _notes(flags: dict[str, BoolArray], n_rows: int, text: str) -> list[str]:
    notes: list[list[str]] = [[] for _ in range(n_rows)]
    for name, rows in flags.items():
        for row in np.flatnonzero(rows):
            notes[row].append(text.format(name))
    return ["; ".join(parts) for parts in notes]


def _outside(artifact: ScoreArtifact, filled: pd.DataFrame) -> dict[str, BoolArray]:
    outside: dict[str, BoolArray] = {}
    for predictor in artifact.scoring["predictors"]:
        low, high = predictor["soft_range"]
        if low is None or high is None:
            continue
        values = filled[predictor["id"]].to_numpy(dtype=np.float64)
        outside[predictor["id"]] = (values < low) | (values > high)
    return outside


def score_frame(
    artifact: ScoreArtifact, frame: pd.DataFrame, *, dialect: Dialect | None = None
) -> pd.DataFrame:
    """
    Score a raw table, as read from a file.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.
    frame : DataFrame
        Raw columns, numbers in the unit that the artifact states; those of the predictors are
        checked, others are ignored.
    dialect : Dialect, optional
        How cells are written: decimal mark and missing codes.

    Returns
    -------
    DataFrame
        As `score_table`.

    Raises
    ------
    CohortError
        Every violation at once: missing columns, text in numbers, unknown levels, values outside
        the hard range.
    """
    fields = [
        Field(
            name=predictor["id"],
            label=predictor["label"],
            role="predictor",
            kind=predictor["type"],
            unit=predictor["unit"],
            hard_range=tuple(predictor["hard_range"]),
            soft_range=tuple(predictor["soft_range"]),
            levels=tuple(Level(level["code"], level["label"]) for level in predictor["levels"]),
        )
        for predictor in artifact.scoring["predictors"]
    ]
    if frame.empty:
        raise CohortError([Violation("", "the table has no rows", 0, "Give at least one patient")])
    return score_table(artifact, prepare_predictors(frame, fields, dialect=dialect))
