"""A reporting checklist beside what the run and the study say of each item."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from scorebuilder.report.checklist_evidence import EVIDENCE
from scorebuilder.report.figure import Summary, slug
from scorebuilder.report.section import SECTIONS

RUN, STATED, DRAFT, NOT_REPORTED, NOT_APPLICABLE = (
    "filled from the run", "stated by the authors", "draft, to be confirmed", "NOT REPORTED",
    "does not apply",
)  # fmt: skip
STATUSES = (RUN, STATED, DRAFT, NOT_REPORTED, NOT_APPLICABLE)


@dataclass(frozen=True)
class Answer:
    """
    One item and its answer.

    Attributes
    ----------
    id, topic, wording : str
        Number of the item, its heading, and what it asks for.
    applies_to : str
        ``D`` development, ``E`` evaluation, ``D, E`` both.
    status : str
        One of `STATUSES`.
    text : str
        What the run or the authors say.
    anchor, where : str
        Identifier and title of the section that says more; empty where there is none.
    """

    id: str
    topic: str
    wording: str
    applies_to: str
    status: str
    text: str
    anchor: str
    where: str


@cache
def load_items() -> tuple[dict[str, Any], ...]:
    """
    Read the sub-items of TRIPOD+AI.

    Returns
    -------
    tuple of dict
        ``id``, ``topic``, ``for``, ``class``, ``study``, ``evidence``, ``section``, ``wording``.
    """
    import yaml

    file = resources.files("scorebuilder.report") / "tripod_ai.yaml"
    return tuple(yaml.safe_load(file.read_text(encoding="utf-8"))["items"])


def answer_items(summary: Summary) -> list[Answer]:
    """
    Answer every sub-item of TRIPOD+AI from a summary.

    Parameters
    ----------
    summary : mapping
        The summary of a run.

    Returns
    -------
    list of Answer
        In the order of the checklist. Words of the authors come before what the run proposes.
    """
    return [_answer(item, summary) for item in load_items()]


def _answer(item: dict[str, Any], summary: Summary) -> Answer:
    stated = (summary.get("study") or {}).get(item["study"]) if item["study"] else None
    evidence = EVIDENCE[item["evidence"]](summary) if item["evidence"] else None
    if stated:
        status, text = STATED, str(stated)
    elif evidence:
        status, text = (RUN if item["class"] == "run" else DRAFT), evidence
    elif item["for"] == "E" and not summary.get("external"):
        status, text = NOT_APPLICABLE, "No other cohort was judged."
    else:
        status, text = NOT_REPORTED, ""
    anchor, where = locate(summary, item["section"]) if evidence else ("", "")
    applies_to = ", ".join(item["for"])
    return Answer(
        item["id"], item["topic"], item["wording"], applies_to, status, text, anchor, where
    )


def locate(summary: Summary, name: str) -> tuple[str, str]:
    """
    Find a section on the page.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    name : str
        A key of `SECTIONS`.

    Returns
    -------
    anchor, title : str
        Empty if this report has no such section.
    """
    section = SECTIONS.get(name)
    if section is None or (section.applies is not None and not section.applies(summary)):
        return "", ""
    return slug(section.title), section.title
