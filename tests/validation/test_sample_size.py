"""Minimum sample size: the published example, the arithmetic, and what must hold."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.core.errors import UndefinedMetricError
from scorebuilder.validation.sample_size import (
    adjusted_cox_snell,
    cox_snell_from_c_index,
    max_cox_snell,
    riley_sample_size,
)

EXAMPLE: dict[str, Any] = {"rate": 0.065, "horizon": 2.0, "mean_follow_up": 2.07, "r2": 0.051}


def test_published_example() -> None:
    """Recurrent venous thrombosis (Riley 2019): 30 parameters need 5,143 patients, 692 events."""
    found = riley_sample_size(30, **EXAMPLE)
    by_name = {criterion.name: criterion for criterion in found.criteria}
    # 30 / (-0.1 ln(1 - 0.051 / 0.9)) = 30 / (0.1 x 0.058336) = 5142.6
    assert by_name["shrinkage"].n_patients == 5143
    assert by_name["shrinkage"].n_events == pytest.approx(692.0, abs=0.05)
    assert by_name["shrinkage"].events_per_parameter == pytest.approx(23.07, abs=0.005)
    # max R2: E/n = 0.13455, ln L0 / n = 0.13455 (ln 0.13455 - 1) = -0.40443, 1 - exp(-0.80887)
    # = 0.5546; S = 0.051 / (0.051 + 0.05 x 0.5546) = 0.6478; 30 / (0.3523 x 0.08202) = 1038.3
    assert found.max_r2 == pytest.approx(0.5546, abs=5e-5)
    assert by_name["optimism"].n_patients == 1039
    # 0.05 e^0.13 = 0.05694; ln(1.05694) / 2 = 0.027689;
    # 3.8415 x 0.065 / (2.07 x 0.00076668) = 157.3
    assert by_name["overall_risk"].n_patients == 158
    assert found.n_patients == 5143
    assert found.events_per_parameter == pytest.approx(23.07, abs=0.005)


@pytest.mark.parametrize(
    ("parameters", "r2", "n_patients", "events_per_parameter"),
    # Published test values of the R package pmsampsize, time-to-event outcomes.
    [(25, 0.051, 4286, 23.07), (25, 0.065, 3335, 17.95)],
)
def test_values_of_the_reference_program(
    parameters: int, r2: float, n_patients: int, events_per_parameter: float
) -> None:
    found = riley_sample_size(parameters, **{**EXAMPLE, "r2": r2})
    assert found.n_patients == n_patients
    assert found.events_per_parameter == pytest.approx(events_per_parameter, abs=0.005)


@given(st.integers(1, 200), st.floats(0.005, 0.3), st.floats(0.5, 5.0), st.floats(0.5, 2.0))
def test_the_sizes_fulfil_their_criteria(
    parameters: int, rate: float, horizon: float, follow_up: float
) -> None:
    found = riley_sample_size(parameters, rate=rate, horizon=horizon, mean_follow_up=follow_up)
    assert found.r2 == pytest.approx(0.15 * found.max_r2)
    shrink, optimism, overall = (criterion.n_patients for criterion in found.criteria)
    # Uniform shrinkage at n: 1 + p / (n ln(1 - R2 / S)) = S at the solution, rising with n.
    assert 1.0 + parameters / (shrink * math.log1p(-found.r2 / 0.9)) >= 0.9 - 1e-9
    assert shrink == 1 or 1.0 + parameters / ((shrink - 1) * math.log1p(-found.r2 / 0.9)) < 0.9
    s = found.r2 / (found.r2 + 0.05 * found.max_r2)
    assert 1.0 + parameters / (optimism * math.log1p(-found.r2 / s)) >= s - 1e-9
    error = 1.959964 * math.sqrt(rate / (overall * follow_up))
    risk = -math.expm1(-rate * horizon)
    assert risk + math.expm1(-(rate - error) * horizon) <= 0.05 + 1e-6
    assert (
        riley_sample_size(
            parameters + 1, rate=rate, horizon=horizon, mean_follow_up=follow_up
        ).n_patients
        >= found.n_patients
    )


def test_time_has_no_unit() -> None:
    years = riley_sample_size(30, **EXAMPLE)
    days = riley_sample_size(
        30, rate=0.065 / 365.25, horizon=2 * 365.25, mean_follow_up=2.07 * 365.25, r2=0.051
    )
    assert [c.n_patients for c in years.criteria] == [c.n_patients for c in days.criteria]


def test_r2_of_a_fitted_model_is_corrected_for_what_was_tried() -> None:
    # LR 100 of 1,000 patients: 1 - exp(-0.1) = 0.09516; shrinkage 1 - 20 / 100 = 0.8.
    assert adjusted_cox_snell(100.0, parameters=20, n_patients=1000) == pytest.approx(0.076130)
    with pytest.raises(UndefinedMetricError, match=r"chi-squared \(20.0\) does not exceed the 20"):
        adjusted_cox_snell(20.0, parameters=20, n_patients=1000)


def test_r2_from_a_c_index_by_hand() -> None:
    # C = 0.6: D = 0.55 + 0.01026 = 0.56026; pi/8 D^2 = 0.123264; R2_D = 0.123264 / 1.768198
    # = 0.069712; R2 per event = 1.644934 x 0.069712 / (1 + 0.644934 x 0.069712) = 0.109737;
    # with 30 events of 986: 1 - (1 - 0.109737)^0.030426 = 0.003531
    found = cox_snell_from_c_index(0.6, events_per_patient=30 / 986)
    assert found == pytest.approx(0.003531, abs=2e-6)
    assert cox_snell_from_c_index(0.5, events_per_patient=0.1) == 0.0
    with pytest.raises(ValueError, match="`c_index` must lie"):
        cox_snell_from_c_index(0.4, events_per_patient=0.1)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        riley_sample_size(0, **EXAMPLE)
    with pytest.raises(ValueError, match="`r2` must be positive"):
        riley_sample_size(3, **{**EXAMPLE, "r2": 0.0})
    with pytest.raises(UndefinedMetricError, match="more than these events allow"):
        riley_sample_size(3, **{**EXAMPLE, "r2": 0.56})
    with pytest.raises(ValueError, match="`shrinkage` must lie"):
        riley_sample_size(3, **EXAMPLE, shrinkage=1.0)
    with pytest.raises(ValueError, match="`events_per_patient`"):
        max_cox_snell(0.0)
