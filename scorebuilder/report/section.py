"""What a section of the report is, and the registry in which each enters itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from scorebuilder.core.registry import Registry
from scorebuilder.report.figure import Figure, Summary

Figures: TypeAlias = Mapping[str, list[Figure]]

CHAPTERS = ("Summary", "Patients", "Model", "Score", "Performance", "Use and limits")
"""Headings under which the sections stand, in reading order."""


@dataclass(frozen=True)
class Section:
    """
    A part of the page: which template, with which words and numbers, and when.

    Attributes
    ----------
    title : str
        Heading.
    chapter : str
        One of `CHAPTERS`.
    order : int
        Sections are sorted by it within the page.
    template : str
        File in ``templates/sections``.
    context : callable
        Takes the summary and the figures; returns what the template may name.
    applies : callable or None
        Takes the summary; False leaves the section out. None: every report has it.
    """

    title: str
    chapter: str
    order: int
    template: str
    context: Callable[[Summary, Figures], dict[str, Any]]
    applies: Callable[[Summary], bool] | None = None


SECTIONS: Registry[Section] = Registry("section", "scorebuilder.report.sections")
