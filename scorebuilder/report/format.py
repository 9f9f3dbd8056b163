"""What a format of the report is, and the registry in which each enters itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from scorebuilder.core.registry import Registry
from scorebuilder.report.drawing import png_copies
from scorebuilder.report.drawing_words import figures_say
from scorebuilder.report.figure import Summary, tidy
from scorebuilder.report.language import figure_words, translate_page
from scorebuilder.report.render import render_html


@dataclass(frozen=True)
class Rendering:
    """
    The page, from which every format is written.

    Attributes
    ----------
    html : str
        The page in the language asked for.
    name : str
        File name without ending.
    title : str
        Title and version of the score.
    language : str
        Two letters.
    pngs : mapping of str to bytes
        PNG of 300 dots per inch for each SVG text on the page.
    """

    html: str
    name: str
    title: str
    language: str = "en"
    pngs: Mapping[str, bytes] = field(default_factory=dict)


Format: TypeAlias = Callable[[Rendering], dict[str, bytes]]
"""Takes the rendering; returns files by their path beside the main one."""

FORMATS: Registry[Format] = Registry("format", "scorebuilder.report.formats")


def render_format(
    summary: Summary, kind: str, *, name: str = "report", language: str = "en"
) -> dict[str, bytes]:
    """
    Render a summary as one of `FORMATS`.

    Parameters
    ----------
    summary : mapping
        The summary of a run.
    kind : str
        A key of `FORMATS`.
    name : str
        File name without ending.
    language : str
        ``en``, or a language that has a catalogue.

    Returns
    -------
    dict of str to bytes
        Files by path; the main one is ``<name>.<kind>``.

    Raises
    ------
    MissingPartError
        If a library or program that the format needs is not installed.
    """
    write = FORMATS[kind]
    with png_copies() as pngs, figures_say(figure_words(language, summary)) as left:
        html = render_html(summary)
    score = tidy(summary["score"])
    title = f"{score['title']} {score['version']}"
    page = translate_page(html, language, summary, n_left=len(left))
    return write(Rendering(page, name, title, language, pngs))
