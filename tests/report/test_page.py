"""First lines, flow chart, points card and check for influence, as the reader sees them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scorebuilder.modelling.influence import influential_patients
from scorebuilder.report.brief import brief
from scorebuilder.report.figures.flow import draw_flow, flow_steps
from scorebuilder.report.section import SECTIONS
from scorebuilder.report.sections import assumptions, card, key_results, missing
from scorebuilder.report.summary_card import summarise_card
from scorebuilder.report.summary_influence import summarise_influence

EXAMPLE = Path(__file__).with_name("summary_example.json")
NO_FIGURES: dict[str, list[Any]] = {"flow": []}


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    return found


def test_the_example_has_every_section(summary: dict[str, Any]) -> None:
    absent = [name for name, s in SECTIONS.items() if s.applies and not s.applies(summary)]
    assert absent == []


def test_the_first_lines_say_what_in_whom_and_what_not(summary: dict[str, Any]) -> None:
    lines = dict(brief(summary))
    assert lines["Predicts"].endswith("infarction, within 3 years or 5 years")
    assert lines["In whom"] == summary["score"]["population"]
    assert lines["Not for"] == summary["score"]["not_for"]
    assert lines["Predictors"].startswith("Age, ")
    assert brief({"score": {}}) == []


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [(0.01, 0.05, "better"), (-0.05, -0.01, "worse"), (-0.01, 0.02, "no clear difference"),
     (None, None, "not comparable")],
)  # fmt: skip
def test_the_verdict_follows_the_limits(
    summary: dict[str, Any], lower: float | None, upper: float | None, verdict: str
) -> None:
    other = copy.deepcopy(summary)
    for row in other["validation"]["comparison"]:
        row |= {"lower": lower, "upper": upper}
    table = key_results.context(other, NO_FIGURES)["established"]
    assert {row[-1] for row in table.rows} == {verdict}


def test_calibration_is_told_in_words(summary: dict[str, Any]) -> None:
    other = copy.deepcopy(summary)
    for row in other["validation"]["calibration"]:
        row |= {"in_the_large_lower": 1.1, "in_the_large_upper": 1.3}
        row |= {"slope_lower": 0.6, "slope_upper": 0.8}
    assert "Risks by 5 years are too low on average and too extreme: observed" in " ".join(
        key_results.context(other, NO_FIGURES)["findings"]
    )


def test_risk_groups_cover_the_strip_or_are_left_out(summary: dict[str, Any]) -> None:
    strip = key_results.context(summary, NO_FIGURES)["strip"]
    assert strip["groups"] == [("Low", 3), ("Intermediate", 3), ("High", 5)]
    other = copy.deepcopy(summary)
    del other["risk_groups"]["groups"][1]
    assert key_results.context(other, NO_FIGURES)["strip"]["groups"] == []


def test_the_flow_chart_tells_its_numbers(summary: dict[str, Any]) -> None:
    (figure,) = draw_flow(summary)
    assert "233 excluded: No visit after inclusion; 4,359 patients, 628 events left." in figure.alt
    assert figure.numbers is not None
    rows = {row[0]: row[1] for row in figure.numbers.rows}
    known = [
        rows[f"{state} by 5 years"] for state in ("Event", "No event yet", "Followed for less")
    ]
    assert sum(int(text.replace(",", "")) for text in known) == summary["headline"]["n_patients"]


def test_a_flow_that_does_not_add_up_is_refused() -> None:
    rows = [
        {"label": "read", "n_excluded": 0, "n_left": 10, "events_left": 4},
        {"label": "too old", "n_excluded": 3, "n_left": 8, "events_left": 4},
    ]
    with pytest.raises(ValueError, match="step `too old` leaves 8 of 10 patients but excludes 3"):
        flow_steps(rows)


def test_rows_of_the_card_in_words(summary: dict[str, Any]) -> None:
    found = card.context(summary, NO_FIGURES)
    assert found["entries"][0]["rows"] == [
        ("below 55 years", "0"), ("55 to below 70 years", "1"), ("70 years or more", "3"),
    ]  # fmt: skip
    assert found["entries"][1]["rows"][1] == ("micro or macro", "1")
    assert found["totals"].rows[2] == ("2", "8.0\N{NO-BREAK SPACE}%", "12.0\N{NO-BREAK SPACE}%")
    assert found["bands"].rows[0][1:] == ("hidden", *["undefined: fewer than 5 events"] * 2)


def test_the_card_names_levels_not_codes() -> None:
    levels = [{"code": "1", "label": "none"}, {"code": "2", "label": "some"}]
    rows = [{"codes": ["1"], "points": 0.0}, {"codes": ["2"], "points": 2.0}]
    content = {"card": {"step": 1, "predictors": [{"predictor": "g", "rows": rows}]}}
    scoring = {"predictors": [{"id": "g", "label": "Grade", "unit": "", "levels": levels}]}
    study: Any = SimpleNamespace(sealed=SimpleNamespace(content=content, scoring=scoring))
    found = summarise_card(study)
    assert found is not None
    assert [row["levels"] for row in found["predictors"][0]["rows"]] == [["none"], ["some"]]
    content.clear()
    assert summarise_card(study) is None


def test_missing_values_that_go_with_the_event_are_named(summary: dict[str, Any]) -> None:
    found = missing.context(summary, NO_FIGURES)
    assert found["low"] == "Systolic pressure"
    assert [row[1] for row in found["patterns"].rows] == ["2,420", "1,221", "443", "96"]
    older = copy.deepcopy(summary)
    del older["cohort"]["missing"]
    assert missing.context(older, NO_FIGURES)["patterns"] is None


def test_terms_with_changing_effect_are_named(summary: dict[str, Any]) -> None:
    other = copy.deepcopy(summary)
    other["model"]["ph_test"][0]["p"] = 0.001
    other["model"]["ph_test"].append({"term": "GLOBAL", "chisq": 20.0, "p": 0.01})
    sentence = assumptions.context(other, NO_FIGURES)["ph_sentence"]
    assert sentence.startswith("P is below 0.05 for (age/10)^3: there")


def test_functions_that_few_patients_decide_are_named(summary: dict[str, Any]) -> None:
    found = assumptions.context(summary, NO_FIGURES)
    assert "The function of Creatinine hinges on few patients" in found["influence_sentence"]
    assert found["influence"].rows[0][2:] == ("0 of 44 tried", "no extremes", "no")
    assert assumptions.context({**summary, "influence": None}, NO_FIGURES)["influence"] is None


def test_the_summary_of_influence_is_that_of_the_check(small_score: Any) -> None:
    builder, cohort = small_score.builder, small_score.cohort
    X = cohort.X[builder.feature_names_in_]
    study: Any = SimpleNamespace(
        builder=builder, X=X, cohort=cohort, label=str.upper,
        settings={"explanation": {"influence": True}},
    )  # fmt: skip
    found = summarise_influence(study)
    check = influential_patients(builder.model_, builder.design(X), cohort.y)
    assert found is not None
    assert found["n_refits"] == check.n_refits
    assert [row["variable"] for row in found["rows"]] == list(check.verdicts["variable"])
    assert [row["n_single_changed"] for row in found["rows"]] == list(
        check.verdicts["n_single_changed"]
    )
    study.settings["explanation"]["influence"] = False
    assert summarise_influence(study) is None
