"""Sample size, stability and errors of measurement in summary, tables and page."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scorebuilder.cohort.load import load_cohort, load_dataset
from scorebuilder.cohort.schema import CohortSchema, Field, Level
from scorebuilder.core.errors import ModelError
from scorebuilder.experiment.pipeline import make_builder
from scorebuilder.experiment.spec import ExperimentSpec, spec_content
from scorebuilder.report.figures.instability import draw_instability
from scorebuilder.report.render import _environment
from scorebuilder.report.robustness_tables import robustness_tables
from scorebuilder.report.section import SECTIONS
from scorebuilder.report.study import Study
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_instability import (
    RebuiltPredictions,
    rebuilt_by_bootstrap,
    rebuilt_by_cross_validation,
    summarise_instability,
)
from scorebuilder.report.summary_measurement_error import (
    STATED,
    scenarios_of,
    summarise_measurement_error,
)
from scorebuilder.report.summary_sample_size import (
    candidate_parameters,
    plan_sample_size,
    sample_size_text,
    summarise_sample_size,
)
from scorebuilder.report.summary_shape_stability import summarise_shape_stability
from scorebuilder.validation.bootstrap_optimism import bootstrap_optimism
from scorebuilder.validation.bootstrap_replicate import bootstrap_rows
from scorebuilder.validation.resampling import cross_validate

EXAMPLE = Path(__file__).with_name("summary_example.json")
SHOWN = ("sample_size", "shape_stability", "instability", "measurement_error")
CANDIDATES = ("age", "sysbp", "hr", "chf", "bmi")
SPEC: dict[str, Any] = {
    "name": "tiny-score",
    "title": "Tiny",
    "cohort": {"data": "builtin:whas500"},
    "outcome": {"horizons": ["1y"]},
    "candidates": {"keep": ["age", "hr", "bmi"]},
    "selection": {"n_estimators": 20, "rule": "all"},
    "missing": {"policy": "impute"},
    "seed": 5,
}
ERRORS: dict[str, dict[str, Any]] = {
    "hr": {"measurement_sources": {"monitor": 3.0, "palpation": 8.0}},
    "bmi": {"test_retest_sd": 0.5},
    "sysbp": {"test_retest_sd": 8.0},
}


@pytest.fixture(scope="module")
def study() -> Study:
    """A score of 500 patients with stated errors; a tenth of the heart rates are missing."""
    spec = ExperimentSpec.model_validate(SPEC)
    _, schema = load_dataset("whas500")
    fields = tuple(
        dataclasses.replace(field, **ERRORS.get(field.name, {})) for field in schema.fields
    )
    cohort = load_cohort("builtin:whas500", dataclasses.replace(schema, fields=fields))
    X = cohort.X.copy()
    X.loc[X.index[::10], "hr"] = np.nan
    cohort = dataclasses.replace(cohort, X=X)
    builder = make_builder(spec, CANDIDATES).fit(X[list(CANDIDATES)], cohort.y)
    validation = cross_validate(
        make_builder(spec, CANDIDATES, for_folds=True),
        X[list(CANDIDATES)],
        cohort.y,
        folds=2,
        repeats=2,
        horizons=spec.outcome.horizons,
        random_state=1,
    )
    return Study(
        cohort=cohort,
        candidates=CANDIDATES,
        builder=builder,
        artifact=None,
        validation=validation,
        baselines=(),
        settings=spec_content(spec),
        main_horizon=365.25,
        warnings=(),
        reproduce={},
    )


@pytest.fixture(scope="module")
def parts(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = as_plain(
        {
            "sample_size": summarise_sample_size(study),
            "shape_stability": summarise_shape_stability(study),
            "instability": summarise_instability(study),
            "measurement_error": summarise_measurement_error(study),
        }
    )
    return found


def page(summary: dict[str, Any]) -> str:
    """The four sections alone; the whole page is tested on the example."""
    environment, figures = _environment(), {"instability": list(draw_instability(summary))}
    return "".join(
        environment.get_template(f"sections/{SECTIONS[key].template}").render(
            SECTIONS[key].context(summary, figures)
        )
        for key in SHOWN
    )


def test_each_variable_alone_then_each_method_with_all_it_measures(study: Study) -> None:
    kept = [name for name in ("sysbp", "hr", "bmi") if name in study.builder.kept_]
    assert {"hr", "bmi"} <= set(kept)
    found = scenarios_of(study)
    alone = [(s.method, *s.sd) for s in found if not s.jointly]
    assert alone == [
        *((STATED, name) for name in kept if name != "hr"),
        ("monitor", "hr"),
        ("palpation", "hr"),
    ]
    together = {s.method: s.sd for s in found if s.jointly}
    # A variable without an error for the method takes the one that names no method.
    for method, sd in (("monitor", 3.0), ("palpation", 8.0)):
        assert set(together[method]) == set(kept)
        assert together[method]["hr"] == sd
        assert together[method]["bmi"] == 0.5
    assert "hr" not in together.get(STATED, {})


def test_the_less_precise_method_changes_more(parts: dict[str, Any]) -> None:
    found = parts["measurement_error"]
    rows = {(r["method"], r["jointly"]): r for r in found["rows"] if r["method"] != STATED}
    monitor, palpation = rows["monitor", False], rows["palpation", False]
    assert 0.0 < monitor["points_changed"] < palpation["points_changed"] < 1.0
    assert monitor["risk_sd"] < palpation["risk_sd"]
    assert palpation["points_changed"] < rows["palpation", True]["points_changed"]
    assert palpation["reliability"] < monitor["reliability"] < 1.0
    # Draws and expansion agree: a share of 90,000 draws has an error below 0.002, and the
    # expansion is exact for the linear functions here.
    for row in found["rows"]:
        assert row["points_changed"] == pytest.approx(row["points_changed_first_order"], abs=0.01)
        assert row["auc_with_error"] == pytest.approx(row["auc_expected"], abs=0.01)
        assert sum(entry["share"] for entry in row["variables"]) == pytest.approx(1.0)
    assert "Age" in found["without_error"]


def test_filled_in_values_are_not_measured(study: Study, parts: dict[str, Any]) -> None:
    row = next(r for r in parts["measurement_error"]["rows"] if r["method"] == "palpation")
    slope = abs(study.builder.predict(_with_hr(study, 71.0)) - study.builder.predict(
        _with_hr(study, 70.0)))[0]  # fmt: skip
    assert study.builder.model_.powers_["hr"] == (1.0,)
    # 50 of 500 heart rates are missing: root mean square over all of them.
    expected = slope * 8.0 * np.sqrt(0.9)
    assert row["linear_predictor_sd_first_order"] == pytest.approx(expected, rel=1e-6)


def _with_hr(study: Study, value: float) -> pd.DataFrame:
    return study.X.assign(hr=value)


def test_no_error_stated_is_no_section(study: Study) -> None:
    _, schema = load_dataset("whas500")
    plain = dataclasses.replace(study, cohort=dataclasses.replace(study.cohort, schema=schema))
    assert summarise_measurement_error(plain) is None
    assert not SECTIONS["measurement_error"].applies({"measurement_error": None})


def test_parameters_and_patients_needed(study: Study, parts: dict[str, Any]) -> None:
    found = parts["sample_size"]
    # Four numeric candidates with 4 degrees of freedom each, one binary.
    assert found["n_parameters"] == 17
    assert found["events_per_parameter"] == pytest.approx(found["n_events"] / 17)
    usual, own = found["scenarios"]
    assert usual["r2"] == pytest.approx(0.15 * usual["max_r2"])
    model = study.builder.model_
    chi2 = 2 * (model.log_likelihood_ - model.null_log_likelihood_)
    assert own["r2"] == pytest.approx((1 - 17 / chi2) * (1 - np.exp(-chi2 / 500)))
    needed = plan_sample_size(study.cohort, 17, horizon=365.25)
    text = sample_size_text(study.cohort, needed, 17)
    assert text.startswith("too small: 500 patients with ")
    assert not sample_size_text(
        study.cohort, plan_sample_size(study.cohort, 2, horizon=365.25 / 4), 2
    ).startswith("too small")


def test_a_cohort_without_events_cannot_be_planned(study: Study) -> None:
    y = study.cohort.y.copy()
    y["event"] = False
    with pytest.raises(ModelError, match="no patient has the event"):
        plan_sample_size(dataclasses.replace(study.cohort, y=y), 3, horizon=365.25)


def test_a_score_that_explains_nothing_has_no_size(study: Study) -> None:
    weak = SimpleNamespace(log_likelihood_=-100.0, null_log_likelihood_=-101.0)
    made: Any = SimpleNamespace(
        cohort=study.cohort,
        candidates=study.candidates,
        settings=study.settings,
        main_horizon=365.25,
        builder=SimpleNamespace(model_=weak),
    )
    own = summarise_sample_size(made)["scenarios"][1]
    assert own["n_patients"] is None
    assert "does not exceed the 17 parameters" in own["reason"]


def test_candidate_parameters_by_hand() -> None:
    levels = tuple(Level(code, code) for code in "123")
    schema = CohortSchema(
        "s",
        (
            Field("age", "numeric"),
            Field("zero", "numeric"),
            Field("nyha", "ordinal", levels=levels),
        ),
    )
    model = {"max_df": 4, "max_df_by": {"age": 2}, "spike": ["zero"]}
    assert candidate_parameters(schema, ("age", "zero", "nyha"), model) == 2 + 4 + 2 + 1


def _recorded(study: Study, records: list[dict[str, Any]]) -> Study:
    return dataclasses.replace(
        study, validation=dataclasses.replace(study.validation, records=records)
    )


def test_functions_are_counted_by_hand(study: Study) -> None:
    records = [
        {"kept": ["age", "hr"], "powers": {"age": [1.0], "hr": [2.0]}},
        {"kept": ["age", "bmi"], "powers": {"age": [-2.0, 3.0], "bmi": [1.0]}},
        {"kept": ["age", "hr"], "powers": {"age": [1.0], "hr": [0.0]}},
        {"kept": ["age", "bmi"], "powers": {"age": [1.0], "bmi": [1.0]}},
    ]
    found = summarise_shape_stability(_recorded(study, records))
    rows = {row["variable"]: row for row in found["shapes"]}
    shares = ("out", "linear", "fp1", "fp2", "powers", "powers_share", "n_functions")
    assert [rows["age"][key] for key in shares] == [0.0, 0.75, 0.0, 0.25, [1.0], 0.75, 2]
    # Two functions once each: the one with the smaller power is named.
    assert [rows["hr"][key] for key in shares] == [0.5, 0.0, 0.5, 0.0, [0.0], 0.25, 2]
    assert [rows["bmi"][key] for key in shares] == [0.5, 0.5, 0.0, 0.0, [1.0], 0.5, 1]
    assert "sysbp" not in rows
    # Heart rate and body mass index are never kept together, and never both left out.
    (pair,) = found["pairs"]
    assert pair["correlation"] == pytest.approx(-1.0)
    assert pair["both"] == 0.0
    assert found["same_variables"] == 0.0
    own = study.builder.fold_record()
    same = summarise_shape_stability(_recorded(study, [own, *records[:1]]))
    assert same["same_variables"] == same["same_functions"] == 0.5


def test_groups_of_rebuilt_models_follow_their_own_cut_points(study: Study) -> None:
    found = rebuilt_by_cross_validation(study)
    record = study.validation.records[0]
    rows = study.validation.folds[0] == 0
    points = study.validation.points[0, rows]
    if len(record["cut_points"]) == len(study.builder.groups_.cut_points):
        low = points < record["cut_points"][0]
        assert (found.group[0, rows][low] == 0).all()
        assert (found.group[0, rows][~low] >= 1).all()
    other = [{**r, "cut_points": [5]} if r["repeat"] == 0 else r for r in study.validation.records]
    without = rebuilt_by_cross_validation(_recorded(study, other))
    assert np.isnan(without.group[0]).all()


def test_rebuilt_models_equal_to_the_score_are_stable(study: Study) -> None:
    builder, horizon = study.builder, study.main_horizon
    same = [
        np.tile(np.asarray(part, dtype=np.float64), (3, 1))
        for part in (
            builder.predict_risk(study.X, horizon=horizon),
            builder.predict_points(study.X),
            builder.predict_group(study.X),
        )
    ]
    found = summarise_instability(study, RebuiltPredictions("bootstrap", *same))
    assert found["source"] == "bootstrap"
    assert found["risk"]["mean"] == 0.0
    assert [row["changed"] for row in found["classes"]] == [0.0, 0.0]
    assert [(row["threshold"], row["ever_changed"]) for row in found["thresholds"]] == [
        (0.05, 0.0),
        (0.1, 0.0),
        (0.2, 0.0),
    ]


@pytest.fixture(scope="module")
def bootstrapped(study: Study) -> Study:
    """Four bootstrap replicates of the whole pipeline."""
    spec = ExperimentSpec.model_validate(SPEC)
    found = bootstrap_optimism(
        make_builder(spec, CANDIDATES, for_folds=True),
        study.X,
        study.cohort.y,
        n_replicates=4,
        horizons=spec.outcome.horizons,
        random_state=3,
    )
    return dataclasses.replace(study, optimism=found)


def test_a_bootstrap_is_taken_for_the_rebuilt_models(bootstrapped: Study) -> None:
    found, n = summarise_instability(bootstrapped), len(bootstrapped.X)
    assert (found["source"], found["n_replicates"]) == ("bootstrap", 4)
    # By hand: the pipeline fitted to the first sample says this of the original patients.
    rows = bootstrap_rows(n, replicate=0, random_state=3)
    spec = ExperimentSpec.model_validate(SPEC)
    sample = bootstrapped.X.iloc[rows].reset_index(drop=True)
    model = make_builder(spec, CANDIDATES, for_folds=True).fit(sample, bootstrapped.cohort.y[rows])
    again = rebuilt_by_bootstrap(bootstrapped)
    assert again is not None
    horizon = bootstrapped.main_horizon
    # Exact: the same fit of the same patients.
    np.testing.assert_array_equal(
        again.risk[0], model.predict_risk(bootstrapped.X, horizon=horizon)
    )
    np.testing.assert_array_equal(again.points[0], model.predict_points(bootstrapped.X))
    np.testing.assert_array_equal(again.group[0], model.predict_group(bootstrapped.X))
    risk = bootstrapped.builder.predict_risk(bootstrapped.X, horizon=horizon)
    assert found["risk"]["mean"] == pytest.approx(np.abs(again.risk - risk).mean(), abs=1e-12)
    other = (again.risk >= 0.2) != (risk >= 0.2)
    by_threshold = {row["threshold"]: row for row in found["thresholds"]}
    assert by_threshold[0.2]["changed"] == pytest.approx(other.mean(), abs=1e-12)
    assert by_threshold[0.2]["ever_changed"] == pytest.approx(other.any(axis=0).mean(), abs=1e-12)


def test_the_page_says_how_models_were_rebuilt(bootstrapped: Study, study: Study) -> None:
    assert "bootstrap samples of the patients" in page(
        as_plain(
            {
                "sample_size": summarise_sample_size(study),
                "shape_stability": summarise_shape_stability(study),
                "instability": summarise_instability(bootstrapped),
                "measurement_error": summarise_measurement_error(study),
            }
        )
    )
    one = dataclasses.replace(
        bootstrapped.optimism,
        rebuilt=dataclasses.replace(
            bootstrapped.optimism.rebuilt, risk=bootstrapped.optimism.rebuilt.risk[:1]
        ),
    )
    lonely = dataclasses.replace(bootstrapped, optimism=one)
    assert rebuilt_by_bootstrap(lonely) is None
    assert summarise_instability(lonely)["source"] == "cross-validation"


def test_a_bin_without_limits_is_left_out_of_the_figure(parts: dict[str, Any]) -> None:
    broken = copy.deepcopy(parts)
    bins = broken["instability"]["risk"]["bins"]
    bins[-1] |= dict.fromkeys(("lower", "median", "upper", "error"))
    figure = next(iter(draw_instability(broken)))
    assert f"In the highest of {len(bins) - 1} bins" in figure.alt
    assert figure.numbers is not None
    assert figure.numbers.rows[-1][2:] == (
        "undefined: no rebuilt model predicts these patients",
    ) * 4  # fmt: skip
    for row in bins:
        row["upper"] = None
    assert [found.name for found in draw_instability(broken)] == ["calibration-instability"]


def test_one_repeat_says_why_it_says_nothing(study: Study) -> None:
    once = rebuilt_by_cross_validation(study)
    one = RebuiltPredictions(once.source, once.risk[:1], once.points[:1], once.group[:1])
    found = summarise_instability(study, one)
    assert "at least two" in found["risk"]["reason"]
    assert found["risk"]["bins"] == []
    assert all("at least two" in row["reason"] for row in found["classes"])
    assert found["calibration"]["curves"]


def test_the_page_shows_all_four_sections(parts: dict[str, Any]) -> None:
    html = page(parts)
    assert "Patients needed, R\N{SUPERSCRIPT TWO}" in html
    assert "Functions of the numeric variables over the refits" in html
    assert "Patients whom rebuilt models place elsewhere" in html
    assert "Heart rate, palpation (SD 8 /min)" in html
    assert "of the error variance" in html
    assert [figure.name for figure in draw_instability(parts)] == [
        "prediction-instability",
        "calibration-instability",
    ]


def test_what_has_no_value_is_said(parts: dict[str, Any]) -> None:
    broken = copy.deepcopy(parts)
    row = broken["measurement_error"]["rows"][0]
    row |= {key: None for key, value in row.items() if isinstance(value, float)}
    row["reason"] = "all patients have the same linear predictor"
    row["variables"][0]["share"] = None
    broken["instability"]["risk"] = {
        **dict.fromkeys(("mean", "median", "upper", "largest_bin")),
        "bins": [],
        "reason": "one rebuilt model says nothing",
    }
    broken["instability"]["calibration"] = {"curves": [], "reason": "no patient is observed"}
    broken["sample_size"]["scenarios"][1] |= {"criteria": [], "reason": "too weak"}
    html = page(broken)
    assert "undefined: all patients have the same linear predictor" in html
    assert "undefined: one rebuilt model says nothing" in html
    assert "undefined: too weak" in html
    assert "no patient is observed" in html
    assert list(draw_instability(broken)) == []


def test_older_summaries_still_render() -> None:
    summary = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    for key in SHOWN:
        summary.pop(key, None)
    assert not any(SECTIONS[key].applies(summary) for key in SHOWN)


def test_tables_hold_plain_cells_and_no_patient(parts: dict[str, Any]) -> None:
    tables = robustness_tables(parts)
    assert len(tables["measurement_error"]) == len(parts["measurement_error"]["rows"])
    for rows in tables.values():
        assert all(not isinstance(cell, list | dict) for row in rows for cell in row.values())
    assert min(row["n"] for row in tables["prediction_instability"]) >= 5
    assert min(row["n"] for row in tables["calibration_instability"]) >= 5
    assert robustness_tables({**parts, "measurement_error": None})["measurement_error"] == []
