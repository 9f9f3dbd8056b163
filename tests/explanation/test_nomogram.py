"""The scales of a nomogram by hand: straight, folded, with a spike, and levels."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorebuilder.explanation.nomogram import make_nomogram, nice_values
from scorebuilder.explanation.nomogram_marks import Ruler, place_marks, short
from scorebuilder.explanation.nomogram_scales import (
    BETWEEN,
    END,
    ROUND,
    TURN,
    Nomogram,
    Scale,
    Tick,
)
from scorebuilder.score.apply import score_table
from scorebuilder.score.artifact import OUTPUT_LICENCE, ScoreArtifact, seal

YEAR = 365.25
CURVE = {"kind": "power", "shift": 0.0, "scale": 1.0, "log_factor": 0, "center": 0.0}


def _number(name: str, low: float, high: float, unit: str = "") -> dict[str, Any]:
    return {
        "id": name, "label": name.capitalize(), "unit": unit, "type": "numeric", "levels": [],
        "hard_range": [0.0, 400.0], "soft_range": [low, high], "missing": {"policy": "refuse"},
    }  # fmt: skip


def _artifact(predictors: list[dict[str, Any]], terms: list[dict[str, Any]]) -> ScoreArtifact:
    scoring = {
        "predictors": predictors,
        "terms": terms,
        "baseline": [{"horizon": 5 * YEAR, "survival": math.exp(-4.0)}],
        "points": {"thresholds": [-5.0, -4.0, -3.0], "anchors": [0.01, 0.99]},
        "risk_table": [],
        "risk_groups": [{"label": "all", "points_from": 0, "points_to": 3}],
        "reference": [{"predictor": p["id"], "contribution": 0.0} for p in predictors],
    }
    words = ("intended_use", "not_for", "population", "outcome", "time_zero")
    return seal(
        {
            "schema_version": 1, "name": "by-hand", "version": "1.0.0", "status": "research",
            "title": "By hand", "derived_from": None,
            "changelog": [{"version": "1.0.0", "change": "first"}],
            "meaning": dict.fromkeys(words, "words"), "scoring": scoring,
            "evidence": {"performance": [], "provenance": {}, "test_vectors": []},
            "licence": OUTPUT_LICENCE,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def artifact() -> ScoreArtifact:
    """0.04 age + 0.0004 pressure^2 - 0.1 pressure + 0.5 [female]."""
    sex = {
        "id": "sex", "label": "Sex", "unit": "", "type": "binary",
        "levels": [{"code": "m", "label": "male"}, {"code": "f", "label": "female"}],
        "hard_range": [None, None], "soft_range": [None, None], "missing": {"policy": "refuse"},
    }  # fmt: skip
    terms = [
        {**CURVE, "predictor": "age", "power": 1.0, "coefficient": 0.04},
        {**CURVE, "predictor": "pressure", "power": 2.0, "coefficient": 0.0004},
        {**CURVE, "predictor": "pressure", "power": 1.0, "coefficient": -0.1},
        {"kind": "indicator", "predictor": "sex", "levels": ["f"], "center": 0.0,
         "coefficient": 0.5},
    ]  # fmt: skip
    return _artifact([_number("age", 20, 70, "a"), _number("pressure", 100, 190), sex], terms)


@pytest.fixture(scope="module")
def nomogram(artifact: ScoreArtifact) -> Nomogram:
    return make_nomogram(artifact)


def _ticks(scale: Scale) -> dict[str, Tick]:
    return {tick.label: tick for tick in scale.ticks}


def test_points_by_hand(nomogram: Nomogram) -> None:
    """Age moves most, 0.04 x 50 = 2.0, so that a point is 0.02.

    Pressure is 0.0004 (x - 125)^2 - 6.25: 0.0 at 125, 0.25 at 100 and 150, 1.69 at 190.
    """
    age, pressure, sex = nomogram.inputs
    assert nomogram.unit == pytest.approx(0.02)
    # The lowest age, the lowest pressure, male: 0.8 - 6.25 + 0. The grid of pressure has steps of
    # 0.225, so that its lowest value is 0.025 away from 125: 0.0004 x 0.025^2 = 2.5e-7.
    assert nomogram.base == pytest.approx(0.8 - 6.25, abs=3e-7)
    assert age.title == "Age (years)"
    assert _ticks(age)["60"].points == pytest.approx(0.04 * 40 / 0.02)
    assert _ticks(pressure)["150"].points == pytest.approx(12.5, abs=2e-3)  # between grid values
    assert _ticks(pressure)["190"].points == pytest.approx(84.5, abs=2e-3)
    assert {label: tick.points for label, tick in _ticks(sex).items()} == {
        "male": 0.0,
        "female": pytest.approx(25.0),
    }
    assert nomogram.totals.last == pytest.approx(100 + 84.5 + 25, abs=2e-3)


def test_a_curve_that_turns_is_folded(nomogram: Nomogram) -> None:
    """100 and 150 share a place, on different sides of the line that begins at the turn."""
    ticks = _ticks(nomogram.inputs[1])
    assert ticks["100"].points == pytest.approx(ticks["150"].points, abs=4e-3)
    assert (ticks["100"].below, ticks["150"].below) == (True, False)
    assert ticks["125"].rank == TURN
    assert ticks["125"].points == pytest.approx(0.0, abs=2e-3)
    assert [tick.rank for tick in nomogram.inputs[0].ticks].count(TURN) == 0


def test_score_and_risk_lie_below_the_total(nomogram: Nomogram) -> None:
    """Thresholds -5, -4, -3: totals (-5 + 5.45) / 0.02 = 22.5, 72.5, 122.5."""
    assert [band.score for band in nomogram.bands] == [0, 1, 2, 3]
    assert [band.last for band in nomogram.bands[:3]] == pytest.approx([22.5, 72.5, 122.5])
    (risk,) = nomogram.risks
    assert risk.title == "Risk by 5 years, %"
    # 1 - exp(-4 exp(-5.45 + 0.02 t)) = 0.2: exp(-5.45 + 0.02 t) = 0.0557859, whose log is
    # -2.88624, and t = (5.45 - 2.88624) / 0.02 = 128.188.
    assert _ticks(risk)["20"].points == pytest.approx(128.188, abs=1e-3)


def test_the_example_is_read_to_whole_points(nomogram: Nomogram) -> None:
    """No medians are known: the middle round mark of each scale; the reference level."""
    reading = nomogram.reading
    assert reading.total == sum(round(step.points) for step in reading.steps)
    assert reading.steps[2].label == "male"
    lp = nomogram.base + nomogram.unit * reading.total
    assert reading.risks == pytest.approx((1 - math.exp(-4 * math.exp(lp)),))
    assert reading.score == sum(lp >= threshold for threshold in (-5.0, -4.0, -3.0))


def test_any_way_through_the_scales_is_the_formula(
    nomogram: Nomogram, artifact: ScoreArtifact
) -> None:
    import pandas as pd

    chosen = [(tick, scale) for scale in nomogram.inputs for tick in scale.ticks]
    by_scale = [[tick for tick, own in chosen if own is scale] for scale in nomogram.inputs]
    ways = list(itertools.product(*by_scale))[::7]
    code = {"male": "m", "female": "f"}
    X = pd.DataFrame(
        [(float(a.label), float(p.label), code[s.label]) for a, p, s in ways],
        columns=["age", "pressure", "sex"],
    )
    total = np.array([sum(tick.points for tick in way) for way in ways])
    scored = score_table(artifact, X)
    # The marks of a curve are interpolated on a grid of 401 values: within 1e-5 of log hazard.
    np.testing.assert_allclose(
        nomogram.base + nomogram.unit * total, scored["linear_predictor"], atol=1e-5
    )


def test_a_spike_at_zero_stands_apart() -> None:
    """1.0 for values above 0, less 0.01 per unit: 0 at zero, 1.0 just above, 0.5 at 50."""
    spike = {**CURVE, "predictor": "dose", "positive_only": True}
    terms = [
        {**spike, "power": 1.0, "coefficient": -0.01},
        {"kind": "positive", "predictor": "dose", "center": 0.0, "coefficient": 1.0},
    ]
    (dose,) = make_nomogram(_artifact([_number("dose", 0, 50)], terms)).inputs
    ticks = _ticks(dose)
    assert ticks["0"].points == 0.0
    assert not ticks["0"].below
    assert ticks["50"].below
    assert ticks["50"].points == pytest.approx(100 * 0.5 / (1 - 0.01 * 0.125), abs=0.1)


def test_values_beyond_a_limit_share_a_mark() -> None:
    terms = [{**CURVE, "predictor": "x", "power": 1.0, "coefficient": 0.1, "limits": [40, 80]}]
    (scale,) = make_nomogram(_artifact([_number("x", 10, 90)], terms)).inputs
    assert {"10 to 40", "80 to 90"} <= set(_ticks(scale))


@pytest.mark.parametrize(
    ("low", "high", "values"),
    [(0.12, 0.31, [0.15, 0.2, 0.25, 0.3]), (5.0, 5.0, [5.0]), (0.0, 100.0, [*range(0, 101, 20)])],
)
def test_nice_values_are_round_and_inside(low: float, high: float, values: list[float]) -> None:
    # 0.19 / 9 = 0.0211: steps of 0.02 would be too many, the next round step is 0.05.
    assert nice_values(low, high) == values


PLACES = st.lists(st.floats(0, 100), min_size=1, max_size=12)


@given(PLACES, st.booleans(), st.sampled_from(["5", "a level", "a level with a long name of it"]))
def test_written_marks_never_meet(places: list[float], levels: bool, text: str) -> None:
    ranks = (ROUND, BETWEEN, END)
    ticks = tuple(Tick(text, at, rank=ranks[k % 3]) for k, at in enumerate(places))
    ruler = Ruler(250.0, 960.0, 100.0, 7.5, 30.0)
    marks = place_marks(Scale("x", 0.0, 100.0, ticks, levels=levels), ruler)
    if levels:
        assert [mark.text for mark in marks] == [short(text)] * len(ticks)
    written = [mark for mark in marks if mark.text]
    for one, other in itertools.combinations(written, 2):
        if (one.side, one.row) == (other.side, other.row):
            assert abs(one.middle - other.middle) >= 0.9 * 7.5 * len(short(text)) - 1e-9


def test_finer_values_are_written_all_or_none() -> None:
    """From 0 to 50 there is room for 10, 20, 30 and 40; from 50 to 60 none for 52 to 58."""
    values = {0: ROUND, 50: ROUND, 60: ROUND}
    values |= dict.fromkeys((10, 20, 30, 40, 52, 54, 56, 58), BETWEEN)
    ticks = tuple(Tick(f"{v}", float(v), rank=rank) for v, rank in sorted(values.items()))
    marks = place_marks(Scale("x", 0.0, 60.0, ticks), Ruler(0.0, 300.0, 60.0, 7.5, 30.0))
    assert [mark.text for mark in marks if mark.text] == ["0", "10", "20", "30", "40", "50", "60"]
    assert len(marks) == 11
