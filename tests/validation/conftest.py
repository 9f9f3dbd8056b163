"""Reference cases of the metrics: patients, settings and the values of R."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.core.arrays import FloatArray, Outcome
from scorebuilder.survival.outcome import make_outcome

FOLDER = Path(__file__).resolve().parent.parent / "reference" / "metrics"
LEFT_OUT = {"test_smooth_curve_is_that_of_r": ("deg_tiny",)}
"""R moves the knots of these six patients, so that its curve is another one."""
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


@dataclass(frozen=True)
class Case:
    """One prediction in one data set."""

    name: str
    y: Outcome
    risk: FloatArray
    horizon: float
    settings: dict[str, Any]
    expected: dict[str, Any]


@cache
def read_case(name: str, model: str) -> Case:
    table = pd.read_csv(FOLDER / f"{name}.csv", float_precision="round_trip")
    settings = EXPECTED[name]
    return Case(
        name,
        make_outcome(table["event"], table["time"]),
        table[f"risk_{model}"].to_numpy(),
        settings["horizon"],
        settings,
        settings["models"][model],
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        left_out = LEFT_OUT.get(metafunc.function.__name__, ())
        names = [
            (name, model) for name in EXPECTED for model in ("old", "new") if name not in left_out
        ]
        metafunc.parametrize("case", names, ids="-".join, indirect=True)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    return read_case(*request.param)


@pytest.fixture(scope="session")
def reference_case() -> Callable[[str, str], Case]:
    """Read a case by its name and model (old, new)."""
    return read_case


@pytest.fixture(scope="session")
def gbsg() -> Case:
    return read_case("gbsg", "new")


@pytest.fixture
def as_numbers() -> Any:
    """Reference list -> array, with NaN for what R leaves undefined."""

    def convert(values: Any) -> FloatArray:
        cells = [np.nan if v is None or isinstance(v, str) else float(v) for v in values]
        return np.array(cells, dtype=np.float64)

    return convert
