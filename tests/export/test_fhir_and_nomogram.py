"""FHIR resources fulfil their specification; the scales of the nomogram give the score's risk."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from scorebuilder.explanation.nomogram import make_nomogram
from scorebuilder.export.nomogram import draw_nomogram
from scorebuilder.export.plan import make_plan
from scorebuilder.export.target import export_score
from scorebuilder.score.apply import contributions, score_table

from .made_up import made_up_score  # isort: skip


@pytest.mark.parametrize("seed", range(6))
def test_resources_are_valid_fhir(seed: int) -> None:
    from fhir.resources.R4B.questionnaire import Questionnaire
    from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
    from fhir.resources.R4B.riskassessment import RiskAssessment

    kinds = {
        "Questionnaire": Questionnaire,
        "QuestionnaireResponse": QuestionnaireResponse,
        "RiskAssessment": RiskAssessment,
    }
    seen = set()
    for text in export_score(made_up_score(seed), "fhir").values():
        content = json.loads(text)
        if "resourceType" in content:
            kinds[content["resourceType"]].model_validate(content)
            seen.add(content["resourceType"])
        else:
            (card,) = content["cards"]
            assert len(card["summary"]) < 140
            assert card["indicator"] == "info"
            assert card["source"]["label"]
    assert seen == set(kinds)


def test_points_of_the_nomogram_give_the_risk(small_score: Any) -> None:
    """Total x unit + base is the linear predictor, whose risk is the score's."""
    plan = make_plan(small_score.artifact)
    nomogram = make_nomogram(small_score.artifact)
    X = small_score.cohort.X[small_score.artifact.predictors].dropna().head(100)
    for rule in plan.inputs:
        if rule.numeric and rule.usual is not None:
            X[rule.name] = X[rule.name].clip(*rule.usual)
    parts = contributions(small_score.artifact, X)
    scored = score_table(small_score.artifact, X)
    total = (parts.sum(axis=1) - nomogram.base) / nomogram.unit
    np.testing.assert_allclose(
        total * nomogram.unit + nomogram.base, scored["linear_predictor"], atol=1e-9
    )
    # Nobody within the usual ranges leaves the scales, but for the grid of 401 values.
    assert total.min() >= -0.05
    assert total.max() <= nomogram.totals.last + 0.05
    longest = max(scale.last for scale in nomogram.inputs)
    assert longest == pytest.approx(100.0)


def test_ticks_of_risk_stand_where_the_formula_has_that_risk(small_score: Any) -> None:
    plan = make_plan(small_score.artifact)
    nomogram = make_nomogram(small_score.artifact)
    for row, scale in zip(plan.horizons, nomogram.risks, strict=True):
        assert len(scale.ticks) > 3
        for tick in scale.ticks:
            lp = nomogram.base + nomogram.unit * tick.points
            risk = -np.expm1(-row.cumulative_hazard * np.exp(lp))
            assert risk == pytest.approx(float(tick.label) / 100, abs=1e-9)


def test_ticks_of_an_input_stand_at_its_contribution(small_score: Any) -> None:
    plan = make_plan(small_score.artifact)
    nomogram = make_nomogram(small_score.artifact)
    age = next(place for place, rule in enumerate(plan.inputs) if rule.name == "age")
    ticks = nomogram.inputs[age].ticks
    base = small_score.cohort.X[small_score.artifact.predictors].dropna().iloc[[0] * len(ticks)]
    base = base.reset_index(drop=True).assign(age=[float(tick.label) for tick in ticks])
    part = contributions(small_score.artifact, base)["age"].to_numpy()
    found = np.array([tick.points for tick in ticks]) * nomogram.unit
    np.testing.assert_allclose(np.diff(found), np.diff(part), atol=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_the_drawing_holds_no_markup_of_the_user(seed: int) -> None:
    drawing = draw_nomogram(make_nomogram(made_up_score(seed)))
    assert set(re.findall(r"<(\w+)", drawing)) <= {"svg", "text", "line"}
    assert drawing == draw_nomogram(make_nomogram(made_up_score(seed)))
