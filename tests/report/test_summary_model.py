"""The model in the summary: contrasts that differ, curves inside the data, no small counts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.impute import CohortImputer
from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.modelling.mfp import MFPCox
from scorebuilder.report.summary_model import (
    _ratios,
    _steps,
    _winsorised,
)
from scorebuilder.report.summary_sample_size import candidate_parameters
from scorebuilder.report.summary_selection import _interval_text
from scorebuilder.report.summary_shapes import (
    _function_text,
    _grid,
    rounded_centile,
    summarise_shape,
)
from scorebuilder.score.builder import ScoreBuilder
from scorebuilder.selection.selector import RSFSelector
from scorebuilder.survival.outcome import make_outcome

GRADES = (Level("1", "none"), Level("2", "some"), Level("3", "much"), Level("4", "most"))
SCHEMA = CohortSchema(
    "made-up",
    (
        Field("age", "numeric", label="Age", unit="a"),
        Field("segments", "numeric", label="Ischaemic segments"),
        Field("spikes", "numeric", label="Spikes"),
        Field("grade", "nominal", label="Grade", levels=GRADES),
    ),
)
N = 600


@pytest.fixture(scope="module")
def study() -> Any:
    """A small score of 600 simulated patients; 80 % have 0 segments, and 99.5 % have 0 spikes."""
    random = np.random.default_rng(20260101)
    segments = np.zeros(N)
    segments[:120] = random.integers(1, 9, 120)
    spikes = np.zeros(N)
    spikes[-3:] = 4.0
    grade = np.repeat(["1", "2", "3", "4"], [400, 150, 47, 3])
    X = pd.DataFrame(
        {
            "age": random.normal(60.0, 10.0, N),
            "segments": segments[random.permutation(N)],
            "spikes": spikes,
            "grade": pd.Categorical(
                grade[random.permutation(N)], categories=[level.code for level in GRADES]
            ),
        }
    )
    hazard = np.exp(0.05 * (X["age"] - 60) + 0.25 * X["segments"] + 0.8 * (X["grade"] != "1"))
    event_time, censoring = random.exponential(900 / hazard), random.uniform(1, 1500, N)
    y = make_outcome(event_time <= censoring, np.minimum(event_time, censoring))
    builder = ScoreBuilder(
        CohortImputer(),
        RSFSelector(n_estimators=5, rule="all", random_state=1),
        MFPCox(select_alpha=1.0, max_df=2, max_df_by={"spikes": 1}),
        horizons=(365.25,),
        keep=("age", "segments", "spikes", "grade"),
    )
    builder.fit(X, y)
    labels = {field.name: field.label for field in SCHEMA.fields}
    predictors = [
        {"id": name, "soft_range": list(X[name].quantile([0.01, 0.99]))}
        for name in ("age", "segments", "spikes")
    ]
    return SimpleNamespace(
        cohort=SimpleNamespace(y=y, schema=SCHEMA),
        X=X,
        builder=builder,
        label=labels.__getitem__,
        sealed=SimpleNamespace(scoring={"predictors": predictors}),
    )


def test_quartiles_are_contrasted_where_they_differ(study: Any) -> None:
    (row,) = _ratios(study, "age")
    assert row["contrast"].endswith("years (75th vs 25th centile)")
    assert row["lower"] < row["hazard_ratio"] < row["upper"]
    assert row["reason"] is None


def test_a_predictor_of_mostly_zeros_is_contrasted_further_out(study: Any) -> None:
    (row,) = _ratios(study, "segments")
    # 20 % of the patients have 1 to 8 segments, so the 75th centile is 0 and the 90th is not.
    high = f"{np.percentile(study.X['segments'], 90):g}"
    assert row["contrast"] == f"{high} vs 0 (90th vs 10th centile)"
    assert row["hazard_ratio"] > 1.1
    assert row["lower"] < row["hazard_ratio"] < row["upper"]


def test_equal_centiles_have_a_reason_and_no_ratio(study: Any) -> None:
    (row,) = _ratios(study, "spikes")
    assert (row["hazard_ratio"], row["lower"], row["upper"]) == (None, None, None)
    assert row["reason"] == "the centiles are equal"
    assert row["contrast"] == "99th vs 1st centile"


def test_a_curve_never_holds_a_patients_extreme_value(study: Any) -> None:
    shape, known = summarise_shape(study, "age"), study.X["age"].to_numpy()
    assert known.min() < min(shape["x"])
    assert max(shape["x"]) < known.max()
    assert not set(shape["x"]) & set(known)
    counts = shape["density"]["counts"]
    assert all(count == 0 or count >= 5 for count in counts)
    assert len(shape["x"]) == len(shape["log_hazard_ratio"]) > 90


@pytest.mark.parametrize(
    "known",
    [
        np.linspace(1999.6, 2004.3, 300),
        np.r_[np.zeros(299), 3.0],
        np.r_[np.full(299, 1234.56), 9999.0],
        np.linspace(0.00151, 0.00219, 200),
        np.linspace(-3.0, 250.4, 200),
    ],
)
def test_a_grid_is_never_empty_and_stays_inside(known: Any) -> None:
    grid = _grid(known)
    assert grid.size >= 1
    assert known.min() <= grid[0] <= grid[-1] <= known.max()
    # A narrow range far from 0 is not rounded away.
    if known[0] == 1999.6:
        assert grid.size > 30
        assert rounded_centile(known, 25) < rounded_centile(known, 50) < rounded_centile(known, 75)


@pytest.fixture(scope="module")
def spiked(study: Any) -> Any:
    """The same study with a spike at 0 segments, ages pulled in, and stage 2 free to choose."""
    builder = ScoreBuilder(
        CohortImputer(),
        RSFSelector(n_estimators=5, rule="all", random_state=1),
        MFPCox(
            select_alpha=1.0,
            fp_alpha=1.0,
            max_df=2,
            max_df_by={"spikes": 1},
            spike=("segments",),
            winsorise={"age": 0.05, "segments": 0.1},
        ),
        horizons=(365.25,),
        keep=("age", "segments"),
    )
    builder.fit(study.X, study.cohort.y)
    return SimpleNamespace(**{**vars(study), "builder": builder})


def test_a_spike_is_a_point_beside_a_curve_of_positive_values(spiked: Any) -> None:
    shape = summarise_shape(spiked, "segments")
    segments = spiked.X["segments"].to_numpy()
    assert shape["powers_text"] == "a step at 0, linear above 0"
    assert shape["spike"]["n"] == np.sum(segments == 0)
    assert min(shape["x"]) == 1.0  # the smallest positive number of segments
    assert sum(shape["density"]["counts"]) <= np.sum(segments > 0)
    # The median is 0, so the point is the reference, and the curve begins with a jump.
    assert shape["reference"] == 0.0
    assert [shape["spike"][k] for k in ("log_hazard_ratio", "lower", "upper")] == [0.0, 0.0, 0.0]
    assert abs(shape["log_hazard_ratio"][0]) > 0.1


def test_a_curve_with_limits_bends_there_and_is_flat_beyond(spiked: Any) -> None:
    shape = summarise_shape(spiked, "age")
    low, high = shape["limits"]
    x, line = np.asarray(shape["x"]), np.asarray(shape["log_hazard_ratio"])
    assert {low, high} <= set(x)
    assert np.ptp(line[x <= low]) == 0.0
    assert np.ptp(line[x >= high]) == 0.0
    assert np.all(np.diff(line[(x >= low) & (x <= high)]) > 0)
    spike = summarise_shape(spiked, "segments")
    assert spike["limits"] == list(spiked.builder.model_.limits_["segments"])


def test_a_shape_without_them_has_no_new_keys(study: Any) -> None:
    assert not {"spike", "limits"} & set(summarise_shape(study, "age"))


@pytest.mark.parametrize(
    ("powers", "step", "text"),
    [
        ((), True, "a step at 0"),
        ((1.0,), True, "a step at 0, linear above 0"),
        ((0.5, 2.0), False, "FP2, powers 0.5, 2 above 0, without a step at 0"),
    ],
)
def test_functions_with_a_spike_in_words(powers: Any, step: bool, text: str) -> None:
    assert _function_text(powers, spiked=True, step=step) == text


def test_parameters_count_the_indicator_of_a_spike(spiked: Any) -> None:
    settings = {"max_df": 4, "max_df_by": {"spikes": 1}, "spike": []}
    # 4 for age, 4 for segments, 1 for spikes, 3 for the four grades.
    schema, names = spiked.cohort.schema, tuple(spiked.X)
    assert candidate_parameters(schema, names, settings) == 12
    settings["spike"] = ["segments"]
    assert candidate_parameters(schema, names, settings) == 13


def test_tests_and_settings_are_named_in_words(spiked: Any) -> None:
    labels = {step["variable"]: step["label"] for step in _steps(spiked)}
    assert labels["grade"] == "Grade"
    tests = {step["test"] for step in _steps(spiked) if step["variable"] == "grade"}
    assert tests == {"all levels vs null"}
    assert spiked.builder.model_.groups == {"grade": ["grade[2]", "grade[3]", "grade[4]"]}
    assert _winsorised(spiked) == [
        {"label": "Age", "share": 0.05},
        {"label": "Ischaemic segments", "share": 0.1},
    ]


def test_a_small_level_is_not_hidden_alone(study: Any) -> None:
    shape = summarise_shape(study, "grade")
    shown = {level["label"]: level["n"] for level in shape["levels"]}
    assert shown == {"none": 400, "some": 150, "much": None, "most": None}
    for level in shape["levels"]:
        assert (level["n"] is None) == bool(level["n_reason"])


def test_the_interval_of_vimp_says_what_it_covers() -> None:
    text = _interval_text(RSFSelector(n_estimators=300, vimp_error="trees"))
    assert text == (
        "Bars: 95 % interval of the VIMP, for the Monte Carlo error of a forest of 300 trees only:"
        " whether another forest would agree, not whether another cohort would."
    )
    assert "of the patients" in _interval_text(RSFSelector(vimp_error="total"))
