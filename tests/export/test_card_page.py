"""Whoever adds the points that the printed card shows gets the card's total and its risk."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from lxml import html

from scorebuilder.experiment.card import with_card
from scorebuilder.experiment.spec_score import ScoreSpec
from scorebuilder.export.target import export_score
from scorebuilder.score.apply import fill_missing
from scorebuilder.score.artifact import ScoreArtifact
from scorebuilder.score.card_grid import card_totals
from scorebuilder.score.points_card import card_risks


@pytest.fixture(scope="module", params=["whole", "half"])
def carded(request: pytest.FixtureRequest, small_score: Any) -> ScoreArtifact:
    cohort = small_score.cohort
    settings = ScoreSpec(card=request.param)
    return with_card(small_score.artifact, cohort.X, cohort.y, settings)


@pytest.fixture(scope="module")
def page(carded: ScoreArtifact) -> Any:
    files = export_score(carded, "card")
    (text,) = (content for name, content in files.items() if name.endswith(".html"))
    return html.fromstring(text)


def rows_of(table: Any) -> list[list[str]]:
    return [
        [cell.text_content().strip() for cell in row.iterchildren()]
        for row in table.xpath(".//tbody/tr")
    ]


def holds(words: str, value: Any, labels: dict[str, str]) -> bool:
    """Whether the words of a row are true of a value, as a reader takes them."""
    if isinstance(value, str):
        return labels[value] in words.split(" or ")
    if words == "any":
        return True
    if found := re.fullmatch(r"under (\S+)", words):
        return value < float(found[1])
    if found := re.fullmatch(r"(\S+) or more", words):
        return value >= float(found[1])
    low, high = re.fullmatch(r"(\S+) to under (\S+)", words).groups()
    return float(low) <= value < float(high)


def test_the_points_on_paper_add_up(small_score: Any, carded: ScoreArtifact, page: Any) -> None:
    filled = fill_missing(carded, small_score.cohort.X)[0].head(200)
    boxes = page.xpath("//div[@class='input']")
    on_card = [entry["predictor"] for entry in carded.content["card"]["predictors"]]
    assert len(boxes) == len(on_card)
    labels = {
        predictor["id"]: {level["code"]: level["label"] or level["code"]
                          for level in predictor["levels"]}
        for predictor in carded.scoring["predictors"]
    }  # fmt: skip
    totals = np.zeros(len(filled))
    for name, box in zip(on_card, boxes, strict=True):
        rows = rows_of(box.find(".//table"))
        for place, value in enumerate(filled[name]):
            fits = [float(points) for words, points in rows if holds(words, value, labels[name])]
            assert len(fits) == 1, f"row of {name}"
            totals[place] += fits[0]
    np.testing.assert_array_equal(totals, card_totals(carded.content["card"], filled))


def test_the_risk_on_paper_is_that_of_the_total(carded: ScoreArtifact, page: Any) -> None:
    (table,) = (
        table for table in page.xpath("//table") if table.xpath("./thead//th")[0].text == "Total"
        and len(table.xpath("./thead//th")) == 1 + len(carded.horizons)
    )  # fmt: skip
    shown = np.array([[float(cell) for cell in row] for row in rows_of(table)])
    risks = card_risks(carded.content["card"], shown[:, 0])
    np.testing.assert_allclose(shown[:, 1:], 100 * risks, atol=0.05 + 1e-9)  # one decimal is shown
    low, high = carded.content["card"]["total"]
    assert (shown[0, 0], shown[-1, 0]) == (low, high)
