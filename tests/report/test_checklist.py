"""The checklist: complete, honest about what is missing, and linked to what is there."""

from __future__ import annotations

import copy
from typing import Any

from scorebuilder.experiment.spec_study import StudySpec
from scorebuilder.report.checklist import (
    DRAFT,
    NOT_APPLICABLE,
    NOT_REPORTED,
    RUN,
    STATED,
    answer_items,
    load_items,
)
from scorebuilder.report.checklist_evidence import EVIDENCE
from scorebuilder.report.format import Rendering
from scorebuilder.report.section import SECTIONS

ITEMS = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15"
    " 16 17 18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
)


def test_there_are_52_sub_items_of_27_items() -> None:
    found = [item["id"] for item in load_items()]
    assert found == ITEMS.split()
    assert len(found) == 52
    assert len({name.rstrip("abcdefg") for name in found}) == 27


def test_what_items_name_exists() -> None:
    items = load_items()
    assert {item["study"] for item in items if item["study"]} == set(StudySpec.model_fields)
    assert {item["evidence"] for item in items if item["evidence"]} == set(EVIDENCE)
    assert {item["section"] for item in items if item["section"]} <= set(SECTIONS)
    assert {item["for"] for item in items} == {"D", "E", "DE"}
    assert {item["class"] for item in items} == {"run", "draft", "human"}


def test_status_follows_from_who_said_it(example_summary: dict[str, Any]) -> None:
    answers = {answer.id: answer for answer in answer_items(example_summary)}
    assert (answers["17"].status, answers["17"].text) == (STATED, "Not needed: no patient is real.")
    assert (answers["18a"].status, answers["18a"].text) == (NOT_REPORTED, "")
    assert answers["1"].status == DRAFT
    assert answers["10"].status == RUN
    assert answers["20c"].status == RUN
    alone = answer_items({**example_summary, "external": []})
    assert {answer.id: answer.status for answer in alone}["20c"] == NOT_APPLICABLE
    assert "605 events" in answers["20a"].text
    assert answers["20a"].anchor == "patients-and-follow-up"


def test_an_external_cohort_makes_items_of_evaluation_apply(
    example_summary: dict[str, Any],
) -> None:
    other = copy.deepcopy(example_summary)
    other["external"] = [{"label": "Other hospital"}]
    answers = {answer.id: answer for answer in answer_items(other)}
    assert answers["20c"].status == RUN
    assert "Other hospital" in answers["20c"].text


def test_without_numbers_nothing_is_claimed(example_summary: dict[str, Any]) -> None:
    other = copy.deepcopy(example_summary)
    other["headline"]["auc"] = None
    other["sample_size"] = None
    other["study"] = {}
    answers = {answer.id: answer for answer in answer_items(other)}
    assert answers["23a"].status == answers["10"].status == answers["17"].status == NOT_REPORTED


def test_the_page_links_to_sections_and_gives_no_certificate(
    example_rendering: Rendering, example_summary: dict[str, Any]
) -> None:
    html = example_rendering.html
    for answer in answer_items(example_summary):
        if answer.anchor:
            assert f'id="{answer.anchor}"' in html
    assert "no certificate" in html
    assert "compliant" not in html.lower()
