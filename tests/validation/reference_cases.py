"""Patients and the numbers of R for the measures of calibration, reclassification and benefit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scorebuilder.core.arrays import BoolArray, FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome

FOLDER = Path(__file__).resolve().parent.parent / "reference" / "metrics"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected_calibration.json").read_text())
PAST_FOLLOW_UP = "deg_horizon_beyond_followup"
SURVIVAL = [name for name, found in EXPECTED.items() if found["kind"] == "survival"]
FOLLOWED = [name for name in SURVIVAL if name != PAST_FOLLOW_UP]
COMPETING = [name for name, found in EXPECTED.items() if found["kind"] == "competing"]


@dataclass(frozen=True)
class Patients:
    """One data set with two predictions."""

    name: str
    table: pd.DataFrame
    y: Outcome
    competing: BoolArray
    old: FloatArray
    new: FloatArray
    horizon: float
    settings: dict[str, Any]
    expected: dict[str, Any]

    def risk(self, model: str) -> FloatArray:
        return self.new if model == "new" else self.old

    def column(self, name: str) -> FloatArray:
        return self.table[name].to_numpy(dtype=np.float64)


@cache
def patients(name: str) -> Patients:
    table = pd.read_csv(FOLDER / f"{name}.csv", float_precision="round_trip")
    if "weight" in table:
        table = table.loc[table.index.repeat(table["weight"])].reset_index(drop=True)
    settings = EXPECTED[name]
    return Patients(
        name,
        table,
        make_outcome(table["event"] == 1, table["time"]),
        (table["event"] == 2).to_numpy(),
        table["risk_old"].to_numpy(),
        table["risk_new"].to_numpy(),
        settings["horizon"],
        settings,
        settings["reference"],
    )


def number(value: Any) -> float | None:
    """Return None for what R has no finite number for."""
    return None if value is None or isinstance(value, str) else float(value)
