"""What every target prints: inputs with their rules, the arithmetic, and the words around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scorebuilder.core.units import (
    audited_conversions,
    conversion,
    format_horizon,
    horizon_code,
)
from scorebuilder.export.expression import Expression, build_contributions
from scorebuilder.score.apply import LARGEST_INPUT, curve_floor
from scorebuilder.score.artifact import ScoreArtifact

LARGEST_EXPONENT = 700.0
"""Linear predictors are pulled down to it: exp does not overflow, and the risk is 1 long before."""


BEDSIDE_UNITS = {
    "m": ("cm",),
    "cm": ("m", "[in_i]"),
    "kg": ("[lb_av]",),
    "ng/L": ("pg/mL",),
    "pg/mL": ("ng/L",),
    "ug/L": ("ng/mL",),
    "ng/mL": ("ug/L",),
    "mm[Hg]": ("kPa",),
}
"""Units that a calculator offers beside a unit, whatever is measured."""


@dataclass(frozen=True)
class UnitChoice:
    """
    Another unit of an input.

    Attributes
    ----------
    unit : str
        UCUM.
    factor, offset : float
        ``value = factor * value in this unit + offset``.
    """

    unit: str
    factor: float
    offset: float


@dataclass(frozen=True)
class InputRule:
    """
    One input: what it is, and which values are refused or remarked on.

    Attributes
    ----------
    name : str
        Key under which its value is given.
    label, unit : str
        For people; the unit in UCUM, empty if there is none.
    numeric : bool
        False for a factor, whose values are level codes.
    levels : tuple of (str, str)
        Code and label of each level; empty for numbers.
    lowest, highest : float or None
        Impossible values lie beyond: the hard range, and `LARGEST_INPUT`; None for a factor.
    above : float or None
        The curve has no value at or below this number.
    usual : tuple of float or None
        1st and 99th centile of the development patients (soft range).
    fill : float, str or None
        Taken where the input is missing; None refuses.
    other_units : tuple of UnitChoice
        Further units in which people know the quantity.
    """

    name: str
    label: str
    unit: str
    numeric: bool
    levels: tuple[tuple[str, str], ...]
    lowest: float | None
    highest: float | None
    above: float | None
    usual: tuple[float, float] | None
    fill: float | str | None
    other_units: tuple[UnitChoice, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the levels."""
        return tuple(code for code, _ in self.levels)


@dataclass(frozen=True)
class HorizonRisk:
    """
    A time at which risk is stated.

    Attributes
    ----------
    code : str
        ``5y``, ``18mo`` or ``90d``, for keys and column names.
    words : str
        ``5 years``.
    days : float
        The same in days.
    cumulative_hazard : float
        Of a patient whose linear predictor is 0, by this time.
    """

    code: str
    words: str
    days: float
    cumulative_hazard: float


@dataclass(frozen=True)
class Plan:
    """
    A score laid out for printing in any language.

    Attributes
    ----------
    artifact : ScoreArtifact
        Where everything comes from.
    inputs : tuple of InputRule
        In the order of the artifact.
    contributions : dict
        For each input the tree of what it adds to the linear predictor. The linear predictor is
        their sum, from 0, in the order of `inputs`.
    reference : dict
        Mean contribution of each input among the development patients. What explains a score is
        the difference from it.
    thresholds : tuple of float
        Points are the number of thresholds that the linear predictor reaches.
    horizons : tuple of HorizonRisk
        Risk is ``1 - exp(-cumulative_hazard * exp(linear predictor))``.
    groups : tuple of (str, int, int)
        Label, first and last points of each risk group.
    vectors : tuple of mapping
        Inputs with what the score gives for them, for self-checks.
    about : mapping
        Name, version, status, hashes, meaning, licence and provenance, as plain data.
    """

    artifact: ScoreArtifact
    inputs: tuple[InputRule, ...]
    contributions: Mapping[str, Expression]
    reference: Mapping[str, float]
    thresholds: tuple[float, ...]
    horizons: tuple[HorizonRisk, ...]
    groups: tuple[tuple[str, int, int], ...]
    vectors: tuple[Mapping[str, Any], ...]
    about: Mapping[str, Any]

    @property
    def status_notice(self) -> str:
        """What the status says to whoever uses the score; empty for an active one."""
        status, successor = self.about["status"], self.about["superseded_by"]
        if status == "active":
            return ""
        if status == "withdrawn":
            return "This score was withdrawn. Do not use it."
        if status == "superseded":
            return f"This score was superseded{f' by {successor}' if successor else ''}."
        return f"Status: {status}. Not for the care of patients."

    @property
    def notice(self) -> str:
        """The same for pages without a clock, with the day by which the score is due for review."""
        review = self.about["review_by"]
        due = f"Do not use it after {review}." if review else ""
        return f"{self.status_notice} {due}".strip()

    @property
    def file_stem(self) -> str:
        """Name of the score as an identifier in lower case."""
        stem = str(self.about["name"]).replace("-", "_").replace("/", "_")
        return f"score_{stem}" if stem[0].isdigit() else stem


def make_plan(artifact: ScoreArtifact) -> Plan:
    """
    Lay out a score for printing.

    Parameters
    ----------
    artifact : ScoreArtifact
        The score.

    Returns
    -------
    Plan
        Everything that a target needs.
    """
    scoring = artifact.scoring
    inputs = tuple(_rule(artifact, predictor) for predictor in scoring["predictors"])
    return Plan(
        artifact=artifact,
        inputs=inputs,
        contributions=build_contributions(artifact),
        reference={row["predictor"]: row["contribution"] for row in scoring["reference"]},
        thresholds=tuple(float(value) for value in scoring["points"]["thresholds"]),
        horizons=tuple(_horizon(row) for row in scoring["baseline"]),
        groups=tuple(
            (str(row["label"]), int(row["points_from"]), int(row["points_to"]))
            for row in scoring["risk_groups"]
        ),
        vectors=tuple(_vector(row, inputs) for row in artifact.content["evidence"]["test_vectors"]),
        about=_about(artifact.content),
    )


def _horizon(row: Mapping[str, Any]) -> HorizonRisk:
    days = float(row["horizon"])
    hazard = float(-np.log(row["survival"]))
    return HorizonRisk(horizon_code(days), format_horizon(days), days, hazard)


def _rule(artifact: ScoreArtifact, predictor: Mapping[str, Any]) -> InputRule:
    numeric = predictor["type"] == "numeric"
    lowest, highest = predictor["hard_range"]
    low, high = predictor["soft_range"]
    missing = predictor["missing"]
    return InputRule(
        name=predictor["id"],
        label=predictor["label"] or predictor["id"],
        unit=predictor["unit"],
        numeric=numeric,
        levels=tuple((level["code"], level["label"]) for level in predictor["levels"]),
        lowest=_limit(lowest, -LARGEST_INPUT) if numeric else None,
        highest=_limit(highest, LARGEST_INPUT) if numeric else None,
        above=curve_floor(artifact, predictor["id"]),
        usual=None if low is None or high is None else (float(low), float(high)),
        fill=missing["value"] if missing["policy"] == "impute" else None,
        other_units=_other_units(predictor["unit"], predictor.get("analyte", "")),
    )


def _limit(end: float | None, furthest: float) -> float:
    return furthest if end is None or abs(end) > abs(furthest) else float(end)


def _other_units(unit: str, analyte: str) -> tuple[UnitChoice, ...]:
    names = list(BEDSIDE_UNITS.get(unit, ()))
    names += [
        row.source if row.target == unit else row.target
        for row in audited_conversions()
        if analyte and row.analyte == analyte and unit in (row.source, row.target)
    ]
    return tuple(UnitChoice(name, *conversion(name, unit, analyte=analyte)) for name in names)


def _vector(row: Mapping[str, Any], inputs: tuple[InputRule, ...]) -> Mapping[str, Any]:
    """Complete a vector of an artifact that states numbers only: nothing in it was refused."""
    if "status" in row:
        return row
    outside = [
        {"predictor": rule.name, "flag": "extrapolation"}
        for rule in inputs
        if rule.usual and not rule.usual[0] <= row["inputs"][rule.name] <= rule.usual[1]
    ]
    return {**row, "status": "ok", "refusals": [], "warnings": outside}


def _about(content: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "name", "title", "version", "status", "core_id", "artifact_sha256", "licence",
        "review_by", "superseded_by", "citation", "contact",
    )  # fmt: skip
    provenance = content["evidence"]["provenance"]
    shown = ("rows", "events", "data_sha256", "code_version", "code_sha256")
    return {
        **{name: content.get(name) for name in names},
        **content["meaning"],
        "provenance": {name: provenance[name] for name in shown if name in provenance},
    }
