"""Importance in the summary and on the page: aggregates only, one dot for a group of patients."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scorebuilder.report import summary_importance
from scorebuilder.report.figure import FIGURES
from scorebuilder.report.figures.importance import swarm
from scorebuilder.report.render import render_section
from scorebuilder.report.sections.importance import applies, context
from scorebuilder.report.summarise import as_plain
from scorebuilder.report.summary_importance import summarise_importance
from scorebuilder.score.artifact import seal


@pytest.fixture(scope="module")
def found(small_score: Any) -> dict[str, Any]:
    study = SimpleNamespace(X=small_score.cohort.X, sealed=small_score.artifact)
    plain: dict[str, Any] = as_plain(summarise_importance(study))
    return plain


def test_every_predictor_has_a_row_and_no_list_is_as_long_as_the_cohort(
    small_score: Any, found: dict[str, Any]
) -> None:
    assert {row["predictor"] for row in found["rows"]} == set(small_score.artifact.predictors)
    assert max(len(row["bins"]) for row in found["rows"]) <= 30
    assert found["n"] == len(small_score.cohort.X)
    curves = [row["curve"] for row in found["rows"] if row["kind"] == "curve"]
    assert max(len(curve["x"]) for curve in curves) < 70


def test_the_figures_say_what_they_draw(found: dict[str, Any]) -> None:
    (figure,) = FIGURES["importance"]({"importance": found})
    assert f"Largest share: {found['rows'][0]['label']}" in figure.alt
    assert figure.numbers is not None
    assert len(figure.numbers.rows) == sum(len(row["bins"]) for row in found["rows"])
    curves = list(FIGURES["dependence"]({"importance": found}))
    assert len(curves) == len(found["rows"])
    again = [figure.svg for figure in FIGURES["dependence"]({"importance": found})]
    assert again == [figure.svg for figure in curves]


def test_the_forest_stands_beside_the_score(found: dict[str, Any]) -> None:
    name = found["rows"][0]["predictor"]
    agreement = {"rows": [{"variable": name, "forest_share": 0.42}]}
    figures: dict[str, Any] = {"importance": [], "dependence": []}
    table = context({"importance": found, "stage_agreement": agreement}, figures)["table"]
    assert table.header[-1] == "Share in the forest"
    assert table.rows[0][-1].startswith("42")
    assert {row[-1] for row in table.rows[1:]} == {"not explained"}
    alone = context({"importance": found}, figures)["table"]
    assert alone.header[-1] != "Share in the forest"


def test_the_page_escapes_labels_and_says_why_there_is_nothing(found: dict[str, Any]) -> None:
    example = json.loads(Path(__file__).with_name("summary_example.json").read_text("utf-8"))
    rows = [{**found["rows"][0], "label": "<script>alert(1)</script>"}, *found["rows"][1:]]
    page = render_section({**example, "importance": {**found, "rows": rows}}, "importance")
    assert "What moves the score" in page
    assert "<script" not in page
    nothing = {"rows": [], "point": None, "n": 5, "reason": "the score is the same for all"}
    assert "undefined: the score is the same" in render_section(
        {**example, "importance": nothing}, "importance"
    )
    assert not applies({})


def test_undefined_parts_leave_a_reason_or_a_gap(small_score: Any) -> None:
    content = small_score.artifact.content
    points = {**content["scoring"]["points"], "thresholds": [0.0, 1.0, 3.0]}
    uneven = seal({**content, "scoring": {**content["scoring"], "points": points}})
    found = summarise_importance(SimpleNamespace(X=small_score.cohort.X, sealed=uneven))  # type: ignore[arg-type]
    assert found["point"] is None
    shown = context({"importance": found}, {"importance": [], "dependence": []})
    assert "In points" not in shown["table"].header
    assert "points" not in shown["sentence"]


def test_a_score_that_does_not_move_is_said_so(
    small_score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorebuilder.core.errors import UndefinedMetricError

    def refuse(*_: Any) -> None:
        message = "the same for all"
        raise UndefinedMetricError(message)

    monkeypatch.setattr(summary_importance, "global_importance", refuse)
    study = SimpleNamespace(X=small_score.cohort.X, sealed=small_score.artifact)
    found = summarise_importance(study)  # type: ignore[arg-type]
    assert (found["rows"], found["reason"]) == ([], "the same for all")
    assert not list(FIGURES["importance"]({"importance": found}))
    assert not list(FIGURES["dependence"]({"importance": found}))


def test_dots_of_a_swarm_do_not_overlap() -> None:
    random = np.random.default_rng(3)
    x, area = random.normal(0, 20, 40), random.uniform(14, 78, 40)
    height, radius = swarm(x, area, per_point=1.0), np.sqrt(area / np.pi)
    for i in range(40):
        for j in range(i):
            apart = np.hypot(x[i] - x[j], height[i] - height[j])
            assert apart >= 1.03 * (radius[i] + radius[j])
    np.testing.assert_array_equal(swarm([0.0, 100.0], [20.0, 20.0], per_point=1.0), [0.0, 0.0])
